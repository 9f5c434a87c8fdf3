"""Intervals of ratios of skewed, heavy-tailed sums over independent units, which keep their coverage.

Every estimate here is a ratio of two sums over units: weighted rewards over weights, rewards over rows, one policy's over
the other's. Importance-weighted rewards are skewed: a few rows with a large weight carry much, and a sample that lacks
them has both an estimate and a standard error that are too small. So

- rows of one person are summed before anything varies;
- a value v lies in the interval unless the mean of `top - v * bottom` is too far from 0 (E. C. Fieller, J. R. Stat. Soc.
  B 16, 1954): no straight line is laid through the ratio;
- P. Hall's cubic transformation takes the skewness out of the studentised mean: the interval becomes longer on the side
  of the tail ("On the removal of skewness by transformation", J. R. Stat. Soc. B 54, 1992);
- the quantile is Student's, with the degrees of freedom that the variance really has (`_FREEDOM` / (kurtosis - 1) for
  each unit, after F. E. Satterthwaite 1946): few rows that matter, few degrees.

Student's quantile and tail are D. L. Wallace's (Ann. Math. Stat. 30, 1959): within 0.2 % from 6 degrees on.
"""

import math
from statistics import NormalDist

import numpy as np
from msgspec import Struct

from patron.decide.offpolicy.logged import Floats

_NORMAL = NormalDist()
LEVEL = 0.95
"""Share of intervals that contain what they are about."""
_FREEDOM = 2.0
_FAR = 60.0
"""Standard errors from the estimate at which the search for an end of the interval stops."""


class Interval(Struct, frozen=True):
    """A figure, the interval around it at the level asked for, and its standard error."""

    value: float
    low: float
    high: float
    error: float


class Ratio(Struct, frozen=True):
    """A ratio of two sums over independent units, and all that its interval needs: joint moments up to the fourth.

    >>> ratio = Ratio.of(np.array([2.0, 0.0, 2.0, 0.0]), np.ones(4))
    >>> ratio.value, round(ratio.error, 4)
    (1.0, 0.5774)
    """

    value: float
    error: float
    units: int
    scale: float
    """What the bottom's sum is, per unit."""
    moments: tuple[tuple[float, ...], ...]
    """`moments[j][k]`: mean of residual^j * (bottom - its mean)^k, in units of the residual's deviation and the bottom's mean."""

    @classmethod
    def of(cls, top: Floats, bottom: Floats) -> "Ratio":
        """Of each unit's part of the top and of the bottom. ZeroDivisionError when the bottom sums to 0."""
        units = len(top)
        mean = float(bottom.mean())
        if not mean:
            raise ZeroDivisionError("the bottom of a ratio sums to 0")
        value = float(top.mean()) / mean
        left = top - value * bottom
        size = float(np.sqrt(np.mean(left * left)))
        # Rounding leaves something near 1e-16 where nothing varies.
        noise = 1e-12 * float(np.abs(top).max(initial=0.0))
        if units < 2 or size <= noise:
            return cls(value, 0.0, units, mean, ())
        powers = (_powers(left / size), _powers(bottom / mean - 1))
        moments = tuple(
            tuple(float((powers[0][j] * powers[1][k]).mean()) for k in range(5 - j)) for j in range(5)
        )
        return cls(value, size / abs(mean) / math.sqrt(units - 1), units, mean, moments)

    def interval(self, level: float = LEVEL) -> Interval:
        """The values that the data do not contradict at `level`. ValueError unless 0 < level < 1.

        >>> found = Ratio.of(np.array([5.0, 0.0, 0.0, 0.0, 1.0, 0.0]), np.ones(6)).interval()
        >>> found.high - found.value > found.value - found.low
        True
        """
        student(level, 1.0)
        low, high = (self.value + side * self.error * self._reach(side, level) for side in (-1.0, 1.0))
        return Interval(self.value, low, high, self.error)

    def chance(self, truth: float) -> float:
        """Two-sided p of "the ratio is really `truth`".

        >>> round(Ratio.of(np.array([2.0, 0.0, 2.0, 0.0] * 50), np.ones(200)).chance(0.8), 3)
        0.005
        """
        if not self.error:
            return 1.0 if math.isclose(truth, self.value, rel_tol=1e-9, abs_tol=1e-12) else 0.0
        t, freedom = self._bent((truth - self.value) / self.error)
        return math.erfc(_shrink(freedom) * math.sqrt(freedom * math.log1p(t * t / freedom) / 2))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of its variance: about how many units say what it is."""
        return self._bent(0.0)[1] if self.error else 0.0

    def _reach(self, side: float, level: float) -> float:
        """How many standard errors the interval reaches to one side."""
        if not self.error:
            return 0.0
        low, high = 0.0, 1.0
        while self._inside(side * high, level):
            low, high = high, high * 1.5
            if high > _FAR:
                return math.inf
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self._inside(side * middle, level) else (low, middle)
        return high

    def _inside(self, off: float, level: float) -> bool:
        t, freedom = self._bent(off)
        return abs(t) < student(level, freedom)

    def _bent(self, off: float) -> tuple[float, float]:
        """Hall's transform of the studentised mean of `top - v * bottom`, v being `off` errors from the estimate."""
        n, m = self.units, self.moments
        # In units of the residual's deviation: residual - step * (1 + b), b being the bottom's relative deviation.
        step = off / math.sqrt(n - 1)
        second = m[2][0] - 2 * step * m[1][1] + step**2 * m[0][2]
        third = m[3][0] - 3 * step * m[2][1] + 3 * step**2 * m[1][2] - step**3 * m[0][3]
        fourth = (
            m[4][0] - 4 * step * m[3][1] + 6 * step**2 * m[2][2] - 4 * step**3 * m[1][3] + step**4 * m[0][4]
        )
        if second <= 0:
            return math.copysign(math.inf, -off), 1.0
        t = -step * math.sqrt((n - 1) / second)
        bend = third / second**1.5 / math.sqrt(n) / 3
        freedom = min(n - 1.0, _FREEDOM * n / max(fourth / second**2 - 1, 1e-9))
        return t + bend * t * t + bend * bend * t**3 / 3 + bend / 2, max(1.0, freedom)


def _powers(values: Floats) -> tuple[Floats, ...]:
    square = values * values
    return np.ones_like(values), values, square, square * values, square * square


def student(level: float, freedom: float) -> float:
    """Half the width, in standard errors, of Student's two-sided interval at `level`.

    >>> round(student(0.95, 1e9), 3), round(student(0.95, 10), 2)
    (1.96, 2.23)
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"the level of an interval lies between 0 and 1 (0.95 = 95 %), not at {level}")
    z = _NORMAL.inv_cdf((1 + level) / 2) / _shrink(freedom)
    return math.sqrt(freedom * math.expm1(min(z * z / freedom, 500.0)))


def _shrink(freedom: float) -> float:
    return (8 * freedom + 1) / (8 * freedom + 3)
