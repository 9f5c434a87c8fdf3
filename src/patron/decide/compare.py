"""Decisions for one person at several placements: which is the best, and whether they can be compared at all."""

from collections.abc import Iterable, Sequence
from math import inf

from msgspec import Struct

from patron.decide.eligible import Known
from patron.decide.index import CatalogueIndex
from patron.decide.kinds import success
from patron.decide.rating import Policy, scores_of
from patron.decide.record import POLICY, Drawn
from patron.model.offers import Ask, Placement, Rating

Worth = tuple[bool, float]
"""Whether any offer is left, and what the best of them scores: more is better."""


class Tried(Struct, frozen=True):
    """A decision as it would be made, and what it rests on."""

    made: Drawn
    ask: Ask
    known: Known
    default: Policy | None = None
    """How its offers would be ranked for this person if no other policy decided there; None: all alike."""


def best(index: CatalogueIndex, tried: Sequence[Tried]) -> int:
    """Which of the decisions has the offer that scores highest; of equal ones the first.

    Where not the same policy decides at all of them their scores do not compare: then it is how the default would score.
    """
    if len(tried) == 1:
        return 0
    if len({one.made.policy for one in tried}) == 1:
        worths = [_recorded(one.made) for one in tried]
    else:
        worths = [_by_default(index, one) for one in tried]
    return worths.index(max(worths))


def _recorded(made: Drawn) -> Worth:
    # what is drawn evenly has scores only while another policy is in shadow, and that changes nothing
    return _worth(made, None if made.policy == POLICY else made.rating)


def _by_default(index: CatalogueIndex, one: Tried) -> Worth:
    made, default = one.made, one.default
    if default is None or not made.sifted.left:
        return _worth(made, None)
    if made.policy == default.name:
        return _worth(made, made.rating)
    at = made.time if one.ask.ahead is None else one.ask.ahead.at
    return _worth(made, default.rate(index, made.sifted.left, one.ask, one.known, at).rating)


def _worth(made: Drawn, rating: Rating | None) -> Worth:
    left = bool(made.sifted.left)
    if not left or rating is None:
        return left, 0.0
    return True, float(scores_of(rating)[:-1].max(initial=-inf))


def mixed_successes(places: Iterable[Placement]) -> str:
    """Why placements cannot be weighed against each other, in a sentence; empty when they can.

    >>> mixed_successes([Placement("mail", "Mail", reward="order"), Placement("text", "Text", reward="click")])
    'its placements count different successes (click within a week, order within a week), so their scores do not compare'
    >>> mixed_successes([Placement("mail", "Mail", window_hours=168), Placement("text", "Text", window_hours=24)])
    'its placements count different successes (click within a day, click within a week), so their scores do not compare'
    >>> mixed_successes([Placement("mail", "Mail", window_hours=168), Placement("text", "Text", window_hours=72)])
    ''
    """
    counted = sorted({success(place) for place in places})
    if len(counted) < 2:
        return ""
    return f"its placements count different successes ({', '.join(counted)}), so their scores do not compare"
