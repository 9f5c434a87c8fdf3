"""Taking a request body: read it, judge each message once, append, and answer when it is durable and applied."""

import asyncio
from collections.abc import Iterator

import msgspec

from patron.collect.segment_api import Origin, blank, faults, read_batch
from patron.identity.claims import locate
from patron.model.access import Source
from patron.model.errors import Busy
from patron.model.events import Batch, Event, Reject
from patron.model.ingest import Receipt
from patron.model.log import Entry
from patron.model.people import Located
from patron.runtime.pipeline import Pipeline
from patron.runtime.workspace import Workspace, day_of

Found = list[tuple[Event, Located, bool]]
_NEW, _CONFLICT = 0, 2


class _Judged(msgspec.Struct):
    """What was decided about each message of a body, once and for ever."""

    found: Found
    rejects: list[Reject]
    copies: list[int]
    erased: list[int]
    added: list[tuple[str, str, int, int]]
    awaited: set["asyncio.Future[int]"]
    """Originals still on their way to the disk, of which this body holds copies."""


class Ingest:
    """The `model.ingest.Intake` over a workspace."""

    def __init__(self, workspace: Workspace, pipeline: Pipeline) -> None:
        self._workspace = workspace
        self._pipeline = pipeline
        self._flying: dict[tuple[str, str], asyncio.Future[int]] = {}

    def source_of(self, write_key: str) -> Source | None:
        """The source a live write key belongs to."""
        return self._workspace.ring.source_of(write_key)

    async def accept(self, source: Source, route: str, body: bytes) -> Receipt:
        """Take an inflated body. Returns when its messages are durable and applied."""
        self._pipeline.admit()
        workspace = self._workspace
        workspace.hold.check_space(workspace.settings.storage.min_free_mb)
        base, now = workspace.log.last + 1, workspace.clock.now()
        origin = Origin(source.name, source.channel, source.kind, source.assurance, source.secret)
        batch = read_batch(body, route, origin, now, base, workspace.limits, workspace.read_rules)
        judged = self._judge(batch)
        position = workspace.log.last
        if judged.added or judged.rejects:
            entry = _entry(source, route, base, batch.count, now, judged)
            stored = batch.stored or body
            if judged.erased:
                stored = blank(stored, route, judged.erased)
            position = await self._commit(entry, stored, judged)
        for original in judged.awaited:
            await original
        told = faults(judged.rejects, route) if judged.rejects else ()
        return Receipt(position, len(judged.added), len(judged.copies), len(judged.rejects), told)

    async def _commit(self, entry: Entry, body: bytes, judged: _Judged) -> int:
        future = self._pipeline.submit(entry, body, lambda: self._apply(entry, judged.found))
        flying = self._flying
        names = [(source, message_id) for source, message_id, _, _ in judged.added]
        for name in names:
            flying[name] = future
        try:
            return await asyncio.shield(future)
        except Busy:
            for added in judged.added:
                self._workspace.dedup.discard(*added)
            raise
        finally:
            for name in names:
                flying.pop(name, None)

    def _apply(self, entry: Entry, found: Found) -> Iterator[None]:
        self._workspace.crash("before_apply")
        yield from self._workspace.apply_body(entry, found)
        self._workspace.mark(entry)
        self._workspace.crash("after_apply")

    def _judge(self, batch: Batch) -> _Judged:
        workspace, rules = self._workspace, self._workspace.settings.identity
        judged = _Judged([], list(batch.rejects), [], [], [], set())
        dedup, tombstones, cuts = workspace.dedup, workspace.tombstones, workspace.cuts
        guarded = tombstones.any()
        for event, index, crc in zip(batch.events, batch.indexes, batch.payload_hashes, strict=True):
            located = locate(event, rules, cuts)
            if located is None:
                judged.rejects.append(Reject(index, "no_identifier", _NO_IDENTIFIER))
                continue
            if guarded and tombstones.bars(located, event.time):
                judged.erased.append(index)
                continue
            place = (event.source, event.message_id, day_of(event), crc)
            verdict = dedup.seen(*place)
            if verdict == _CONFLICT:
                judged.rejects.append(Reject(index, "id_conflict", _CONFLICT_TEXT, "$.messageId"))
                continue
            if verdict == _NEW:
                dedup.add(*place, event.position)
                judged.added.append(place)
            else:
                judged.copies.append(index)
                original = self._flying.get(place[:2])
                if original is not None:
                    judged.awaited.add(original)
            judged.found.append((event, located, verdict == _NEW))
        return judged


def _entry(source: Source, route: str, base: int, count: int, now: int, judged: _Judged) -> Entry:
    return Entry(
        "track",
        base,
        count,
        source.name,
        now,
        route,
        source.assurance,
        source.channel,
        source.kind,
        tuple(judged.copies),
        tuple(judged.rejects),
        tuple(e.position - base for e, _, _ in judged.found if e.assurance == "verified")
        if source.assurance != "verified"
        else (),
    )


_NO_IDENTIFIER = (
    "No usable identifier: give userId, anonymousId, an e-mail or phone trait, or an order id. "
    "Junk values and shared devices do not count."
)
_CONFLICT_TEXT = (
    "This messageId was already used for another message; the first one stands. Give each message its own id."
)
