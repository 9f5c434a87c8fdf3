"""How far to shrink the weights of DR: chosen from the data, between a smaller variance and a bias that can be bounded.

For each candidate, the mean squared error is guessed as variance + (bound of the bias)^2, the bound being the size of the
estimated bias plus `_CAUTION` of its standard errors. A bias estimated alone may be 0 by chance, and a search over
candidates would find that chance: it would shrink everything away.
Source: Su, Dimakopoulou, Krishnamurthy, Dudik, "Doubly robust off-policy evaluation with shrinkage", ICML 2020, section 5;
Wang, Agarwal, Dudik, "Optimal and adaptive off-policy evaluation in contextual bandits", ICML 2017, section 4.
"""

import math

import numpy as np

from patron.decide.offpolicy.logged import Floats, Logged

_CAUTION = 0.5
_CANDIDATES = 25


def optimistic(rows: Logged, whole: Floats, residual: Floats) -> tuple[float, Floats]:
    """The l of DRos and the weights l w / (w^2 + l) it makes; infinite: the weights as they are.

    Parameters
    ----------
    whole : the terms of DR with true weights.
    residual : reward minus prediction.
    """
    weight = rows.weight
    high = float(weight.max(initial=0.0)) ** 2
    if not high:
        return np.inf, weight
    low = max(float(weight[weight > 0].min()) ** 2, high * 1e-12)
    grid = [*np.geomspace(low / 100, high * 1000, _CANDIDATES).tolist(), np.inf]

    def shrunk(size: float) -> Floats:
        return weight if np.isinf(size) else size * weight / (weight * weight + size)

    best = _best(rows, whole, residual, [shrunk(size) for size in grid])
    return grid[best], shrunk(grid[best])


def switch(rows: Logged, whole: Floats, residual: Floats) -> tuple[float, Floats]:
    """The t of Switch-DR and the weights it leaves: 0 where w > t. `whole` and `residual` as for `optimistic`."""
    weight = rows.weight
    grid = np.unique(np.quantile(weight, np.linspace(0.5, 1.0, _CANDIDATES))).tolist()
    kept = [np.where(weight > limit, 0.0, weight) for limit in grid]
    best = _best(rows, whole, residual, kept)
    return grid[best], kept[best]


def _best(rows: Logged, whole: Floats, residual: Floats, candidates: list[Floats]) -> int:
    """Which candidate has the smallest guessed error; among equal ones the last, which shrinks least."""
    errors = [_error(rows, whole, (weight - rows.weight) * residual) for weight in candidates]
    return len(errors) - 1 - int(np.argmin(errors[::-1]))


def _error(rows: Logged, whole: Floats, change: Floats) -> float:
    """Guessed mean squared error of DR whose terms are changed by `change`."""
    count = len(rows)
    bias = abs(float(change.mean())) + _CAUTION * math.sqrt(_variance(rows, change)) / count
    return _variance(rows, whole + change) / count**2 + bias * bias


def _variance(rows: Logged, terms: Floats) -> float:
    """Variance of the sum of terms over independent units."""
    sums = rows.sums(terms - terms.mean())
    return float(sums @ sums)
