"""What each choice on a screen would have brought, by the world's equations: the truth that a challenger is held against."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct, field

from patron.sim.engine import shopping
from patron.sim.engine.policy import Today
from patron.sim.luck import Floats, Ints
from patron.sim.world.catalogue import CATEGORIES


class Screens(Struct):
    """Sums over the questions of each screen."""

    asked: dict[str, int] = field(default_factory=dict)
    """Placement -> questions of people who were treated."""
    alike: dict[str, float] = field(default_factory=dict)
    """Placement -> orders to be expected, had each of what was eligible been as likely."""

    def add(self, placement: str, orders: Floats, usual: int, eligible: Sequence[int]) -> None:
        """Count a question: the chance of an order by category shown, what is usual, and what was eligible (-1: as usual)."""
        shown = [usual if one < 0 else one for one in eligible]
        self.asked[placement] = self.asked.get(placement, 0) + 1
        self.alike[placement] = self.alike.get(placement, 0.0) + float(orders[shown].mean())

    def mean(self, placement: str) -> float:
        """Orders a question, had each of what was eligible been as likely."""
        return self.alike[placement] / self.asked[placement]


def order_chances(today: Today, rows: Ints, channel: Ints) -> Floats:
    """The chance that each visitor orders when each category is shown: (visitors, 12)."""
    found = np.empty((len(rows), len(CATEGORIES)))
    for category in range(len(CATEGORIES)):
        shown = np.full(len(rows), category, dtype=np.int64)
        who = shopping.shoppers(
            today.setting, today.people, today.state, rows, channel, today.need, shown, today.day
        )
        extra = shopping.treatments(today.setting, today.people, today.state, who, today.need, today.day)
        takes = shopping.odds(today.setting, today.people, who, today.need, today.day, today.date, extra)
        found[:, category] = 1.0 - np.prod(1.0 - takes, axis=1)
    return found
