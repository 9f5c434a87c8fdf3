"""How many messages each source has sent today, counted as they are taken.

It is for people who look at a list of sources, so it is kept in memory only: after a start, what came earlier in the day
is counted from the log, in slices that nobody notices.
"""

import asyncio
import contextlib
import time

from patron.model.access import Source
from patron.model.clock import DAY
from patron.model.errors import StorageError
from patron.model.ingest import Intake, Receipt
from patron.runtime.workspace import Workspace

SLICE, REST = 0.001, 0.01
"""Seconds of counting at a time, and the rest between."""


class Arrivals:
    """An `Intake` that counts what another one takes, by source, for the present UTC day."""

    def __init__(self, intake: Intake, workspace: Workspace) -> None:
        self._intake = intake
        self._workspace = workspace
        self._before = workspace.log.last
        self._day = workspace.clock.now() // DAY
        self._counts: dict[str, int] = {}
        self.complete = False
        """Whether what came before this start is counted, too."""

    def source_of(self, write_key: str) -> Source | None:
        """The source a live write key belongs to."""
        return self._intake.source_of(write_key)

    async def accept(self, source: Source, route: str, body: bytes) -> Receipt:
        """Take a body, and count its messages."""
        receipt = await self._intake.accept(source, route, body)
        counts, name = self._counts, source.name
        counts[name] = counts.get(name, 0) + receipt.accepted
        return receipt

    def roll(self) -> None:
        """Begin a new day when there is one: called once a second and when the clock is stepped, not for each body."""
        day = self._workspace.clock.now() // DAY
        if day != self._day:
            self._day, self._counts = day, {}

    def today(self) -> dict[str, int]:
        """Messages accepted today (UTC) by source; sources that sent none may be left out."""
        self.roll()
        return {name: count for name, count in self._counts.items() if count}

    async def count_earlier(self) -> None:
        """Count what the log holds of today from before this start."""
        with contextlib.suppress(OSError, StorageError):  # retention may drop a segment under it
            await self._count_earlier(self._day)
        self.complete = True

    async def _count_earlier(self, day: int) -> None:
        log = self._workspace.log
        starts = [s.first for s in log.segments() if not s.sealed or s.received_last >= day * DAY]
        if not self._before or not starts:
            return
        until = time.perf_counter() + SLICE
        for entry, _ in log.read(min(starts)):
            if entry.base > self._before or day != self._day:
                return
            if entry.kind == "track" and entry.received // DAY == day:
                taken = entry.count - len(entry.duplicates) - len(entry.rejects)
                self._counts[entry.source] = self._counts.get(entry.source, 0) + taken
            if time.perf_counter() > until:
                await asyncio.sleep(REST)
                until = time.perf_counter() + SLICE
