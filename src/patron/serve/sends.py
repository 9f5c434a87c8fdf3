"""Sends over HTTP: try, begin, follow and stop; and their decisions, page by page, for whoever sends them."""

import csv
import io
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from patron.model.access import ApiKey
from patron.model.errors import BadRequest
from patron.model.sends import Mix, SendEffect, SendReport, SendView, SentPage, SentRow
from patron.serve.router import Query, Reply, Request, Route
from patron.serve.rules import body_of

ADMIN, DECIDE = "admin", "decide"
_DAYS = 366
_MOST = 1_000
_NDJSON, _CSV = "application/x-ndjson", "text/csv"
_encode = msgspec.json.Encoder().encode


class SendsDoor(Protocol):
    """What answers."""

    def allow(self, key: ApiKey) -> None: ...
    def all(self) -> list[SendView]: ...
    def get(self, name: str) -> SendView: ...
    def told(self, view: SendView) -> Any: ...
    async def dry(self, value: object) -> SendReport: ...
    async def start(self, value: object, by: str) -> SendView: ...
    async def stop(self, name: str, by: str) -> SendView: ...
    async def report(self, name: str) -> SendReport: ...
    async def effect(self, name: str) -> SendEffect: ...
    async def distinct(self, placement: str, days: int = 28) -> Mix: ...
    async def page(self, name: str, cursor: str, limit: int, *, everyone: bool = False) -> SentPage: ...


class EnteringDoor(Protocol):
    """What answers of decisions that events begin."""

    async def page(
        self, key: ApiKey, placement: str, cursor: str, limit: int, *, everyone: bool, store: str
    ) -> SentPage: ...


class SendsBackend(Protocol):
    """What these routes need of whatever runs behind them."""

    @property
    def sends(self) -> SendsDoor: ...
    @property
    def entering(self) -> EnteringDoor: ...


class SendBody(Struct, frozen=True):
    """A send: to whom, by which placements, which offers, when, and who is held out."""

    id: str
    name: str
    placements: list[str]
    segment: str = ""
    offers: list[str] = []
    holdout: float = 0.0
    hours: tuple[int, int] = (9, 20)
    within: int = 24


class SendShown(Struct, frozen=True):
    """A send with how far it is."""

    id: str
    definition: dict[str, Any]
    state: str
    started: str
    ended: str | None
    by: str
    looked: int
    unreachable: int
    decided: int


class SendList(Struct, frozen=True):
    """All sends, the newest first."""

    data: list[SendShown]


def routes(backend: SendsBackend) -> list[Route]:
    """All operations on sends."""
    doors, one = _Sends(backend), "/v1/sends/{send}"
    pages = (
        Query("cursor", about="Where the page before ended."),
        Query("limit", "integer", "Rows of a page; 1,000 when left out.", low=1, high=_MOST),
        Query("everyone", about="`true`: also who gets nothing, with the reason.", choices=("true", "false")),
    )
    here = (Query("store", about="Only of who came in at this store."),)
    days = (Query("days", "integer", "Days back; 28 when left out.", low=1, high=_DAYS),)
    return [
        Route("GET", "/v1/sends", ADMIN, "Every send, the newest first.", doors.listed, returns=SendList),
        Route("POST", "/v1/sends", ADMIN, "Begin a send; it goes on beside everything else.", doors.start, (), SendBody, SendShown, 202),
        Route("POST", "/v1/sends/dry-run", ADMIN, "Who would get what, where and when, who not and why; nothing is reserved or recorded.", doors.dry, (), SendBody, SendReport),
        Route("GET", one, ADMIN, "One send, and how far it is.", doors.show, returns=SendShown),
        Route("GET", f"{one}/report", ADMIN, "Who got what, where and when; who did not, and why; how different it was.", doors.report, returns=SendReport),
        Route("GET", f"{one}/effect", ADMIN, "What it changed so far, against those held out from it.", doors.effect, returns=SendEffect),
        Route("GET", f"{one}/decisions", ADMIN, "Its decisions, page by page, for whoever sends them.", doors.page, pages, returns=SentPage),
        Route("GET", f"{one}/decisions.ndjson", ADMIN, "The same, a JSON object a line; the next cursor in `Patron-Cursor`.", doors.ndjson, pages, returns=_NDJSON),
        Route("GET", f"{one}/decisions.csv", ADMIN, "The same as CSV; the next cursor in `Patron-Cursor`.", doors.csv, pages, returns=_CSV),
        Route("POST", f"{one}/stop", ADMIN, "Decide for nobody else; what is decided stays.", doors.stop, returns=SendShown),
        Route("GET", "/v1/placements/{placement}/decisions", DECIDE, "What events such as `Store Entered` began at a placement, page by page, for whoever brings it.", doors.begun, (*pages, *here), returns=SentPage),
        Route("GET", "/v1/placements/{placement}/distinctness", ADMIN, "How different what a placement gave lately is.", doors.distinct, days, returns=Mix),
    ]  # fmt: skip


