"""Measures read from the tallies of a person's nodes: exact values, and until when each stands if no event comes.

Equal to `rules.evaluate.measured` over the events behind the tallies.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction

from patron.model.clock import HOUR
from patron.rules.evaluate import most_frequent
from patron.rules.tree import Computed, Did, Window
from patron.rules.values import SCALE, shown
from patron.segments.compare import Exact
from patron.segments.hours import NEVER, Hours
from patron.segments.series import CAPPED, Series, moment_series, series_of
from patron.segments.tally import Row, Tally

Numbers = Callable[[Series], int]
"""The number of a series."""
Shown = int | float | str | None


class Meter:
    """One measure."""

    __slots__ = ("_is_capped", "_read", "measure", "number", "window")

    def __init__(self, did: Did, numbers: Numbers) -> None:
        series = series_of(did)
        self.number = numbers(series)
        self._is_capped = series.kind in CAPPED
        self.measure = did.measure
        self.window = did.within
        self._read = _READERS[did.measure]

    def value(self, tallies: Sequence[Tally], hours: Hours) -> tuple[Exact | None, int]:
        """The value, None where it has none, and until when it stands if no event comes (ms)."""
        rows = [tally[self.number] for tally in tallies if self.number in tally]
        return self._read(self, rows, hours)

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> bool:
        """Whether a list lacks entries that the window may hold: then the lake has the answer."""
        return self._is_capped and is_short(self.number, self.window, tallies, hours, 1)

    def age(self, hour: int, hours: Hours) -> tuple[Exact, int]:
        """Days since an hour, and when that answer may change."""
        return ((hours.today - hours.day(hour)) * SCALE, 1), hours.tomorrow


Reader = Callable[[Meter, list[Row], Hours], tuple[Exact | None, int]]


def is_short(number: int, window: Window | None, tallies: Sequence[Tally], hours: Hours, unit: int) -> bool:
    """Whether some node's list was cut off inside the window; `unit`: of its times, so many in an hour."""
    if window is None:
        return False
    since = hours.floor(window) * unit
    return any(tally[number][0] >= since for tally in tallies if number in tally)


