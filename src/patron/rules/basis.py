"""What a segment needs a lawful basis for: its own purpose, and those of the segments that it is made of."""

from collections.abc import Mapping

from patron.rules.tree import Member, Segment
from patron.rules.walk import leaves


def purposes(segment: Segment, segments: Mapping[str, Segment]) -> frozenset[str]:
    """All of them. Of accounts only those people count who have a basis for each.

    >>> from patron.rules.tree import Did
    >>> firms = Segment("firms", "Firms", Did("Order Completed"), "ads", "account")
    >>> sorted(purposes(Segment("a", "A", Member("firms"), "news", "account"), {"firms": firms}))
    ['ads', 'news']
    """
    found, left = dict[str, str](), [segment]
    while left:
        one = left.pop()
        found[one.id] = one.purpose
        names = {leaf.segment for _, leaf in leaves(one.rule) if isinstance(leaf, Member)}
        left += [segments[name] for name in names if name in segments and name not in found]
    return frozenset(found.values())
