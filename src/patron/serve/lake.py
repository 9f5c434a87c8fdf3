"""The event lake over HTTP: how it is, its files, and read-only SQL. Behind the private door, with a scope of its own."""

from typing import Any, Protocol

import msgspec
from msgspec import Struct

from patron.serve.router import Reply, Request, Route

_encode = msgspec.json.Encoder().encode
_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class LakeBackend(Protocol):
    """What these routes need of whatever runs behind them."""

    async def lake_status(self) -> Any: ...
    async def lake_query(self, sql: str, form: str, rows: int) -> tuple[Any, bytes]: ...
    async def lake_flush(self) -> Any: ...
    async def lake_compact(self) -> Any: ...
    async def log_prune(self, before: int) -> Any: ...


class LakeTableAnswer(Struct, frozen=True):
    """A table of the lake: its version, the log position it reaches to, and the files it is made of."""

    table: str
    version: int
    position: int
    files: list[str]
    rows: int
    bytes: int
    oldest: str | None
    newest: str | None


class LakeAnswer(Struct, frozen=True):
    """How the lake is. `lag` counts messages that are applied and not in it yet."""

    url: str
    running: bool
    position: int
    applied: int
    lag: int
    problem: str
    tables: list[LakeTableAnswer]


class LakeQuery(Struct, frozen=True):
    """One SELECT over the tables of the lake."""

    sql: str
    format: str = "json"
    """`json`, `csv` or `parquet`."""
    rows: int = 10_000
    """Most rows of the answer."""


class LakeRows(Struct, frozen=True):
    """An answer as JSON: columns with name and type, and rows in their order."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    truncated: bool


class LakePosition(Struct, frozen=True):
    """Log position up to which everything is in the lake."""

    position: int


class Prune(Struct, frozen=True):
    """Up to when messages were received whose text may go, ms since 1970 UTC."""

    before: int


class Pruned(Struct, frozen=True):
    """Segments that were thinned, bytes freed, and the position up to which messages are in the lake only."""

    segments: int
    bytes: int
    position: int


class Compacted(Struct, frozen=True):
    """Files before and after, and files removed."""

    before: int
    after: int
    removed: int


def routes(backend: LakeBackend) -> list[Route]:
    """All operations under `/v1/lake`."""

    async def status(_: Request) -> Reply:
        return Reply(await backend.lake_status())

    async def query(request: Request) -> Reply:
        asked = request.json(LakeQuery)
        head, content = await backend.lake_query(asked.sql, asked.format, asked.rows)
        if asked.format == "json":
            start = _encode({"columns": head.columns, "truncated": head.truncated})[:-1]
            return Reply(raw=start + b',"rows":' + content + b"}")
        return Reply(
            raw=content,
            content_type=_TYPES[asked.format],
            headers=(("patron-truncated", str(head.truncated).lower()),),
        )

    async def flush(_: Request) -> Reply:
        return Reply(await backend.lake_flush())

    async def compact(_: Request) -> Reply:
        return Reply(await backend.lake_compact())

    async def prune(request: Request) -> Reply:
        return Reply(await backend.log_prune(request.json(Prune).before))

    return [
        Route(
            "POST",
            "/v1/admin/log/prune",
            "admin",
            "Take messages that are in the lake out of the old part of the log.",
            prune,
            (),
            Prune,
            Pruned,
        ),
        Route("GET", "/v1/lake", "lake", "How the event lake is, and its files.", status, returns=LakeAnswer),
        Route(
            "POST",
            "/v1/lake/query",
            "lake",
            "Run one read-only SELECT over the lake, in a process of its own.",
            query,
            (),
            LakeQuery,
            LakeRows,
        ),
        Route(
            "POST",
            "/v1/lake/flush",
            "lake",
            "Write what is applied to the lake now.",
            flush,
            returns=LakePosition,
        ),
        Route(
            "POST",
            "/v1/lake/compact",
            "admin",
            "Merge small files, apply retention.",
            compact,
            returns=Compacted,
        ),
    ]
