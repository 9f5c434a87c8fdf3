"""What a policy brought: revenue, margin, orders and messages of some days, as exact sums that chunks of people add up."""

from typing import Any

import numpy as np
from msgspec import Struct, field

from patron.sim.engine.day import Plan
from patron.sim.engine.shopping import prices
from patron.sim.engine.state import STORE, Setting
from patron.sim.luck import Floats
from patron.sim.world.people import Population


class Ledger(Struct):
    """Sums over people and days, and each person's own revenue for intervals."""

    people: int = 0
    visits: int = 0
    orders: int = 0
    lines: int = 0
    revenue: float = 0.0
    offline: float = 0.0
    """Revenue of the stores."""
    margin: float = 0.0
    """After discounts and what messages cost."""
    sent: int = 0
    unsubscribed: int = 0
    """People who took back a consent by the end."""
    by_person: Floats = field(default_factory=lambda: np.zeros(0))
    """Revenue of each person, in the order of their numbers."""
    margin_by_person: Floats = field(default_factory=lambda: np.zeros(0))

    def add(self, setting: Setting, people: Population, plan: Plan) -> None:
        """Count one day."""
        if not len(self.by_person):
            self.people, self.by_person = len(people), np.zeros(len(people))
            self.margin_by_person = np.zeros(len(people))
        p, who = setting.parameters, plan.shoppers
        full = plan.bought * plan.spend * prices(setting, plan.date)
        paid = full * (1.0 - p.buying.offer_discount * plan.offered)
        basket = paid.sum(axis=1)
        self.visits += len(who.rows)
        self.orders += int(plan.bought.any(axis=1).sum())
        self.lines += int(plan.bought.sum())
        self.revenue += float(basket.sum())
        self.offline += float(basket[who.channel == STORE].sum())
        earned = p.buying.margin * full.sum(axis=1) - (full - paid).sum(axis=1)
        np.add.at(self.by_person, who.rows, basket)
        np.add.at(self.margin_by_person, who.rows, earned)
        self.margin += float(earned.sum())
        for delivered in plan.delivered:
            send = delivered.send
            cost = p.messages.costs[send.channel]
            self.sent += len(send.rows)
            self.margin -= cost * len(send.rows)
            np.add.at(self.margin_by_person, send.rows, -cost)

    def merge(self, other: "Ledger") -> "Ledger":
        """The sums of both, people of `other` behind."""
        joined = {name: self._joined(name, other) for name in self.__struct_fields__}
        return Ledger(**joined)

    def _joined(self, name: str, other: "Ledger") -> Any:
        ours, theirs = getattr(self, name), getattr(other, name)
        return np.concatenate([ours, theirs]) if isinstance(ours, np.ndarray) else ours + theirs
