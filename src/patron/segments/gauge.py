"""Counts against thresholds: all windows and thresholds of one series at once, and how far the nearest one is.

A count only grows by events, one at a time. So a person keeps, per series, the number of events that may still come until
some threshold of some window can be met (`slack`); until then an event costs one subtraction. By time alone a count only
falls: that is what `wake` is for.
"""

from bisect import bisect_right
from collections.abc import Callable

from patron.rules.tree import Window
from patron.segments.hours import NEVER, Hours, soonest
from patron.segments.tally import Row

FAR = 127
"""Greatest slack. All slacks of a person stand side by side in one number, a byte each: 127 more than the slack, so that
the byte's high bit falls when none is left, and one subtraction counts an event for all its series."""
LANE = 8
"""Bits of a slack."""
Reading = tuple[int, int, int]
"""Bits of the conditions that hold, slack, and until when this stands if no event comes (ms)."""


class Steps:
    """The conditions on one number: between two neighbouring cuts they stand still.

    >>> steps = Steps()
    >>> steps.add(1, {0, 3}, lambda n: n >= 3)
    >>> steps.seal(); steps.bits, steps.cuts
    ([0, 1], [0, 3])
    """

    __slots__ = ("_leaves", "bits", "cuts", "first", "mask")

    def __init__(self, least: int = 0) -> None:
        self._leaves: list[tuple[int, Callable[[int], bool]]] = []
        self.cuts: list[int] = [least]
        self.bits: list[int] = [0]
        self.mask = 0
        """The bits of all its conditions."""
        self.first = 0
        """The least cut above 0: from there on something can be lost again; 0 when there is none."""

    def add(self, bit: int, cuts: set[int], test: Callable[[int], bool]) -> None:
        """Add a condition: its bit, where it may change, and what it says of a number."""
        self._leaves.append((bit, test))
        self.mask |= bit
        self.cuts = sorted({*self.cuts, *cuts})

    def seal(self) -> None:
        """Work out the bits."""
        self.bits = [sum(bit for bit, test in self._leaves if test(cut)) for cut in self.cuts]
        kept = [i for i in range(len(self.cuts)) if not i or self.bits[i] != self.bits[i - 1]]
        self.cuts, self.bits = [self.cuts[i] for i in kept], [self.bits[i] for i in kept]
        self.first = self.cuts[1] if len(self.cuts) > 1 else 0

    def at(self, number: int) -> int:
        """The bits of a number."""
        return self.bits[bisect_right(self.cuts, number) - 1]


class Gauge:
    """All count conditions of one series. `windows` maps a window (None: all time) to its steps."""

    __slots__ = ("_all", "_cuts", "_hour", "_order", "_soonest", "_windows", "mask", "number")

    def __init__(self, number: int, windows: dict[Window | None, Steps], mask: int) -> None:
        self.number = number
        self.mask = mask
        """The bits of its conditions."""
        self._windows = windows
        self._order: list[tuple[int, Steps, Window]] = []
        self._hour = -1
        steps = list(windows.values())
        self._cuts = sorted({cut for one in steps for cut in one.cuts})
        self._all = [sum(one.bits[bisect_right(one.cuts, cut) - 1] for one in steps) for cut in self._cuts]
        self._soonest = [self._losing(cut) for cut in self._cuts]

    def _losing(self, cut: int) -> tuple[Window, ...]:
        """The windows that may lose something first when all hold as many events: the shortest in days and in hours."""
        losing = [w for w, steps in self._windows.items() if w is not None and 0 < steps.first <= cut]
        return soonest(losing)

    def nothing(self) -> tuple[int, int]:
        """Bits and slack of somebody without any event."""
        return self._all[0], min(self._cuts[1], FAR) if len(self._cuts) > 1 else FAR

    def read(self, rows: list[Row], hours: Hours) -> Reading:
        """Read the rows of a person's nodes: `count` rows when all time is the only window, else `hours` rows."""
        if None in self._windows:
            bits, slack, _ = self._even(sum([row[0] for row in rows]))
            return bits, slack, NEVER
        if self._hour != hours.hour:
            self._turn(hours)
        row = rows[0] if len(rows) == 1 else _merged(rows)
        oldest = row[0]
        if oldest < self._order[0][0]:
            return self._apart(row, hours)
        bits, slack, at = self._even(row[1] if len(row) == 2 else sum(row[1::2]))
        wake = NEVER
        for window in self._soonest[at]:
            leaving = hours.leaves(window, oldest)
            wake = min(wake, leaving)
        return bits, slack, wake

    def _even(self, value: int) -> tuple[int, int, int]:
        """All windows hold as many events: bits, slack, and the place of the cut."""
        at = bisect_right(self._cuts, value)
        slack = self._cuts[at] - value if at < len(self._cuts) else FAR
        return self._all[at - 1], min(FAR, slack), at - 1

    def _turn(self, hours: Hours) -> None:
        self._hour = hours.hour
        order = [(hours.floor(w), steps, w) for w, steps in self._windows.items() if w is not None]
        self._order = sorted(order, key=_floor, reverse=True)

    def _apart(self, row: Row, hours: Hours) -> Reading:
        """Each window by itself, the shortest first."""
        value, at, bits, slack, wake = 0, len(row) - 2, 0, FAR, NEVER
        for floor, steps, window in self._order:
            while at >= 0 and row[at] >= floor:
                value += row[at + 1]
                at -= 2
            cuts = steps.cuts
            step = bisect_right(cuts, value)
            bits |= steps.bits[step - 1]
            if step < len(cuts) and cuts[step] - value < slack:
                slack = cuts[step] - value
            if 0 < steps.first <= value:
                leaving = hours.leaves(window, row[at + 2])
                wake = min(wake, leaving)
        return bits, slack, wake


def _floor(one: tuple[int, Steps, Window]) -> int:
    return one[0]


def _merged(rows: list[Row]) -> Row:
    by_hour: dict[int, int] = {}
    for row in rows:
        for at in range(0, len(row), 2):
            by_hour[row[at]] = by_hour.get(row[at], 0) + row[at + 1]
    return [one for hour in sorted(by_hour) for one in (hour, by_hour[hour])]
