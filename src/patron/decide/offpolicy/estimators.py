"""What a policy would have earned per decision: the estimators of the field, each as a ratio of two sums over rows.

With w = target / propensity, r the reward, q a model's guess for the executed action and v its average under the policy:

- IPS: mean of w r (D. G. Horvitz, D. J. Thompson 1952). Unbiased, and noisy.
- SNIPS: sum of w r / sum of w (A. Swaminathan, T. Joachims, NeurIPS 2015). Adding a constant to all rewards adds it here too.
- DR: mean of v + w (r - q) (M. Dudik, J. Langford, L. Li, ICML 2011). Unbiased whatever the model says.
- DRos: DR with w shrunk to l w / (w^2 + l) (Y. Su, M. Dimakopoulou, A. Krishnamurthy, M. Dudik, ICML 2020).
- Switch-DR: DR without the correction where w exceeds t (Y.-X. Wang, A. Agarwal, M. Dudik, ICML 2017).
- DM: mean of v. Repeats the model's mistakes without a sign of doubt: for diagnosis only, and never with an interval.
"""

import math
from typing import Literal

import numpy as np
from msgspec import Struct

from patron.decide.offpolicy.intervals import LEVEL, Interval, Luck, Ratio
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
    surprise: Floats
    """What of each row's reward was not expected."""
    counts: Floats
    """How often that counts in the top."""

    def ratio(self, rows: Logged) -> Ratio:
        """Its value and how it varies over the rows' independent units."""
        counts = rows.sums(self.counts)
        luck = Luck(rows.means(self.surprise), counts, np.zeros_like(counts))
        return Ratio.of(rows.sums(self.top), rows.sums(self.bottom), luck)


def ips(rows: Logged) -> Terms:
    """Inverse propensity scoring.

    >>> rows = Logged.of([1, 0], [0.5, 0.5], [1, 0])
    >>> ips(rows).ratio(rows).value
    1.0
    """
    weight = rows.weight
    top = weight * rows.reward
    return Terms(top, np.ones(len(rows)), rows.reward - top.mean(), weight)


def snips(rows: Logged) -> Terms:
    """Self-normalised inverse propensity scoring. ZeroDivisionError when all weights are 0."""
    weight = rows.weight
    top, total = weight * rows.reward, float(weight.sum())
    if not total:
        raise ZeroDivisionError("all weights are 0: nothing in this log is what the policy would do")
    return Terms(top, weight, rows.reward - top.sum() / total, weight)


def doubly_robust(rows: Logged, weight: Floats | None = None) -> Terms:
    """Doubly robust, by default with the true weights. ValueError when the rows hold no predictions."""
    predicted, expected = predictions(rows)
    weight = rows.weight if weight is None else weight
    surprise = rows.reward - predicted
    return Terms(expected + weight * surprise, np.ones(len(rows)), surprise, weight)


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
    """One estimator's value and interval, as in `estimates`. ValueError when it needs predictions and there are none.

    >>> rows = Logged.of([1, 0, 1, 0], [0.5] * 4, [1, 0, 0.5, 0.5])
    >>> estimate("ips", rows).value, estimate("snips", rows).value
    (0.75, 0.75)
    """
    if name in ("ips", "snips"):
        return _plain(name, rows, level)
    if name == "dm":
        return Estimate(name, Interval(float(predictions(rows)[1].mean()), math.nan, math.nan, math.nan))
    terms = doubly_robust(rows)
    return _robust(name, rows, terms, terms.ratio(rows).interval(level))


def estimates(rows: Logged, level: float = LEVEL) -> tuple[Estimate, ...]:
    """Every estimator that some rows allow, in a fixed order.

    No interval reaches beyond the rewards that were seen: a policy earns something between its least and its best.
    The interval of `dros` and `switch` is that of DR moved to their value. What they shrink is exactly what the data cannot
    say, so that a narrower one would not be true: shrinking buys a nearer point, not more knowledge. `dm` has none.

    >>> [one.name for one in estimates(Logged.of([1, 0], [0.5, 0.5], [1, 0]))]
    ['ips', 'snips']
    """
    found = [_plain(name, rows, level) for name in ("ips", "snips")]
    if rows.predicted is not None:
        terms = doubly_robust(rows)
        whole = terms.ratio(rows).interval(level)
        found += [_robust(name, rows, terms, whole) for name in ("dr", "dros", "switch")]
        found.append(estimate("dm", rows, level))
    return tuple(found)


def _plain(name: Name, rows: Logged, level: float) -> Estimate:
    terms = ips(rows) if name == "ips" else snips(rows)
    return Estimate(name, _possible(rows, terms.ratio(rows).interval(level)))


def _robust(name: Name, rows: Logged, terms: Terms, whole: Interval) -> Estimate:
    if name == "dr":
        return Estimate(name, _possible(rows, whole))
    tuned, weight = (optimistic if name == "dros" else switch)(rows, terms.top, terms.surprise)
    value = float(doubly_robust(rows, weight).top.mean())
    moved = Interval(value, whole.low + value - whole.value, whole.high + value - whole.value, whole.error)
    return Estimate(name, _possible(rows, moved), tuned)


def _possible(rows: Logged, interval: Interval) -> Interval:
    return interval.within(float(rows.reward.min()), float(rows.reward.max()))
