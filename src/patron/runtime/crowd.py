"""People to count on: a lasting random sample of all with their own events, or everybody where they are few.

Ids of people are keyed hashes, so every so-many-th in their order is a random sample. It is read once and serves for a
minute; after that the next reader still gets it, with its age, while a new one is read in the background.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping

from patron.model.audiences import Named
from patron.model.events import Event
from patron.model.people import Person
from patron.rules.evaluate import evaluate
from patron.rules.history import History, consents_of, history_of
from patron.rules.tree import Rule
from patron.runtime import people
from patron.runtime.definitions import Active
from patron.runtime.subjects import Subject
from patron.runtime.workspace import Workspace

PEOPLE = 600
"""People of a sample."""
EVENTS = 30_000
"""Events that are read for it; the sample is smaller where people have many."""
EACH = 2_000
"""Newest events of one person."""
FRESH = 60_000
"""Milliseconds for which a sample serves without a new one being read."""
SEVERAL = 40
"""Different values of a property that are offered; a property with more has names or numbers of its own."""


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
        for at, name in enumerate(_every_so_many(sorted(workspace.groups.keys()), PEOPLE), 1):
            person = workspace.graph.person_by_id(name)
            if person is None or person.id in chosen:
                continue
            rows = people.rows(workspace, person)
            many += min(len(rows), EACH)
            if many > EVENTS and chosen:
                break
            chosen[person.id] = (person, [row.position for row in rows][-EACH:])
            if at % 50 == 0:
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

    # --- what has been seen ---------------------------------------------------------------------------------------

    def events(self) -> tuple[Named, ...]:
        """Names of the events that the sample did, most frequent first."""
        seen = Counter(event.name for one in self.people for event in one.subject.history.events)
        return tuple(Named(name, name, count) for name, count in seen.most_common(200))

    def properties(self) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
        """Properties by event, and the values of those that have few; lists of objects are named `products[].category`."""
        named: dict[str, Counter[str]] = {}
        values: dict[str, Counter[str]] = {}
        for one in self.people:
            for event in one.subject.history.events[-200:]:
                for field, value in _fields(event.properties):
                    named.setdefault(event.name, Counter())[field] += 1
                    _note(values, field, value)
                _note(values, "channel", event.channel)
                _note(values, "source", event.source)
        return (
            {name: tuple(field for field, _ in seen.most_common(40)) for name, seen in named.items()},
            _few(values),
        )

    def traits(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """Names of traits, most frequent first, and the values of those that have few."""
        seen: Counter[str] = Counter()
        values: dict[str, Counter[str]] = {}
        for one in self.people:
            for name, value in one.subject.history.traits.items():
                seen[name] += 1
                _note(values, f"traits.{name}", value)
        return tuple(name for name, _ in seen.most_common(100)), _few(values)

    def purposes(self) -> set[str]:
        """Purposes that somebody said something on."""
        return {purpose for one in self.people for purpose, _ in one.subject.history.consents}


class Past:
    """One person as they were at an earlier moment, with the people of today's identities and the rules of today."""

    def __init__(self, subject: Subject, active: Active, now: int, opt_in: tuple[str, ...]) -> None:
        from patron.rules.consent import lawful

        events = subject.history.events
        plain = history_of(events, subject.name, now=now)
        self._lawful = lawful
        self._active, self._opt_in = active, opt_in
        self.now, self.calendar = now, subject.calendar
        self.consents = consents_of(plain.events)
        self.history = History(
            subject.name, plain.events, plain.traits, self.consents, {}, self.is_in, self.computed
        )

    def is_in(self, name: str) -> bool:
        """Whether they were in a segment of today's rules."""
        segment = self._active.segments.get(name)
        if segment is None or not self._lawful(segment.purpose, self.consents, self._opt_in):
            return False
        return evaluate(segment.rule, self.history, self.now, self.calendar)

    def computed(self, name: str) -> object:
        """What a computed trait was."""
        from patron.rules.evaluate import computed

        trait = self._active.traits.get(name)
        return None if trait is None else computed(trait, self.history, self.now, self.calendar)


def name_of(workspace: Workspace, person: Person) -> str:
    """What people call somebody: their name, else their id."""
    from patron.runtime.views import person_row

    return person_row(workspace, person, "").name or person.id


def _every_so_many(names: list[str], wanted: int) -> list[str]:
    """So many of a list, evenly spaced.

    >>> _every_so_many(list("abcdefg"), 3)
    ['a', 'c', 'e']
    """
    if len(names) <= wanted:
        return names
    return [names[at * len(names) // wanted] for at in range(wanted)]


def _fields(properties: Mapping[str, object]) -> list[tuple[str, object]]:
    """Properties with their values, one level into objects and lists of objects.

    >>> _fields({"total": 3, "products": [{"category": "tea"}]})
    [('properties.total', 3), ('properties.products[].category', 'tea')]
    """
    found: list[tuple[str, object]] = []
    for name, value in properties.items():
        if "." in name or "[]" in name:
            continue
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value[:5]:
                if isinstance(item, dict):
                    found += [(f"properties.{name}[].{inner}", one) for inner, one in item.items()]
        elif isinstance(value, dict):
            found += [(f"properties.{name}.{inner}", one) for inner, one in value.items()]
        else:
            found.append((f"properties.{name}", value))
    return found


def _note(values: dict[str, Counter[str]], field: str, value: object) -> None:
    if isinstance(value, str) and 0 < len(value) <= 60:
        seen = values.setdefault(field, Counter())
        if len(seen) <= SEVERAL or value in seen:
            seen[value] += 1


def _few(values: dict[str, Counter[str]]) -> dict[str, tuple[str, ...]]:
    return {
        field: tuple(value for value, _ in seen.most_common())
        for field, seen in values.items()
        if len(seen) <= SEVERAL
    }
