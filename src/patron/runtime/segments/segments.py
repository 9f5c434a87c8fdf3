"""Segments and computed traits of a workspace: which rules are in force, filling what they need from the past, time going by.

A definition is in force once every series it reads is full. New series are fed by events from then on and, in slices, by
the log up to then; meanwhile a changed segment goes on by its old rule. All of it follows from the log: a replay ends with
the same tallies and memberships.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Literal

from patron.identity.change import Change
from patron.identity.graph import Group
from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.rules.calendar import Calendar
from patron.rules.filters import Stores
from patron.rules.places import reads_stores
from patron.rules.tree import Computed, Segment
from patron.runtime.segments.census import Census
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.filling import Filling, History
from patron.runtime.segments.served import (
    NOTHING_CUT,
    Cut,
    Health,
    SeriesRow,
    ServedRow,
    live_of,
    needed,
    progress,
    serve,
    suspend,
)
from patron.segments.execution import Execution
from patron.segments.plan import Plan
from patron.segments.reach import Moved, numbers_of
from patron.segments.series import Series
from patron.segments.standing import Standing
from patron.segments.tally import Tally

SLICE = 25


class Segments:
    """The live execution of one workspace, from the definitions in force to who belongs where.

    Call `activate` between two entries of the log only. `work` does what is to be done beside events, in slices.
    """

    def __init__(
        self,
        people: Census,
        groups: Table[Group],
        tallies: Table[Tally],
        standings: Table[Standing],
        series: Table[SeriesRow],
        served: Table[ServedRow],
        zone: str,
        opt_in: Collection[str],
        history: History,
        changed: Callable[[Execution | None], None],
        stores: Callable[[], Stores] = dict,
    ) -> None:
        self._people = people
        self._groups = groups
        self._tallies = tallies
        self._standings = standings
        self._series = series
        self._served = served
        self._calendar = Calendar(zone)
        self._filling = Filling(tallies, series, self._calendar, history)
        self._opt_in = tuple(opt_in)
        self._changed = changed
        self._stores = stores
        self._wanted: dict[str, Segment] = {}
        self._wanted_traits: dict[str, Computed] = {}
        self.live: Execution | None = None
        """None while no rule is in force or being filled: then events pass it by."""
        self.position = 0
        """Of the last log entry applied."""
        self.now = 0
        self._review = False
        self._judged = frozenset[str]()
        """Segments by which everybody was judged."""
        self._opening = False
        self._step_to = 0
        self._pending: Active | None = None
        self._began = 0

    # --- definitions ---------------------------------------------------------------------------------------------

    def open(self, now: int, position: int) -> None:
        """Take up what the state holds. Rules in force stay in force until `activate` says otherwise."""
        self.now, self.position = now, position
        self._began = now
        suspend(self._served, self._filling.end_outdated())
        rows = [(name, row) for name, row in self._served.items()]
        self._wanted = {row.segment.id: row.segment for _, row in rows if row.segment is not None}
        self._wanted_traits = {row.trait.id: row.trait for _, row in rows if row.trait is not None}
        self._opening = True
        self._compile()
        self._judged = frozenset(self._numbers())
        self._opening = False

    def take(self, active: Active) -> None:
        """Other definitions are in force. They are taken up before the next event, however many changed."""
        self._pending = active

    def located(self, active: Active) -> None:
        """Stores are elsewhere than before: rules about places are others now, and are counted anew from the past."""
        if reads_stores([*active.segments.values(), *active.traits.values()]):
            self.take(active)

    def take_up(self) -> None:
        """Take up what `take` brought."""
        active, self._pending = self._pending, None
        if active is not None:
            segments, traits = live_of(active, self._stores())
            self.activate(segments, traits)

    def activate(self, segments: Iterable[Segment], traits: Iterable[Computed] = ()) -> None:
        """The definitions that shall be in force from now on; others no longer are.

        Give segments whose conditions are filled in, of persons, and live exact.
        """
        self._wanted = {segment.id: segment for segment in segments}
        self._wanted_traits = {trait.id: trait for trait in traits}
        self._filling.begin(needed(self._wanted.values(), self._wanted_traits), self.position)
        self._promote()

    def _promote(self) -> None:
        """Put into force what is full, take out what is no longer wanted."""
        full = {one for one, row in self._filling.rows().items() if row.full}
        serve(self._served, self._wanted, self._wanted_traits, full)
        self._drop_series()
        self._compile()
        known = frozenset(self._numbers())
        self._judged = self._judged & known if self._review else known

    def _drop_series(self) -> None:
        """Forget series that nothing wanted or in force reads."""
        rows = [row for _, row in self._served.items()]
        served = needed(
            (row.segment for row in rows if row.segment is not None),
            {row.trait.id: row.trait for row in rows if row.trait is not None},
        )
        self._filling.end(served | needed(self._wanted.values(), self._wanted_traits))

    def _compile(self) -> None:
        rows = [row for _, row in self._served.items()]
        series = {one: row.number for one, row in self._filling.rows().items()}
        segments = [row.segment for row in rows if row.segment is not None]
        numbers = {row.segment.id: row.number for row in rows if row.segment is not None}
        traits = [row.trait for row in rows if row.trait is not None]
        if not series and not segments:
            self.live = None
            self._changed(None)
            return
        plan = Plan(segments, traits, series, numbers, self._calendar, self._opt_in)
        if self.live is None:
            if not self._opening:
                self._forget_at_once()
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
        while self._filling.behind:
            if (yield from self._filling.fill()):
                self._promote()
            yield
        if self._review and self.live is not None:
            live = self.live
            yield from live.review([pid for pid in list(self._groups.keys()) if self._people.members_of(pid)])
            if live is self.live and live.plan is self.live.plan:
                self._review = False
                self._judged = frozenset(self._numbers())
        if self._filling.untidy:
            yield from self._filling.clear()
        if self.live is None:
            yield from self._forget_everybody()

    def _forget_at_once(self) -> None:
        """What is left of standings that no event moved while there was no rule says nothing of today."""
        for person in list(self._standings.keys()):
            self._standings.delete(person)

    def _forget_everybody(self) -> Iterator[None]:
        """Without any rule nobody stands anywhere."""
        for count, person in enumerate(list(self._standings.keys())):
            if self.live is None:
                self._standings.delete(person)
            if count % SLICE == SLICE - 1:
                yield

    @property
    def waiting(self) -> bool:
        """Whether there is something to fill, judge or clear."""
        idle = self.live is None and len(self._standings) > 0
        return self._pending is not None or self._review or idle or self._filling.waiting

    def finish(self, now: int = 0) -> None:
        """Do all that waits at once (a process that serves nobody, tests)."""
        while True:
            for _ in self.work(now):
                pass
            if not self.waiting:
                return

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
        self._filling.drop(node)

    def refold(self, event: Event, node: Key) -> None:
        """Add an event of the past to a node that was dropped."""
        if self.live is not None:
            self._filling.refold(event, node, self.live.plan.feeds)

    # --- reading -------------------------------------------------------------------------------------------------------

    def series(self) -> Mapping[Series, SeriesRow]:
        """The series that are kept, in order of their ids."""
        return self._filling.rows()

    def served(self) -> Iterable[tuple[str, ServedRow]]:
        """Definitions in force by `segment/<id>` and `trait/<id>`, and the numbers of segments that are no more."""
        return self._served.items()

    def cut(self, person: str) -> Cut:
        """What the lists kept of a person cannot tell, as some were cut off."""
        live, row = self.live, self._standing(person)
        if live is None:
            return NOTHING_CUT
        short = 0 if row is None else row.short & live.plan.judging.mask
        traits = tuple(live.missing(person))
        return Cut(short, traits) if short or traits else NOTHING_CUT

    def memberships(self, person: str, known: int | None = None) -> list[str]:
        """Ids of the segments that a person is in now, sorted.

        Parameters
        ----------
        known : the bits of those that `cut` names; without it these are as when they were last answered.
        """
        row = self._standing(person)
        if row is None or self.live is None:
            return []
        names, bits = self.live.plan.names, row.bits
        if known is not None:
            bits = bits & ~row.short | known & row.short
        return sorted(names[number] for number in numbers_of(bits) if number in names)

    def _standing(self, person: str) -> Standing | None:
        return None if self.live is None else self.live.standing(person)

    def values(self, person: str) -> dict[str, int | float | str]:
        """Computed traits of a person by id, those without a value left out; first and last as times (ms).

        Those that `cut` names are as far as the lists go.
        """
        return {} if self.live is None else self.live.values(person)

    def is_in(self, person: str, segment: str) -> bool:
        """Whether somebody is in a segment now."""
        bit = self._bit(segment)
        row = self._standing(person) if bit else None
        return row is not None and bool(row.bits & bit)

    def knows(self, segment: str) -> bool:
        """Whether everybody was judged by a segment; True for those that are not answered here."""
        return segment in self._judged or (segment not in self._wanted and self._pending is None)

    def _numbers(self) -> Iterable[str]:
        return () if self.live is None else self.live.plan.numbers

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
        """Of how many the answer is from their own events, as a list was cut off."""
        return self._of(segment, "short")

    def _of(self, segment: str, what: str) -> int:
        number = None if self.live is None else self.live.plan.numbers.get(segment)
        if number is None or self.live is None:
            return 0
        return int(getattr(self.live.reach, what).counts().get(number, 0))

    def _bit(self, segment: str) -> int:
        number = None if self.live is None else self.live.plan.numbers.get(segment)
        return 0 if number is None else 1 << number

    def changes(self, after: int = 0) -> list[Moved]:
        """Entries and exits at log positions greater than `after`, oldest first; the last 10,000 are remembered."""
        return [] if self.live is None else list(self.live.reach.moves(self.live.plan.names, after))

    def is_filling(self, segment: str) -> bool:
        """Whether a segment (or its newest version) waits for its series to be filled, or for everybody to be judged."""
        row = self._served.get(f"segment/{segment}")
        wanted = self._wanted.get(segment)
        return wanted is not None and (row is None or row.segment != wanted or self._review)

    def keeps_older(self, segment: str) -> bool:
        """Whether an older version of a segment that is being filled answers for it."""
        row, wanted = self._served.get(f"segment/{segment}"), self._wanted.get(segment)
        return row is not None and row.segment is not None and row.segment != wanted

    def state(self, segment: str) -> Literal["live", "filling", "lake", "off"]:
        """How a segment is answered: `lake` = not here."""
        self.take_up()
        return "lake" if segment not in self._wanted else "filling" if self.is_filling(segment) else "live"

    @property
    def kept_since(self) -> int:
        """The time (ms) from which `changes` is complete."""
        return self._began if self.live is None else max(self._began, self.live.reach.complete_since)

    def progress(self, segment: str) -> float:
        """How much of what a segment waits for is done, 0 to 1."""
        wanted = self._wanted.get(segment)
        return 1.0 if wanted is None else progress(wanted, self._wanted_traits, self._series)

    def health(self) -> Health:
        """Figures for health pages."""
        live, people = self.live, len(self._standings)
        rules, events, moving = (
            (0, 0, 0) if live is None else (len(live.plan.judging.rules), live.events, live.reach.moving)
        )
        filling = sum(self.is_filling(name) for name in self._wanted)
        series, tallies = len(self._filling.rows()), len(self._tallies)
        return Health(rules, filling, series, tallies, people, 0 if self._review else people, events, moving)
