"""How many are in each segment, and who came and went lately.

An event may move somebody through dozens of segments at once, and people are alike: so what is noted is the pattern of
memberships before and after, one note a person. It is taken apart by segment when somebody asks.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

KEPT = 10_000
"""Changes of people remembered; each may be of several segments."""
PATTERNS = 4_000
"""Patterns counted before they are taken apart."""


class Moved(NamedTuple):
    """Somebody entered a segment, or left it."""

    position: int
    """Of the log, when it happened."""
    time: int
    person: str
    segment: str
    entered: bool
    cause: str
    """`event`, `time`, `identity`, `rule`, `consent` or `erasure`."""


class Tellers:
    """Counts the bits of many patterns.

    >>> tellers = Tellers()
    >>> tellers.change(0, 0b101); tellers.change(0, 0b100); tellers.change(0b101, 0)
    >>> tellers.counts()
    {2: 1}
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._patterns: dict[int, int] = {}

    def change(self, before: int, after: int) -> None:
        """Somebody's bits are others."""
        patterns = self._patterns
        patterns[before] = patterns.get(before, 0) - 1
        patterns[after] = patterns.get(after, 0) + 1
        if len(patterns) > PATTERNS:
            self.counts()

    def counts(self) -> Mapping[int, int]:
        """Number of a bit -> how many have it."""
        counts, patterns = self._counts, self._patterns
        if patterns:
            self._patterns = {}
            for bits, times in patterns.items():
                if times:
                    for number in numbers_of(bits):
                        counts[number] = counts.get(number, 0) + times
            self._counts = counts = {number: count for number, count in sorted(counts.items()) if count}
        return counts


class Reach:
    """The sizes of all segments and the latest changes."""

    def __init__(self) -> None:
        self.members = Tellers()
        self.barred = Tellers()
        self.short = Tellers()
        """Who is in; who would be, had they a lawful basis; whose answer is the lake's."""
        self._moves: deque[tuple[int, int, str, int, int, str]] = deque(maxlen=KEPT)
        self.complete_since = 0
        """Changes are remembered from this time on (ms)."""
        self.moving = 0
        """Changes by events so far."""

    def move(self, position: int, time: int, person: str, before: int, after: int, cause: str) -> None:
        """Note that somebody's memberships are others."""
        self.members.change(before, after)
        moves = self._moves
        if len(moves) == KEPT:
            self.complete_since = moves[0][1]
        moves.append((position, time, person, before, after, cause))
        if cause == "event":
            self.moving += 1

    def moves(self, names: Mapping[int, str], after: int = 0) -> Iterator[Moved]:
        """Entries and exits at log positions greater than `after`, oldest first."""
        for position, time, person, old, new, cause in self._moves:
            if position > after:
                for number in numbers_of(old ^ new):
                    if number in names:
                        entered = bool(new >> number & 1)
                        yield Moved(position, time, person, names[number], entered, cause)

    def forget(self, people: Collection[str]) -> None:
        """Forget what people did (they were erased)."""
        self._moves = deque((one for one in self._moves if one[2] not in people), maxlen=KEPT)


def numbers_of(bits: int) -> list[int]:
    """The numbers of the bits that are set.

    >>> numbers_of(0b101)
    [0, 2]
    """
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found
