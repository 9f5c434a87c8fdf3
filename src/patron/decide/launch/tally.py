"""What followed decisions, by person and by who decided: exact sums that change as late rewards come and go.

A person is the unit, as people are what is drawn; their decisions are not independent of each other.
"""

from collections import Counter
from collections.abc import Iterable

from patron.decide.learn.grid import REWARD_STEP
from patron.model.clock import HOUR
from patron.model.policies import Metric
from patron.moments.ratios import PairSums
from patron.moments.sums import Sums

CHALLENGER, CHAMPION = 0, 1
METRICS: tuple[Metric, ...] = ("reward", "nothing", "unscored", "unsubscribed")
_DECISIONS = 1
"""Where a person's row counts decisions; behind it stand the metrics in their order."""
_LEFT = 5


class Tally:
    """The counts of one placement in one stage.

    >>> tally = Tally()
    >>> tally.decided(7, CHALLENGER, 0); tally.rewarded(7, CHALLENGER, 65536)
    >>> tally.sums(CHALLENGER, "reward").ratio * REWARD_STEP, tally.people(CHALLENGER), tally.decisions(CHALLENGER)
    (1.0, 1, 1)
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int], list[int]] = {}
        self._sums = (_Sums(), _Sums())
        self._hours = Counter[int]()

    def decided(
        self, person: int, group: int, time: int, *, nothing: bool = False, unscored: bool = False
    ) -> None:
        """A decision was made for a person (a number of theirs) by the challenger or the champion."""
        if group == CHALLENGER:
            self._hours[time // HOUR] += 1
        row = self._row(person, group)
        self._change(row, group, (1, 0, int(nothing), int(unscored), 0))

    def rewarded(self, person: int, group: int, steps: int) -> None:
        """What followed one of the decisions changed, by so many steps of a reward."""
        self._change(self._row(person, group), group, (0, steps, 0, 0, 0))

    def left(self, person: int) -> None:
        """A person unsubscribed; once is enough, and only who was decided for counts."""
        for group in (CHALLENGER, CHAMPION):
            row = self._rows.get((person, group))
            if row is not None and not row[_LEFT]:
                self._change(row, group, (0, 0, 0, 0, 1))

    def knows(self, person: int) -> bool:
        """Whether anything was decided for a person."""
        return (person, CHALLENGER) in self._rows or (person, CHAMPION) in self._rows

    def people(self, group: int) -> int:
        """People for whom something was decided."""
        return self._sums[group].people

    def decisions(self, group: int) -> int:
        """Decisions."""
        return self._sums[group].totals[0]

    def before(self, time: int) -> int:
        """The challenger's decisions of the hours that had ended at a time."""
        return sum(count for hour, count in self._hours.items() if (hour + 1) * HOUR <= time)

    def sums(self, group: int, metric: Metric) -> PairSums:
        """A metric over decisions (over people: `unsubscribed`), as sums over people."""
        return self._sums[group].pair(metric)

    def _row(self, person: int, group: int) -> list[int]:
        row = self._rows.get((person, group))
        if row is None:
            row = self._rows[person, group] = [1, 0, 0, 0, 0, 0]
            self._sums[group].people += 1
        return row

    def _change(self, row: list[int], group: int, more: Iterable[int]) -> None:
        sums = self._sums[group]
        sums.move(row, -1)
        for at, change in enumerate(more, 1):
            row[at] += change
        sums.move(row, 1)


class _Sums:
    """Sums over the rows of one group: totals, squares, products with the decisions."""

    def __init__(self) -> None:
        self.people = 0
        self.totals, self.squares, self.products = [0] * 5, [0] * 5, [0] * 5

    def move(self, row: list[int], sign: int) -> None:
        decisions = row[_DECISIONS]
        for at in range(5):
            value = row[at + 1]
            if value:
                self.totals[at] += sign * value
                self.squares[at] += sign * value * value
                self.products[at] += sign * value * decisions

    def pair(self, metric: Metric) -> PairSums:
        at = 1 + METRICS.index(metric)
        y = Sums(self.people, self.totals[at], self.squares[at])
        if metric == "unsubscribed":
            return PairSums(Sums(self.people, self.people, self.people), y, self.totals[at])
        return PairSums(Sums(self.people, self.totals[0], self.squares[0]), y, self.products[at])


UNITS = {"reward": REWARD_STEP, "nothing": 1.0, "unscored": 1.0, "unsubscribed": 1.0}
"""What one of a metric's sums is worth."""
