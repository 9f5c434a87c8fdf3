"""How well clusters agree with the truth: over pairs, over records (B-cubed), and over whole groups.

Everything is counted from the contingency table (how many records of each cluster belong to each person), so a large
cluster costs no more than its records, and the pair counts are exact integers.

Sources: pairwise precision and recall as in record linkage; B-cubed by Bagga and Baldwin (1998).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from fractions import Fraction

from msgspec import Struct

Labels = Sequence[Hashable]


class Pairs(Struct, frozen=True):
    """Pairs of records: those put together, those that belong together, and those that are both."""

    predicted: int
    true: int
    both: int

    @property
    def precision(self) -> float:
        """Share of pairs put together that belong together; 1 when none were."""
        return self.both / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of pairs that belong together which were put together; 1 when there are none."""
        return self.both / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        together = self.predicted + self.true
        return 2 * self.both / together if together else 1.0


def _two(counts: Counter[Hashable]) -> int:
    """Pairs within groups of these sizes."""
    return sum(n * (n - 1) // 2 for n in counts.values())


def _table(predicted: Labels, true: Labels) -> Counter[Hashable]:
    return Counter(zip(predicted, true, strict=True))


def pairs(predicted: Labels, true: Labels) -> Pairs:
    """Count pairs of records by both partitions.

    >>> counted = pairs([0, 0, 1], ["a", "a", "a"])
    >>> counted.predicted, counted.true, counted.both, counted.precision
    (1, 3, 1, 1.0)
    """
    return Pairs(_two(Counter(predicted)), _two(Counter(true)), _two(_table(predicted, true)))


def pairs_apart(predicted: Labels, true: Labels, keys: Labels) -> Pairs:
    """The same over pairs of records of different keys: two uses of one browser are one record to every system, and
    nobody put them together.

    >>> counted = pairs_apart([0, 0, 0], ["a", "a", "b"], ["card", "tablet", "tablet"])
    >>> counted.predicted, counted.true, counted.both
    (2, 1, 1)
    """
    every = pairs(predicted, true)
    within = pairs(list(zip(predicted, keys, strict=True)), list(zip(true, keys, strict=True)))
    return Pairs(every.predicted - within.predicted, every.true - within.true, every.both - within.both)


class BCubed(Struct, frozen=True):
    """Mean over records: of its cluster, how much is its person's; of its person, how much is in its cluster."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def bcubed(predicted: Labels, true: Labels) -> BCubed:
    """B-cubed precision and recall, each record of equal weight; 1 and 1 for no records.

    >>> found = bcubed([0, 0, 1], ["a", "a", "a"])
    >>> found.precision, round(found.recall, 3)
    (1.0, 0.556)
    """
    table = _table(predicted, true)
    return BCubed(
        _overlap(table, Counter(predicted), 0, len(predicted)), _overlap(table, Counter(true), 1, len(true))
    )


def _overlap(table: Counter[Hashable], sizes: Counter[Hashable], side: int, records: int) -> float:
    squares: dict[int, int] = defaultdict(int)
    for cell, n in table.items():
        squares[sizes[cell[side]]] += n * n  # type: ignore[index]
    total = sum((Fraction(square, size) for size, square in squares.items()), Fraction(0))
    return float(total / records) if records else 1.0


def groups(labels: Labels) -> set[tuple[int, ...]]:
    """A partition as its groups of places, apart from what they are called.

    >>> sorted(groups(["x", "y", "x"]))
    [(0, 2), (1,)]
    """
    found: dict[Hashable, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        found[label].append(at)
    return {tuple(places) for places in found.values()}


def merge_exact(predicted: Labels, evidence: Labels) -> float:
    """Share of the groups of two or more records that the evidence makes which were found exactly: no record more, none less.

    >>> merge_exact([0, 0, 1, 1, 1], ["a", "a", "b", "b", "c"])
    0.5
    """
    wanted = {group for group in groups(evidence) if len(group) > 1}
    return len(wanted & groups(predicted)) / len(wanted) if wanted else 1.0


def pure(predicted: Labels, true: Labels) -> float:
    """Share of clusters of two or more records that hold records of one owner only.

    >>> pure([0, 0, 1, 1, 2], ["a", "a", "b", "c", "c"])
    0.5
    """
    merged = [group for group in groups(predicted) if len(group) > 1]
    return sum(len({true[at] for at in group}) == 1 for group in merged) / len(merged) if merged else 1.0
