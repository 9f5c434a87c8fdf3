"""The price of a message: what it must be worth, so that people hear from a business as often as it wants, and no more.

Whom to write to is a budget: a message to one person is a message less to somebody else. The best ones are those above one
price, the same for all. It is read off what questions were worth lately: of the messages that were possible, as many lie
above it as the budget allows.
"""

from bisect import bisect_left
from collections.abc import Iterable
from math import frexp, ldexp, sqrt

from msgspec import Struct

from patron.model.clock import DAY

MONTH = 30 * DAY
"""What a budget is for, ms."""
LEAST = 50
"""Questions from which on a price is found."""
_PARTS = 32
"""Steps of worth between a number and its double."""
_LEAST_SHARE = 0.1
"""How much likelier a message above its price is sent, at least, than one below."""
_MOST = 4.0
"""How much more or less than wanted is heeded at once."""
_MILLION = 1_000_000


class Paced(Struct):
    """What was asked on one day whether to write to somebody: sums that a decision can be taken out of again.

    >>> day = Paced()
    >>> day.note(worth=0.5, price=0.2, sent=True, covered=DAY); day.note(worth=-1.0, price=0.2, sent=False, covered=DAY)
    >>> day.questions, day.sent, day.worths
    (2, 1, {0: 1})
    >>> day.note(worth=0.5, price=0.2, sent=True, covered=DAY, times=-1); day.worths
    {}
    """

    questions: int = 0
    covered: int = 0
    """Time of people that the questions are about, ms: of each the time since they were asked about before."""
    ahead: int = 0
    """Questions at which some message was worth more than its price."""
    given: int = 0
    """Of those, how many were answered with a message."""
    tried: int = 0
    """Of all others, how many were, to learn."""
    charged: int = 0
    """The prices of all questions together, in millionths."""
    worths: dict[int, int] = {}
    """Step of what the best message was worth, where that is above 0 -> questions."""

    @property
    def sent(self) -> int:
        """Questions that were answered with a message."""
        return self.given + self.tried

    def note(self, *, worth: float, price: float, sent: bool, covered: int, times: int = 1) -> None:
        """Add a question; `times=-1` takes it out.

        Parameters
        ----------
        worth : of the best message, above doing nothing and before any price.
        price : what it had to be worth then; one read off a record may lie a step of its scores below 0, and counts as none.
        sent : whether any message was sent.
        covered : time since the person was asked about before, ms.
        """
        self.questions += times
        self.covered += times * covered
        self.charged += times * max(0, round(price * _MILLION))
        if worth > price:
            self.ahead += times
            self.given += times * sent
        else:
            self.tried += times * sent
        if worth > 0:
            step = step_of(worth)
            left = self.worths.pop(step, 0) + times
            if left:
                self.worths[step] = left


def step_of(worth: float) -> int:
    """The step that a worth above 0 lies on: 32 between a number and its double, the same on every machine.

    >>> step_of(0.5), step_of(1.0), step_of(1.99)
    (0, 32, 63)
    """
    part, power = frexp(worth)
    return power * _PARTS + int((part - 0.5) * 2 * _PARTS)


def worth_of(step: int) -> float:
    """The least worth on a step.

    >>> worth_of(32), worth_of(step_of(0.7)) <= 0.7 < worth_of(step_of(0.7) + 1)
    (1.0, True)
    """
    power, part = divmod(step, _PARTS)
    return ldexp(0.5 + part / (2 * _PARTS), power)


def price(days: Iterable[Paced], a_month: float) -> float:
    """What a message must be worth beside its cost, in the unit of scores; 0 when there are no more than are wanted.

    Parameters
    ----------
    days : the questions to go by.
    a_month : messages that a person shall get in 30 days, on average over those who are asked about.

    Not every message above its price is sent, and some below it are (to learn): how many, the same days say. What is still amiss
    (many questions worth the same) is made up for by what was sent at the price there was: midway between the two lies the next one.
    Where what is tried alone is more than is wanted, nothing is worth its price, and that grows until less is tried.

    >>> busy = Paced(questions=100, covered=100 * DAY, worths={step: 1 for step in range(100)})
    >>> [round(price([busy], wanted), 2) for wanted in (3, 15, 60)]
    [3.62, 1.56, 0.0]
    >>> price([Paced(questions=LEAST - 1, covered=9 * MONTH, worths={0: 49})], 0.1)
    0.0
    """
    week = _together(days)
    if week.questions < LEAST:
        return 0.0
    behind, wanted = week.questions - week.ahead, a_month * week.covered / MONTH
    given = week.given / week.ahead if week.ahead >= LEAST else 1.0
    tried = week.tried / behind if behind >= LEAST else 0.0
    left = wanted - tried * week.questions
    usual = week.charged / _MILLION / week.questions
    if left <= 0:
        top = worth_of(max(week.worths) + 1) if week.worths else 0.0
        return max(top, usual) * (tried * week.questions / wanted)
    found = _above(week.worths, left / max(_LEAST_SHARE, given - tried))
    held = min(_MOST, max(1 / _MOST, week.sent / wanted)) * usual
    return sqrt(found * held) if held else found


def _together(days: Iterable[Paced]) -> Paced:
    total = Paced()
    for day in days:
        total.questions += day.questions
        total.covered += day.covered
        total.ahead += day.ahead
        total.given += day.given
        total.tried += day.tried
        total.charged += day.charged
        for step, count in day.worths.items():
            total.worths[step] = total.worths.get(step, 0) + count
    return total


def _above(worths: dict[int, int], wanted: float) -> float:
    """The worth above which so many lie; 0 when there are fewer."""
    steps = sorted(worths, reverse=True)
    sums, total = [], 0
    for step in steps:
        total += worths[step]
        sums.append(total)
    at = bisect_left(sums, wanted)
    if at == len(sums):
        return 0.0
    inside = (sums[at] - wanted) / worths[steps[at]]
    low, high = worth_of(steps[at]), worth_of(steps[at] + 1)
    return low + inside * (high - low)
