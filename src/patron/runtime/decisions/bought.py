"""What people of both arms bought, and by how much more; what each spent before is taken into account."""

from array import array
from typing import NamedTuple

from patron.experiments.adjusted import Before, adjusted
from patron.experiments.compare import Interval, compare
from patron.model.clock import DAY
from patron.model.money import UNIT
from patron.model.policies import Figure
from patron.model.views import Cycle, Spent
from patron.profiles.orders import Purchase

BEFORE = 365 * DAY
"""How far back is looked at what somebody spent before their first decision."""
CYCLES = 4


class Habits(NamedTuple):
    """What is usual here: the currency of most orders, and the time (ms) between two orders of a person."""

    currency: str
    cycle: int


class Arm:
    """What people of one arm bought. Revenue is in units of 1e-4."""

    def __init__(self) -> None:
        self.people = self.buyers = 0
        self._before, self._since = array("d"), array("d")
        self._cycles = [(array("d"), array("d")) for _ in range(CYCLES)]

    def add(self, orders: list[Purchase], first: int, now: int, window: int, habits: Habits) -> None:
        """Somebody who was drawn at `first`, and whose window is over."""
        self.people += 1
        self.buyers += any(first < one.time <= first + window and one.net > 0 for one in orders)
        own = [(one.time, one.net) for one in orders if one.currency == habits.currency]
        before = sum(net for time, net in own if first - BEFORE <= time <= first)
        self._before.append(before)
        self._since.append(sum(net for time, net in own if first < time <= now))
        for at, (befores, spent) in enumerate(self._cycles):
            begin, end = first + at * habits.cycle, first + (at + 1) * habits.cycle
            if not habits.cycle or end > now:
                break
            befores.append(before)
            spent.append(sum(net for time, net in own if begin < time <= end))

    @property
    def since(self) -> Before:
        """Revenue before the first decision, and from then until now."""
        return Before(self._before, self._since)

    def cycle(self, at: int) -> Before:
        """Revenue before the first decision, and in one cycle after it."""
        return Before(*self._cycles[at])


def spent(treated: Arm, control: Arm, habits: Habits) -> Spent | None:
    """Revenue a person since the first decision; None while nobody has bought."""
    if not habits.currency:
        return None
    found = compare(*adjusted(treated.since, control.since))
    return Spent(habits.currency, found.treated / UNIT, found.control / UNIT, _figure(found.lift))


def cycles(treated: Arm, control: Arm) -> list[Cycle]:
    """Revenue in each purchase cycle that somebody has seen the end of."""
    found = list[Cycle]()
    for at in range(CYCLES):
        ours, theirs = treated.cycle(at), control.cycle(at)
        if people_in := len(ours.since) + len(theirs.since):
            found.append(Cycle(at + 1, people_in, _figure(compare(*adjusted(ours, theirs)).lift)))
    return found


def _figure(lift: Interval | None) -> Figure | None:
    return None if lift is None else Figure(lift.value, lift.low, lift.high)
