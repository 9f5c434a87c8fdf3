"""Student's t: two-sided tail and critical value for any degrees of freedom, by the incomplete beta function.

Sources: W. H. Press et al., Numerical Recipes (3rd ed.), 6.4 (continued fraction by Lentz's method) and 6.14.3;
Abramowitz & Stegun 26.7.5 (Cornish-Fisher expansion of the quantile, exact to 1e-9 from 200 degrees on).
"""

import math
from statistics import NormalDist

_NORMAL = NormalDist()
_SMALL = 1e-300
_LARGE_DF = 200.0


def two_sided(t: float, df: float) -> float:
    """Probability that |T| exceeds |t|.

    >>> round(two_sided(2.228, 10), 4), round(two_sided(1.96, 1e9), 4)
    (0.05, 0.05)
    """
    if df > 1e5:
        # Wallace's transform to a normal deviate; its error is far below 1e-9 here.
        z = math.sqrt(df * math.log1p(t * t / df)) * (1 - 1 / (4 * df))
        return math.erfc(z / math.sqrt(2))
    return _incomplete_beta(df / 2, 0.5, df / (df + t * t))


def critical(alpha: float, df: float) -> float:
    """The t that |T| exceeds with probability `alpha`.

    >>> round(critical(0.05, 10), 3), round(critical(0.05, 1), 3), round(critical(0.05, 1e9), 3)
    (2.228, 12.706, 1.96)
    """
    z = _NORMAL.inv_cdf(1 - alpha / 2)
    if df >= _LARGE_DF:
        return _cornish_fisher(z, df)
    # The tail is convex and falls, and z lies left of the answer: Newton's steps never overshoot.
    t = z
    for _ in range(60):
        step = (two_sided(t, df) - alpha) / (2 * _density(t, df))
        t += step
        if abs(step) <= 1e-13 * t:
            break
    return t


def _density(t: float, df: float) -> float:
    scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return math.exp(scale - (df + 1) / 2 * math.log1p(t * t / df))


def _cornish_fisher(z: float, df: float) -> float:
    return (
        z
        + (z**3 + z) / (4 * df)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * df**4)
    )


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    front = math.exp(log_front)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by the modified Lentz method."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, 1_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            step = c * d
            total *= step
        if abs(step - 1) < 1e-15:
            break
    return total


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _SMALL else _SMALL
