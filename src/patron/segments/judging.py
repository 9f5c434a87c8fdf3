"""Which rules hold, from the bits of the conditions: all of them, or those that a changed condition concerns."""

from collections.abc import Sequence

from msgspec import Struct

from patron.rules.tree import Member, Segment
from patron.segments.series import leaves_of
from patron.segments.trees import Test

JUDGED = 20_000
"""Patterns of conditions whose memberships are remembered: people are alike."""


class Ruled(Struct, frozen=True):
    """A segment's rule in place."""

    id: str
    bit: int
    """Its membership bit."""
    test: Test
    basis: int
    """The bit that says whether its purpose is lawful."""
    member: int
    """The condition bit that says membership to other rules."""
    looked: int
    """Bits of the conditions that it looks at, also through other segments."""


class Judging:
    """The rules of a plan, each behind those it names.

    Parameters
    ----------
    members : how many conditions there are; the bits above them say membership to other rules.
    """

    def __init__(self, rules: Sequence[Ruled], members: int) -> None:
        self.rules = rules
        self.mask = sum(rule.bit for rule in rules)
        """The membership bits of all rules."""
        self._members = members
        self._judged: dict[int, tuple[int, int]] = {}
        self._affected = [0] * members
        """Condition -> the rules to judge again when it changes, as bits of their places."""
        for place, rule in enumerate(rules):
            for at in range(members):
                if rule.looked >> at & 1:
                    self._affected[at] |= 1 << place

    def judge(self, leaf: int) -> tuple[int, int]:
        """Membership bits of all rules, and the bits of those that only lack a lawful basis."""
        bits = barred = 0
        for rule in self.rules:
            if rule.test(leaf):
                if leaf & rule.basis:
                    bits |= rule.bit
                    leaf |= rule.member
                else:
                    barred |= rule.bit
        return bits, barred

    def beside(self, leaf: int, short: int, bits: int, barred: int) -> tuple[int, int]:
        """The same, where the conditions cannot tell of the rules in `short`: of these stands what was known.

        Parameters
        ----------
        short, bits, barred : membership bits; of `bits` and `barred` only those in `short` are looked at. Whether there
            is a lawful basis is told by `leaf`, also for them.
        """
        known = self._judged.get(leaf)
        if known is None:
            known = self._remember(leaf, self.judge(leaf))
        found, lacking = known[0] & ~short, known[1] & ~short
        inside = (bits | barred) & short
        for rule in self.rules if inside else ():
            if rule.bit & inside:
                if leaf & rule.basis:
                    found |= rule.bit
                else:
                    lacking |= rule.bit
        return found, lacking

    def again(self, leaf: int, before: int, bits: int, barred: int) -> tuple[int, int]:
        """The same from what stood before the conditions changed from `before` to `leaf`."""
        known = self._judged.get(leaf)
        if known is None:
            known = self._remember(leaf, self._again(leaf, before, bits, barred))
        return known

    def _remember(self, leaf: int, known: tuple[int, int]) -> tuple[int, int]:
        if len(self._judged) >= JUDGED:
            self._judged.clear()
        self._judged[leaf] = known
        return known

    def _again(self, leaf: int, before: int, bits: int, barred: int) -> tuple[int, int]:
        changed, places, affected = leaf ^ before, 0, self._affected
        while changed:
            low = changed & -changed
            places |= affected[low.bit_length() - 1]
            changed ^= low
        leaf |= bits << self._members
        rules = self.rules
        while places:
            low = places & -places
            places ^= low
            rule = rules[low.bit_length() - 1]
            bit = rule.bit
            if not rule.test(leaf):
                if bits & bit:
                    bits ^= bit
                    leaf ^= rule.member
                barred &= ~bit
            elif leaf & rule.basis:
                if not bits & bit:
                    bits |= bit
                    leaf |= rule.member
                    barred &= ~bit
            else:
                barred |= bit
                if bits & bit:
                    bits ^= bit
                    leaf ^= rule.member
        return bits, barred


def in_order(segments: Sequence[Segment]) -> list[Segment]:
    """Segments behind those that their rules name; one that names itself, through whatever chain, comes last.

    >>> from patron.rules.tree import Did
    >>> inner, outer = Segment("b", "B", Did("X")), Segment("a", "A", Member("b"))
    >>> [segment.id for segment in in_order([outer, inner])]
    ['b', 'a']
    """
    by_id = {segment.id: segment for segment in segments}
    found: dict[str, Segment] = {}
    waiting = {
        one.id: {leaf.segment for leaf in leaves_of(one.rule) if isinstance(leaf, Member)} & by_id.keys()
        for one in segments
    }
    while waiting:
        ready = sorted(name for name, needs in waiting.items() if needs <= found.keys()) or sorted(waiting)
        for name in ready:
            found[name] = by_id[name]
            del waiting[name]
    return list(found.values())
