"""The gates that an offer meets, in order, and why each stops it, in a sentence."""

import datetime as dt
from collections.abc import Callable

from patron.decide.limits import CLOSED, HELD_OTHER, IN_ALL, NIGHT, SERVICE, TODAY, USED, cap_words
from patron.decide.variants import BARE, ELSEWHERE, NOT_SENT, OTHER_FAMILY
from patron.model.clock import DAY
from patron.model.offers import Catalogue, Condition, Offer
from patron.rules.language import is_personal
from patron.rules.sentences import sentence

GATES = (
    *("placement", "channel", "validity", "consent", "identity", "conditions", "stock"),
    *("audience", "complaint", "quiet", "held", "cooldown", "cap", "fatigue", "budget", "sold_out"),
    *("score", "holdout"),
)
"""In the order in which an offer meets them; it is dropped by the first that stops it. Records name a gate by its place."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EARLY, LATE = 0, 1
REFUSED, UNASKED = 0, 1
OUTSIDE, INSIDE = 0, 1
"""Reasons of the gate `audience`."""
HELD_OUT, HELD_OUT_HERE, HELD_OUT_SEND = 0, 1, 2
"""Reasons of the gate `holdout`."""


def product_of(offer: Offer) -> str:
    """The product that an offer sells: the first of its products, else `sku` or `product_id` of its content; may be empty.

    >>> product_of(Offer(id="a", name="A", content={"sku": "P0101"}))
    'P0101'
    """
    if offer.products:
        return offer.products[0]
    named = offer.content.get("sku") or offer.content.get("product_id") or offer.content.get("productId")
    return named if isinstance(named, str) else ""


def reason_of(catalogue: Catalogue, offer: Offer, gate: str, detail: int) -> str:
    """Why a gate stops an offer, in a sentence. ValueError for a gate or condition that the offer does not have.

    >>> mug = Offer(id="mug", name="Mug", placements=("till", "kiosk"))
    >>> reason_of(Catalogue((mug,)), mug, "placement", 0)
    'Only for till, kiosk'
    """
    if gate == "conditions" and 0 <= detail < len(offer.conditions):
        return condition_reason(offer.conditions[detail])
    if gate == "cap" and 0 <= detail < len(catalogue.caps):
        return f"Cap reached: {cap_words(catalogue.caps[detail])}"
    said = _REASONS.get((gate, detail))
    if said is None:
        raise ValueError(f"offer `{offer.id}` has no reason {detail} at the gate `{gate}`")
    return said(offer)


_REASONS: dict[tuple[str, int], Callable[[Offer], str]] = {
    ("placement", ELSEWHERE): lambda offer: f"Only for {', '.join(offer.placements)}",
    ("placement", OTHER_FAMILY): lambda _offer: "This place shows other families only",
    ("placement", BARE): lambda _offer: "Lacks content that this place needs",
    ("placement", NOT_SENT): lambda _offer: "Not among the offers of this send",
    ("channel", 0): lambda offer: f"Only in {', '.join(offer.channels)}",
    ("validity", EARLY): lambda offer: f"Starts on {_day(offer.valid_from)}",
    ("validity", LATE): lambda offer: f"Ended on {_day(offer.valid_until, 1)}",
    ("consent", REFUSED): lambda offer: f"Refused {offer.purpose}",
    ("consent", UNASKED): lambda offer: f"No consent to {offer.purpose}, which needs a yes first",
    ("identity", 0): lambda _offer: "Rests on personal data, and who asks is not proven",
    ("stock", 0): lambda offer: f"Out of stock in this store: {product_of(offer)}",
    ("audience", OUTSIDE): lambda offer: f"Only for {' or '.join(offer.segments)}",
    ("audience", INSIDE): lambda offer: f"Not for {' or '.join(offer.not_segments)}",
    ("complaint", 0): lambda _offer: "A complaint is open: nothing is advertised until it is closed",
    ("quiet", NIGHT): lambda _offer: "Quiet hours where this person is",
    ("quiet", CLOSED): lambda _offer: "None of the hours of this send is left where this person is",
    ("held", HELD_OTHER): lambda offer: f"Already holds another offer of the family {offer.family}",
    ("held", USED): lambda offer: f"Already used {'an offer of this family' if offer.family else 'it'}",
    ("cooldown", 0): lambda offer: f"Given less than {offer.cooldown_hours} hours ago",
    ("fatigue", 0): lambda _offer: "Seen often lately without a click",
    ("budget", IN_ALL): lambda offer: f"Its budget of {offer.budget:g} is spent",
    ("budget", TODAY): lambda offer: f"Its budget of {offer.daily_budget:g} a day is spent",
    ("sold_out", 0): lambda offer: f"All {offer.stock} are given",
    ("score", 0): lambda _offer: "The formula gives it no number",
    ("holdout", HELD_OUT): lambda _offer: (
        "This person is held out from marketing, so that its effect can be measured"
    ),
    ("holdout", HELD_OUT_HERE): lambda _offer: "This person is held out from this place",
    ("holdout", HELD_OUT_SEND): lambda _offer: "This person is held out from this send",
}


def condition_reason(condition: Condition) -> str:
    """Why an offer was dropped by a condition.

    >>> condition_reason(Condition("totals.orders", ">=", 2))
    'Only for someone who has bought at least 2 times'
    """
    said = sentence(condition)
    return f"Only for someone who {said}" if is_personal(condition.field) else f"Only when {said}"


def is_marketing(offer: Offer) -> bool:
    """Whether limits and holdouts of marketing stop it.

    >>> is_marketing(Offer(id="bill", name="Your bill", purpose="service"))
    False
    """
    return offer.purpose != SERVICE


def _day(moment: int | None, back: int = 0) -> str:
    """A day in words; `back` ms before, so that an end at midnight names the last day it held."""
    try:
        day = _EPOCH + dt.timedelta(milliseconds=(moment or 0) - back)
    except OverflowError:
        return f"day {(moment or 0) // DAY}"
    return f"{day.day} {day:%B %Y}"
