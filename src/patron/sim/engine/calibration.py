"""The table of 7.8: what each built-in policy brings beside business as usual, on the same luck, with intervals."""

import datetime as dt
import math
from collections.abc import Callable, Iterator

from msgspec import Struct

from patron.sim.engine.ledger import Ledger
from patron.sim.engine.policy import Policy
from patron.sim.engine.run import customers, rehearse
from patron.sim.engine.state import Setting
from patron.sim.luck import Floats
from patron.sim.world.shops import EPOCH

START = (dt.date(2026, 1, 5) - EPOCH).days
"""The first day lived: a Monday, whose 168 days end before the season of weeks 46 to 52."""
DAYS, COUNT_FROM = 168, 84
USUAL = "business-as-usual"


class Lift(Struct, frozen=True):
    """A relative difference with its 95 % interval over people (paired luck: the same people under both policies)."""

    value: float
    low: float
    high: float


class Row(Struct, frozen=True):
    """One policy on one world."""

    policy: str
    revenue: Lift
    """Against business as usual."""
    margin: Lift
    sends: float
    """Messages a person."""
    unsubscribed: float
    """Share of people who took back a consent in all days."""
    offline: float
    """Share of revenue in stores."""
    conversion: float
    """Orders a visit."""
    order_value: float
    orders: float
    """A person."""


def lift(ours: Floats, usual: Floats) -> Lift:
    """The relative difference of two sums over the same people; its error by linearising the ratio.

    >>> import numpy as np
    >>> lift(np.array([2.0, 4.0]), np.array([1.0, 2.0])).value
    1.0
    """
    base = usual.sum()
    value = float(ours.sum() / base - 1.0)
    spread = ours - (1.0 + value) * usual
    error = math.sqrt(float((spread**2).sum())) / float(base)
    return Lift(value, value - 1.96 * error, value + 1.96 * error)


def calibrate(
    setting: Setting, people: int, policies: dict[str, Callable[[], Policy]], *, start: int = START
) -> Iterator[Row]:
    """Let each policy act on the first people of a world for 168 days, and count the last 84.

    `business-as-usual` must be among the policies; it is run first.
    """
    crowd = customers(setting, people)

    def run(name: str) -> Ledger:
        return rehearse(setting, crowd, policies[name], start=start, days=DAYS, count_from=COUNT_FROM)

    usual = run(USUAL)
    yield _row(USUAL, usual, usual)
    for name in policies:
        if name != USUAL:
            yield _row(name, run(name), usual)


def _row(name: str, done: Ledger, usual: Ledger) -> Row:
    return Row(
        name,
        lift(done.by_person, usual.by_person),
        lift(done.margin_by_person, usual.margin_by_person),
        done.sent / done.people,
        done.unsubscribed / done.people,
        done.offline / done.revenue,
        done.orders / done.visits,
        done.revenue / done.orders,
        done.orders / done.people,
    )
