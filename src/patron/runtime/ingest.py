"""Taking a request body: read it, judge each message once, append, and answer when it is durable and applied."""

import asyncio
from collections.abc import Iterator

from patron.collect.segment_api import Origin, blank, faults, read_batch
from patron.model.access import Source
from patron.model.ingest import Receipt
from patron.model.log import Entry
from patron.runtime import judge
from patron.runtime.apply import apply_body, place_again
from patron.runtime.decisions.exposures import MARK, Exposures, without
from patron.runtime.judge import Judged
from patron.runtime.pipeline import Pipeline
from patron.runtime.serving.entrance import Entrance
from patron.runtime.workspace import Workspace


class Body:
    """A judged body on its way through the pipeline."""

    __slots__ = ("_cutting", "_flying", "copies", "entry", "judged", "workspace")

    def __init__(self, workspace: Workspace, entry: Entry, judged: Judged, flying: "dict[int, Body]") -> None:
        self.workspace = workspace
        self.entry = entry
        self.judged = judged
        self.copies: list[asyncio.Future[None]] = []
        """Whoever repeats one of its messages while it is on its way, and waits for the same."""
        self._cutting = workspace.cutting
        self._flying = flying
        flying[entry.base] = self

    def apply(self) -> Iterator[None]:
        """Apply it: it is durable."""
        workspace, found = self.workspace, self.judged.found
        workspace.crash("before_apply")
        if workspace.cutting != self._cutting:  # a split was applied since it was judged
            found = place_again(workspace, found)
        yield from apply_body(workspace, self.entry, found)
        workspace.mark(self.entry)
        workspace.crash("after_apply")

    def ended(self, error: Exception | None, *, stored: bool) -> None:
        """It is applied, or it failed: tell whoever repeats it; what was not stored may be sent again."""
        del self._flying[self.entry.base]
        if not stored:
            judge.withdraw(self.workspace, self.entry.source, self.judged)
        for copy in self.copies:
            if copy.done():
                continue
            if error is None:
                copy.set_result(None)
            else:
                copy.set_exception(error)


class Ingest:
    """The `model.ingest.Intake` over a workspace."""

    def __init__(self, workspace: Workspace, pipeline: Pipeline) -> None:
        self._workspace = workspace
        self._pipeline = pipeline
        self._entrance = Entrance(pipeline)
        self._exposures = Exposures(workspace, pipeline)
        self._flying: dict[int, Body] = {}

    def source_of(self, write_key: str) -> Source | None:
        """The source a live write key belongs to."""
        return self._workspace.ring.source_of(write_key)

    async def accept(self, source: Source, route: str, body: bytes) -> Receipt:
        """Take an inflated body. Returns when its messages are durable and applied."""
        if not self._entrance.is_free(len(body)):
            await self._entrance.enter(len(body))
        workspace = self._workspace
        workspace.hold.check_space(workspace.settings.storage.min_free_mb)
        origin = Origin(source.name, source.channel, source.kind, source.assurance, source.secret)
        untrue = self._exposures.take(origin, route, body) if MARK in body else ()
        base, now = workspace.log.last + 1, workspace.clock.now()
        batch = read_batch(body, route, origin, now, base, workspace.limits, workspace.read_rules)
        if untrue:
            batch = without(batch, untrue)
        judged = judge.judge(workspace, source.name, batch)
        originals = self._originals(source.name, judged) if judged.copies else ()
        position = workspace.log.last
        if judged.new or judged.rejects:
            entry = _entry(source, route, base, batch.count, now, judged)
            stored = batch.stored or body
            if judged.erased:
                stored = blank(stored, route, judged.erased)
            work = Body(workspace, entry, judged, self._flying)
            position = await self._pipeline.submit(entry, stored, work)
        for original in originals:
            await original
        told = faults(judged.rejects, route) if judged.rejects else ()
        return Receipt(position, judged.new, len(judged.copies), len(judged.rejects), told)

    def _originals(self, source: str, judged: Judged) -> "list[asyncio.Future[None]]":
        """Futures of the bodies still on their way to the disk that brought messages which this one repeats."""
        wanted, found = judged.copied_ids(), []
        for body in self._flying.values():
            if body.entry.source == source and not wanted.isdisjoint(body.judged.new_ids()):
                future = asyncio.get_running_loop().create_future()
                body.copies.append(future)
                found.append(future)
        return found


def _entry(source: Source, route: str, base: int, count: int, now: int, judged: Judged) -> Entry:
    proved: tuple[int, ...] = ()
    if source.assurance != "verified" and source.secret:
        proved = tuple(e.position - base for e, _, _ in judged.found if e.assurance == "verified")
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
        proved,
    )
