"""The staff of the stores: how good each associate is, what training adds for a while, who writes down what never was (7.4)."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from msgspec import Struct

from patron.sim.luck import Dice, Floats, Ints
from patron.sim.world.geography import STORE_LUCK, Geography
from patron.sim.world.parameters import Associates

ADVISER = (1, 2)
"""(store, associate), from 0: who serves one customer for years in the demo's stories; honest in every world."""
QUARTER = 90
"""Days in which every associate is trained once."""


class Staff(Struct, frozen=True, dict=True):
    """Everybody who works in the stores; tables are (stores, most associates), both counted from 0."""

    seed: int
    parameters: Associates
    geography: Geography

    @cached_property
    def crews(self) -> Ints:
        """Associates of each store."""
        return np.array([store.associates for store in self.geography.stores], dtype=np.int64)

    @cached_property
    def born(self) -> Floats:
        """What each brings along, in log-odds that a customer buys."""
        return self._each(lambda dice, k: self.parameters.skill_spread * dice.normal("skill", k))

    @cached_property
    def trained(self) -> Ints:
        """Day of each quarter on which each is trained; quarters are counted from the first day told."""
        return self._each(lambda dice, k: float(dice.below(QUARTER, "training", k))).astype(np.int64)

    def skills(self, day: int) -> Floats:
        """Skill of each on a day: the last training fades over some weeks."""
        since = (day - self.trained) % QUARTER
        left: Floats = np.clip(1.0 - since / max(1, self.parameters.training_days), 0.0, 1.0)
        return self.born + self.parameters.training * left

    @cached_property
    def gaming(self) -> dict[int, int]:
        """Store -> the associate who logs contacts that never were: a small share, at most one a store, at least one in a
        world."""
        drawn = self._each(lambda dice, k: dice.uniform("gaming", k))
        drawn[np.arange(drawn.shape[1]) >= self.crews[:, None]] = drawn[ADVISER] = 2.0
        if not self.parameters.gaming:
            return {}
        found = np.argwhere((drawn < self.parameters.gaming) | (drawn == drawn.min()))
        return {int(store): int(number) for store, number in found}

    def _each(self, draw: Callable[[Dice, int], float]) -> Floats:
        dice = [Dice(self.seed, STORE_LUCK + n) for n in range(len(self.geography.stores))]
        return np.array([[draw(one, k) for k in range(int(self.crews.max()))] for one in dice])
