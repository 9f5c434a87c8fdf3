"""From expected rewards to exact propensities, and the draw: one recorded uniform number gives one action.

Every rule gives the whole vector of probabilities before anything is drawn, so the propensity that is logged is the
one that was used.

Source: Foster & Rakhlin, "Beyond UCB: optimal and efficient contextual bandits with regression oracles", ICML 2020
(inverse gap weighting, SquareCB); Abe & Long, ICML 1999 (the same weighting first); Bietti, Agarwal & Langford, "A
contextual bandit bake-off", JMLR 22 (2021).
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Propensities: TypeAlias = NDArray[np.float64]


def inverse_gap(means: Any, gamma: float) -> Propensities:
    """Inverse gap weighting: 1 / (k + gamma gap) for each action but the best, which gets the rest.

    `gamma` 0 is uniform; the larger, the greedier. Each probability is above 0. Of equal bests the first gets the rest.

    >>> inverse_gap([1.0, 0.0], 8.0).tolist()
    [0.9, 0.1]
    """
    scores = _read(means)
    if not 0 <= gamma < np.inf:
        raise ValueError(f"gamma is a finite number from 0 up, not {gamma}")
    if not len(scores):
        return scores
    best = int(scores.argmax())
    chances: Propensities = 1 / (len(scores) + gamma * (scores[best] - scores))
    chances[best] = 0.0
    chances[best] = 1 - chances.sum()
    return chances


def epsilon_greedy(means: Any, epsilon: float) -> Propensities:
    """The best with 1 - epsilon, and epsilon spread over all alike.

    >>> epsilon_greedy([0.0, 1.0], 0.5).tolist()
    [0.25, 0.75]
    """
    scores = _read(means)
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon is a probability, not {epsilon}")
    if not len(scores):
        return scores
    chances = np.full(len(scores), epsilon / len(scores))
    chances[int(scores.argmax())] += 1 - epsilon
    return chances


def greedy(means: Any) -> Propensities:
    """The best with certainty; all others have 0, so nothing can be learned about them off policy.

    >>> greedy([0.0, 1.0]).tolist()
    [0.0, 1.0]
    """
    return epsilon_greedy(means, 0.0)


def uniform(count: int) -> Propensities:
    """All alike.

    >>> uniform(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return np.full(count, 1 / count) if count else np.zeros(0)


def draw(propensities: Any, u: float) -> int:
    """The action that the uniform number `u`, 0 <= u < 1, falls on; never one of probability 0.

    The same numbers give the same action on every machine. ValueError: nothing to draw from, or `u` outside.

    >>> draw([0.2, 0.8], 0.1), draw([0.2, 0.8], 0.5)
    (0, 1)
    """
    chances = np.asarray(propensities, np.float64)
    if not 0 <= u < 1:
        raise ValueError(f"a uniform number lies in 0 <= u < 1, not {u}")
    sums = chances.cumsum()
    if not len(sums) or not 0 < sums[-1] < np.inf:
        raise ValueError("nothing to draw from: the probabilities add up to nothing")
    found = int(np.searchsorted(sums, u * sums[-1], side="right"))
    return min(found, int(np.flatnonzero(chances)[-1]))  # a product that was rounded up to the whole sum


def unit(seed: int) -> float:
    """The uniform number of a decision's recorded seed, an integer of 53 bits: 0 <= u < 1.

    >>> unit(2**52)
    0.5
    """
    if not 0 <= seed < 2**53:
        raise ValueError(f"a seed is an integer of 53 bits, not {seed}")
    return seed / 2**53


def _read(means: Any) -> Propensities:
    scores: Propensities = np.asarray(means, np.float64)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError("expected rewards are one row of finite numbers")
    return scores
