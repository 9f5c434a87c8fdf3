"""What of an offer is shown where: the first variant that fits, laid over the offer's own content."""

from collections.abc import Iterator
from typing import Any

from patron.model.offers import Offer, Placement, Variant

ELSEWHERE, OTHER_FAMILY, BARE, NOT_SENT = 0, 1, 2, 3
"""What may be in the way: it is for other places; this place shows other families; content that it needs is lacking; a
send brings others."""


def content_for(offer: Offer, placement: str, language: str = "") -> dict[str, Any]:
    """What a placement shows of an offer to somebody who reads a language (RFC 5646; empty when unknown).

    >>> tea = Offer(id="tea", name="Tea", content={"title": "Tea", "price": "4.50"}, variants=(
    ...     Variant({"title": "Tè"}, languages=("it",)), Variant({"title": "A tea?"}, placements=("till",))))
    >>> content_for(tea, "till", "it-CH"), content_for(tea, "till", "de"), content_for(tea, "web_home")["title"]
    ({'title': 'Tè', 'price': '4.50'}, {'title': 'A tea?', 'price': '4.50'}, 'Tea')
    """
    for variant in offer.variants:
        if fits(variant, placement, language):
            return {**offer.content, **variant.content}
    return offer.content


def fits(variant: Variant, placement: str, language: str = "") -> bool:
    """Whether a variant is for a placement and a language; one for some languages is not for an unknown one.

    >>> fits(Variant({}, languages=("it",)), "till", "IT-ch"), fits(Variant({}, languages=("it-CH",)), "till", "it")
    (True, False)
    """
    if variant.placements and placement not in variant.placements:
        return False
    return not variant.languages or any(speaks(language, wanted) for wanted in variant.languages)


def speaks(language: str, wanted: str) -> bool:
    """Whether a language is a wanted one or a narrower form of it: basic filtering of RFC 4647, 3.3.1.

    >>> speaks("it-CH", "it"), speaks("it", "it-CH"), speaks("ita", "it")
    (True, False, False)
    """
    said, asked = language.lower().replace("_", "-"), wanted.lower()
    return said == asked or said.startswith(f"{asked}-")


def missing(offer: Offer, placement: Placement) -> Iterator[tuple[int | None, str]]:
    """What a placement needs and an offer lacks there: (which variant shows it, None = its own content; the name).

    A text of nothing but blanks counts as missing.

    >>> bare = Offer(id="a", name="A", variants=(Variant({"title": "A"}, languages=("it",)),))
    >>> list(missing(bare, Placement("till", "Till", needs=("title",))))
    [(None, 'title')]
    """
    for number, content in showings(offer, placement.id):
        for name in placement.needs:
            value = content.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                yield number, name


def showings(offer: Offer, placement: str) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """Everything that a placement may come to show of an offer, to whatever language: (which variant, the content).

    None stands for the offer's own content; it comes last, and not at all when a variant is for everybody.

    >>> tea = Offer(id="tea", name="Tea", content={"title": "Tea"}, variants=(Variant({"title": "Tè"}, languages=("it",)),))
    >>> list(showings(tea, "till"))
    [(0, {'title': 'Tè'}), (None, {'title': 'Tea'})]
    """
    for number, variant in enumerate(offer.variants):
        if not variant.placements or placement in variant.placements:
            yield number, {**offer.content, **variant.content}
            if not variant.languages:
                return
    yield None, offer.content


def refusal(placement: Placement, offer: Offer) -> str:
    """Why a placement can never show an offer, in a sentence; empty when it may.

    >>> web = Placement("web_home", "Home page", families=("coffee",))
    >>> refusal(web, Offer(id="a", name="A", family="coffee")), refusal(web, Offer(id="b", name="B"))
    ('', 'Shows only the families coffee')
    """
    said = obstacle(placement, offer)
    if said == ELSEWHERE:
        return f"Only for {', '.join(offer.placements)}"
    if said == OTHER_FAMILY:
        return f"Shows only the families {', '.join(placement.families)}"
    lacks = list(dict.fromkeys(name for _, name in missing(offer, placement)))
    return f"Needs {', '.join(lacks)}, which its content lacks" if said == BARE else ""


def obstacle(placement: Placement, offer: Offer) -> int | None:
    """The first thing in the way of showing an offer at a placement, as the gate `placement` numbers it; None: nothing."""
    if offer.placements and placement.id not in offer.placements:
        return ELSEWHERE
    if placement.families and offer.family not in placement.families:
        return OTHER_FAMILY
    return BARE if any(missing(offer, placement)) else None


def allows(placement: Placement, offer: Offer) -> bool:
    """Whether a placement may ever show an offer: it is for it, of a family shown there, with all that is needed.

    >>> allows(Placement("till", "Till", needs=("say",)), Offer(id="a", name="A", content={"say": "Tea?"}))
    True
    """
    return obstacle(placement, offer) is None
