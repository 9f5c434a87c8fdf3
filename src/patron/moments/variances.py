"""Mean and variance of real numbers, one value at a time or merged, without cancellation.

Sources: B. P. Welford, "Note on a method for calculating corrected sums of squares and products", Technometrics
4 (1962); T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances" (1979). Floats are not associative: order changes the last bits. Where bits must agree use `Sums`.
"""

from collections.abc import Iterable

from msgspec import Struct


class Spread(Struct, frozen=True, gc=False):
    """Count, mean and the sum of squared deviations from the mean (`m2`).

    >>> Spread.of([1.0, 2.0, 4.0]).merge(Spread.of([5.0])).variance
    3.3333333333333335
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Spread of some values, by Welford's updates.

        >>> Spread.of([1e9 + 1, 1e9 + 2, 1e9 + 3]).variance
        1.0
        """
        n, mean, m2 = 0, 0.0, 0.0
        for value in values:
            n += 1
            delta = value - mean
            mean += delta / n
            m2 += delta * (value - mean)
        return cls(n, mean, m2)

    def add(self, value: float) -> "Spread":
        """With one more value."""
        return self.merge(Spread(1, value, 0.0))

    def merge(self, other: "Spread") -> "Spread":
        """Of both sets together, by Chan's formula; merging with nothing changes no bit."""
        if not other.n or not self.n:
            return self if self.n else other
        n = self.n + other.n
        delta = other.mean - self.mean
        mean = self.mean + delta * other.n / n
        return Spread(n, mean, self.m2 + other.m2 + delta * delta * self.n * other.n / n)

    @property
    def variance(self) -> float:
        """Sample variance (divided by n - 1); 0.0 of fewer than two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0
