"""Conditions on sums, averages, texts and extremes: all windows and thresholds of one series in one walk, the newest first.

Between two neighbouring cuts (`gauge.Steps`) an answer stands still, so a threshold costs a look-up, not a comparison. Equal to
`meter.Meter` and `compare.comparison`, a condition at a time.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from patron.rules.evaluate import most_frequent
from patron.rules.tree import Did, Window
from patron.rules.values import SCALE
from patron.segments.compare import Exact, comparison, units_of
from patron.segments.gauge import Steps
from patron.segments.hours import NEVER, Hours, soonest
from patron.segments.tally import Row, Tally

BELOW = -(1 << 300)
"""Less than any sum."""
Part = tuple[Did, int]
"""A condition and its bit."""


class Conditions:
    """The conditions of one series on one measure, in one window: their bits by the measure's value.

    Numbers are doubled, so that what lies between two neighbours has a number too (`doubled`).
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self.nothing = 0
        """The bits that hold where the measure has no value."""
        self._steps = Steps(BELOW)
        self._texts: list[tuple[int, Callable[[Exact | None], bool]]] = []
        for did, bit in parts:
            compare = comparison(did.op, did.value)
            self.nothing |= bit if compare(None) else 0
            self._steps.add(bit, _cuts(did.value), _halved(compare))
            self._texts.append((bit, compare))
        self._steps.seal()
        self._known: dict[str, int] = {}

    def at(self, double: int) -> int:
        """The bits of twice a number."""
        return self._steps.at(double)

    def of(self, text: str) -> int:
        """The bits of a text."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) > 1_000:
                self._known.clear()
            found = self._known[text] = sum(bit for bit, compare in self._texts if compare(text))
        return found


def doubled(total: int, count: int) -> int:
    """Twice the average, where anything between two neighbouring numbers is the odd one between them.

    >>> doubled(6, 2), doubled(7, 2), doubled(20, 3), doubled(-7, 2)
    (6, 7, 13, -7)
    """
    whole, rest = divmod(total, count)
    return 2 * whole + (1 if rest else 0)


Measures = dict[str, Conditions]
"""Conditions by measure."""


class Span(Struct, frozen=True):
    """A window and all that are longer: where it begins, its conditions, theirs together, and which may lose something first."""

    floor: int
    window: Window
    own: Measures
    rest: Measures
    soonest: tuple[Window, ...]


class Measured:
    """All conditions on one series whose count does not say enough. Subclasses read the rows."""

    def __init__(self, number: int, parts: Sequence[Part]) -> None:
        self.number = number
        self.mask = sum(bit for _, bit in parts)
        """The bits of its conditions."""
        self.nothing = 0
        """Those that hold where there is no event."""
        self._parts: dict[Window | None, list[Part]] = {}
        for did, bit in parts:
            self._parts.setdefault(did.within, []).append((did, bit))
        self._together: dict[tuple[Window | None, ...], Measures] = {}
        self._ever = self._of_windows((None,))
        self._spans: list[Span] = []
        self._hour = -1

    def _of_windows(self, windows: tuple[Window | None, ...]) -> Measures:
        """The conditions in some windows, by measure."""
        found = self._together.get(windows)
        if found is None:
            by_measure: dict[str, list[Part]] = {}
            for did, bit in (part for window in windows for part in self._parts.get(window, ())):
                by_measure.setdefault(did.measure, []).append((did, bit))
            found = {name: Conditions(some) for name, some in by_measure.items()}
            self._together[windows] = found
        return found

    def look(self, tallies: Sequence[Tally], hours: Hours) -> tuple[int, int]:
        """The bits that hold, and until when if no event comes (ms)."""
        number = self.number
        rows: list[Row] = [tally[number] for tally in tallies if number in tally]
        if not rows:
            return self.nothing, NEVER
        if self._ever:
            return self._all_time(rows), NEVER
        if self._hour != hours.hour:
            self._hour = hours.hour
            self._spans = self._turned(hours)
        return self._walk(rows, hours)

    def _turned(self, hours: Hours) -> list[Span]:
        """The windows as they lie now, the shortest first."""
        order = sorted((w for w in self._parts if w is not None), key=hours.floor, reverse=True)
        return [
            Span(
                hours.floor(window),
                window,
                self._of_windows((window,)),
                self._of_windows(tuple(order[at:])),
                soonest(order[at:]),
            )
            for at, window in enumerate(order)
        ]

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> int:
        """The bits of conditions whose list was cut off inside the window; sums are never."""
        del tallies, hours
        return 0

    def _all_time(self, rows: list[Row]) -> int:
        raise NotImplementedError

    def _walk(self, rows: list[Row], hours: Hours) -> tuple[int, int]:
        raise NotImplementedError


class Sums(Measured):
    """Conditions on the sum and the average of a property.

    >>> from patron.rules.calendar import Calendar
    >>> spent = Sums(0, [(Did("Order Completed", ">=", 20, "sum", "revenue"), 1)])
    >>> spent.look([{0: [3, 19_000_000]}, {0: [1, 1_000_000]}], Hours(Calendar("UTC")))[0]
    1
    """

    def __init__(self, number: int, parts: Sequence[Part]) -> None:
        super().__init__(number, parts)
        self.nothing = _of_sums(self._of_windows(tuple(self._parts)), 0, 0)

    def _all_time(self, rows: list[Row]) -> int:
        return _of_sums(self._ever, sum(row[0] for row in rows), sum(row[1] for row in rows))

    def _walk(self, rows: list[Row], hours: Hours) -> tuple[int, int]:
        row = rows[0] if len(rows) == 1 else _side_by_side(rows)
        at, count, total, bits, wake = len(row) - 3, 0, 0, 0, NEVER
        for span in self._spans:
            floor = span.floor
            while at >= 0 and row[at] >= floor:
                count += row[at + 1]
                total += row[at + 2]
                at -= 3
            if at < 0:
                return bits | _of_sums(span.rest, count, total), _leaving(span, hours, row[0], wake)
            bits |= _of_sums(span.own, count, total)
            if count:
                wake = min(wake, hours.leaves(span.window, row[at + 3]))
        return bits, wake


class Texts(Measured):
    """Conditions on distinct and most frequent texts.

    >>> from patron.rules.calendar import Calendar
    >>> kinds = Texts(0, [(Did("Order Completed", ">=", 2, "distinct", "coupon", within=Window(days=9)), 1)])
    >>> hours = Hours(Calendar("UTC"))
    >>> hours.turn(9), kinds.look([{0: [-1, 7, "a", 3, 7, "b", 1]}], hours)[0]
    (True, 1)
    """

    def __init__(self, number: int, parts: Sequence[Part]) -> None:
        super().__init__(number, parts)
        self.nothing = _of_texts(self._of_windows(tuple(self._parts)), {})

    def _walk(self, rows: list[Row], hours: Hours) -> tuple[int, int]:
        row = rows[0] if len(rows) == 1 else _side_by_side(rows, 1)
        at, bits, wake = len(row) - 3, 0, NEVER
        texts: dict[str, int] = {}
        for span in self._spans:
            floor = span.floor
            while at > 0 and row[at] >= floor:
                text = row[at + 1]
                texts[text] = texts.get(text, 0) + row[at + 2]
                at -= 3
            if at < 0:
                return bits | _of_texts(span.rest, texts), _leaving(span, hours, row[1], wake)
            bits |= _of_texts(span.own, texts)
            if texts:
                wake = min(wake, hours.leaves(span.window, row[at + 3]))
        return bits, wake

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> int:
        """The bits of conditions whose texts were cut off inside the window."""
        number = self.number
        upto = max((tally[number][0] for tally in tallies if number in tally), default=-1)
        if upto < 0:
            return 0
        return sum(
            bit
            for window, parts in self._parts.items()
            if window and upto >= hours.floor(window)
            for _, bit in parts
        )


class Extremes(Measured):
    """Conditions on least and greatest numbers."""

    def __init__(self, number: int, parts: Sequence[Part]) -> None:
        super().__init__(number, parts)
        self.nothing = _of_extremes(self._of_windows(tuple(self._parts)), None)

    def _walk(self, rows: list[Row], hours: Hours) -> tuple[int, int]:
        row = rows[0] if len(rows) == 1 else _side_by_side(rows)
        at, bits, wake = len(row) - 3, 0, NEVER
        ends: tuple[int, int] | None = None
        for span in self._spans:
            floor = span.floor
            while at >= 0 and row[at] >= floor:
                least, greatest = row[at + 1], row[at + 2]
                ends = (min(ends[0], least), max(ends[1], greatest)) if ends else (least, greatest)
                at -= 3
            if at < 0:
                return bits | _of_extremes(span.rest, ends), _leaving(span, hours, row[0], wake)
            bits |= _of_extremes(span.own, ends)
            if ends:
                wake = min(wake, hours.leaves(span.window, row[at + 3]))
        return bits, wake


_READERS: dict[str, type[Measured]] = {
    "sum": Sums,
    "average": Sums,
    "distinct": Texts,
    "most_frequent": Texts,
    "min": Extremes,
    "max": Extremes,
}


def measured(number: int, parts: Sequence[Part]) -> Measured:
    """The conditions on one series whose count does not say enough."""
    return _READERS[parts[0][0].measure](number, parts)


def _of_sums(measures: Measures, count: int, total: int) -> int:
    """The bits of so many numbers and their sum."""
    bits = 0
    for name, conditions in measures.items():
        if name == "sum":
            bits |= conditions.at(2 * total)
        else:
            bits |= conditions.at(doubled(total, count)) if count else conditions.nothing
    return bits


def _of_texts(measures: Measures, texts: dict[str, int]) -> int:
    """The bits of some texts and how often each is there."""
    bits = 0
    for name, conditions in measures.items():
        if name == "distinct":
            bits |= conditions.at(2 * SCALE * len(texts))
        elif not texts:
            bits |= conditions.nothing
        else:
            bits |= conditions.of(next(iter(texts)) if len(texts) == 1 else most_frequent(texts) or "")
    return bits


def _of_extremes(measures: Measures, ends: tuple[int, int] | None) -> int:
    """The bits of the least and the greatest number; None: there is no number."""
    bits = 0
    for name, conditions in measures.items():
        bits |= conditions.at(2 * ends[name == "max"]) if ends else conditions.nothing
    return bits


def _leaving(span: Span, hours: Hours, oldest: int, wake: int) -> int:
    """When the oldest hour leaves the first of a window and those that are longer."""
    for window in span.soonest:
        wake = min(wake, hours.leaves(window, oldest))
    return wake


def _cuts(wanted: Any) -> set[int]:
    """Where the answer for a doubled number may change: at each wanted number, and right behind it."""
    found = set()
    for one in wanted if isinstance(wanted, list | tuple) else [wanted]:
        units = units_of(one)
        if isinstance(units, int) and not isinstance(units, bool):
            found |= {2 * units, 2 * units + 1}
    return found


def _halved(compare: Callable[[Exact | None], bool]) -> Callable[[int], bool]:
    return lambda double: compare((double, 2))


def _side_by_side(rows: list[Row], begin: int = 0) -> Row:
    """The hours of several rows in order; one may be there more than once.

    Parameters
    ----------
    begin : where the first hour of a row is.
    """
    found = sorted((row[at], row[at + 1], row[at + 2]) for row in rows for at in range(begin, len(row), 3))
    return [*[None] * begin, *(value for one in found for value in one)]
