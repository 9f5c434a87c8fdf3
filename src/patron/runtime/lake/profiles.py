"""Snapshots of profiles as the main process tells them: it alone has the people. The jobs process says whom, and keeps them.

Once in an interval (`[lake] profile_seconds`, counted from midnight UTC) whoever had an event, was joined or was split since the
last round is told of, a quarter of a millisecond at a time. `rounds` has the other end, and how a round outlives a crash.
"""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec

from patron.model.errors import PatronError
from patron.model.people import Person
from patron.profiles import public
from patron.runtime.flow import uncut
from patron.runtime.people import parts, people
from patron.runtime.segments.belonging import computed

if TYPE_CHECKING:
    from patron.runtime.app import App

_logger = logging.getLogger("patron.lake")
LOOK = 1.0
"""Seconds between two looks at whether a round is due."""
REST = 60.0
"""Seconds between two rounds at least, also where a stepped clock runs through its days."""
TURN, PAUSE = 0.0001, 0.002
"""Seconds of a turn of the loop after which a round begins no other person (one takes about as long again), and seconds
that it leaves to others between two turns."""
Row = tuple[str, int, list[int], int | None, int | None, int, int, list[str], str]
"""What is told of a person (`rounds`)."""


class ProfileSnapshots:
    """Tells the jobs process of the profiles of one workspace, round by round."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._workspace = app.workspace
        self._one = asyncio.Lock()

    @property
    def interval(self) -> int:
        """Milliseconds in which everybody gets at most one snapshot; 0 = nobody ever gets one."""
        seconds = self._workspace.settings.lake.profile_seconds
        return max(1_000, int(seconds * 1_000)) if seconds > 0 else 0

    async def serve(self) -> None:
        """Take the rounds that are due; a fault is logged and tried again."""
        while True:
            await asyncio.sleep(LOOK)
            if not self.is_due():
                continue
            try:
                await self.round()
            except (PatronError, OSError) as error:
                _logger.warning("snapshots of profiles could not be taken: %s; they are tried again", error)
            await asyncio.sleep(min(REST, self.interval / 1_000))

    def is_due(self) -> bool:
        """Whether the lake has no round of this interval yet, and can take one."""
        jobs, every = self._app.jobs, self.interval
        if jobs is None or jobs.status is None or not jobs.running or jobs.held or jobs.foreign or not every:
            return False
        return (
            self._workspace.applied > 0 and self._workspace.clock.now() // every > jobs.status.taken // every
        )

    async def round(self) -> int:
        """Take one round; gives how many people were told of. Raises StorageError when the lake cannot be written."""
        jobs, told = self._app.start_jobs(), 0
        async with self._one:
            ids = await jobs.ask("begin_round", self._workspace.clock.now(), max(1_000, self.interval))
            while ids:
                rows = await self._told(ids)
                told += len(rows)
                ids = await jobs.ask("take_snapshots", rows)
        return told

    async def _told(self, ids: list[str]) -> list[Row]:
        """Rows of these people. Nothing is told while somebody is being erased, nor what was read before."""
        jobs, log = self._app.start_jobs(), self._workspace.log
        while True:
            while jobs.held:
                await asyncio.sleep(10 * PAUSE)
            rewritten = log.rewritten
            rows = await self._read(ids)
            if not jobs.held and log.rewritten == rewritten:
                return rows

    async def _read(self, ids: list[str]) -> list[Row]:
        rows, until = dict[str, Row](), time.perf_counter() + TURN
        for name in ids:
            person = self._held(name)
            if person is None or person.id in rows:
                continue
            await self._workspace.above.ready(person)
            person = self._held(name)  # they may be another one by now
            if person is not None:
                rows[person.id] = self._row(person)
            if time.perf_counter() > until:
                await asyncio.sleep(PAUSE)
                until = time.perf_counter() + TURN
        return list(rows.values())

    def _held(self, name: str) -> Person | None:
        return self._workspace.graph.person_by_id(name)

    def _row(self, person: Person) -> Row:
        workspace = self._workspace
        profile, answer = people.profile(workspace, person), workspace.above.of(person)
        value: dict[str, Any] = public.to_json(person, profile)
        value["identifiers"] = parts.identifiers(workspace, person)
        value["computed"] = computed(workspace, person, None)
        return (
            person.id,
            workspace.applied,
            sorted({workspace.hashes(uncut(key, workspace.cuts)) for key in person.members}),
            profile.first if profile.events else None,
            profile.last if profile.events else None,
            profile.events,
            profile.totals.orders,
            workspace.segments.memberships(person.id, None if answer is None else answer.bits),
            msgspec.json.encode(value).decode(),
        )
