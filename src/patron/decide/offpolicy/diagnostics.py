"""How much of a log speaks about another policy: effective sample, weights, and what the log could never show."""

import numpy as np
from msgspec import Struct

from patron.decide.offpolicy.intervals import LEVEL, Interval, Ratio
from patron.decide.offpolicy.logged import Floats, Logged

QUANTILES = (0.5, 0.9, 0.99, 0.999)


class Diagnostics(Struct, frozen=True):
    """What an estimate rests on."""

    rows: int
    units: int
    """People when the rows name them, else rows."""
    effective: float
    """Kish's effective sample of units, (sum w)^2 / sum w^2: so many rows of the policy itself would tell as much."""
    mean_weight: Interval
    """With what lies outside the log added, this must be 1 within chance: else the propensities are not true, or the log
    could not show all that the policy would do."""
    mean_weight_p: float
    """Probability of a mean weight at least so far from 1."""
    largest_weight: float
    largest_share: float
    """Share of all weight that one unit holds."""
    quantiles: tuple[tuple[float, float], ...]
    """(q, weight below which a share q of rows lies)."""
    outside: float | None
    """Share of what the policy would do that the log cannot show; None when the rows do not tell."""
    speaking: float
    """Effective number of units behind the difference of rewards, by the kurtosis of their part in the estimate."""


def diagnose(rows: Logged, level: float = LEVEL) -> Diagnostics:
    """Look at rows without a fault (`faults.fault`).

    >>> found = diagnose(Logged.of([1, 0, 1, 0], [0.5] * 4, [1, 0, 1, 0]))
    >>> found.effective, found.mean_weight.value, found.largest_weight
    (2.0, 1.0, 2.0)
    """
    weight = rows.weight
    each = rows.sums(weight)
    whole = each if rows.outside is None else each + rows.sums(rows.outside)
    mean = Ratio.of(whole, rows.sums(np.ones(len(rows))))
    total = float(weight.sum())
    return Diagnostics(
        rows=len(rows),
        units=rows.units,
        effective=effective(each),
        mean_weight=mean.interval(level),
        mean_weight_p=mean.chance(1.0),
        largest_weight=float(weight.max()),
        largest_share=float(each.max()) / total if total else 0.0,
        quantiles=tuple(
            (q, float(value)) for q, value in zip(QUANTILES, np.quantile(weight, QUANTILES), strict=True)
        ),
        outside=None if rows.outside is None else float(rows.outside.mean()),
        speaking=_speaking(rows, weight),
    )


def effective(weights: Floats) -> float:
    """Kish's effective sample size; 0 when all weights are 0. L. Kish, "Survey sampling", 1965.

    >>> effective(np.array([1.0, 1.0, 1.0])), effective(np.array([1e300, 1.0, 1.0])), effective(np.zeros(3))
    (3.0, 1.0, 0.0)
    """
    largest = float(weights.max(initial=0.0))
    if not largest:
        return 0.0
    scaled = weights / largest
    return float(scaled.sum() ** 2 / (scaled @ scaled))


def _speaking(rows: Logged, weight: Floats) -> float:
    total = float(weight.sum())
    if not total:
        return 0.0
    part = np.abs(rows.sums(weight * (rows.reward - weight @ rows.reward / total)))
    return effective(part * part)
