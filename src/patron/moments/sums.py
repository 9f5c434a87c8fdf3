"""Exact sums: (n, sum, sum of squares) as integers. They merge in any order and any slicing to the same bits."""

from collections.abc import Iterable

from msgspec import Struct


class Sums(Struct, frozen=True, gc=False):
    """Sufficient statistics of integer values: money in 1/10,000, counts, or 0/1 for a rate.

    Mean and variance are computed once from exact integers, so no digit is lost however many values there are
    (the textbook formula fails only in floating point).

    >>> Sums.of([1, 2, 4]).merge(Sums.of([5])) == Sums.of([5, 4, 2, 1])
    True
    >>> Sums.of([1, 2, 4]).mean, Sums.of([1, 2, 4]).variance
    (2.3333333333333335, 2.3333333333333335)
    """

    n: int = 0
    total: int = 0
    squares: int = 0

    @classmethod
    def of(cls, values: Iterable[int]) -> "Sums":
        """Sums of some values.

        >>> Sums.of([3, 4])
        Sums(n=2, total=7, squares=25)
        """
        n = total = squares = 0
        for value in values:
            n, total, squares = n + 1, total + value, squares + value * value
        return cls(n, total, squares)

    @classmethod
    def of_rate(cls, successes: int, n: int) -> "Sums":
        """Sums of `n` values of 0 or 1, `successes` of which are 1. ValueError unless 0 <= successes <= n.

        >>> Sums.of_rate(100, 1000).mean
        0.1
        """
        if not 0 <= successes <= n:
            raise ValueError(
                f"{successes} successes of {n}: there can be neither fewer than 0 nor more than all"
            )
        return cls(n, successes, successes)

    def add(self, value: int) -> "Sums":
        """With one more value."""
        return Sums(self.n + 1, self.total + value, self.squares + value * value)

    def merge(self, other: "Sums") -> "Sums":
        """Of both sets of values together."""
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Mean; 0.0 of nothing."""
        return self.total / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """Sample variance (divided by n - 1); 0.0 of fewer than two values."""
        if self.n < 2:
            return 0.0
        return (self.n * self.squares - self.total * self.total) / (self.n * (self.n - 1))
