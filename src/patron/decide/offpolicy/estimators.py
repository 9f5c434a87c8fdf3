"""What a policy would have earned per decision: the estimators of the field, each as a ratio of two sums over rows.

With w = target / propensity, r the reward, q a model's guess for the executed action and v its average under the policy:

- IPS: mean of w r (D. G. Horvitz, D. J. Thompson 1952). Unbiased, and noisy.
- SNIPS: sum of w r / sum of w (A. Swaminathan, T. Joachims, NeurIPS 2015). Adding a constant to all rewards adds it here too.
- DR: mean of v + w (r - q) (M. Dudik, J. Langford, L. Li, ICML 2011). Unbiased whatever the model says.
- DRos: DR with w shrunk to l w / (w^2 + l) (Y. Su, M. Dimakopoulou, A. Krishnamurthy, M. Dudik, ICML 2020).
- Switch-DR: DR without the correction where w exceeds t (Y.-X. Wang, A. Agarwal, M. Dudik, ICML 2017).
- DM: mean of v. Repeats the model's mistakes without a sign of doubt: for diagnosis only, and never with an interval.
"""

from typing import Literal

import numpy as np
from msgspec import Struct

from patron.decide.offpolicy.intervals import LEVEL, Interval, Ratio
from patron.decide.offpolicy.logged import Floats, Logged
from patron.decide.offpolicy.shrinkage import optimistic, switch

Name = Literal["ips", "snips", "dr", "dros", "switch", "dm"]
UNBIASED: tuple[Name, ...] = ("ips", "snips", "dr")
"""Estimators whose bias vanishes with the number of rows or is 0; the others trade some for less noise."""


class Estimate(Struct, frozen=True):
    """An estimator's value per decision, with its interval; `tuned` is what it chose from the data (l or t), if anything."""

    name: Name
    interval: Interval
    tuned: float | None = None

    @property
    def value(self) -> float:
        """The point."""
        return self.interval.value


class Terms(Struct, frozen=True, eq=False):
    """An estimator before summing: its value is sum(top) / sum(bottom)."""

    top: Floats
    bottom: Floats

    def ratio(self, rows: Logged) -> Ratio:
        """Its value and how it varies over the rows' independent units."""
        return Ratio.of(rows.sums(self.top), rows.sums(self.bottom))


def ips(rows: Logged) -> Terms:
    """Inverse propensity scoring.

    >>> ips(Logged.of([1, 0], [0.5, 0.5], [1, 0])).ratio(Logged.of([1, 0], [0.5, 0.5], [1, 0])).value
    1.0
    """
    return Terms(rows.weight * rows.reward, np.ones(len(rows)))


def snips(rows: Logged) -> Terms:
    """Self-normalised inverse propensity scoring. All weights 0 leave nothing to divide by."""
    weight = rows.weight
    return Terms(weight * rows.reward, weight)


def doubly_robust(rows: Logged, weight: Floats | None = None) -> Terms:
    """Doubly robust, by default with the true weights. ValueError when the rows hold no predictions."""
    predicted, expected = predictions(rows)
    weight = rows.weight if weight is None else weight
    return Terms(expected + weight * (rows.reward - predicted), np.ones(len(rows)))


def predictions(rows: Logged) -> tuple[Floats, Floats]:
    """The model's guesses that rows hold: of the executed action, and averaged over the policy's.

    >>> predictions(Logged.of([1], [1], [1]))
    Traceback (most recent call last):
    ValueError: these rows hold no predictions; give `predicted` and `expected`, e.g. from `regress.cross_fit`
    """
    if rows.predicted is None or rows.expected is None:
        raise ValueError(
            "these rows hold no predictions; give `predicted` and `expected`, e.g. from `regress.cross_fit`"
        )
    return rows.predicted, rows.expected


def estimate(name: Name, rows: Logged, level: float = LEVEL) -> Estimate:
    """One estimator's value and interval. ValueError when it needs predictions and there are none.

    The interval of `dros` and `switch` is that of DR moved to their value. What they shrink is exactly what the data cannot
    say, so that a narrower one would not be true: shrinking buys a nearer point, not more knowledge.

    >>> rows = Logged.of([1, 0, 1, 0], [0.5] * 4, [1, 0, 0.5, 0.5])
    >>> estimate("ips", rows).value, estimate("snips", rows).value
    (0.75, 0.75)
    """
    if name in ("ips", "snips"):
        terms = ips(rows) if name == "ips" else snips(rows)
        return Estimate(name, terms.ratio(rows).interval(level))
    if name == "dm":
        value = float(predictions(rows)[1].mean())
        return Estimate(name, Interval(value, float("nan"), float("nan"), float("nan")))
    whole = doubly_robust(rows).ratio(rows).interval(level)
    if name == "dr":
        return Estimate(name, whole)
    residual = rows.reward - predictions(rows)[0]
    tuned, weight = (optimistic if name == "dros" else switch)(rows, doubly_robust(rows).top, residual)
    value = float(doubly_robust(rows, weight).top.mean())
    off = value - whole.value
    return Estimate(name, Interval(value, whole.low + off, whole.high + off, whole.error), tuned)
