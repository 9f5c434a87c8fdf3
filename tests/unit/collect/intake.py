"""A real intake in memory (reads, dedups, keeps), and a way to call an ASGI application without a socket."""

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from patron.collect.http import Tracking
from patron.collect.limits import Limits
from patron.collect.segment_api import Origin, ReadRules, faults, read_batch
from patron.model.access import Source
from patron.model.clock import SteppedClock
from patron.model.events import Batch, Event, Reject
from patron.model.ingest import Receipt

NOW = 1_772_471_052_500
"""2026-03-02T17:04:12.500Z"""
KEY = "wk_shop"
SHOP, LIMITS, RULES = Origin("shop", "web"), Limits(), ReadRules()


def read(
    body: bytes | object,
    route: str = "batch",
    *,
    origin: Origin = SHOP,
    received: int = NOW,
    limits: Limits = LIMITS,
    rules: ReadRules = RULES,
    skipped: Mapping[int, str] | None = None,
) -> Batch:
    """`read_batch` with the usual surroundings; a list is wrapped as a batch."""
    if isinstance(body, list):
        body = {"batch": body}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_batch(raw, route, origin, received, 1, limits, rules, skipped)


def one(message: Mapping[str, Any], **options: Any) -> Event:
    """The event of one message, which must be accepted. It gets a name and an id when it has none."""
    batch = read([{"type": "track", "event": "E", "messageId": "m", "userId": "u", **message}], **options)
    assert not batch.rejects, batch.rejects
    return batch.events[0]


def refused(message: Any, **options: Any) -> Reject:
    """The reject of one message, which must not be accepted."""
    batch = read([message], **options)
    assert not batch.events, batch.events
    return batch.rejects[0]


def replay(batch: Batch, body: bytes, route: str = "batch", **options: Any) -> Batch:
    """The batch read again from what the log keeps."""
    stored = batch.stored if batch.stored is not None else body
    return read(stored, route, skipped={r.index: r.code for r in batch.rejects}, **options)


class MemoryIntake:
    """Keeps events, dead letters and bodies; drops copies by (source, messageId)."""

    def __init__(self, *sources: Source, clock: SteppedClock | None = None) -> None:
        self.sources = {KEY: sources[0] if sources else Source("shop", "web")}
        self.clock = clock or SteppedClock(NOW)
        self.events: list[Event] = []
        self.dead: list[Reject] = []
        self.bodies: list[tuple[str, bytes]] = []
        self.seen: set[str] = set()
        self.position = 0
        self.failure: Exception | None = None

    def source_of(self, write_key: str) -> Source | None:
        return self.sources.get(write_key)

    async def accept(self, source: Source, route: str, body: bytes) -> Receipt:
        if self.failure:
            raise self.failure
        origin = Origin(source.name, source.channel, source.kind, source.assurance, source.secret)
        batch = read_batch(body, route, origin, self.clock.now(), self.position + 1, Limits(), ReadRules())
        fresh = [e for e in batch.events if e.uid not in self.seen]
        self.seen.update(e.uid for e in fresh)
        self.events += fresh
        self.dead += batch.rejects
        self.bodies.append((route, batch.stored or body))
        self.position += batch.count
        copies = len(batch.events) - len(fresh)
        return Receipt(self.position, len(fresh), copies, len(batch.rejects), faults(batch.rejects, route))


class Answer(msgspec.Struct):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    app: Any,
    method: str = "POST",
    path: str = "/v1/batch",
    body: bytes | Iterable[bytes] = b"",
    *,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    key: str | None = KEY,
) -> Answer:
    """One request to an ASGI application; `body` may come in pieces."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    names = {k.lower(): v for k, v in (headers or {}).items()}
    if key is not None and "authorization" not in names:
        names["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": "http",
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in names.items()],
    }
    incoming = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1}
        for at, piece in enumerate(pieces)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start = sent[0]
    return Answer(
        start["status"],
        {k.decode(): v.decode() for k, v in start["headers"]},
        b"".join(m.get("body", b"") for m in sent[1:]),
    )


def door(
    intake: MemoryIntake | None = None, fallback: Any = None, **options: Any
) -> tuple[Tracking, MemoryIntake]:
    """A tracking door over an intake in memory."""
    intake = intake or MemoryIntake()
    return Tracking(intake, fallback, intake.clock, **options), intake
