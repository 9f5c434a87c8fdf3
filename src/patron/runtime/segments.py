"""Segments and computed traits of a workspace: which rules are in force, filling what they need from the past, time going by.

A definition is in force once every series it reads is full. New series are fed by events from then on and, in slices, by
the log up to then; meanwhile a changed segment goes on by its old rule. All of it follows from the log: a replay ends with
the same tallies and memberships.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from patron.identity.change import Change
from patron.identity.graph import Graph, Group
from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.bounds import keep_latest
from patron.profiles.partial import Partial, Trait
from patron.profiles.rules import ProfileRules
from patron.rules.calendar import Calendar
from patron.rules.classify import classify
from patron.rules.consent import Consents
from patron.rules.filters import Stores
from patron.rules.tree import Computed, Segment
from patron.runtime.definitions import Active
from patron.segments.execution import Execution, Moved
from patron.segments.feeds import Fed, Feeds
from patron.segments.folding import Folding
from patron.segments.plan import Plan, in_order
from patron.segments.series import Series, segment_series, trait_series
from patron.segments.standing import Standing, numbers_of
from patron.segments.tally import Tally

SLICE = 25
History = Callable[[int], Iterator[tuple[Event, Key]]]
"""Accepted events from a log position on, in order of position, each with the node that holds it today."""


class SeriesRow(Struct):
    """A series that is kept: its number in tallies, and how far its past is filled."""

    series: Series
    number: int
    since: int = 0
    """Log position after which events feed it as they come."""
    filled: int = 0
    """Log position up to which the past is in it; full when it reaches `since`."""

    @property
    def full(self) -> bool:
        """Whether its past is in it."""
        return self.filled >= self.since


class ServedRow(Struct, frozen=True):
    """A definition as it is in force. The number of a segment is never given to another one."""

    number: int = -1
    segment: Segment | None = None
    trait: Computed | None = None


class Health(Struct, frozen=True):
    """How the live execution does."""

    segments: int
    """In force."""
    filling: int
    """Waiting for a series to be filled."""
    series: int
    tallies: int
    """Nodes with a tally."""
    people: int
    reviewed: int
    """People judged by the rules in force; the others are when they are next looked at."""
    share_moving: float
    """Part of the events since the start that changed a membership."""


class Known:
    """Who is who, and what profiles say of them: the `People` of the execution."""

    def __init__(
        self,
        graph: Graph,
        groups: Table[Group],
        nodes: Table[Partial],
        tallies: Table[Tally],
        rules: ProfileRules,
    ) -> None:
        self._graph = graph
        self._row = graph.row
        self._groups = groups
        self._nodes = nodes
        self._tallies = tallies
        self._rules = rules

    def id_of(self, node: Key) -> str | None:
        """The id of the person who has a node now."""
        row = self._row(node)
        if row is not None and row.group == "":
            row = self._row(next(iter(row.links)))
        return None if row is None else row.group

    def members_of(self, person: str) -> tuple[Key, ...]:
        """All identifiers of a person; none when there is no such person now."""
        group = self._groups.get(person)
        if group is None or not group.members:
            return ()
        if not group.leaves:
            return tuple(group.members)
        found = self._graph.person_by_id(person)
        return () if found is None else found.members

    def is_blank(self, key: Key) -> bool:
        """Whether nothing at all is known of an identifier as a node."""
        return key not in self._nodes and key not in self._tallies

    def traits(self, members: Sequence[Key], names: Collection[str]) -> Mapping[str, Any]:
        """The traits of these names, deleted ones left out: as `profiles.merge` finds them."""
        having = [
            part.traits for key in members if (part := self._nodes.get(key)) is not None and part.traits
        ]
        written: dict[str, Trait] = {}
        if sum(map(len, having)) > self._rules.traits:
            for traits in having:
                _latest(written, traits.items())
            keep_latest(written, self._rules.traits, lambda trait: trait[1])
        else:
            for traits in having:
                _latest(written, ((name, traits[name]) for name in names if name in traits))
        return {name: trait[0] for name, trait in written.items() if trait[0] is not None}

    def consents(self, members: Sequence[Key]) -> Consents:
        """What stands on every purpose and channel."""
        having = [
            part.consents for key in members if (part := self._nodes.get(key)) is not None and part.consents
        ]
        if not having:
            return {}
        said = dict(having[0])
        for consents in having[1:]:
            for key, consent in consents.items():
                before = said.get(key)
                if before is None or consent.rank > before.rank:
                    said[key] = consent
        if len(said) > self._rules.consents:
            keep_latest(said, self._rules.consents, lambda consent: consent.rank)
        return {key: (consent.granted, consent.stamp[0]) for key, consent in said.items()}


def _latest(into: dict[str, Trait], traits: Iterable[tuple[str, Trait]]) -> None:
    for name, trait in traits:
        before = into.get(name)
        if before is None or trait[1] > before[1]:
            into[name] = trait


class Segments:
    """The live execution of one workspace, from the definitions in force to who belongs where.

    Call `activate` between two entries of the log only. `work` does what is to be done beside events, in slices.
    """

    def __init__(
        self,
        people: Known,
        groups: Table[Group],
        tallies: Table[Tally],
        standings: Table[Standing],
        series: Table[SeriesRow],
        served: Table[ServedRow],
        zone: str,
        opt_in: Collection[str],
        history: History,
        changed: Callable[[Execution | None], None],
    ) -> None:
        self._people = people
        self._groups = groups
        self._tallies = tallies
        self._standings = standings
        self._series = series
        self._served = served
        self._calendar = Calendar(zone)
        self._folding = Folding(self._calendar)
        self._opt_in = tuple(opt_in)
        self._history = history
        self._changed = changed
        self._stores: Stores = {}
        self._wanted: dict[str, Segment] = {}
        self._wanted_traits: dict[str, Computed] = {}
        self.live: Execution | None = None
        """None while no rule is in force or being filled: then events pass it by."""
        self.position = 0
        """Of the last log entry applied."""
        self.now = 0
        self._review = False
        self._purge = False
        self._step_to = 0
        self._pending: Active | None = None
        self._began = 0

    # --- definitions ---------------------------------------------------------------------------------------------

    def open(self, now: int, position: int) -> None:
        """Take up what the state holds. Rules in force stay in force until `activate` says otherwise."""
        self.now, self.position = now, position
        self._began = now
        rows = [(name, row) for name, row in self._served.items()]
        self._wanted = {row.segment.id: row.segment for _, row in rows if row.segment is not None}
        self._wanted_traits = {row.trait.id: row.trait for _, row in rows if row.trait is not None}
        self._compile()
        self._purge = True

    def take(self, active: Active) -> None:
        """Other definitions are in force. They are taken up before the next event, however many changed."""
        self._pending = active

    def take_up(self) -> None:
        """Take up what `take` brought."""
        active, self._pending = self._pending, None
        if active is not None:
            segments, traits = live_of(active)
            self.activate(segments, traits)

    def activate(self, segments: Iterable[Segment], traits: Iterable[Computed] = ()) -> None:
        """The definitions that shall be in force from now on; others no longer are.

        Give segments whose conditions are filled in, of persons, and live exact.
        """
        self._wanted = {segment.id: segment for segment in segments}
        self._wanted_traits = {trait.id: trait for trait in traits}
        needed = self._needed(self._wanted.values(), self._wanted_traits)
        number = 1 + max((row.number for _, row in self._series.items()), default=-1)
        for one in sorted(needed, key=lambda series: series.id):
            if one.id not in self._series:
                self._series.put(one.id, SeriesRow(one, number, self.position, 0))
                number += 1
        self._promote()

    def _needed(self, segments: Iterable[Segment], traits: Mapping[str, Computed]) -> set[Series]:
        found: set[Series] = set()
        for segment in segments:
            found |= segment_series(segment, dict(traits))
        for trait in traits.values():
            found |= trait_series(trait)
        return found

    def _promote(self) -> None:
        """Put into force what is full, take out what is no longer wanted."""
        full = {row.series for _, row in self._series.items() if row.full}
        traits = self._wanted_traits
        ready = {f"trait/{t.id}": ServedRow(trait=t) for t in traits.values() if trait_series(t) <= full}
        number = 1 + max((row.number for _, row in self._served.items()), default=-1)
        for name, segment in sorted(self._wanted.items()):
            if segment_series(segment, traits) <= full:
                old = self._served.get(f"segment/{name}")
                ready[f"segment/{name}"] = ServedRow(number if old is None else old.number, segment)
                number += old is None
        wanted = {f"trait/{name}" for name in traits} | {f"segment/{name}" for name in self._wanted}
        for key in [key for key in self._served.keys() if key not in wanted]:
            row = self._served.get(key)
            if row is not None and row.number >= 0:
                if row.segment is not None:
                    self._served.put(key, ServedRow(row.number))
            else:
                self._served.delete(key)
        for key, row in ready.items():
            if self._served.get(key) != row:
                self._served.put(key, row)
        self._drop_series()
        self._compile()

    def _drop_series(self) -> None:
        """Forget series that nothing wanted or in force reads."""
        rows = [row for _, row in self._served.items()]
        served = self._needed(
            (row.segment for row in rows if row.segment is not None),
            {row.trait.id: row.trait for row in rows if row.trait is not None},
        )
        needed = served | self._needed(self._wanted.values(), self._wanted_traits)
        for key in [key for key, row in self._series.items() if row.series not in needed]:
            self._series.delete(key)
            self._purge = True

    def _compile(self) -> None:
        rows = [row for _, row in self._served.items()]
        series = {row.series: row.number for _, row in sorted(self._series.items())}
        segments = [row.segment for row in rows if row.segment is not None]
        numbers = {row.segment.id: row.number for row in rows if row.segment is not None}
        traits = [row.trait for row in rows if row.trait is not None]
        if not series and not segments:
            self._purge = self._purge or self.live is not None or len(self._standings) > 0
            self.live = None
            self._changed(None)
            return
        plan = Plan(segments, traits, series, numbers, self._calendar, self._opt_in, self._stores)
        if self.live is None:
            self.live = Execution(self._tallies, self._standings, self._people, plan)
            self.live.turn(self.now, self.position)
            current = self.live.load(self._standings.items())
            self._review = current < len(self._standings) or not current
        elif plan.fingerprint == self.live.plan.fingerprint and plan.series == self.live.plan.series:
            return
        else:
            self._review = self._review or plan.fingerprint != self.live.plan.fingerprint
            self.live.use(plan)
        self._changed(self.live)

    # --- what goes on beside events --------------------------------------------------------------------------------

    def at(self, now: int, position: int) -> None:
        """An entry of the log is about to be applied: time and place."""
        if self._pending is not None:
            self.take_up()
        self.position = position
        self.now = max(self.now, now)
        if self.live is not None:
            self.live.turn(now, position)

    def step_to(self, now: int) -> None:
        """The clock was stepped: `passing` lets that time go by."""
        self._step_to = max(self._step_to, now)

    def passing(self) -> Iterator[None]:
        """Let the time of the last step go by, in slices. It is over before any later event is applied."""
        now, self._step_to = self._step_to, 0
        self.now = max(self.now, now)
        if now and self.live is not None:
            yield from self.live.sweep(now)

    def work(self, now: int) -> Iterator[None]:
        """All that waits to be done: time going by until `now` (0: it stands), filling, judging, clearing. In slices."""
        self.take_up()
        if now:
            self.now = max(self.now, now)
            if self.live is not None:
                yield from self.live.sweep(now)
        while any(not row.full for _, row in self._series.items()):
            yield from self._fill()
        if self._review and self.live is not None:
            live = self.live
            yield from live.review([pid for pid in list(self._groups.keys()) if self._people.members_of(pid)])
            if live is self.live and live.plan is self.live.plan:
                self._review = False
        if self._purge:
            self._purge = False
            yield from self._clear()

    @property
    def waiting(self) -> bool:
        """Whether there is something to fill, judge or clear."""
        return (
            self._pending is not None
            or self._review
            or self._purge
            or any(not row.full for _, row in self._series.items())
        )

    def finish(self, now: int = 0) -> None:
        """Do all that waits at once (a process that serves nobody, tests)."""
        while True:
            for _ in self.work(now):
                pass
            if not self.waiting:
                return

    def _fill(self) -> Iterator[None]:
        """Fill the series that wait from furthest back, together with those that stand where it stands."""
        rows = [row for _, row in self._series.items() if not row.full]
        filled, since = min((row.filled, row.since) for row in rows)
        rows = [row for row in rows if (row.filled, row.since) == (filled, since)]
        feeds = Feeds([Fed(row.series, row.number, -1) for row in rows], self._calendar, self._stores)
        for count, (event, node) in enumerate(self._history(filled + 1), 1):
            if event.position > since:
                break
            if any(row.series.id not in self._series for row in rows):
                return
            feed = feeds.of(event)
            if feed is not None:
                tally = self._tally(node)
                self._folding.fold(tally, event, feed)
                if not tally:
                    self._tallies.delete(node)
            if count % SLICE == 0:
                self._mark(rows, event.position)
                yield
        self._mark(rows, since)
        self._promote()
        yield

    def _mark(self, rows: list[SeriesRow], position: int) -> None:
        for row in rows:
            self._series.touch(row.series.id)
            row.filled = position

    def _tally(self, node: Key) -> Tally:
        tally = self._tallies.get(node)
        if tally is None:
            tally = {}
            self._tallies.put(node, tally)
        else:
            self._tallies.touch(node)
        return tally

    def _clear(self) -> Iterator[None]:
        """Take series that nobody reads out of the tallies; without any rule, everything."""
        numbers = {row.number for _, row in self._series.items()}
        for count, node in enumerate(list(self._tallies.keys())):
            tally = self._tallies.get(node)
            gone = () if tally is None else tally.keys() - numbers
            if tally is not None and gone:
                self._tallies.touch(node)
                for number in gone:
                    del tally[number]
                if not tally:
                    self._tallies.delete(node)
            if count % SLICE == SLICE - 1:
                yield
        if self.live is None:
            for count, person in enumerate(list(self._standings.keys())):
                if self.live is None:
                    self._standings.delete(person)
                if count % SLICE == SLICE - 1:
                    yield

    # --- people change by hand ---------------------------------------------------------------------------------------

    def regrouped(self, change: Change) -> None:
        """People are others than before, not by an event; `settle` finds them anew."""
        if self.live is not None:
            self.live.regrouped(person.id for person in (*change.before, *change.after))

    def retold(self, node: Key) -> None:
        """A node's profile was made anew: its person is found anew by `settle`."""
        person = self._people.id_of(node) if self.live is not None else None
        if person is not None and self.live is not None:
            self.live.regrouped([person])

    def settle(self, cause: str = "identity", gone: Collection[str] = ()) -> None:
        """Find anew whoever `regrouped` and `retold` named; forget what is remembered of people `gone`."""
        if self.live is not None:
            self.live.settled(cause)
            if gone:
                self.live.forget(gone)

    def drop(self, node: Key) -> None:
        """A node's events are taken out."""
        self._tallies.delete(node)

    def refold(self, event: Event, node: Key) -> None:
        """Add an event of the past to a node that was dropped: to each series that has its position already."""
        if self.live is None:
            return
        position = event.position
        late = [row for _, row in self._series.items() if row.filled < position <= row.since]
        if late:
            fed = [Fed(row.series, row.number, -1) for _, row in self._series.items() if row not in late]
            feed = Feeds(fed, self._calendar, self._stores).of(event)
        else:
            feed = self.live.plan.feeds.of(event)
        if feed is not None:
            tally = self._tally(node)
            self._folding.fold(tally, event, feed)
            if not tally:
                self._tallies.delete(node)

    # --- reading -------------------------------------------------------------------------------------------------------

    def memberships(self, person: str) -> list[str]:
        """Ids of the segments that a person is in now, sorted."""
        row = self._standing(person)
        if row is None or self.live is None:
            return []
        names = self.live.plan.names
        return sorted(names[number] for number in numbers_of(row.bits) if number in names)

    def _standing(self, person: str) -> Standing | None:
        return None if self.live is None else self.live.standing(person)

    def values(self, person: str) -> dict[str, int | float | str]:
        """Computed traits of a person by id, those without a value left out; first and last as times (ms)."""
        return {} if self.live is None else self.live.values(person)

    def members(self, segment: str, after: str = "", limit: int = 100) -> list[str]:
        """Ids of members greater than `after`, ascending, at most `limit`."""
        bit = self._bit(segment)
        if not bit:
            return []
        found = sorted(pid for pid, row in self._standings.items() if pid > after and row.bits & bit)
        return found[:limit]

    def count(self, segment: str) -> int:
        """How many are in a segment."""
        return self._of(segment, "members")

    def barred(self, segment: str) -> int:
        """How many would be in it, had they a lawful basis for its purpose."""
        return self._of(segment, "barred")

    def short(self, segment: str) -> int:
        """Of how many the lake must give the answer."""
        return self._of(segment, "short")

    def _of(self, segment: str, what: str) -> int:
        number = None if self.live is None else self.live.plan.numbers.get(segment)
        return 0 if number is None else getattr(self.live, what).get(number, 0)

    def _bit(self, segment: str) -> int:
        number = None if self.live is None else self.live.plan.numbers.get(segment)
        return 0 if number is None else 1 << number

    def changes(self, after: int = 0) -> list[Moved]:
        """Entries and exits at log positions greater than `after`, oldest first; the last 10,000 are remembered."""
        return [] if self.live is None else [one for one in self.live.moved if one.position > after]

    def is_filling(self, segment: str) -> bool:
        """Whether a segment (or its newest version) waits for its series to be filled, or for everybody to be judged."""
        row = self._served.get(f"segment/{segment}")
        wanted = self._wanted.get(segment)
        return wanted is not None and (row is None or row.segment != wanted or self._review)

    def state(self, segment: str) -> Literal["live", "filling", "lake", "off"]:
        """How a segment is answered: `lake` = not here."""
        self.take_up()
        if segment not in self._wanted:
            return "lake"
        return "filling" if self.is_filling(segment) else "live"

    @property
    def kept_since(self) -> int:
        """The time (ms) from which `changes` is complete."""
        return self._began if self.live is None else max(self._began, self.live.dropped)

    def progress(self, segment: str) -> float:
        """How much of what a segment waits for is done, 0 to 1."""
        wanted = self._wanted.get(segment)
        if wanted is None:
            return 1.0
        rows = [self._series.get(one.id) for one in segment_series(wanted, self._wanted_traits)]
        shares = [row.filled / row.since for row in rows if row is not None and row.since]
        return min(shares, default=1.0)

    def health(self) -> Health:
        """Figures for health pages."""
        live = self.live
        return Health(
            0 if live is None else len(live.plan.rules),
            sum(self.is_filling(name) for name in self._wanted),
            len(self._series),
            len(self._tallies),
            len(self._standings),
            0 if self._review else len(self._standings),
            0.0 if live is None or not live.events else live.moving / live.events,
        )


def live_of(active: Active) -> tuple[list[Segment], list[Computed]]:
    """The definitions that run live: about persons, and exact from bounded aggregates. The others are the lake's."""
    traits = [
        trait
        for trait in active.traits.values()
        if trait.subject == "person" and classify(*(did for did in (trait.measure, trait.per) if did)).live
    ]
    slow_traits = active.traits.keys() - {trait.id for trait in traits}
    segments, slow = [], set[str]()
    for segment in in_order(list(active.segments.values())):
        runs = classify(segment.rule, slow_segments=slow, slow_traits=slow_traits)
        if segment.subject == "person" and runs.live:
            segments.append(segment)
        else:
            slow.add(segment.id)
    return segments, traits
