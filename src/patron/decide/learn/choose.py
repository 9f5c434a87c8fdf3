"""From expected rewards to exact propensities, and the draw: one recorded uniform number gives one action.

Every rule gives the whole vector of probabilities before anything is drawn, so the propensity that is logged is the
one that was used.

The default explores twice: it scores an action by its mean plus `optimism` standard errors, so what is unknown is tried
first, and weighs the gaps of those scores inversely, so that every action keeps a known chance; `floor` of all chance is
spread over all actions alike, so that no logged propensity is below floor / k.

Source: Foster & Rakhlin, "Beyond UCB: optimal and efficient contextual bandits with regression oracles", ICML 2020
(inverse gap weighting, SquareCB); Abe & Long, ICML 1999 (the same weighting first); Bietti, Agarwal & Langford, "A
contextual bandit bake-off", JMLR 22 (2021); Li et al., WWW 2010 (optimism, LinUCB); Agrawal & Goyal, "Thompson
sampling for contextual bandits with linear payoffs", ICML 2013.
"""

import math
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Propensities: TypeAlias = NDArray[np.float64]
THOMPSON_MOST: Final = 32
_NODES: Final = 32
_SMALLEST: Final = 1e-9
_TABLE_AT: Final = np.linspace(-8.5, 8.5, 17 * 1024 + 1)
_TABLE: Final = np.array([math.erfc(-z / math.sqrt(2)) / 2 for z in _TABLE_AT])
_QUANTILES: Final = np.interp(
    np.concatenate(
        (
            (1e-9, 1e-6, 1e-4, 1e-3),
            (np.arange(_NODES) + 0.5) / _NODES,
            (1 - 1e-3, 1 - 1e-4, 1 - 1e-6, 1 - 1e-9),
        )
    ),
    _TABLE,
    _TABLE_AT,
)


