"""One model for all actions, by what they are: what a new or rare action is expected to do before it has done anything.

A choice of an action with traits z at features x counts as one row: x, then z, then `CROSSES` products
(R x)(Q z) / sqrt(CROSSES) of seeded random signs R and Q, which stand for how traits and features go together. The row
is linear in x, so the shared model gives each action prior weights over x that its own ridge starts from.

Source: Kar & Karnick, "Random feature maps for dot product kernels", AISTATS 2012 (the products); Li et al., WWW 2010,
section 3.2 (models shared and of one's own).
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from patron.decide.learn.grid import Floats, Row, snap
from patron.decide.learn.ridge import Ridge

CROSSES: Final = 32
_ONE: Final = "all"
_HEIGHT: Final[float] = CROSSES**-0.5


class Shared:
    """A ridge over features and traits of actions, `features` and `traits` long.

    >>> shared = Shared(2, 1)
    >>> for _ in range(50):
    ...     shared.observe([1.0, 0.0], [1.0])
    ...     shared.reward([1.0, 0.0], [1.0], 1.0)
    >>> round(float(shared.mean([1.0, 0.0], [1.0])), 1)
    1.0
    """

    def __init__(
        self, features: int, traits: int, *, penalty: float = 1.0, half_life: int = 0, seed: int = 11
    ) -> None:
        drawn = np.random.Generator(np.random.PCG64(seed))
        self.features = features
        self.traits = traits
        self.ridge = Ridge(features + traits + CROSSES, actions=(_ONE,), penalty=penalty, half_life=half_life)
        signs = np.where(drawn.integers(0, 2, (CROSSES, features + traits)) == 1, 1.0, -1.0)
        self._of_features: NDArray[np.float64] = (signs[:, :features] * _HEIGHT).astype(np.float64)
        self._of_traits: NDArray[np.float64] = signs[:, features:].astype(np.float64)

    def describe(self, traits: Any) -> Row:
        """Traits on the grid. ValueError: NaN, infinite, or not as many as declared."""
        row = snap(traits)
        if len(row.steps) != self.traits:
            raise ValueError(
                f"{len(row.steps)} traits of an action given, the shared model has {self.traits}"
            )
        return row

    def observe(self, x: Any, traits: Any, time: int = 0, times: int = 1) -> None:
        """Count a choice of an action with these traits at features `x`; see `Ridge.observe`."""
        self.ridge.observe(_ONE, self._row(x, traits), time, times)

    def reward(self, x: Any, traits: Any, delta: float, time: int = 0) -> None:
        """Add to the reward of such a choice; see `Ridge.reward`."""
        self.ridge.reward(_ONE, self._row(x, traits), delta, time)

    def mean(self, x: Any, traits: Any) -> float:
        """The expected reward of an action with these traits at features `x`."""
        return float(self.ridge.means(self._row(x, traits))[0])

    def count(self) -> float:
        """How many choices it saw, of all actions."""
        return self.ridge.count(_ONE)

    def priors(self, traits: Floats, constant: float) -> Floats:
        """Prior weights over features for actions of `traits` (one row each); `constant` is the value of feature 0.

        >>> shared = Shared(2, 1)
        >>> shared.priors(np.ones((3, 1), np.float32), 1.0).shape
        (3, 2)
        """
        weights = self.ridge.weights(_ONE).astype(np.float64)
        own, of_traits, crossed = np.split(weights, (self.features, self.features + self.traits))
        found = own + ((traits @ self._of_traits.T) * crossed) @ self._of_features
        found[:, 0] += traits @ of_traits / constant
        return found.astype(np.float32)

    def _row(self, x: Any, traits: Any) -> Row:
        features, kinds = self._part(x), self.describe(traits)
        mixed = np.vecdot(self._of_features, features.values) * np.vecdot(self._of_traits, kinds.values)
        crossed = snap(mixed)
        return Row(
            np.concatenate((features.steps, kinds.steps, crossed.steps)),
            np.concatenate((features.values, kinds.values, crossed.values)),
        )

    def _part(self, x: Any) -> Row:
        """The part of `x` that the shared model reads: its first `features` numbers."""
        row = snap(x)
        if len(row.steps) < self.features:
            raise ValueError(f"{len(row.steps)} features given, the shared model reads {self.features}")
        return Row(row.steps[: self.features], row.values[: self.features])
