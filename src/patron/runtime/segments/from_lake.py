"""Segments and computed traits that no profile can answer: what the lake said of everybody when it was last asked.

Of segments of people, consents that were taken back, people who were joined, and people who were erased since then count at
once; everything else when `rounds` has asked again.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from patron.identity.change import Change as Regrouped
from patron.model.people import Key, Person
from patron.rules.basis import Word, needed_words, stands
from patron.rules.tree import Computed, Segment
from patron.runtime.segments.live import Belonging, Change, Standing
from patron.runtime.segments.served import live_of

if TYPE_CHECKING:
    from patron.runtime.workspace import Workspace

KEPT = 10_000
"""Entries and exits that are remembered."""
STRETCH = 500
"""Members compared at once."""
SINGLY = 64
"""Of more, a list is made anew: each single one moves all behind it."""


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
            self._let_go()
        return self._wanted[1], self._wanted[2]

    def _let_go(self) -> None:
        """Forget the answers of definitions that the lake does not answer any more."""
        _, segments, traits = self._wanted
        self._lists = {name: one for name, one in self._lists.items() if name in segments}
        self._valued = {name: one for name, one in self._valued.items() if name in traits}
        kept = {f"segment/{name}" for name in segments} | {f"trait/{name}" for name in traits}
        self.problems = {name: why for name, why in self.problems.items() if name in kept}

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

    def erased(self, people: Collection[str]) -> None:
        """People of these ids are no more, and nothing tells that they were."""
        names = set(people)
        self.gone(names)
        if any(one.subject in names for one in self._moves):
            self._moves = deque((one for one in self._moves if one.subject not in names), maxlen=KEPT)

    def begin(self) -> None:
        """The lake is about to be asked: what happens from now on may not be in its answer."""
        self._meanwhile = (set(), set())

    def end(self) -> None:
        """It is not asked any more."""
        self._meanwhile = None

    def take(
        self, lists: Collection[Listed], valued: Collection[Valued], problems: Mapping[str, str]
    ) -> None:
        """The lake answered. Definitions it was not asked for have no answer any more."""
        self._settle()
        told, met = self._meanwhile or (set[Key](), set[str]())
        names, now = self._named(told) | met, self._workspace.clock.now()
        made = dict[str, Listed]()
        for one in lists:
            self._heed(names, one)
            before = self._lists.get(one.segment.id)
            made[one.segment.id] = one if before is None else one._replace(since=before.since)
            if before is not None:
                self._compare(before, one, now)
        for each in valued:
            for name in names:
                self._rename(name, each)
        self._lists, self.problems = made, dict(problems)
        self._valued = {one.trait.id: one for one in valued}
        self._let_go()  # definitions may have been taken away while it was asked
        self.end()

    def _compare(self, before: Listed, after: Listed, now: int) -> None:
        name, (left, came) = after.segment.id, apart(before.members, after.members)
        cause = "" if before.segment == after.segment else "definition"
        self._moves.extend(Change(name, one, now, False, cause) for one in left)
        self._moves.extend(Change(name, one, now, True, cause) for one in came)

    # --- reading -----------------------------------------------------------------------------------------------------

    def is_in(self, person: str, segment: str) -> bool | None:
        """Whether somebody is in a segment; None while the lake has not said it, False for segments it does not answer."""
        held = self._list(segment)
        if held is None:
            return None if segment in self.wanted()[0] else False
        return _has(held.members, person)

    def members(self, segment: str, after: str, limit: int) -> list[str]:
        """Ids greater than `after`, ascending, at most `limit`."""
        held = self._list(segment)
        if held is None:
            return []
        at = bisect_right(held.members, after)
        return held.members[at : at + limit]

    def of(self, person: str) -> list[Belonging]:
        """The segments that a person is in."""
        self._settle()
        found = [
            name
            for name, held in self._lists.items()
            if held.segment.subject == "person" and _has(held.members, person)
        ]
        moves = self._moves if found else ()
        since = {one.segment: one.time for one in moves if one.subject == person and one.entered}
        return [Belonging(name, since.get(name)) for name in found]

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
        self._settle()
        held = self._valued.get(trait)
        return {} if held is None else held.values

    def _list(self, segment: str) -> Listed | None:
        self._settle()
        return self._lists.get(segment)

    def _settle(self) -> None:
        """Heed what happened since the lake was asked."""
        self.wanted()
        if not self._told and not self._met:
            return
        names, now = self._named(self._told) | self._met, self._workspace.clock.now()
        self._told.clear()
        self._met.clear()
        for held in self._lists.values():
            self._moves += [
                Change(held.segment.id, name, now, entered, cause)
                for name, entered, cause in self._heed(names, held)
            ]
        for one in self._valued.values():
            for name in names:
                self._rename(name, one)

    def _named(self, nodes: Iterable[Key]) -> set[str]:
        graph = self._workspace.graph
        return {person.id for node in nodes if (person := graph.person_of(node)) is not None}

    def _heed(self, names: Iterable[str], held: Listed) -> list[tuple[str, bool, str]]:
        """Take out who is no more or took a consent back; a person who was joined to another is that one.

        Gives who left and who came (True), with the cause; the erased are not named.
        """
        if held.segment.subject != "person":
            return []
        graph, moves = self._workspace.graph, list[tuple[str, bool, str]]()
        words = needed_words(held.segment, self._workspace.definitions.active().segments)
        out, into = set[str](), set[str]()
        for name in sorted(names):
            if not _has(held.members, name):
                continue
            person = graph.person_by_id(name)
            is_lawful = person is not None and self._allows(person, words)
            if person is None or person.id != name or not is_lawful:
                out.add(name)
            if person is not None and person.id != name and is_lawful and not _has(held.members, person.id):
                into.add(person.id)
            if person is not None and name in out:
                moves.append((name, False, "consent" if person.id == name else "identity"))
        _change(held.members, out, into)
        return moves + [(name, True, "identity") for name in sorted(into)]

    def _allows(self, person: Person, words: Collection[Word]) -> bool:
        workspace = self._workspace
        said = workspace.census.consents(person.members)
        return all(stands(word, said, workspace.settings.decide.opt_in) for word in words)

    def _rename(self, name: str, held: Valued) -> None:
        person = self._workspace.graph.person_by_id(name)
        if name in held.values and held.trait.subject == "person" and (person is None or person.id != name):
            value = held.values.pop(name)
            if person is not None:
                held.values.setdefault(person.id, value)


def _has(members: Sequence[str], name: str) -> bool:
    at = bisect_left(members, name)
    return at < len(members) and members[at] == name


def apart(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """Who is only in the first of two ascending lists, and who only in the second. Equal stretches are passed over.

    >>> apart(["a", "b", "d"], ["b", "c", "d", "e"])
    (['a'], ['c', 'e'])
    """
    left, came, at = list[str](), list[str](), 0
    for start in range(0, len(before), STRETCH):
        part = before[start : start + STRETCH]
        until = bisect_right(after, part[-1], at)
        other, at = after[at:until], until
        if part != other:
            left += sorted({*part} - {*other})
            came += sorted({*other} - {*part})
    return left, [*came, *after[at:]]


def _change(members: list[str], out: Collection[str], into: Collection[str]) -> None:
    """Take some out of an ascending list and put others in.

    >>> some = ["a", "c"]; _change(some, {"c"}, {"b"}); some
    ['a', 'b']
    """
    if len(out) + len(into) > SINGLY:
        members[:] = sorted({*members} - {*out} | {*into})
        return
    for name in out:
        del members[bisect_left(members, name)]
    for name in into:
        insort(members, name)
