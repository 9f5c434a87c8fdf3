"""What one part of a catalogue says of another: names that are not declared, and parts that can never meet."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Sequence

from patron.decide.variants import allows, missing, speaks
from patron.model.errors import Fault
from patron.model.offers import Catalogue, Offer, Placement, Variant


def broken(catalogue: Catalogue, segments: Collection[str] | None = None) -> Iterator[Fault]:
    """Every broken reference. `segments` are the ids of those that exist; None = nobody knows here.

    >>> two = Catalogue((Offer(id="tea", name="Tea", placements=("tlil",)),), (Placement("till", "Till"),))
    >>> [f"{f.path}: {f.problem}" for f in broken(two)]
    ['offer[0].placements[0]: there is no placement `tlil`; did you mean `till`?']
    """
    places = {one.id: one for one in catalogue.placements}
    for at, offer in enumerate(catalogue.offers):
        yield from _offer(offer, f"offer[{at}]", places)
        yield from _hidden(offer.variants, f"offer[{at}]")
        if segments is not None:
            yield from _unknown(offer.segments, segments, f"offer[{at}].segments", "segment")
            yield from _unknown(offer.not_segments, segments, f"offer[{at}].not_segments", "segment")
    yield from _filters(catalogue)
    yield from _fallbacks(catalogue)


def _offer(offer: Offer, path: str, places: dict[str, Placement]) -> Iterator[Fault]:
    if places:
        yield from _unknown(offer.placements, places, f"{path}.placements", "placement")
    for at, name in enumerate(offer.placements):
        if name in places:
            yield from _unfit(offer, places[name], path, at)
    for number, variant in enumerate(offer.variants):
        where = f"{path}.variant[{number}].placements"
        if offer.placements:
            yield from _unknown(variant.placements, offer.placements, where, "placement of this offer")
        elif places:
            yield from _unknown(variant.placements, places, where, "placement")


def _unfit(offer: Offer, place: Placement, path: str, at: int) -> Iterator[Fault]:
    """Why an offer cannot be shown at a placement that it names."""
    if place.families and offer.family not in place.families:
        mine = f"is of `{offer.family}`" if offer.family else "has no family"
        said = f"`{place.id}` shows only the families {', '.join(place.families)}, and this offer {mine}"
        yield Fault(f"{path}.placements[{at}]", said)
    for number, name in missing(offer, place):
        where = f"{path}.content" if number is None else f"{path}.variant[{number}].content"
        yield Fault(f"{where}.{name}", f"is missing: `{place.id}` cannot show this offer without it")


def _hidden(variants: Sequence[Variant], path: str) -> Iterator[Fault]:
    """Variants that an earlier one always goes before."""
    for number, variant in enumerate(variants):
        earlier = next((at for at in range(number) if _covers(variants[at], variant)), None)
        if earlier is not None:
            said = (
                f"is never shown: variant[{earlier}] fits wherever this one does; put the narrower one first"
            )
            yield Fault(f"{path}.variant[{number}]", said)


def _covers(wide: Variant, narrow: Variant) -> bool:
    if wide.placements and not (narrow.placements and {*narrow.placements} <= {*wide.placements}):
        return False
    if not wide.languages:
        return True
    return bool(narrow.languages) and all(
        any(speaks(one, other) for other in wide.languages) for one in narrow.languages
    )


def _filters(catalogue: Catalogue) -> Iterator[Fault]:
    offers = [one.id for one in catalogue.offers]
    families = list(dict.fromkeys(one.family for one in catalogue.offers if one.family))
    for at, placement in enumerate(catalogue.placements):
        yield from _unknown(placement.families, families, f"placement[{at}].families", "family of any offer")
    for at, cap in enumerate(catalogue.caps):
        yield from _unknown(cap.families, families, f"cap[{at}].families", "family of any offer")
    for at, weight in enumerate(catalogue.scoring.weights):
        yield from _unknown(weight.offers, offers, f"scoring.weight[{at}].offers", "offer")
        yield from _unknown(
            weight.families, families, f"scoring.weight[{at}].families", "family of any offer"
        )


def _fallbacks(catalogue: Catalogue) -> Iterator[Fault]:
    by_id = {one.id: one for one in catalogue.offers}
    for at, placement in enumerate(catalogue.placements):
        if not placement.fallback:
            continue
        path = f"placement[{at}].fallback"
        offer = by_id.get(placement.fallback)
        if offer is None:
            yield Fault(path, _said(placement.fallback, by_id, "offer"))
        elif not allows(placement, offer):
            yield Fault(path, f"`{offer.id}` may not be shown here: see its placements, family and content")


def _unknown(names: Iterable[str], known: Collection[str], path: str, thing: str) -> Iterator[Fault]:
    for at, name in enumerate(names):
        if name not in known:
            yield Fault(f"{path}[{at}]", _said(name, known, thing))


def _said(name: str, known: Collection[str], thing: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"there is no {thing} `{name}`; did you mean `{near[0]}`?"
    some = ", ".join(sorted(known)[:8])
    return f"there is no {thing} `{name}`; there is {some}" if some else f"there is no {thing} `{name}`"
