"""Ratios of two sums per unit (revenue per order, when the unit is a person), with the delta method.

The delta method (first-order Taylor): Var(Y/X) = (Var Y - 2 R Cov(X, Y) + R^2 Var X) / (n mean(X)^2), R = mean Y / mean X.
Source: A. Deng, U. Knoblich, J. Lu, "Applying the delta method in metric analytics", KDD 2018, section 3.
"""

from collections.abc import Iterable

from msgspec import Struct

from patron.moments.sums import Sums


class PairSums(Struct, frozen=True, gc=False):
    """Exact sufficient statistics of pairs of integers (denominator x, numerator y) of the same unit.

    >>> baskets = PairSums.of([(1, 30), (2, 50), (1, 40)])
    >>> baskets.ratio
    30.0
    """

    x: Sums = Sums()
    y: Sums = Sums()
    products: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "PairSums":
        """Of some (x, y) pairs."""
        x = y = Sums()
        products = 0
        for a, b in pairs:
            x, y, products = x.add(a), y.add(b), products + a * b
        return cls(x, y, products)

    def merge(self, other: "PairSums") -> "PairSums":
        """Of both sets of pairs together."""
        return PairSums(self.x.merge(other.x), self.y.merge(other.y), self.products + other.products)

    @property
    def n(self) -> int:
        """Number of units."""
        return self.x.n

    @property
    def covariance(self) -> float:
        """Sample covariance; 0.0 of fewer than two pairs."""
        n = self.x.n
        return (n * self.products - self.x.total * self.y.total) / (n * (n - 1)) if n > 1 else 0.0

    @property
    def ratio(self) -> float:
        """Sum of y over sum of x. ZeroDivisionError when the x sum to zero."""
        return self.y.total / self.x.total

    @property
    def ratio_variance(self) -> float:
        """Variance of the ratio as an estimate (not of a unit): its square root is the standard error.

        >>> round(PairSums.of([(1, 30), (2, 50), (1, 40)]).ratio_variance, 4)
        18.75
        """
        ratio, n = self.ratio, self.x.n
        spread = self.y.variance - 2 * ratio * self.covariance + ratio * ratio * self.x.variance
        return max(0.0, spread) / (n * self.x.mean**2)


def lift_variance(treated: float, treated_var: float, control: float, control_var: float) -> float:
    """Variance of the relative lift `treated / control - 1` of two independent means, by the delta method.

    `treated_var` and `control_var` are variances of the MEANS (sample variance / n). ZeroDivisionError when
    `control` is 0.

    >>> round(lift_variance(0.11, 0.11 * 0.89 / 10_000, 0.10, 0.10 * 0.90 / 10_000) ** 0.5, 5)
    0.04548
    """
    return treated_var / control**2 + treated**2 * control_var / control**4
