"""Intervals of ratios of skewed, heavy-tailed sums over independent units, which keep their coverage.

Every estimate here is a ratio of two sums over units: weighted rewards over weights, rewards over rows, one policy's over
the other's. Importance-weighted rewards are skewed: a few rows with a large weight carry much, and a sample that lacks
them has both an estimate and a standard error that are too small. So

- rows of one person are summed before anything varies, and a unit's surprise counts as if it had no part in the estimate
  (the jackknife, as HC3 does);
- a value v lies in the interval unless the mean of `top - v * bottom` is too far from 0 (E. C. Fieller, J. R. Stat. Soc.
  B 16, 1954): no straight line is laid through the ratio;
- P. Hall's cubic transformation takes the skewness out of the studentised mean: the interval becomes longer on the side
  of the tail ("On the removal of skewness by transformation", J. R. Stat. Soc. B 54, 1992);
- the quantile is Student's, with the degrees of freedom that the variance has once the mean is known: proportional to
  n / (kurtosis - 1 - skewness^2), which is without end for 0 and 1 (after F. E. Satterthwaite 1946);
- where few rows matter, their variance and skewness are raised towards those that the same weights would have if rewards
  scattered in rows of a large weight as they do in all rows (after G. K. Smyth, Stat. Appl. Genet. Mol. Biol. 3, 2004):
  that a rare reward was not seen where it counts most is no certainty.

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
_PRIOR = 4.0
"""Degrees of freedom that the scatter of all rows counts for."""
_FREEDOM = 0.5
"""2 by the formula; but the kurtosis of a sample understates that of heavy tails. Set once, on simulated logs."""
_FARTHEST = 1e6
"""As far off as anything need be looked at."""
_NOISE = 1e-28
"""A variance of terms whose largest is 1 that is rounding and no variance."""
_FAR = 100.0
"""Standard errors from the estimate at which the search for an end of the interval stops."""


class Interval(Struct, frozen=True):
    """A figure, the interval around it at the level asked for, and its standard error."""

    value: float
    low: float
    high: float
    error: float

    def within(self, low: float, high: float) -> "Interval":
        """Cut off where no value can be; the figure itself stays, and stays inside.

        >>> Interval(0.1, -0.2, 0.4, 0.1).within(0.0, 1.0)
        Interval(value=0.1, low=0.0, high=0.4, error=0.1)
        """
        return Interval(
            self.value, min(self.value, max(self.low, low)), max(self.value, min(self.high, high)), self.error
        )


class Luck(Struct, frozen=True, eq=False):
    """What chance did to each independent unit, and how much of it an estimate takes in."""

    surprise: Floats
    """Reward minus what was expected."""
    top: Floats
    """How often it counts in the top."""
    bottom: Floats
    """How often it counts in the bottom."""
    second: float = 0.0
    third: float = 0.0
    """Central moments of the surprise; `Ratio.of` works them out."""


class Ratio(Struct, frozen=True, eq=False):
    """A ratio of two sums over independent units. Make it with `Ratio.of`.

    >>> ratio = Ratio.of(np.array([2.0, 0.0, 2.0, 0.0]), np.ones(4))
    >>> ratio.value, round(ratio.error, 4)
    (1.0, 0.5774)
    """

    value: float
    error: float
    left: Floats
    """top - value * bottom, in `unit`."""
    bottom: Floats
    """In units of its mean."""
    luck: Luck | None
    """In the same units."""
    unit: float

    @classmethod
    def of(cls, top: Floats, bottom: Floats, luck: Luck | None = None) -> "Ratio":
        """Of each unit's part of the top and of the bottom; without `luck` it varies as the sample alone says.

        Raises
        ------
        ZeroDivisionError : the bottom sums to 0.
        """
        mean = float(bottom.mean())
        if not mean:
            raise ZeroDivisionError("the bottom of a ratio sums to 0")
        value = float(top.mean()) / mean
        left = (top - value * bottom) / _without(bottom)
        if luck is not None:
            luck = Luck(luck.surprise, luck.top - value * luck.bottom, luck.bottom / mean)
        unit = (
            _largest(left)
            if luck is None
            else max(_largest(left), _largest(luck.top) * _largest(luck.surprise))
        )
        # Rounding leaves something near 1e-16 where nothing varies.
        if len(top) < 2 or unit <= 1e-12 * _largest(top):
            return cls(value, 0.0, left, bottom, None, 1.0)
        if luck is not None and (strange := _largest(luck.surprise)):
            surprise = luck.surprise / strange
            top_counts, bottom_counts = luck.top * strange / unit, luck.bottom * strange
            luck = Luck(surprise, top_counts, bottom_counts, *_central(surprise)[:2])
        whole = cls(value, 0.0, left / unit, bottom / mean, luck, unit / mean)
        error = abs(whole.unit) * math.sqrt(whole._moments(0.0)[0] / (len(top) - 1))
        return cls(value, error, whole.left, whole.bottom, whole.luck, whole.unit)

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
        off = (truth - self.value) / self.error
        t, freedom = self._bent(max(-_FARTHEST, min(_FARTHEST, off)))
        return math.erfc(_shrink(freedom) * math.sqrt(freedom * math.log1p(t * t / freedom) / 2))

    def _reach(self, side: float, level: float) -> float:
        """How many standard errors the interval reaches to one side; the root of `_beyond` by the Illinois rule."""
        if not self.error:
            return 0.0
        low, below = 0.0, self._beyond(0.0, level)
        high, above = 2.0, self._beyond(side * 2.0, level)
        while above < 0:
            low, below, high = high, above, high * 1.6
            if high > _FAR:
                return math.inf
            above = self._beyond(side * high, level)
        for _ in range(60):
            if high - low <= 1e-5 * high:
                break
            middle = (low * above - high * below) / (above - below)
            here = self._beyond(side * middle, level)
            if here >= 0:
                high, above, below = middle, here, below / 2
            else:
                low, below, above = middle, here, above / 2
        return high

    def _beyond(self, off: float, level: float) -> float:
        """Above 0 when a value so many errors off is contradicted."""
        t, freedom = self._bent(off)
        return min(abs(t), 1e6) - student(level, freedom)

    def _bent(self, off: float) -> tuple[float, float]:
        """Hall's transform of the studentised mean of `top - v * bottom`, v being `off` errors from the estimate."""
        count = len(self.left)
        step = off * self.error / self.unit
        second, third, freedom = self._moments(step)
        if second <= _NOISE:
            return math.copysign(math.inf, -step), 1.0
        t = -step * math.sqrt((count - 1) / second)
        bend = third / second**1.5 / math.sqrt(count) / 3
        return t + bend * t * t + bend * bend * t**3 / 3 + bend / 2, freedom

    def _moments(self, step: float) -> tuple[float, float, float]:
        """Second and third central moment of `left - step * bottom`, and the degrees of freedom of the second."""
        count = len(self.left)
        terms = self.left - step * self.bottom
        second, third, fourth = _central(terms)
        if second <= _NOISE:
            speaking, freedom = 0.0, 0.0
        else:
            excess = fourth / second**2 - 1
            speaking = 2 * count / max(excess, 1e-9)
            freedom = _FREEDOM * count / max(excess - (third / second**1.5) ** 2, 1e-9)
        if self.luck is not None:
            spread, skew = _scattered(terms, self.luck, step)
            share = _PRIOR / (_PRIOR + speaking)
            second += share * max(0.0, spread - second)
            third += share * (skew - third) if abs(skew) > abs(third) else 0.0
            freedom += _PRIOR
        return second, third, max(1.0, min(count - 1.0, freedom))


def _without(bottom: Floats) -> Floats:
    """How much nearer a unit lies to an estimate that it has a part in than to one made without it; 1 when all weigh the same."""
    kept: Floats = np.maximum(1 - bottom / bottom.sum(), 0.5) / (1 - 1 / max(2, len(bottom)))
    return kept


def _scattered(terms: Floats, luck: Luck, step: float) -> tuple[float, float]:
    """Second and third moment of the terms if every unit had the luck of any other, whatever it counts for."""
    counts = luck.top - step * luck.bottom
    certain = terms - counts * luck.surprise
    certain = certain - certain.mean()
    square, own = counts * counts, certain * certain
    spread = float(own.mean()) + float(square.mean()) * luck.second
    skew = (
        float(own @ certain) + 3 * float(certain @ square) * luck.second + float(square @ counts) * luck.third
    )
    return spread, skew / len(terms)


def _central(terms: Floats) -> tuple[float, float, float]:
    """Second to fourth central moment."""
    terms = terms - terms.mean()
    square = terms * terms
    count = max(1, len(terms))
    return float(square.mean()), float(square @ terms) / count, float(square @ square) / count


def _largest(values: Floats) -> float:
    return float(np.abs(values).max(initial=0.0))


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
