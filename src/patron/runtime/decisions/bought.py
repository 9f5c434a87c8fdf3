"""What people of both arms bought, and by how much more; what each spent before is taken into account."""

from array import array
from typing import NamedTuple

from patron.experiments.adjusted import Before, adjusted
from patron.experiments.power import Plan
from patron.experiments.verdicts import line
from patron.model.clock import DAY
from patron.model.policies import Figure
from patron.model.views import Cycle, EffectLine
from patron.moments.sums import Sums
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


def ordered(treated: Arm, control: Arm, plan: Plan) -> EffectLine:
    """The share of people who ordered within the window."""
    ours, theirs = (Sums.of_rate(one.buyers, one.people) for one in (treated, control))
    return line(ours, theirs, plan)


def spent(treated: Before, control: Before, plan: Plan) -> EffectLine:
    """Revenue a person, as if both arms had spent as much before. Rates are in units of 1e-4."""
    return line(*adjusted(treated, control), plan, rate=False, did="spent")


def cycles(treated: Arm, control: Arm, plan: Plan) -> list[Cycle]:
    """Revenue in each purchase cycle that somebody has seen the end of."""
    found = list[Cycle]()
    for at in range(CYCLES):
        ours, theirs = treated.cycle(at), control.cycle(at)
        if people_in := len(ours.since) + len(theirs.since):
            found.append(Cycle(at + 1, people_in, change(spent(ours, theirs, plan))))
    return found


def change(found: EffectLine) -> Figure | None:
    """The relative change of a line, and its interval."""
    if found.value is None or found.low is None or found.high is None:
        return None
    return Figure(found.value, found.low, found.high)
