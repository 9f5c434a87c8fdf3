"""What each person brought on some days, and sums over people with their intervals."""

import math

import numpy as np
from msgspec import Struct

from patron.sim.engine.day import Plan
from patron.sim.engine.ledger import Ledger
from patron.sim.engine.shopping import prices
from patron.sim.engine.state import Setting
from patron.sim.luck import Floats, Ints
from patron.sim.oracle.rows import Estimate
from patron.sim.world.people import Population

MEASURES = ("orders", "sales", "revenue", "margin")


class Tally(Struct):
    """Sums of some days, one row a person. Money by the same ledger as `patron sim calibrate`."""

    orders: Floats
    sales: Floats
    """Full price of what was bought."""
    ledger: Ledger
    sent: Ints
    """Messages on each channel: (4,)."""

    @property
    def revenue(self) -> Floats:
        """After offers."""
        return self.ledger.by_person

    @property
    def margin(self) -> Floats:
        """After offers and what messages cost."""
        return self.ledger.margin_by_person

    def add(self, setting: Setting, people: Population, plan: Plan) -> None:
        """Count one day."""
        self.ledger.add(setting, people, plan)
        rows = plan.shoppers.rows
        self.orders[rows] += plan.bought.any(axis=1)
        self.sales[rows] += (plan.bought * plan.spend * prices(setting, plan.date)).sum(axis=1)
        for delivered in plan.delivered:
            self.sent[delivered.send.channel] += len(delivered.send.rows)


def nothing_yet(people: int) -> Tally:
    """The tally before the first day."""
    return Tally(np.zeros(people), np.zeros(people), Ledger(), np.zeros(4, dtype=np.int64))


def total(by_person: Floats) -> Estimate:
    """The sum over people, with a 95 % interval that takes them for a sample of many such people.

    >>> total(np.zeros(5))
    Estimate(value=0.0, low=0.0, high=0.0)
    """
    value, n = float(by_person.sum()), len(by_person)
    error = math.sqrt(n * float(by_person.var(ddof=1))) if n > 1 else math.inf if value else 0.0
    return Estimate(cents(value), cents(value - 1.96 * error), cents(value + 1.96 * error))


def cents(value: float) -> float:
    """A figure as files hold it: four places, as the platform's money.

    >>> cents(1.23456), cents(-0.00001)
    (1.2346, 0.0)
    """
    return round(value, 4) + 0.0
