"""Curves for a linear model: the features themselves and a fixed set of seeded cosine waves of them.

A linear model over these waves comes close to a kernel regression with a Gaussian kernel, at a fixed size.

Source: Rahimi & Recht, "Random features for large-scale kernel machines", NIPS 2007.
"""

from typing import Any, Final

import numpy as np

from patron.decide.learn.grid import FEATURE_BITS, Row, from_steps, snap

WAVES: Final = 48
FREQUENCY: Final = 1.5
AMPLITUDE: Final = 0.7


class Waved(Row):
    """A row that has its waves already."""

    __slots__ = ()


class Waves:
    """`features` numbers and, after them, `waves` cosines of seeded random mixes of them.

    The same seed gives the same waves on every machine (numpy's PCG64). Features should have a length (norm) of about 1.

    >>> basis = Waves(3, waves=2)
    >>> basis.size, basis([1.0, 0.0, 0.5]).values[:3].tolist()
    (5, [1.0, 0.0, 0.5])
    """

    def __init__(self, features: int, *, waves: int = WAVES, seed: int = 7) -> None:
        drawn = np.random.Generator(np.random.PCG64(seed))
        self.features = features
        self.waves = waves
        self.size = features + waves
        self._mixes = drawn.standard_normal((waves, features)) * FREQUENCY
        self._phases = drawn.uniform(0, 2 * np.pi, waves)
        self._height = AMPLITUDE * (2 / max(waves, 1)) ** 0.5 * 2.0**FEATURE_BITS

    def __call__(self, x: Any) -> Waved:
        """The features and their waves, on the grid. ValueError: NaN, infinite, or not as many as declared."""
        if isinstance(x, Waved) and len(x.steps) == self.size:
            return x
        row = snap(x)
        if len(row.steps) != self.features:
            raise ValueError(f"{len(row.steps)} features given, the basis is over {self.features}")
        if not self.waves:
            return Waved(*row)
        waves = np.vecdot(self._mixes, row.values)
        waves += self._phases
        np.cos(waves, out=waves)
        waves *= self._height
        return Waved(*from_steps(np.concatenate((row.steps, np.rint(waves)))))
