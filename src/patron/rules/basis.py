"""What a segment needs a lawful basis for: its own purpose, and those of the segments that it is made of; and which consents."""

from collections.abc import Collection, Mapping
from functools import reduce

from patron.rules.consent import Consents, lawful, standing
from patron.rules.tree import AllOf, AnyOf, Consented, Member, Rule, Segment
from patron.rules.walk import leaves

Word = tuple[str, str | None]
"""A purpose, with the channel on which a yes must stand, or None: it needs a lawful basis."""


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


def needed_words(segment: Segment, segments: Mapping[str, Segment]) -> frozenset[Word]:
    """What must stand of everybody in a segment, whatever else they did: without it nobody is in.

    >>> from patron.rules.tree import Did
    >>> club = Segment("club", "Club", AnyOf((Did("Joined"), Consented("sms"))), "ads")
    >>> a = Segment("a", "A", AllOf((Member("club"), Consented("news", "email"))))
    >>> sorted(needed_words(a, {"club": club}), key=str)
    [('ads', None), ('news', 'email'), ('personalization', None)]
    """
    return _words_of(segment, segments, frozenset())


def stands(word: Word, said: Consents, opt_in: Collection[str]) -> bool:
    """Whether a word stands by what somebody said.

    >>> stands(("ads", None), {}, ()), stands(("ads", "email"), {}, ())
    (True, False)
    """
    purpose, channel = word
    return lawful(purpose, said, opt_in) if channel is None else standing(said, purpose, channel) is True


def _words_of(segment: Segment, segments: Mapping[str, Segment], path: frozenset[str]) -> frozenset[Word]:
    return _certain(segment.rule, segments, path | {segment.id}) | {(segment.purpose, None)}


def _certain(rule: Rule, segments: Mapping[str, Segment], path: frozenset[str]) -> frozenset[Word]:
    match rule:
        case AllOf(of):
            return frozenset[Word]().union(*(_certain(one, segments, path) for one in of))
        case AnyOf(of) if of:
            return reduce(frozenset.__and__, (_certain(one, segments, path) for one in of))
        case Member(name) if name in segments and name not in path:
            return _words_of(segments[name], segments, path)
        case Consented(purpose, channel, True):
            return frozenset({(purpose, channel)})
        case _:
            return frozenset()