class _Sends:
    def __init__(self, backend: SendsBackend) -> None:
        self._sends = backend.sends
        self._entering = backend.entering

    async def listed(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        return Reply({"data": [self._sends.told(view) for view in self._sends.all()]})

    async def start(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        view = await self._sends.start(body_of(request), request.who.name)
        return Reply(self._sends.told(view), 202)

    async def dry(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        return Reply(await self._sends.dry(body_of(request)))

    async def show(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        return Reply(self._sends.told(self._sends.get(request.path["send"])))

    async def report(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        return Reply(await self._sends.report(request.path["send"]))

    async def effect(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        return Reply(await self._sends.effect(request.path["send"]))

    async def page(self, request: Request) -> Reply:
        return Reply(await self._page(request))

    async def ndjson(self, request: Request) -> Reply:
        page = await self._page(request)
        return _file(ndjson_of(page.data), _NDJSON, page.cursor)

    async def csv(self, request: Request) -> Reply:
        page = await self._page(request)
        return _file(csv_of(page.data), f"{_CSV}; charset=utf-8", page.cursor)

    async def begun(self, request: Request) -> Reply:
        cursor, limit, everyone = _asked(request)
        place, store = request.path["placement"], request.query.get("store", "")
        return Reply(
            await self._entering.page(request.who, place, cursor, limit, everyone=everyone, store=store)
        )

    async def _page(self, request: Request) -> SentPage:
        self._sends.allow(request.who)
        cursor, limit, everyone = _asked(request)
        return await self._sends.page(request.path["send"], cursor, limit, everyone=everyone)

    async def stop(self, request: Request) -> Reply:
        self._sends.allow(request.who)
        return Reply(self._sends.told(await self._sends.stop(request.path["send"], request.who.name)))

    async def distinct(self, request: Request) -> Reply:
        days = request.number("days", 28, 1, _DAYS)
        return Reply(await self._sends.distinct(request.path["placement"], days))


def _asked(request: Request) -> tuple[str, int, bool]:
    """Cursor, rows of a page, and whether also who gets nothing."""
    everyone = request.query.get("everyone", "false")
    if everyone not in ("true", "false"):
        raise BadRequest("bad_query", "`everyone` is true or false.")
    return request.query.get("cursor", ""), request.number("limit", _MOST, 1, _MOST), everyone == "true"


def ndjson_of(rows: list[SentRow]) -> bytes:
    """Decisions, a JSON object a line."""
    return b"".join(_encode(row) + b"\n" for row in rows)


def csv_of(rows: list[SentRow], *, heads: bool = True) -> bytes:
    """Decisions as CSV (RFC 4180), with a line of names."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    if heads:
        table.writerow(SentRow.__struct_fields__)
    table.writerows([_cell(value) for value in msgspec.structs.astuple(row)] for row in rows)
    return text.getvalue().encode()


def _file(content: bytes, kind: str, cursor: str | None) -> Reply:
    headers = () if cursor is None else (("patron-cursor", cursor),)
    return Reply(raw=content, content_type=kind, headers=headers)


def _cell(value: Any) -> Any:
    """A value of a row: a text that a spreadsheet would take for a formula stands behind an apostrophe (OWASP).

    >>> _cell("=1+1"), _cell(True), _cell(9)
    ("'=1+1", 'true', 9)
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