class Choosing(Struct, frozen=True):
    """How a policy chooses among scored actions.

    >>> chances = Choosing().propensities([0.4, 0.1], [0.1, 0.1], seen=100)
    >>> [round(chance, 4) for chance in chances.tolist()]
    [0.9939, 0.0061]
    """

    rule: Literal["inverse_gap", "thompson", "epsilon_greedy", "greedy", "uniform"] = "inverse_gap"
    gamma: float = 300.0
    """Times (choices seen)**exponent it is the weight of a gap in expected reward of 1."""
    exponent: float = 0.5
    optimism: float = 0.2
    """Standard errors that are added to a mean; for `thompson` the standard deviation of the noise in a reward."""
    floor: float = 0.01
    """Share of all chance that is spread over all actions alike; for `epsilon_greedy` it is epsilon."""

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1:
            raise ValueError(f"the floor is a share of all chance, 0 to 1, not {self.floor}")
        for name in ("gamma", "exponent", "optimism"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is a finite number from 0 up, not {value}")

    def propensities(self, means: Any, widths: Any, seen: float) -> Propensities:
        """The chance of each action: of its mean, the width of that mean, and how many choices were learned from.

        They sum to 1 and are each at least floor / k. ValueError: a mean is NaN or infinite.
        """
        centres = _read(means)
        if len(centres) < 2 or self.rule == "uniform":
            return uniform(len(centres))
        if self.rule == "greedy":
            return greedy(centres)
        if self.rule == "epsilon_greedy":
            return epsilon_greedy(centres, self.floor)
        spreads = self.optimism * np.asarray(widths, np.float64)
        if self.rule == "thompson":
            return spread(thompson(centres, spreads), self.floor)
        gamma = self.gamma * max(seen, 1.0) ** self.exponent
        scores = centres + spreads
        return spread(weigh_gaps(scores.max() - scores, gamma), self.floor)


def spread(propensities: Propensities, floor: float) -> Propensities:
    """Give up `floor` of all chance to all actions alike.

    >>> spread(np.array([1.0, 0.0]), 0.5).tolist()
    [0.75, 0.25]
    """
    if not 0 <= floor <= 1:
        raise ValueError(f"the floor is a share of all chance, 0 to 1, not {floor}")
    return propensities * (1 - floor) + floor / max(len(propensities), 1)


def inverse_gap(means: Any, gamma: float) -> Propensities:
    """Inverse gap weighting: 1 / (k + gamma gap) for each action but the best, which gets the rest.

    `gamma` 0 is uniform; the larger, the greedier. Each probability is above 0. Of equal bests the first gets the rest.

    >>> inverse_gap([1.0, 0.0], 8.0).tolist()
    [0.9, 0.1]
    """
    scores = _read(means)
    if not 0 <= gamma < np.inf:
        raise ValueError(f"gamma is a finite number from 0 up, not {gamma}")
    return weigh_gaps(scores.max() - scores, gamma) if len(scores) else scores


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


def thompson(means: Any, spreads: Any) -> Propensities:
    """The chance that each action is the best when each mean is normal around its value: Thompson sampling's propensity.

    Exact for two actions; for up to `THOMPSON_MOST` by a fixed grid of `_NODES` quantiles of each, to about 0.001.
    None is below 1e-9. ValueError: more actions (use `inverse_gap`), or a spread below 0.

    >>> [round(chance, 4) for chance in thompson([1.0, 0.0], [1.0, 1.0]).tolist()]
    [0.7602, 0.2398]
    """
    centres, widths = _read(means), np.maximum(_read(spreads), _SMALLEST)
    if len(centres) > THOMPSON_MOST:
        raise ValueError(f"Thompson's propensities are for up to {THOMPSON_MOST} actions, not {len(centres)}")
    if len(centres) < 2:
        return uniform(len(centres))
    if len(centres) == 2:
        gap = (centres[0] - centres[1]) / np.hypot(*widths)
        chances = normal_cdf(np.array([gap, -gap]))
    else:
        points = np.sort((centres[:, None] + widths[:, None] * _QUANTILES).ravel())
        below = normal_cdf((points - centres[:, None]) / widths[:, None])
        others = np.exp(np.log(np.maximum(below, 1e-300)).sum(0) - np.log(np.maximum(below, 1e-300)))
        chances = (np.diff(below) * (others[:, 1:] + others[:, :-1])).sum(1)
    chances = np.maximum(chances, _SMALLEST)
    found: Propensities = chances / chances.sum()
    return found


def normal_cdf(z: Propensities) -> Propensities:
    """The standard normal distribution function, to 3e-8, by a table.

    >>> normal_cdf(np.array([-9.0, 0.0, 1.96])).round(6).tolist()
    [0.0, 0.5, 0.975002]
    """
    below: Propensities = np.interp(z, _TABLE_AT, _TABLE)
    return below


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
    found = int(sums.searchsorted(u * sums[-1], side="right"))
    return found if found < len(sums) else int(np.flatnonzero(chances)[-1])  # the product was rounded up


def unit(seed: int) -> float:
    """The uniform number of a decision's recorded seed, an integer of 53 bits: 0 <= u < 1.

    >>> unit(2**52)
    0.5
    """
    if not 0 <= seed < 2**53:
        raise ValueError(f"a seed is an integer of 53 bits, not {seed}")
    return seed / 2**53


def weigh_gaps(gaps: Propensities, gamma: float) -> Propensities:
    """`inverse_gap` of how far each action lies behind the best, whose gap is 0; the numbers are not checked.

    >>> weigh_gaps(np.array([0.0, 1.0]), 8.0).tolist()
    [0.9, 0.1]
    """
    chances: Propensities = gaps * gamma
    chances += len(gaps)
    np.reciprocal(chances, out=chances)
    best = int(gaps.argmin())
    chances[best] = 0.0
    chances[best] = 1 - np.add.reduce(chances)
    return chances


def _read(means: Any) -> Propensities:
    scores: Propensities = np.asarray(means, np.float64)
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError("expected rewards are one row of finite numbers")
    return scores
