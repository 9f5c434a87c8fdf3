"""Conditions that no threshold stands for: how each is read."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from patron.model.clock import HOUR
from patron.rules.evaluate import fact_holds
from patron.rules.tree import Fact
from patron.segments.hours import NEVER, Hours
from patron.segments.meter import Trait
from patron.segments.tally import Tally


class Looked(Protocol):
    """Conditions that are read from the tallies when an event may have changed them."""

    mask: int
    """The bits of its conditions."""
    nothing: int
    """Those that hold where there is no event."""

    def look(self, tallies: Sequence[Tally], hours: Hours) -> tuple[int, int]:
        """The bits that hold, and until when if no event comes (ms)."""
        ...

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> int:
        """The bits of conditions whose list was cut off inside the window."""
        ...


class OfTrait:
    """A condition on a computed trait."""

    def __init__(self, bit: int, fact: Fact, trait: Trait | None, hours: Hours) -> None:
        self.mask = bit
        self._fact = fact
        self._trait = trait
        self.nothing = self.look((), hours)[0]

    def look(self, tallies: Sequence[Tally], hours: Hours) -> tuple[int, int]:
        """Its bit when it holds, and until when that stands without an event (ms)."""
        value, wake = (None, NEVER) if self._trait is None else self._trait.value(tallies, hours)
        holds = fact_holds(self._fact, value, hours.hour * HOUR, hours.calendar)
        return (self.mask if holds else 0), wake

    def missing(self, tallies: Sequence[Tally], hours: Hours) -> int:
        """Its bit when a list that the trait reads was cut off."""
        meters = self._trait.meters if self._trait is not None else []
        return self.mask if any(meter.missing(tallies, hours) for meter in meters) else 0


class Told(Struct, frozen=True):
    """A condition on traits: the bit, the fact, and the path of the trait."""

    bit: int
    fact: Fact
    path: str
