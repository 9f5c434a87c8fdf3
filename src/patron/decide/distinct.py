"""How different what people got is: over (product, content, channel, hour), in numbers and in a sentence.

effective = exp(-sum p ln p): the number of equally common combinations that would be as different (Hill number of order 1,
Hill, Ecology 54, 1973).
"""

import re
from collections.abc import Iterable, Mapping
from math import exp, log
from typing import Any, NamedTuple

import msgspec

from patron.decide.gates import product_of
from patron.decide.variants import content_for
from patron.model.offers import Offer
from patron.model.sends import Mix

_SLOT = re.compile(r"\{\{?\s*([^{}]*?)\s*\}?\}")
_MOST_SLOTS = 5


class Got(NamedTuple):
    """What somebody got."""

    product: str
    content: str
    """The text without what stands in braces: a name in it makes no other content."""
    channel: str
    hour: int


def content_of(offer: Offer, placement: str, language: str = "") -> tuple[str, tuple[str, ...]]:
    """The content of an offer with its slots emptied, and the names of the slots.

    >>> content_of(Offer("tea", "Tea", {"title": "Tea for {first_name}"}), "mail")
    ('{"title":"Tea for {}"}', ('first_name',))
    """
    slots: dict[str, None] = {}
    emptied = _emptied(content_for(offer, placement, language), slots)
    return msgspec.json.encode(emptied, order="sorted").decode(), tuple(slots)


def product(offer: Offer) -> str:
    """What an offer is about: its product, else itself."""
    return product_of(offer) or offer.id


def mix(counts: Mapping[Got, int], slots: Iterable[str] = (), *, asked: bool = False) -> Mix:
    """The measure over what people got.

    Parameters
    ----------
    slots : those that any of the contents has.
    asked : whether these are decisions of people who asked, who may come more than once.

    >>> one = mix({Got("tea", "a", "email", 9): 3, Got("mug", "b", "email", 9): 1})
    >>> one.distinct, round(one.effective, 3), one.commonest
    (2, 1.755, 0.75)
    >>> mix({Got("tea", "a", "email", 9): 3}, ["name"]).sentence
    'All 3 people get the same message, which varies only by {name}: that is one message, not one for each.'
    """
    people = sum(counts.values())
    if not people:
        return Mix(0, 0, 0.0, 0.0, 0, 0, 0, 0, (), "Nobody gets anything, so there is nothing to compare.")
    entropy = -sum(n / people * log(n / people) for n in sorted(counts.values()) if n)
    products, contents, channels, hours = (len({got[part] for got in counts}) for part in range(4))
    commonest = max(counts.values()) / people
    named = tuple(dict.fromkeys(slots))[:_MOST_SLOTS] if products == contents == 1 else ()
    who = _who(people, asked=asked)
    if products == contents == 1:
        said = _same(who, named, _ways(channels, hours))
    else:
        said = (
            f"{who} {len(counts):,} different combinations of product, content, channel and hour, as different as "
            f"{exp(entropy):,.1f} equally common ones; the commonest is {commonest:.0%} of them."
        )
    return Mix(
        people, len(counts), exp(entropy), commonest, products, contents, channels, hours, named, said
    )  # fmt: skip


def _who(people: int, *, asked: bool) -> str:
    if asked:
        return f"All {people:,} decisions give" if people > 1 else "One decision gives"
    return f"All {people:,} people get" if people > 1 else "One person gets"


def _same(who: str, slots: tuple[str, ...], when: str) -> str:
    if slots:
        named = ", ".join(f"{{{slot}}}" for slot in slots)
        rest = f"; only {when} differ besides" if when else ""
        return f"{who} the same message, which varies only by {named}{rest}: that is one message, not one for each."
    return f"{who} the same message; only {when} differ." if when else f"{who} exactly the same."


def _ways(channels: int, hours: int) -> str:
    told = [f"the channel ({channels})"] * (channels > 1) + [f"the hour ({hours})"] * (hours > 1)
    return " and ".join(told)


def _emptied(value: Any, slots: dict[str, None]) -> Any:
    if isinstance(value, str):
        slots.update(dict.fromkeys(name for name in _SLOT.findall(value) if name))
        return _SLOT.sub("{}", value)
    if isinstance(value, dict):
        return {str(key): _emptied(one, slots) for key, one in value.items()}
    return [_emptied(one, slots) for one in value] if isinstance(value, list | tuple) else value