def _inside(meter: Meter, rows: list[Row], hours: Hours, width: int) -> tuple[list[tuple[Row, int]], int]:
    """Each row with the place from which it lies in the window, and when its oldest hour leaves."""
    if meter.window is None:
        return [(row, 0) for row in rows], NEVER
    floor, found, wake = hours.floor(meter.window), [], NEVER
    for row in rows:
        at = width * bisect_right(range(len(row) // width), floor - 1, key=lambda i, row=row: row[width * i])  # type: ignore[misc]
        if at < len(row):
            found.append((row, at))
            wake = min(wake, hours.leaves(meter.window, row[at]))
    return found, wake


def _count(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact, int]:
    if meter.window is None:
        return (sum(row[0] for row in rows) * SCALE, 1), NEVER
    found, wake = _inside(meter, rows, hours, 2)
    return (sum(sum(row[at + 1 :: 2]) for row, at in found) * SCALE, 1), wake


def _sums(meter: Meter, rows: list[Row], hours: Hours) -> tuple[int, int, int]:
    if meter.window is None:
        return sum(row[0] for row in rows), sum(row[1] for row in rows), NEVER
    found, wake = _inside(meter, rows, hours, 3)
    count = sum(sum(row[at + 1 :: 3]) for row, at in found)
    return count, sum(sum(row[at + 2 :: 3]) for row, at in found), wake


def _sum(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact, int]:
    _, total, wake = _sums(meter, rows, hours)
    return (total, 1), wake


def _average(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact | None, int]:
    count, total, wake = _sums(meter, rows, hours)
    return ((total, count) if count else None), wake


def _first(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact | None, int]:
    if not rows:
        return None, NEVER
    if meter.window is None:
        return meter.age(min(row[1] for row in rows) // HOUR, hours)
    found, wake = _inside(meter, rows, hours, 2)
    if not found:
        return None, NEVER
    age, turn = meter.age(min(row[at] for row, at in found), hours)
    return age, min(wake, turn)


def _last(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact | None, int]:
    if not rows:
        return None, NEVER
    if meter.window is None:
        return meter.age(max(row[2] for row in rows) // HOUR, hours)
    newest = max(row[-2] for row in rows)
    if newest < hours.floor(meter.window):
        return None, NEVER
    age, turn = meter.age(newest, hours)
    return age, min(hours.leaves(meter.window, newest), turn)


def _texts(meter: Meter, rows: list[Row], hours: Hours) -> tuple[dict[str, int], int]:
    """The texts inside the window, how often each is there, and when the oldest leaves."""
    floor = -1 if meter.window is None else hours.floor(meter.window)
    texts: dict[str, int] = {}
    oldest = NEVER
    for row in rows:
        for at in range(len(row) - 3, 0, -3):
            if row[at] < floor:
                break
            texts[row[at + 1]] = texts.get(row[at + 1], 0) + row[at + 2]
            oldest = min(oldest, row[at])
    return texts, NEVER if meter.window is None or not texts else hours.leaves(meter.window, oldest)


def _distinct(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact, int]:
    texts, wake = _texts(meter, rows, hours)
    return (len(texts) * SCALE, 1), wake


def _frequent(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact | None, int]:
    texts, wake = _texts(meter, rows, hours)
    return most_frequent(texts), wake


def _least(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact | None, int]:
    found, wake = _inside(meter, rows, hours, 3)
    return (min((n for row, at in found for n in row[at + 1 :: 3])), 1) if found else None, wake


def _greatest(meter: Meter, rows: list[Row], hours: Hours) -> tuple[Exact | None, int]:
    found, wake = _inside(meter, rows, hours, 3)
    return (max((n for row, at in found for n in row[at + 2 :: 3])), 1) if found else None, wake


_READERS: dict[str, Reader] = {
    "count": _count,
    "sum": _sum,
    "average": _average,
    "first": _first,
    "last": _last,
    "distinct": _distinct,
    "most_frequent": _frequent,
    "min": _least,
    "max": _greatest,
}


class Trait:
    """A computed trait, read live."""

    __slots__ = ("_measure", "_moment", "_per", "id", "name", "purpose")

    def __init__(self, trait: Computed, numbers: Numbers) -> None:
        self.id = trait.id
        self.purpose = trait.purpose
        self.name = trait.measure.measure
        self._measure = Meter(trait.measure, numbers)
        self._per = None if trait.per is None else Meter(trait.per, numbers)
        dated = self.name in ("first", "last") and trait.per is None
        self._moment = numbers(moment_series(trait.measure)) if dated else -1

    @property
    def is_moment(self) -> bool:
        """Whether profiles show a time: that of the first or last event."""
        return self._moment >= 0

    @property
    def meters(self) -> list[Meter]:
        """The measures it is made of."""
        return [self._measure] if self._per is None else [self._measure, self._per]

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> bool:
        """Whether a list lacks entries that a window may hold: then only the person's events have the answer."""
        if self.name == "first" and self._moment >= 0:
            return is_short(self._moment, self._measure.window, tallies, hours, HOUR)
        return any(meter.missing(tallies, hours) for meter in self.meters)

    def value(self, tallies: Sequence[Tally], hours: Hours) -> tuple[Shown, int]:
        """As rules compare it: exact, then rounded to 6 places; None where it has none; and until when it stands."""
        exact, wake = self._measure.value(tallies, hours)
        if self._per is None:
            return _shown(exact), wake
        per, turn = self._per.value(tallies, hours)
        wake = min(wake, turn)
        if exact is None or per is None or isinstance(exact, str) or isinstance(per, str) or not per[0]:
            return None, wake
        return shown(Fraction(exact[0], exact[1]) / Fraction(per[0], per[1])), wake

    def at(self, tallies: Sequence[Tally], hours: Hours) -> int | None:
        """Of `first` and `last`: the time of that event, ms; None where there is none, or for other measures."""
        if self._moment < 0:
            return None
        window = self._measure.window
        rows = [tally[self._moment] for tally in tallies if self._moment in tally]
        if window is not None:
            since = hours.floor(window) * HOUR
            times: list[int] = [time for row in rows for time in row[1::2] if time >= since]
            return (min(times) if self.name == "first" else max(times)) if times else None
        if not rows:
            return None
        return int(min(row[1] for row in rows) if self.name == "first" else max(row[2] for row in rows))


def _shown(exact: Exact | None) -> Shown:
    return exact if exact is None or isinstance(exact, str) else shown(Fraction(exact[0], exact[1] * SCALE))
