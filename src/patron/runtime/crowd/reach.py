"""How many people a segment would hold, counted on a sample: the one estimate, for the API and for the console."""

import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from patron.model.audiences import Door, Reach, RowCount, Sampled
from patron.rules.tree import Rule, Segment
from patron.runtime.crowd.sample import Crowd, Sighted
from patron.runtime.crowd.tally import Tally
from patron.runtime.segments.definitions import Active


class Counted(Struct, frozen=True):
    """What was counted on a sample; it speaks for `total` people."""

    inside: list[Sighted]
    without: int
    """Of the sample, those for whom the purpose has no lawful basis."""
    rows: tuple[RowCount, ...]
    sampled: int
    """People of the sample."""
    total: int
    whole: bool
    """Whether the sample is everybody."""
    at: int

    @property
    def times(self) -> float:
        """How many people one of the sample stands for."""
        return 1.0 if self.whole else self.total / self.sampled

    @property
    def members(self) -> int:
        """How many are in, about."""
        return round(len(self.inside) * self.times)

    @property
    def interval(self) -> tuple[int, int]:
        """The least and the most that it may be, with 95 % confidence."""
        if self.whole:
            return self.members, self.members
        low, high = wilson(len(self.inside), self.sampled)
        return math.floor(low * self.total), math.ceil(high * self.total)


async def count(
    crowd: Crowd,
    segment: Segment,
    active: Active,
    rows: Sequence[tuple[str, Rule, bool]] = (),
    mode: Literal["all", "any"] = "all",
) -> Counted | None:
    """Who of the crowd would be in a segment, and after each row of its form; None for accounts, or when there is nobody."""
    if segment.subject != "person" or not await crowd.look():
        return None
    tally = Tally(segment.purpose, segment.rule, rows, mode)
    inside = [one async for one in crowd.by(active) if tally.add(one)]
    return Counted(
        inside, tally.without, tally.rows(crowd.times), tally.seen, crowd.total, crowd.whole, crowd.at
    )


def reach_of(counted: Counted, doors: tuple[Door, ...], nowhere: int, some: tuple[Sampled, ...]) -> Reach:
    """As the console shows it."""
    low, high = (0, 0) if counted.whole else counted.interval
    return Reach(
        counted.members,
        counted.total,
        counted.total if counted.whole else counted.sampled,
        counted.at,
        low,
        high,
        "people" if counted.whole else "sample",
        round(counted.without * counted.times),
        counted.rows,
        doors,
        nowhere,
        some,
        sampled=not counted.whole,
    )


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> [round(end, 3) for end in wilson(0, 100)], [round(end, 3) for end in wilson(50, 100)]
    ([0.0, 0.037], [0.404, 0.596])
    """
    share, slack = hits / n, z * z / n
    middle = (share + slack / 2) / (1 + slack)
    half = z / (1 + slack) * math.sqrt(share * (1 - share) / n + slack / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)
