"""From weights of customers to a marginal: shares, distribution functions, and what is read off them.

A customer drawn twice in a bootstrap counts twice, so every marginal is a function of one weight a customer. Whole
customers are drawn because the baskets of one customer resemble each other.
"""

from collections.abc import Callable, Sequence

import numpy as np

from patron.sim.luck import Floats, Ints
from patron.sim.world.people import Flags

Curve = Callable[[Floats], Floats]
"""Weights of the customers -> the marginal as numbers."""
_HAIR = 1e-9


def shares(codes: Ints, customer: Ints, size: int, per: Floats | None = None) -> Curve:
    """The share of observations in each class, 0 .. size-1; `per` divides classes by how often they could occur.

    >>> shares(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)(np.array([1.0, 2.0])).tolist()
    [0.25, 0.75]
    """

    def curve(weights: Floats) -> Floats:
        counted = np.bincount(codes, weights=weights[customer], minlength=size)
        counted = counted if per is None else np.divide(counted, per, out=np.zeros(size), where=per > 0)
        result: Floats = counted / max(counted.sum(), _HAIR)
        return result

    return curve


def distribution(codes: Ints, customer: Ints, size: int) -> Curve:
    """The distribution function at each point of a grid; `codes` are the observations' places on it."""
    mass = shares(codes, customer, size)

    def curve(weights: Floats) -> Floats:
        result: Floats = np.cumsum(mass(weights))
        return result

    return curve


def waiting(days: Ints, ended: Flags, customer: Ints, horizon: int) -> Curve:
    """The chance that a wait is over within 0 .. horizon days, where some waits were still going on at the end.

    `days` says how long each wait was seen, `ended` whether it ended then. Source: the product-limit estimator
    (Kaplan and Meier, 1958), so that a short history is not taken for short waits.

    >>> waiting(np.array([1, 1]), np.array([True, False]), np.array([0, 0]), 2)(np.ones(1)).tolist()
    [0.0, 0.5, 0.5]
    """
    seen = np.minimum(days, horizon + 1)

    def curve(weights: Floats) -> Floats:
        weight = weights[customer]
        over = np.bincount(seen, weights=weight * ended, minlength=horizon + 2)
        left = np.cumsum(np.bincount(seen, weights=weight, minlength=horizon + 2)[::-1])[::-1]
        stays = 1.0 - np.divide(over, left, out=np.zeros(horizon + 2), where=left > _HAIR)
        result: Floats = np.asarray(1.0 - np.cumprod(stays)[: horizon + 1], dtype=np.float64)
        return result

    return curve


def ratio(part: Floats, whole: Floats, customer: Ints) -> Curve:
    """A share: the sum of `part` over the sum of `whole`, as an array of one number."""
    size = int(customer.max()) + 1
    parts, wholes = (np.bincount(customer, weights=column, minlength=size) for column in (part, whole))

    def curve(weights: Floats) -> Floats:
        mine = weights[:size]
        return np.array([float(parts @ mine) / max(float(wholes @ mine), _HAIR)])

    return curve


def top_tenth(spent: Sequence[tuple[Ints, Floats]]) -> Curve:
    """The share of revenue of the tenth of customers who spend most, averaged over windows.

    `spent` has for each window the customers who bought, and how much each of them spent.
    """
    windows = [(who[np.argsort(-much)], -np.sort(-much)) for who, much in spent]

    def curve(weights: Floats) -> Floats:
        return np.array([np.mean([_head(weights[who], much) for who, much in windows])])

    return curve


def _head(weights: Floats, much: Floats) -> float:
    """The share of the first tenth (of the weights) in the weighted sum of `much`, which falls."""
    before = np.cumsum(weights) - weights
    inside = np.clip(0.1 * weights.sum() - before, 0.0, weights)
    return float(inside @ much) / max(float(weights @ much), _HAIR)


def mean(curve: Floats, grid: Floats) -> float:
    """The mean of a distribution function; what lies beyond the grid counts as its end."""
    return float(grid[0] + ((1.0 - curve[:-1]) * np.diff(grid)).sum())


def quantile(curve: Floats, grid: Floats, q: float) -> float:
    """The smallest point that a share q does not exceed; NaN when the grid ends before.

    >>> quantile(np.array([0.5, 1.0]), np.array([1.0, 4.0]), 0.5)
    1.0
    """
    at = int(np.searchsorted(curve, q - _HAIR))
    return float(grid[at]) if at < len(grid) else float("nan")


def wasserstein(difference: Floats, grid: Floats) -> float:
    """Wasserstein-1: the area between two distribution functions, given their difference; in the unit of the grid.

    >>> wasserstein(np.array([1.0, 0.0]), np.array([0.0, 3.0]))
    3.0
    """
    return float(np.abs(difference[:-1]) @ np.diff(grid))


def total_variation(difference: Floats) -> float:
    """Total variation: half the sum of absolute differences of two profiles, 0 to 1."""
    return float(0.5 * np.abs(difference).sum())
