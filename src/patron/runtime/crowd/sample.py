"""People to count on: a lasting random sample of all with their own events, or everybody where they are few.

Ids of people are keyed hashes, so every so-many-th in their order is a random sample. It is read once and serves for a
minute; after that the next reader still gets it, with its age, while a new one is read in the background.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from patron.model.events import Event
from patron.model.people import Person
from patron.rules.evaluate import evaluate
from patron.rules.tree import Rule
from patron.runtime.people import people
from patron.runtime.people.everybody import Everybody
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.subjects import Subject
from patron.runtime.workspace import Workspace

PEOPLE = 600
"""People of a sample."""
EVENTS = 30_000
"""Events that are read for it; the sample is smaller where people have many."""
EACH = 2_000
"""Newest events of one person."""
FRESH = 60_000
"""Milliseconds for which a sample serves without a new one being read."""
BREATH = 25
"""People between two breaths, so that others are served."""


class Sighted:
    """One person of the sample, asked by rules that may not be in force."""

    __slots__ = ("subject",)

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def ready(self, active: Active, now: int) -> None:
        """Answer by these definitions, as of now."""
        self.subject.use(active)
        self.subject.at(now)

    def has_basis(self, purpose: str) -> bool:
        """Whether a rule of this purpose may see them."""
        return self.subject.has_basis(purpose)

    def holds(self, rule: Rule) -> bool:
        """Whether a rule holds for them."""
        subject = self.subject
        return evaluate(rule, subject.history, subject.now, subject.calendar)


class Crowd:
    """The sample of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._reading: asyncio.Task[None] | None = None
        self.people: list[Sighted] = []
        self.at = 0
        self.whole = False
        """Whether everybody is in it."""

    @property
    def total(self) -> int:
        """People there are."""
        return max(self._workspace.world.people, len(self.people))

    @property
    def seen(self) -> int:
        """How many people the sample speaks for by itself: everybody where they are few."""
        return self.total if self.whole else len(self.people)

    @property
    def times(self) -> float:
        """How many people one of the sample stands for."""
        return 1.0 if self.whole or not self.people else self.total / len(self.people)

    async def by(self, active: Active) -> AsyncIterator[Sighted]:
        """Each of the sample, answering by these definitions as of now; takes breaths."""
        now = self._workspace.clock.now()
        for at, one in enumerate(await self.look(), 1):
            one.ready(active, now)
            yield one
            if at % BREATH == 0:
                await asyncio.sleep(0)

    async def look(self) -> list[Sighted]:
        """The sample; waits only for the first one."""
        age = self._workspace.clock.now() - self.at
        if not 0 <= age < FRESH or not self.people:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.get_running_loop().create_task(self._read())
            if not self.people:
                await asyncio.shield(self._reading)
            elif self._reading.done():
                with contextlib.suppress(Exception):
                    self._reading.result()
        return self.people

    async def _read(self) -> None:
        workspace, begun = self._workspace, self._workspace.clock.now()
        chosen: dict[str, tuple[Person, list[int]]] = {}
        many = 0
        async for person in Everybody(workspace).some(PEOPLE):
            rows = people.rows(workspace, person)
            many += min(len(rows), EACH)
            if many > EVENTS and chosen:
                break
            chosen[person.id] = (person, [row.position for row in rows][-EACH:])
            if len(chosen) % BREATH == 0:
                await asyncio.sleep(0)
        events = await self._events({p: name for name, (_, rows) in chosen.items() for p in rows}, chosen)
        self.people = [
            Sighted(Subject(workspace, name, events.get(name, []), whole=len(rows) < EACH))
            for name, (_, rows) in chosen.items()
        ]
        self.at = begun
        self.whole = len(chosen) >= workspace.world.people

    async def _events(
        self, wanted: Mapping[int, str], chosen: Mapping[str, tuple[Person, list[int]]]
    ) -> dict[str, list[Event]]:
        """The events at these positions by person, read in the order of the log so that each body is divided once."""
        members = {name: frozenset(person.members) for name, (person, _) in chosen.items()}
        found: dict[str, list[Event]] = {}
        for at, position in enumerate(sorted(wanted), 1):
            name = wanted[position]
            hit = self._workspace.event_at(position)
            if hit is not None and hit[1].node in members[name]:
                found.setdefault(name, []).append(hit[0])
            if at % 40 == 0:
                await asyncio.sleep(0)
        return found
