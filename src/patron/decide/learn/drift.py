"""Drift watch: says when rewards stopped being what the model expects.

`Drift` compares the residuals (reward - expected) of recent days with those before by a two-window test on mergeable
sums: one cell of count and sums of powers per day. Under no drift both windows are of one distribution, so variance and
skewness are pooled, and the bar is corrected for skewness: rare clicks are far from normal. Every day is one look; the
chance of any false alarm in a year of looks is at most `false_alarms`, by Bonferroni over the looks. Cells of several
processes add up.

`PageHinkley` watches one stream for a fall of its mean, with memory of four numbers.

Source: Page, "Continuous inspection schemes", Biometrika 41 (1954); Johnson, "Modified t tests and confidence
intervals for asymmetrical populations", JASA 73 (1978); Gama et al., "A survey
on concept drift adaptation", ACM Computing Surveys 46 (2014).
"""

import math
from typing import Final, NamedTuple

from msgspec import Struct, field

DAY: Final = 86_400_000
_LOOKS: Final = 365
_FEWEST: Final = 30
_FAR: Final = 5.0


class Cell(Struct):
    """Count of the residuals of one day, and the sums of them, of their squares and of their cubes."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    cubes: float = 0.0

    def add(self, residual: float) -> None:
        """Take up one."""
        square = residual * residual
        self.merge(Cell(1, residual, square, square * residual))

    def merge(self, other: "Cell") -> None:
        """Take up all of another cell."""
        self.count += other.count
        self.total += other.total
        self.squares += other.squares
        self.cubes += other.cubes


class Alarm(NamedTuple):
    """A drift that was found: the means before and since, how many standard errors apart, and the bar for that."""

    before: float
    since: float
    apart: float
    bar: float


class Drift(Struct):
    """Residuals by day, and the test of the last `window` days against the `reference` days before them.

    >>> drift = Drift(window=7, reference=28)
    >>> for day in range(60):
    ...     for number in range(200):
    ...         drift.add(day * DAY, (number % 2) - 0.5 - (0.2 if day > 50 else 0.0))
    >>> drift.check(50 * DAY) is None, drift.check(58 * DAY).since < -0.15
    (True, True)
    """

    window: int = 7
    reference: int = 28
    false_alarms: float = 0.05
    """The chance of any alarm within a year of daily looks when nothing drifts."""
    cells: dict[int, Cell] = field(default_factory=dict)

    def add(self, time: int, residual: float) -> None:
        """Take up one residual, by the time of its decision (ms UTC). ValueError: it is NaN or infinite."""
        if not math.isfinite(residual):
            raise ValueError(f"a residual is a finite number, not {residual}")
        self.cells.setdefault(time // DAY, Cell()).add(residual)

    def merge(self, other: "Drift") -> None:
        """Add the cells of another watch of the same stream."""
        for day, theirs in other.cells.items():
            self.cells.setdefault(day, Cell()).merge(theirs)

    def forget(self, now: int) -> None:
        """Drop cells that no later look reads."""
        oldest = now // DAY - self.window - self.reference
        for day in [day for day in self.cells if day < oldest]:
            del self.cells[day]

    def check(self, now: int) -> Alarm | None:
        """Look at the `window` whole days before today against the days before them; None = no drift seen.

        Too few residuals on either side (below 30) are no alarm either.
        """
        today = now // DAY
        since = self._sum(today - self.window, today)
        before = self._sum(today - self.window - self.reference, today - self.window)
        if min(since.count, before.count) < _FEWEST:
            return None
        difference = since.total / since.count - before.total / before.count
        apart, bar = _apart(since, before, difference), _bar(self.false_alarms / _LOOKS)
        if abs(apart) <= bar:
            return None
        return Alarm(before.total / before.count, since.total / since.count, apart, bar)

    def _sum(self, first: int, after: int) -> Cell:
        cells = [self.cells[day] for day in range(first, after) if day in self.cells]
        whole = Cell()
        for cell in cells:
            whole.merge(cell)
        return whole


class PageHinkley(Struct):
    """A watch for a fall in the mean of a stream: the sum of what lies below mean - `slack`, since its highest point.

    It alarms when that sum passes `threshold`. With residuals of standard deviation s, slack s / 10 and threshold 50 s,
    a stream that does not change alarms less than once in 10,000 and a fall by s / 2 is seen after about 130.

    >>> watch = PageHinkley(slack=0.05, threshold=5.0)
    >>> [watch.add(x) for x in [1.0] * 50].count(True), any(watch.add(0.0) for _ in range(10))
    (0, True)
    """

    slack: float
    threshold: float
    count: int = 0
    mean: float = 0.0
    total: float = 0.0
    highest: float = 0.0

    def add(self, value: float) -> bool:
        """Take up one value; true = alarm. ValueError: it is NaN or infinite."""
        if not math.isfinite(value):
            raise ValueError(f"a value to watch is a finite number, not {value}")
        self.count += 1
        self.mean += (value - self.mean) / self.count
        self.total += value - self.mean + self.slack
        self.highest = max(self.highest, self.total)
        return self.highest - self.total > self.threshold

    def restart(self) -> None:
        """Begin anew, after an alarm was acted upon."""
        self.count, self.mean, self.total, self.highest = 0, 0.0, 0.0, 0.0


def _apart(since: Cell, before: Cell, difference: float) -> float:
    """The difference of two means in standard errors under no drift, corrected for the skewness of what is pooled."""
    count = since.count + before.count
    mean = (since.total + before.total) / count
    second = (since.squares + before.squares) / count
    variance = max(second - mean * mean, 0.0)
    if variance <= 1e-12 * second:
        return 0.0 if not difference else math.copysign(math.inf, difference)
    third = (since.cubes + before.cubes) / count - 3 * mean * second + 2 * mean**3
    error = math.sqrt(variance * (1 / since.count + 1 / before.count))
    apart = difference / error
    skewness = third * (since.count**-2 - before.count**-2) / error**3
    near = min(
        abs(apart), _FAR
    )  # the correction is an expansion for tails, not for what is far beyond any doubt
    return apart - skewness * (near * near - 1) / 6


def _bar(chance: float) -> float:
    """How many standard errors a normal variable passes, on either side, with this chance.

    >>> round(_bar(0.05), 4)
    1.96
    """
    low, high = 0.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erfc(middle / math.sqrt(2)) > chance else (low, middle)
    return high
