"""What is bought and looked at near here lately, against the whole chain: as numbers from 0 to 1 that few sales cannot move.

    lift = how many times what was to be expected, by a Gamma-Poisson shrinker, at its lower bound
         = (n + a - 1.64 sqrt(n + a)) / (E + a),   a = 10,   E = N * the product's share elsewhere or usually, whichever is more

n of N sales here are of the product. Three sales in a tiny store say nothing (lift below 1); what sells as it does elsewhere, or
as it always did, has no lift however much that is. Source: DuMouchel, The American Statistician 53 (1999), the gamma prior
around 1; here one gamma of fixed weight, and its lower bound by the normal approximation.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
HOURS: Final = 24
"""How far back lately goes, in hours."""
SCALE: Final = 1024
"""Weight of what was counted in the present hour: weights are whole numbers, so that sums do not depend on any order."""
_HALF = 4.0
WEIGHTS: Final = tuple(round(SCALE * 0.5 ** (age / _HALF)) for age in range(HOURS))
"""What was counted so many whole hours ago weighs so much: half after four hours."""
_BELIEF, _SURE = 10.0, 1.64
_UNSEEN = 20.0
"""Sales of other products that a chain is believed to have had before any is counted: its first sale is not all it sells."""
_EIGHT_FOLD = 3.0
_OFTEN = 0.05
"""Share of all sales at which a product is half as popular as can be."""


def shares(counts: Column, total: float) -> Column:
    """The share of all sales that each product has, leaning on less while little was sold.

    >>> shares(np.array([5.0, 0.0]), 30.0).tolist()
    [0.1, 0.0]
    """
    return counts / (total + _UNSEEN)


def lift(counts: Column, total: float, usual: Column) -> Column:
    """How much faster than to be expected: 0 = not for sure, 1 = eight times and more.

    Parameters
    ----------
    counts, total : what was counted here, of each product and of all.
    usual : the share of each that was to be expected.

    >>> tiny = lift(np.array([3.0, 0.0]), 3.0, np.array([0.0, 0.3]))
    >>> spike = lift(np.array([30.0, 30.0]), 100.0, np.array([0.0, 0.3]))
    >>> tiny.tolist(), spike.round(2).tolist()
    ([0.0, 0.0], [0.52, 0.0])
    """
    seen = counts + _BELIEF
    times = (seen - _SURE * np.sqrt(seen)) / (total * usual + _BELIEF)
    found: Column = np.clip(np.log2(np.maximum(times, 1.0)) / _EIGHT_FOLD, 0.0, 1.0)
    return found


def popular(usual: Column) -> Column:
    """How popular products of these shares are: half at one in twenty of all that is sold.

    >>> popular(np.array([0.0, 0.05])).tolist()
    [0.0, 0.5]
    """
    return usual / (usual + _OFTEN)
