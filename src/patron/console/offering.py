"""Offers and placements as their pages show them: what each place shows, in which words, and why another does not."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from patron.console import words
from patron.decide.variants import refusal, showings
from patron.model.offers import Catalogue, Condition, Offer, Placement
from patron.rules.language import is_personal
from patron.rules.sentences import sentence

LOOKS = {
    "app": "phone",
    "push": "phone",
    "sms": "phone",
    "email": "letter",
    "pos": "spoken",
    "associate_tablet": "spoken",
    "call_centre": "spoken",
    "kiosk": "screen-look",
    "signage": "screen-look",
}
"""Channel -> how its places look; others are a card on a page."""
_LAID_OUT = {
    "spoken": ("say", "title", "text", "body"),
    "letter": ("subject", "title", "text", "body"),
}
_ON_SCREEN = ("title", "headline", "text", "body")
"""Keys of content that a touchpoint of a look is likely to lay out, the first large; it gets all others too."""
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,4})?")


class Showing(Struct, frozen=True):
    """What one placement shows of an offer, to readers of some languages."""

    look: str
    languages: tuple[str, ...]
    """Empty = everybody else."""
    only: bool
    """Whether it is the only one at its placement."""
    title: str
    lines: tuple[str, ...]
    price: str
    rest: tuple[tuple[str, Any], ...]
    """What is left of the content, as a touchpoint gets it."""


class Spot(Struct, frozen=True):
    """A placement and an offer: what it shows of it, or why never."""

    placement: Placement
    refusal: str
    showings: tuple[Showing, ...]


EVERYWHERE = Placement("", "Wherever it is asked for")


def spots(offer: Offer, catalogue: Catalogue) -> list[Spot]:
    """Every placement, those that may show the offer first; where none is declared, those that it names.

    >>> [spot.placement.id for spot in spots(Offer(id="a", name="A", placements=("till",)), Catalogue())]
    ['till']
    """
    declared = catalogue.placements
    if not declared:
        declared = tuple(Placement(name, words.trait(name)) for name in offer.placements) or (EVERYWHERE,)
    found = [Spot(place, refusal(place, offer), ()) for place in declared]
    shown = [
        Spot(one.placement, "", tuple(_showings(offer, one.placement))) for one in found if not one.refusal
    ]
    return [*shown, *(one for one in found if one.refusal)]


def _showings(offer: Offer, place: Placement) -> Iterator[Showing]:
    found = list(showings(offer, place.id))
    for number, content in found:
        languages = () if number is None else offer.variants[number].languages
        yield shown(content, LOOKS.get(place.channel, "card"), languages, only=len(found) == 1)


def shown(
    content: Mapping[str, Any], look: str, languages: tuple[str, ...] = (), *, only: bool = True
) -> Showing:
    """Content as a touchpoint of some look may lay it out: keys that it is likely to know, and all the rest by name.

    >>> shown({"title": "Tea", "price": "4.50", "currency": "EUR", "sku": "P1"}, "card").price
    '€4.50'
    """
    texts = [key for key in _LAID_OUT.get(look, _ON_SCREEN) if _is_text(content.get(key))]
    first, lines = (texts[0], texts[1:]) if texts else ("", [])
    price = _price(content)
    used = {first, *lines, *(("price", "currency") if price else ())}
    return Showing(
        look,
        languages,
        only,
        str(content.get(first, "")),
        tuple(str(content[key]) for key in lines),
        price,
        tuple((key, value) for key, value in content.items() if key not in used),
    )


def _price(content: Mapping[str, Any]) -> str:
    """The price with its currency; empty when it is no plain amount, and then stands with the rest."""
    price, currency = content.get("price"), content.get("currency", "")
    good = (
        isinstance(price, str | int | float) and _AMOUNT.fullmatch(str(price)) and isinstance(currency, str)
    )
    return words.money(str(price), currency) if good else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def refusals(spots: Iterable[Spot]) -> list[tuple[str, list[Placement]]]:
    """Reasons with the placements that never show an offer for it."""
    found: dict[str, list[Placement]] = {}
    for spot in spots:
        if spot.refusal:
            found.setdefault(spot.refusal, []).append(spot.placement)
    return list(found.items())


def condition_said(condition: Condition) -> str:
    """A condition as a sentence of its own.

    >>> condition_said(Condition("totals.orders", ">=", 2)), condition_said(Condition("context.weather", "=", "rain"))
    ('Has bought at least 2 times', 'Only when weather is rain here and now')
    """
    said = sentence(condition)
    return said[:1].upper() + said[1:] if is_personal(condition.field) else f"Only when {said}"


def state(offer: Offer, now: int) -> tuple[str, str]:
    """Whether an offer holds now: class and text of its pill, empty when it does.

    >>> state(Offer(id="a", name="A", valid_until=5), 9)
    ('', 'Over')
    """
    if offer.valid_from is not None and now < offer.valid_from:
        return "warn", "Not yet"
    if offer.valid_until is not None and now >= offer.valid_until:
        return "", "Over"
    return "", ""


def found(catalogue: Catalogue, query: str, placement: str) -> list[Offer]:
    """The offers that hold a text anywhere people write, and that a placement may show.

    >>> [one.id for one in found(Catalogue((Offer(id="tea", name="Tea"), Offer(id="mug", name="Mug"))), "TEA", "")]
    ['tea']
    """
    place = next((one for one in catalogue.placements if one.id == placement), None)
    wanted = query.casefold().split()
    rows = (offer for offer in catalogue.offers if place is None or not refusal(place, offer))
    return [offer for offer in rows if all(word in _text(offer) for word in wanted)]


def _text(offer: Offer) -> str:
    contents = [offer.content, *(variant.content for variant in offer.variants)]
    texts = [str(value) for content in contents for value in content.values()]
    return " ".join([offer.id, offer.name, offer.family, *offer.products, *texts]).casefold()
