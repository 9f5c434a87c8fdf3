"""Segments and computed traits that no profile can answer: what the lake said of everybody when it was last asked.

Consents that were taken back, people who were joined, and people who were erased since then count at once; everything else
when `rounds` has asked again.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from patron.identity.change import Change as Regrouped
from patron.model.people import Key
from patron.rules.consent import lawful
from patron.rules.tree import Computed, Segment
from patron.runtime.decisions.known import consents_of
from patron.runtime.segments.live import Belonging, Change, Standing
from patron.runtime.segments.served import live_of

if TYPE_CHECKING:
    from patron.runtime.workspace import Workspace

KEPT = 10_000
"""Entries and exits that are remembered."""


def minutes_behind(flush_seconds: float) -> int:
    """Within how many minutes an event counts, while the lake answers quickly.

    >>> minutes_behind(5), minutes_behind(90)
    (1, 2)
    """
    return max(1, math.ceil(flush_seconds / 60))


class Listed(NamedTuple):
    """Who is in a segment, by the lake."""

    segment: Segment
    """As it was asked for."""
    members: list[str]
    """Ids, ascending."""
    barred: int
    since: int
    """From when entries and exits are known, ms."""


class Valued(NamedTuple):
    """What a computed trait is worth, by the lake."""

    trait: Computed
    values: dict[str, Any]


class FromLake:
    """The answers of one workspace."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace
        self._lists: dict[str, Listed] = {}
        self._valued: dict[str, Valued] = {}
        self._moves: deque[Change] = deque(maxlen=KEPT)
        self._wanted: tuple[int, dict[str, Segment], dict[str, Computed]] = (-1, {}, {})
        self._told: set[Key] = set()
        self._met: set[str] = set()
        """Nodes with a new word on consents, and ids of people who changed, not heeded yet."""
        self._meanwhile: tuple[set[Key], set[str]] | None = None
        """The same since the lake began to be asked."""
        self.problems: dict[str, str] = {}
        """Why a definition has no answer, by `segment/<id>` and `trait/<id>`."""

    # --- which -----------------------------------------------------------------------------------------------------

    def wanted(self) -> tuple[Mapping[str, Segment], Mapping[str, Computed]]:
        """The definitions in force that the lake answers, by id."""
        active = self._workspace.definitions.active()
        if self._wanted[0] != active.version:
            segments, traits = live_of(active, self._workspace.feeds.locations())
            live = {one.id for one in segments}, {one.id for one in traits}
            self._wanted = (
                active.version,
                {name: one for name, one in active.segments.items() if name not in live[0]},
                {name: one for name, one in active.traits.items() if name not in live[1]},
            )
        return self._wanted[1], self._wanted[2]

    def state(self, segment: str) -> Literal["filling", "lake", "off"]:
        """`filling` until the lake was asked for the first time."""
        if not self._workspace.settings.lake.enabled or f"segment/{segment}" in self.problems:
            return "off"
        return "lake" if segment in self._lists else "filling"

    # --- what happens meanwhile --------------------------------------------------------------------------------------

    def told(self, node: Key) -> None:
        """Somebody said something of a consent."""
        if self._lists:
            self._told.add(node)
        if self._meanwhile is not None:
            self._meanwhile[0].add(node)

    def regrouped(self, change: Regrouped) -> None:
        """People are others than before."""
        self.gone(person.id for person in (*change.before, *change.after))

    def gone(self, people: Iterable[str]) -> None:
        """People of these ids are others than before, or no more."""
        names = set(people)
        if self._lists or self._valued:
            self._met |= names
        if self._meanwhile is not None:
            self._meanwhile[1].update(names)

    def begin(self) -> None:
        """The lake is about to be asked: what happens from now on may not be in its answer."""
        self._meanwhile = (set(), set())

    def take(
        self, lists: Collection[Listed], valued: Collection[Valued], problems: Mapping[str, str]
    ) -> None:
        """The lake answered. Definitions it was not asked for have no answer any more."""
        now = self._workspace.clock.now()
        made = dict[str, Listed]()
        for one in lists:
            before = self._lists.get(one.segment.id)
            made[one.segment.id] = one if before is None else one._replace(since=before.since)
            if before is not None:
                self._compare(before, one, now)
        self._lists, self.problems = made, dict(problems)
        self._valued = {one.trait.id: one for one in valued}
        if self._meanwhile is not None:
            self._told |= self._meanwhile[0]
            self._met |= self._meanwhile[1]
            self._meanwhile = None

    def _compare(self, before: Listed, after: Listed, now: int) -> None:
        was, is_now, name = set(before.members), set(after.members), after.segment.id
        cause = "" if before.segment == after.segment else "definition"
        self._moves.extend(Change(name, one, now, False, cause) for one in sorted(was - is_now))
        self._moves.extend(Change(name, one, now, True, cause) for one in sorted(is_now - was))

    # --- reading -----------------------------------------------------------------------------------------------------

    def is_in(self, person: str, segment: str) -> bool | None:
        """Whether somebody is in a segment; None while the lake has not said it, False for segments it does not answer."""
        held = self._list(segment)
        if held is None:
            return None if segment in self.wanted()[0] else False
        at = bisect_left(held.members, person)
        return at < len(held.members) and held.members[at] == person

    def members(self, segment: str, after: str, limit: int) -> list[str]:
        """Ids greater than `after`, ascending, at most `limit`."""
        held = self._list(segment)
        if held is None:
            return []
        at = bisect_right(held.members, after)
        return held.members[at : at + limit]

    def of(self, person: str) -> list[Belonging]:
        """The segments that a person is in."""
        found = [name for name, held in self._lists.items() if held.segment.subject == "person"]
        since = {one.segment: one.time for one in self._moves if one.subject == person and one.entered}
        return [Belonging(name, since.get(name)) for name in found if self.is_in(person, name)]

    def count(self, segment: str) -> int:
        """How many are in it."""
        held = self._list(segment)
        return 0 if held is None else len(held.members)

    def status(self, segment: str) -> Standing:
        """How a segment stands."""
        held, minutes = self._list(segment), minutes_behind(self._workspace.settings.lake.flush_seconds)
        state = self.state(segment)
        if held is None:
            return Standing(state, minutes=minutes, progress=0.0)
        return Standing(state, len(held.members), held.barred, minutes=minutes)

    def changes(self, segment: str, since: int, until: int) -> list[Change]:
        """Who came in and who left, when the lake said so."""
        return [one for one in self._moves if one.segment == segment and since < one.time <= until]

    def kept_since(self, segment: str) -> int:
        """From when `changes` is complete, ms."""
        held = self._lists.get(segment)
        first = self._moves[0].time if len(self._moves) == KEPT else 0
        return self._workspace.clock.now() if held is None else max(held.since, first)

    def computed(self, person: str) -> dict[str, Any]:
        """Computed traits of a person that have a value."""
        self._settle()
        return {
            name: one.values[person]
            for name, one in self._valued.items()
            if one.trait.subject == "person" and person in one.values
        }

    def values(self, trait: str) -> Mapping[str, Any]:
        """What a computed trait is worth, by subject."""
        held = self._valued.get(trait)
        return {} if held is None else held.values

    def _list(self, segment: str) -> Listed | None:
        self._settle()
        return self._lists.get(segment)

    def _settle(self) -> None:
        """Heed what happened since the lake was asked."""
        if not self._told and not self._met:
            return
        graph = self._workspace.graph
        names = {person.id for node in self._told if (person := graph.person_of(node)) is not None}
        names |= self._met
        self._told.clear()
        self._met.clear()
        for name in names:
            for held in self._lists.values():
                if held.segment.subject == "person":
                    self._judge(name, held)
            for one in self._valued.values():
                self._rename(name, one)

    def _judge(self, name: str, held: Listed) -> None:
        """Take out who is no more or took a consent back; a person who was joined to another is that one."""
        at = bisect_left(held.members, name)
        if at == len(held.members) or held.members[at] != name:
            return
        workspace = self._workspace
        person = workspace.graph.person_by_id(name)
        if person is not None:
            parts = [(key, part) for key in person.members if (part := workspace.nodes.get(key)) is not None]
            said = consents_of(parts, workspace.settings.profiles)
            is_lawful = lawful(held.segment.purpose, said, workspace.settings.decide.opt_in)
            if person.id == name and is_lawful:
                return
            if is_lawful and self.is_in(person.id, held.segment.id) is False:
                insort(held.members, person.id)
                at = bisect_left(held.members, name)
        del held.members[at]

    def _rename(self, name: str, held: Valued) -> None:
        person = self._workspace.graph.person_by_id(name)
        if name in held.values and held.trait.subject == "person" and (person is None or person.id != name):
            value = held.values.pop(name)
            if person is not None:
                held.values.setdefault(person.id, value)
