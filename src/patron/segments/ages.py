"""Days since the first and the last event against thresholds: all of one series at once.

An event changes them only when it is earlier than the first of its node, or in a later hour than the last.
"""

from bisect import bisect_right

from patron.model.clock import HOUR
from patron.rules.tree import Window
from patron.segments.gauge import Steps
from patron.segments.hours import NEVER, Hours
from patron.segments.tally import Row

End = tuple[bool, Window | None]
"""Whether the first event is meant (else the last), and in which window."""


class Ages:
    """All conditions on the first and last event of one series."""

    __slots__ = ("_ends", "mask", "nothing", "number")

    def __init__(self, number: int, ends: dict[End, Steps], mask: int, missing: int) -> None:
        self.number = number
        self.mask = mask
        """The bits of its conditions."""
        self.nothing = missing
        """Those that hold where there is no event."""
        self._ends = [(first, window, steps) for (first, window), steps in ends.items()]

    def read(self, rows: list[Row], hours: Hours) -> tuple[int, int]:
        """The bits that hold, and until when if no event comes (ms). `count` rows where no window is meant, else `hours`."""
        bits, wake = 0, NEVER
        for first, window, steps in self._ends:
            if window is None:
                hour = (min([row[1] for row in rows]) if first else max([row[2] for row in rows])) // HOUR
            else:
                found = _inside(rows, window, hours, first=first)
                if found is None:
                    bits |= self.nothing & steps.mask
                    continue
                hour = found
                wake = min(wake, hours.leaves(window, hour))
            day = hours.day(hour)
            cuts = steps.cuts
            at = bisect_right(cuts, hours.today - day)
            bits |= steps.bits[at - 1]
            if at < len(cuts):
                turn = hours.begins(day + cuts[at])
                if turn < wake:  # noqa: PLR1730 - a call would cost more
                    wake = turn
        return bits, wake


def _inside(rows: list[Row], window: Window, hours: Hours, *, first: bool) -> int | None:
    """The hour of the first or last event inside a window; None where there is none."""
    floor = hours.floor(window)
    if not first:
        newest: int = max([row[-2] for row in rows])
        return newest if newest >= floor else None
    return min((hour for row in rows for hour in row[::2] if hour >= floor), default=None)
