"""Live beside batch: what the live execution says of everybody, next to what the lake alone says, for all segments and traits.

The lake is brought up to the state first, then asked once for all segments and once for all computed traits. Its rows
come in slices and are compared one by one, so that neither side is ever held whole.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from patron.model.clock import HOUR
from patron.model.errors import BadRequest
from patron.model.people import Person
from patron.profiles.public import iso
from patron.runtime.analysis import Standings, Values
from patron.runtime.app import App
from patron.runtime.people import people
from patron.runtime.segments import subjects
from patron.runtime.segments.asking import IN, STANDS, analyst_of, moment_of, read
from patron.runtime.segments.belonging import is_moment
from patron.runtime.segments.served import live_of
from patron.runtime.segments.subjects import stand_of

BREATH = 20
"""People compared between two breaths, so that others are served."""


class Example(Struct):
    """One person of whom the two say different things, and what their own events say by the reference execution."""

    person: str
    live: Any
    batch: Any
    events: Any = None


class Row(Struct):
    """One definition, compared."""

    kind: str
    id: str
    name: str
    way: str
    """`live`, `filling` (not compared yet), or `lake` (has no live answer)."""
    live: int = 0
    """Members, or people with a value, as they stand live."""
    batch: int = 0
    """The same by the lake."""
    capped: int = 0
    """People above a cap, whose live answer is worked out from their own events; they are compared like everybody."""
    cut_off: int = 0
    """Those of them who differ."""
    moved: int = 0
    """People who differ and had events after the lake was asked."""
    differ: int = 0
    """People of whom the two say different things, the moved left out."""
    example: Example | None = None


class Agreement(Struct):
    """Everything compared, as the API tells it."""

    now: str
    position: int
    """Of the log: up to there the lake is."""
    people: int
    capped: int
    """People above a cap for at least one segment or trait."""
    differ: int
    """Definitions on which somebody differs."""
    seconds: float
    rows: list[Row]


async def agreement(app: App) -> Agreement:
    """Compare every segment and every computed trait of people.

    Raises
    ------
    BadRequest : there is no lake, a question was too large, or an hour ended meanwhile.
    """
    if not app.workspace.settings.lake.enabled:
        raise BadRequest("no_lake", "There is no lake to compare with: set `lake.enabled = true`.")
    began = time.monotonic()
    position = await app.start_jobs().flush()
    comparison = _Comparison(app, position)
    rows = [*await comparison.segments(), *await comparison.traits()]
    return Agreement(
        iso(comparison.now) or "",
        position,
        comparison.people,
        len(comparison.capped),
        sum(row.differ > 0 for row in rows),
        round(time.monotonic() - began, 1),
        rows,
    )


class _Comparison:
    def __init__(self, app: App, position: int) -> None:
        self._workspace = workspace = app.workspace
        self._live = workspace.segments
        self._running = workspace.segments.live
        """None while no rule is in force."""
        self._position = position
        self._active = workspace.definitions.active()
        self._calendar = subjects.calendar_of(workspace)
        self.people = 0
        self.capped: set[str] = set()
        self._analyst = analyst_of(app)
        self._moment = moment_of(workspace, self._active)
        self.now = self._moment.now

    # --- segments ------------------------------------------------------------------------------------------------

    async def segments(self) -> list[Row]:
        """All segments of people. Lists of members are brought up to what the events of those above a cap say."""
        await self._workspace.above.look()
        asked = [one for one in self._active.segments.values() if one.subject == "person"]
        found = {one.id: Row("segment", one.id, one.name, self._live.state(one.id)) for one in asked}
        if found:
            await self._each(Standings(tuple(asked)), found, self._stand)
        return list(found.values())

    def _stand(self, person: str, rows: Sequence[Row], batch: Sequence[Any]) -> None:
        """Compare how one person stands to all segments: what the lists of members say, without finding anybody anew."""
        kept = None if self._running is None else self._running.standings.get(person)
        bits, barred, short = (0, 0, 0) if kept is None else (kept.bits, kept.barred, kept.short)
        numbers = {} if self._running is None else self._running.plan.numbers
        for row, code in zip(rows, batch, strict=True):
            bit = 1 << numbers[row.id] if row.id in numbers else 0
            live = 1 if bits & bit else 2 if barred & bit else 0
            row.batch += code == IN
            row.live += live == IN
            if row.way != "live":
                continue
            self._count(row, person, capped=bool(short & bit), same=live == code)
            if live != code:
                self._differs(row, person, STANDS[live], STANDS[code])

    def _count(self, row: Row, person: str, *, capped: bool, same: bool) -> None:
        if capped:
            row.capped += 1
            row.cut_off += not same
            self.capped.add(person)

    # --- computed traits -----------------------------------------------------------------------------------------

    async def traits(self) -> list[Row]:
        """All computed traits of people."""
        asked = [one for one in self._active.traits.values() if one.subject == "person"]
        served = dict(self._live.served())
        ways = {
            one.id: "live" if (row := served.get(f"trait/{one.id}")) and row.trait == one else "filling"
            for one in live_of(self._active, self._workspace.feeds.locations())[1]
        }
        found = {one.id: Row("trait", one.id, one.name, ways.get(one.id, "lake")) for one in asked}
        if found:
            await self._each(Values(tuple(asked)), found, self._worth)
        return list(found.values())

    def _worth(self, person: str, rows: Sequence[Row], batch: Sequence[Any]) -> None:
        """Compare what all computed traits of one person are worth."""
        found = self._workspace.graph.person_by_id(person)
        known = found is not None and found.id == person
        held = self._workspace.live.computed(found) if found is not None and known else {}
        cut = self._live.cut(person).traits if known else ()
        for row, value in zip(rows, batch, strict=True):
            live = self._compared(row.id, held.get(row.id))
            row.batch += value is not None
            row.live += live is not None
            if row.way != "live":
                continue
            same = is_same(live, value)
            self._count(row, person, capped=row.id in cut, same=same)
            if not same:
                self._differs(row, person, live, value)

    async def _ask(self, name: str) -> None:
        """Have what the lists of somebody cannot tell found from their events before they are compared."""
        person = self._workspace.graph.person_by_id(name)
        if person is not None and person.id == name:
            await self._workspace.above.ready(person)

    def _compared(self, trait: str, value: Any) -> Any:
        """A live value as rules compare it: of the first and last event the days since, where profiles show the time."""
        if value is None or not is_moment(self._active.traits[trait]):
            return value
        return self._calendar.day(self.now) - self._calendar.day(value)

    # --- everybody -----------------------------------------------------------------------------------------------

    async def _each(
        self, question: Standings | Values, found: Mapping[str, Row], compare: Callable[..., None]
    ) -> None:
        """Compare everybody whom either side knows."""
        rows, known = list(found.values()), set[str]()
        nothing = [None if isinstance(question, Values) else 0] * len(rows)
        async with contextlib.aclosing(self._analyst.slices(question, self._moment)) as slices:
            async for head, batch in slices:
                kinds = [kind.startswith("decimal") for _, kind in head.columns[1:]]
                for at, (person, *values) in enumerate(batch):
                    if isinstance(question, Values):
                        await self._ask(person)
                    compare(person, rows, [read(*one) for one in zip(values, kinds, strict=True)])
                    known.add(person)
                    if at % BREATH == 0:
                        await asyncio.sleep(0)
        for at, person in enumerate(list(self._running.standings.keys()) if self._running else ()):
            if person not in known:
                compare(person, rows, nothing)
                known.add(person)
            if at % (50 * BREATH) == 0:
                await asyncio.sleep(0)
        self.people = len(known)
        if self._workspace.clock.now() // HOUR != self.now // HOUR:
            raise BadRequest(
                "hour_ended",
                "An hour ended while it was compared, so people may stand otherwise: do it again.",
            )
        await self._ask_events(rows)

    def _differs(self, row: Row, name: str, live: Any, batch: Any) -> None:
        person = self._workspace.graph.person_by_id(name)
        if self._workspace.applied > self._position and (person is None or self._has_moved(person)):
            row.moved += 1
            return
        row.differ += 1
        if row.example is None:
            row.example = Example(name, live, batch)

    def _has_moved(self, person: Person) -> bool:
        return any(one.position > self._position for one in people.rows(self._workspace, person))

    async def _ask_events(self, rows: Iterable[Row]) -> None:
        """What the events of each example say by the reference execution."""
        for row in rows:
            if row.example is not None:
                person = self._workspace.graph.person_by_id(row.example.person)
                if person is None:
                    row.example.events = "there is no such person"
                    continue
                subject = await subjects.of_person(self._workspace, person)
                if row.kind == "trait":
                    row.example.events = subject.computed(row.id)
                else:
                    row.example.events = STANDS[stand_of(subject, self._active.segments[row.id])]


def is_same(live: Any, batch: Any) -> bool:
    """Whether two values of a computed trait are one: both are rounded to 6 places already, so no tolerance is needed.

    >>> is_same(7, 7.0), is_same("7", 7), is_same(None, 0), is_same(None, None)
    (True, False, False, True)
    """
    return isinstance(live, str) == isinstance(batch, str) and live == batch
