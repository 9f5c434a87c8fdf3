"""Why this and why not that, for console and API, from the record alone."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from patron.decide.gates import GATES, product_of, reason_of
from patron.decide.index import CatalogueIndex
from patron.decide.rating import propensities, scores_of
from patron.decide.variants import content_for
from patron.model.offers import NOTHING, Decision, Dropped

_STEPS = {
    "placement": "Right place",
    "channel": "Right channel",
    "validity": "Right time",
    "consent": "Consent",
    "identity": "Proven identity",
    "conditions": "Allowed by rule",
    "stock": "In stock here",
    "audience": "In its segments",
    "complaint": "No open complaint",
    "quiet": "Outside quiet hours",
    "held": "Not held or used already",
    "cooldown": "Rested long enough",
    "cap": "Below every cap",
    "fatigue": "Not worn out",
    "budget": "Budget left",
    "sold_out": "Some left to give",
    "score": "Has a score",
    "holdout": "Not held out",
}


class Step(Struct, frozen=True):
    """One gate of the way from all offers to those that were drawn from."""

    gate: str
    name: str
    dropped: int
    left: int


def why(decision: Decision) -> str:
    """One sentence: why this action (or nothing) was given.

    >>> why(Decision("d", 0, "n", "p", "till", "pos", "tea", .5, "treated", .5, "tea", reasons=("It rains", "Drawn")))
    'It rains. Drawn.'
    """
    return " ".join(f"{reason.rstrip('.')}." for reason in decision.reasons)


def why_not(decision: Decision, offer: str) -> str:
    """One sentence: what happened to an offer in this decision.

    >>> why_not(Decision("d", 0, "n", "p", "till", "pos", "tea", .5, "treated", .5, "tea"), "mug")
    'It was not in the catalogue at that time.'
    """
    if offer == decision.action:
        held = decision.group == "control" and offer == NOTHING
        return "Nothing was shown: this person is held out." if held else "It was chosen."
    for drop in decision.dropped:
        if drop.offer == offer:
            gate = _STEPS.get(drop.gate, drop.gate).lower()
            return f"Dropped: {drop.reason}." if drop.reason else f"Dropped at the gate “{gate}”."
    if offer not in decision.eligible:
        return "It was not in the catalogue at that time."
    if decision.group == "control":
        would = " It would have been chosen otherwise." if offer == decision.would else ""
        return f"It was allowed, but this person is held out.{would}"
    return _lost(decision, offer)


def _lost(decision: Decision, offer: str) -> str:
    """Why an offer that was allowed was not drawn."""
    count = len(decision.eligible)
    rating = decision.rating
    if rating is None or not rating.widest:
        return f"It was allowed, but lost the draw: one of {count} with equal chances."
    at = decision.eligible.index(offer)
    chance, scores = float(propensities(rating)[at]), scores_of(rating)
    rank = 1 + int((scores > scores[at]).sum())
    behind = (
        f"; it was shown behind it, as number {decision.slate.index(offer) + 2}"
        if offer in decision.slate
        else ""
    )
    return f"It was allowed and came {_ordinal(rank)} of {count} by score, with a chance of {chance:.2g}{behind}."


def _ordinal(number: int) -> str:
    """
    >>> [_ordinal(n) for n in (1, 2, 3, 4, 11, 22)]
    ['1st', '2nd', '3rd', '4th', '11th', '22nd']
    """
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def funnel(decision: Decision) -> list[Step]:
    """How many offers each gate let through, in gate order; `nothing` is not counted.

    >>> one = Decision("d", 0, "n", "p", "till", "pos", "tea", .5, "treated", .5, "tea", candidates=("tea", "nothing"))
    >>> {step.left for step in funnel(one)}
    {1}
    """
    left = sum(candidate != NOTHING for candidate in decision.candidates)
    steps = []
    for gate in GATES:
        dropped = sum(drop.gate == gate for drop in decision.dropped)
        left -= dropped
        steps.append(Step(gate, _STEPS[gate], dropped, left))
    return steps


def restore(decision: Decision, index: CatalogueIndex) -> Decision:
    """A decoded record with its content and the sentence of each drop, from the catalogue it was made with.

    Raises
    ------
    ValueError : `index` is another version of the catalogue.
    """
    if decision.catalogue != index.version:
        raise ValueError(
            f"decision {decision.id} was made with catalogue {decision.catalogue}, this is {index.version}"
        )
    offer = index.by_id.get(decision.action)
    stock = {field: told for field, *told in decision.used if field.startswith(_STOCK)}
    dropped = tuple(structs.replace(drop, reason=_reason(index, drop, stock)) for drop in decision.dropped)
    content = content_for(offer, decision.placement, decision.language) if offer else {}
    return structs.replace(decision, dropped=dropped, content=content)


_STOCK = "stock.quantity@"


def _reason(index: CatalogueIndex, drop: Dropped, stock: Mapping[str, Any]) -> str:
    """Why an offer fell; for want of stock, with how many there were and since when that was known."""
    offer = index.by_id[drop.offer]
    reason = reason_of(index.catalogue, offer, drop.gate, drop.detail)
    told = stock.get(f"{_STOCK}{product_of(offer)}") if drop.gate == "stock" else None
    if told is None:
        return reason
    known = dt.datetime.fromtimestamp(told[1] / 1000, dt.UTC)
    return f"{reason}, {told[0]} as known on {known.day} {known:%B %Y, %H:%M} UTC"
