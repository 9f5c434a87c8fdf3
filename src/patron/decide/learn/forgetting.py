"""How much a decision counts by its age, in whole-number weights, so that forgetting leaves sums exact.

A decision of time t weighs round(2**(6 + (t - reference) / half_life)), where the reference is the last multiple of six
half-lives. The weight depends on t alone: a reward that comes late gets the weight of its decision, and what is taken
back is taken back whole. When the reference moves on, all sums are halved six times; only there half a unit of rounding
enters.
"""

from typing import Final

from msgspec import Struct

_BITS: Final = 6
_LONGEST: Final = 62
REFRESH: Final = 16
"""A row is solved anew for its age when a 16th of a half-life went by since it was last."""


class Forgetting(Struct):
    """The running clock of weights. `half_life` in ms; 0 = nothing is forgotten and all weigh 1.

    >>> forgetting = Forgetting(half_life=1000)
    >>> forgetting.advance(6000)
    6
    >>> forgetting.weight(6000), forgetting.weight(7000), forgetting.weight(4000)
    (64, 128, 16)
    """

    half_life: int = 0
    now: int = 0

    @property
    def reference(self) -> int:
        """The time at which a decision weighs 64."""
        block = _BITS * self.half_life
        return self.now // block * block if block else 0

    def weight(self, time: int) -> int:
        """The whole-number weight of a decision made at `time`, ms UTC, not later than `now`."""
        if not self.half_life:
            return 1
        halvings = (time - self.reference) / self.half_life
        return round(float(2.0 ** (_BITS + max(halvings, -2.0 * _BITS))))

    @property
    def scale(self) -> float:
        """What one unit of weight is worth now: a decision made just now counts as one.

        >>> Forgetting(half_life=1000, now=1000).scale * 128
        1.0
        """
        if not self.half_life:
            return 1.0
        return float(2.0 ** (-_BITS - (self.now - self.reference) / self.half_life))

    def advance(self, now: int) -> int:
        """Move to a later time (an earlier one is ignored); gives how often all sums must be halved.

        >>> forgetting = Forgetting(half_life=1000)
        >>> forgetting.advance(5999), forgetting.advance(6000), forgetting.advance(5000)
        (0, 6, 0)
        """
        if not self.half_life or now <= self.now:
            return 0
        before = self.reference
        self.now = now
        return min((self.reference - before) // self.half_life, _LONGEST)
