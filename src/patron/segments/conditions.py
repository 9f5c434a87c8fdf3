"""Conditions that no threshold stands for: how each is read."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from patron.rules.tree import Fact
from patron.segments.hours import NEVER, Hours
from patron.segments.tally import Tally

Look = Callable[[Sequence[Tally], Hours], tuple[bool, int]]
"""Whether a condition holds over the tallies of a person, and until when that stands without an event."""
Missing = Callable[[Sequence[Tally], Hours], bool]


class Looked:
    """Conditions that are read from the tallies whenever one of their series is fed: those of the same series together."""

    __slots__ = ("_needs", "_parts", "mask", "nothing")

    def __init__(self, needs: Iterable[int]) -> None:
        self._needs = tuple(dict.fromkeys(needs))
        """Numbers of series of which each must be there; else nothing is read."""
        self._parts: list[tuple[int, Look, Missing | None]] = []
        self.mask = 0
        """The bits of its conditions."""
        self.nothing = 0
        """Those that hold where a needed series is not there."""

    def add(self, bit: int, look: Look, missing: Missing | None, hours: Hours) -> None:
        """Add a condition: its bit, how it is read, and whether its list is too short to say."""
        self._parts.append((bit, look, missing))
        self.mask |= bit
        self.nothing |= bit if look((), hours)[0] else 0

    def look(self, tallies: Sequence[Tally], hours: Hours) -> tuple[int, int]:
        """The bits that hold, and until when if no event comes (ms)."""
        for number in self._needs:
            for tally in tallies:
                if number in tally:
                    break
            else:
                return self.nothing, NEVER
        bits, wake = 0, NEVER
        for bit, look, _ in self._parts:
            holds, turn = look(tallies, hours)
            bits |= bit if holds else 0
            wake = min(wake, turn)
        return bits, wake

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> int:
        """The bits of conditions whose list was cut off inside the window."""
        return sum(bit for bit, _, missing in self._parts if missing is not None and missing(tallies, hours))


class Told(Struct, frozen=True):
    """A condition on traits: the bit, the fact, and the path of the trait."""

    bit: int
    fact: Fact
    path: str
