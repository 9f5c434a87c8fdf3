"""Two arms compared: difference and relative lift of rates or means, with intervals; and whether the arms are as drawn.

Difference: Welch's t (unequal variances). Relative lift treated/control - 1: delta method, with Welch-Satterthwaite
degrees of freedom of its two parts; 1000/10000 against 1100/10000 gives .100, .0109 to .1891, p .0279.
Sample ratio: chi-square with one degree of freedom. Source: A. Deng, U. Knoblich, J. Lu, KDD 2018; B. L. Welch 1947.
"""

import math
from typing import Protocol

from msgspec import Struct

from patron.experiments.student import critical, two_sided
from patron.moments.ratios import lift_variance

_CLEAR_OF_ZERO = 3.0
"""A control mean under so many standard errors is no denominator: the lift could be anything."""


class Moments(Protocol):
    """What is known of one arm: `patron.moments.Sums` (exact) or `Spread`."""

    @property
    def n(self) -> int: ...
    @property
    def mean(self) -> float: ...
    @property
    def variance(self) -> float: ...


class Interval(Struct, frozen=True):
    """An estimate, its interval, and the two-sided p of "it is zero"."""

    value: float
    low: float
    high: float
    p: float


class Comparison(Struct, frozen=True):
    """Treated against control. None where the data cannot say: nothing varies, or control is too near zero."""

    treated: float
    control: float
    difference: Interval | None
    lift: Interval | None


def compare(treated: Moments, control: Moments, alpha: float = 0.05) -> Comparison:
    """Difference (in the unit of the values) and relative lift, with intervals that miss with probability `alpha`.

    >>> from patron.moments.sums import Sums
    >>> lift = compare(Sums.of_rate(1100, 10_000), Sums.of_rate(1000, 10_000)).lift
    >>> round(lift.value, 3), round(lift.low, 4), round(lift.high, 4), round(lift.p, 4)
    (0.1, 0.0109, 0.1891, 0.0279)
    """
    t, c = treated.mean, control.mean
    if treated.n < 2 or control.n < 2:
        return Comparison(t, c, None, None)
    t_var, c_var = treated.variance / treated.n, control.variance / control.n
    difference = _interval(t - c, (t_var, treated.n), (c_var, control.n), alpha)
    if not c or abs(c) < _CLEAR_OF_ZERO * math.sqrt(c_var):
        return Comparison(t, c, difference, None)
    t_part, c_part = lift_variance(t, t_var, c, 0.0), lift_variance(t, 0.0, c, c_var)
    lift = _interval(t / c - 1, (t_part, treated.n), (c_part, control.n), alpha)
    return Comparison(t, c, difference, lift)


def srm_p(treated: int, control: int, holdout: float) -> float:
    """Probability of arms at least this uneven when `holdout` of the units are drawn into control.

    Small (under .001) means a broken assignment, and no result counts. ValueError unless 0 < holdout < 1.

    >>> round(srm_p(50_500, 50_000, 0.5), 3)
    0.115
    """
    if not 0.0 < holdout < 1.0:
        raise ValueError(f"with a holdout of {holdout} there is only one arm; nothing to check")
    total = treated + control
    if not total:
        return 1.0
    expected = total * holdout
    chi_square = (control - expected) ** 2 * (1 / expected + 1 / (total - expected))
    return math.erfc(math.sqrt(chi_square / 2))


def _interval(value: float, a: tuple[float, int], b: tuple[float, int], alpha: float) -> Interval | None:
    """An interval from the two (variance of the mean, n) that make up the estimate; None when nothing varies."""
    variance = a[0] + b[0]
    if not variance:
        return None
    df = variance**2 / (a[0] ** 2 / (a[1] - 1) + b[0] ** 2 / (b[1] - 1))
    error = math.sqrt(variance)
    half = critical(alpha, df) * error
    return Interval(value, value - half, value + half, two_sided(value / error, df))
