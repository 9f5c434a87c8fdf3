"""Sequences of events over the lists of their steps: all windows and limits of the same steps in one pass."""

from bisect import bisect_left
from collections.abc import Sequence

from patron.model.clock import DAY, HOUR
from patron.rules.tree import Sequence as Order
from patron.rules.tree import Window
from patron.segments.hours import NEVER, Hours, size_of
from patron.segments.tally import ALL, Tally

Place = tuple[int, int]
"""Where an event stands: its time and its id."""


class Chains:
    """All sequences of the same steps, each with its window and its limit.

    Parameters
    ----------
    numbers : of the series of the steps, in their order.

    >>> from patron.rules.calendar import Calendar
    >>> chains = Chains([4, 7])
    >>> chains.add(1, Order((), limit=Window(hours=1)))
    >>> chains.look([{4: [-1, 10, 1], 7: [-1, 25, 2]}], Hours(Calendar("UTC")))[0]
    1
    """

    nothing = 0
    """Where a step's series is not there no sequence is."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = tuple(numbers)
        self.mask = 0
        """The bits of its conditions."""
        self._parts: list[tuple[int, Window | None, int]] = []

    @property
    def last(self) -> int:
        """Number of the series that a sequence ends with."""
        return self.numbers[-1]

    def add(self, bit: int, rule: Order) -> None:
        """Add a sequence of these steps."""
        days, hours = (0, 0) if rule.limit is None else size_of(rule.limit)
        limit = NEVER if rule.limit is None else days * DAY + hours * HOUR
        self._parts.append((bit, rule.within, limit))
        self.mask |= bit

    def look(self, tallies: Sequence[Tally], hours: Hours) -> tuple[int, int]:
        """The bits of the sequences there are, and until when if no event comes (ms). Without one, only an event can make one.

        Of each end the latest start is found: a window or a limit that holds an earlier one holds this one too.
        """
        ends = self._ends(tallies)
        bits, wake = 0, NEVER
        for bit, window, limit in self._parts if ends else ():
            floor = -1 if window is None else hours.floor(window) * HOUR
            start = max((s for end, s in ends if s >= floor and end - s <= limit), default=-1)
            if start < 0:
                continue
            bits |= bit
            if window is not None:
                wake = min(wake, hours.leaves(window, start // HOUR))
        return bits, wake

    def _ends(self, tallies: Sequence[Tally]) -> list[tuple[int, int]]:
        """Each time at which a sequence ends, with the latest start of one that ends there."""
        if any(all(number not in tally for tally in tallies) for number in self.numbers):
            return []
        places: list[Place] = []
        starts: list[int] = []
        for at, number in enumerate(self.numbers):
            found = _places(number, tallies)
            if not at:
                places, starts = found, [time for time, _ in found]
                continue
            kept: list[Place] = []
            began: list[int] = []
            for place in found:
                before = bisect_left(places, place)
                if before:
                    kept.append(place)
                    began.append(starts[before - 1])  # starts ascend: a later end never has an earlier one
            places, starts = kept, began
            if not places:
                return []
        return list(zip((time for time, _ in places), starts, strict=True))

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> int:
        """The bits of sequences that what was cut off may make: they are not there without it.

        What was cut off before an end makes one only if that end stands near enough behind it.
        """
        last = [tally[self.last] for tally in tallies if self.last in tally]
        if not last:
            return 0
        upto = max((tally[n][0] for n in self.numbers[:-1] for tally in tallies if n in tally), default=ALL)
        cut = max(row[0] for row in last)
        if upto == cut == ALL:
            return 0
        doubt = self._doubt(upto, cut, [time for row in last for time in row[1::2]], hours)
        return doubt & ~self.look(tallies, hours)[0] if doubt else 0

    def _doubt(self, upto: int, cut: int, ends: list[int], hours: Hours) -> int:
        """The bits of sequences whose window holds an end that was cut off, or one near enough behind what was cut off of others.

        Parameters
        ----------
        upto, cut : up to when starts (and what lies between) are missing, and ends.
        """
        bits = 0
        for bit, window, limit in self._parts:
            floor = hours.floor(window) * HOUR if window else 0
            if cut >= floor or (upto >= floor and any(floor <= end <= upto + limit for end in ends)):
                bits |= bit
        return bits


def ends_after(time: int, last: int, tallies: Sequence[Tally]) -> bool:
    """Whether an event may stand before an end (of series `last`): only then can it make a sequence without ending it."""
    for tally in tallies:
        row = tally.get(last)
        if row is not None and row[-2] >= time:
            return True
    return False


def _places(number: int, tallies: Sequence[Tally]) -> list[Place]:
    """Where the events of a step stand, ascending, each once."""
    rows = [tally[number] for tally in tallies if number in tally]
    if len(rows) == 1:
        row = rows[0]
        return list(zip(row[1::2], row[2::2], strict=True))
    return sorted({place for row in rows for place in zip(row[1::2], row[2::2], strict=True)})
