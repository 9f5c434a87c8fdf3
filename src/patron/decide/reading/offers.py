"""Reading offers and their variants."""

from typing import Any

from patron.decide.reading.conditions import conditions_of
from patron.decide.reading.fields import Problems, content_of, instant_of, names_of
from patron.decide.reading.scalars import (
    id_of,
    languages_of,
    number_of,
    text_of,
    whole_of,
)
from patron.decide.reading.tables import Reader, Table
from patron.decide.slots import slot_problem
from patron.model.events import CHANNELS
from patron.model.offers import NOTHING, Offer, Variant

MAX_VARIANTS = 100
MOST = 1_000_000_000
"""The largest amount of money and the largest count."""
LONGEST_PAUSE = 24 * 366 * 10
"""Hours of the longest cool-down: ten years."""
HIGHEST, LOWEST = 10.0, 0.1
"""Bounds of the business's lever."""


def offer_of(table: Table) -> Offer:
    """One offer; what is wrong is noted and left at its default."""
    good = table.read(_READERS, required=("id", "name"), nested=("variant",))
    good["variants"] = tuple(
        _variant(one) for one in table.rows("variant", MAX_VARIANTS, "[[offer.variant]]")
    )
    offer = Offer(**{"id": "", "name": "", **good})
    if (
        offer.valid_from is not None
        and offer.valid_until is not None
        and offer.valid_until <= offer.valid_from
    ):
        table.fault("valid_until", "lies before `valid_from`: nobody could ever get this offer")
    for at, segment in enumerate(offer.not_segments):
        if segment in offer.segments:
            table.fault(
                f"not_segments[{at}]", f"`{segment}` is in `segments` too: nobody is in and out of it"
            )
    if (offer.budget is not None or offer.daily_budget is not None) and not offer.cost:
        key = "budget" if offer.budget is not None else "daily_budget"
        table.fault(key, "is spent at `cost` for each one given, and there is none: say what one costs")
    return offer


def _variant(table: Table) -> Variant:
    good = table.read(_VARIANT_READERS, required=("content",))
    variant = Variant(**{"content": {}, **good})
    if "content" in table.row and isinstance(table.row["content"], dict) and not variant.content:
        table.fault("content", "is empty: it would show just what the offer shows")
    return variant


def _offer_id(value: Any) -> tuple[str, Problems]:
    if value == NOTHING:
        return NOTHING, [("", "`nothing` is always a candidate by itself; choose another id")]
    return id_of(value)


def _because(value: Any) -> tuple[str, Problems]:
    if value == "":
        return "", []
    text, problems = text_of(value, 300)
    problem = None if problems else slot_problem(text)
    return text, [("", problem)] if problem else problems


def _family(value: Any) -> tuple[str, Problems]:
    return ("", []) if value == "" else id_of(value)


def _money(value: Any) -> tuple[float, Problems]:
    return number_of(value, 0, MOST)


_READERS: dict[str, Reader] = {
    "id": _offer_id,
    "name": lambda v: text_of(v, 200),
    "purpose": lambda v: text_of(v, 64),
    "because": _because,
    "placements": lambda v: names_of(v, None),
    "channels": lambda v: names_of(v, CHANNELS),
    "content": content_of,
    "conditions": conditions_of,
    "valid_from": lambda v: instant_of(v, until=False),
    "valid_until": lambda v: instant_of(v, until=True),
    "segments": lambda v: names_of(v, None),
    "not_segments": lambda v: names_of(v, None),
    "family": _family,
    "products": lambda v: names_of(v, None),
    "value": _money,
    "cost": _money,
    "margin": lambda v: number_of(v, 0, 1),
    "priority": lambda v: number_of(v, LOWEST, HIGHEST),
    "stock": lambda v: whole_of(v, 0, MOST),
    "budget": _money,
    "daily_budget": _money,
    "cooldown_hours": lambda v: whole_of(v, 0, LONGEST_PAUSE),
}
_VARIANT_READERS: dict[str, Reader] = {
    "content": content_of,
    "placements": lambda v: names_of(v, None),
    "languages": languages_of,
}
