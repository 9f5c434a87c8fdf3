"""A catalogue prepared for asking: one bit per offer, so that a gate is a few integer operations.

Bit i of a mask is offer i of the catalogue. Placements, channels and purposes are masks made once, conditions cost one
look-up per field, and the sentence of every possible drop exists before anyone asks.
"""

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import cast

from patron.decide.catalogue import version
from patron.decide.slots import is_personal_slot, slots
from patron.model.clock import DAY
from patron.model.offers import NOTHING, Catalogue, Condition, Dropped, Offer
from patron.rules.index import FieldIndex
from patron.rules.language import is_personal
from patron.rules.sentences import sentence

GATES = ("placement", "channel", "validity", "consent", "identity", "conditions", "stock")
"""The gates in the order in which an offer meets them; it is dropped by the first that stops it."""

_BITS = bytes.maketrans(b"01", b"\x00\x01")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_REMEMBERED = 512
"""Sets of survivors whose names are kept: people differ in few answers to the same conditions."""
_SPOKEN = 3
"""Conditions that are told as reasons."""


class CatalogueIndex:
    """Offers with their masks. Make one whenever the catalogue or the consent policy changes, and keep it.

    Parameters
    ----------
    offers : the catalogue, or just its offers, with unique ids.
    opt_in : purposes that need an explicit yes; all others need the absence of a no.

    Raises
    ------
    ValueError : two offers share an id, or a condition does not pass `check`.

    >>> index = CatalogueIndex([Offer(id="tea", name="Tea"), Offer(id="mug", name="Mug", placements=("till",))])
    >>> index.candidates, index.named(0b10)
    (('tea', 'mug', 'nothing'), ('mug',))
    """

    def __init__(self, offers: Catalogue | Iterable[Offer], opt_in: Iterable[str] = ()) -> None:
        self.catalogue = offers if isinstance(offers, Catalogue) else Catalogue(tuple(offers))
        self.offers = self.catalogue.offers
        self.opt_in = frozenset(opt_in)
        self.ids = tuple(offer.id for offer in self.offers)
        self.by_id = {offer.id: offer for offer in self.offers}
        if len(self.by_id) < len(self.ids) or NOTHING in self.by_id:
            raise ValueError(
                f"offer ids must be unique and none may be `{NOTHING}`; check the catalogue first"
            )
        self.version = version(self.catalogue, self.opt_in)
        self.candidates = (*self.ids, NOTHING)
        self.places = {**{name: place for place, name in enumerate(self.ids)}, NOTHING: -1}
        """Id -> bit; -1 for `nothing`."""
        self.all = (1 << len(self.offers)) - 1
        self.placements = _Masks([offer.placements for offer in self.offers])
        self.channels = _Masks([offer.channels for offer in self.offers])
        self._turns, self._outside = _calendar(self.offers)
        self.purposes = tuple(_Masks([(offer.purpose,) for offer in self.offers]).by_name.items())
        self.personal = _mask(is_personal_offer(offer) for offer in self.offers)
        self.levels = _levels(self.offers)
        self.products = _products(self.offers)
        """Product -> mask of the offers of it."""
        reasons = [*_REASONS, *(("conditions", level) for level in range(len(self.levels)))]
        self._drops = {reason: _drops(self.offers, *reason) for reason in reasons}
        self._choices: dict[int, tuple[str, ...]] = {}
        self._spoken: dict[str, tuple[str, ...]] = {}

    def named(self, mask: int) -> tuple[str, ...]:
        """The ids of a mask, in catalogue order."""
        return tuple(compress(self.ids, _chosen(mask)))

    def choices(self, mask: int) -> tuple[str, ...]:
        """The ids of a mask, in catalogue order, and `nothing`: what is drawn from."""
        found = self._choices.get(mask)
        if found is None:
            if len(self._choices) >= _REMEMBERED:
                self._choices.clear()
            found = self._choices[mask] = (*self.named(mask), NOTHING)
        return found

    def spoken(self, offer: Offer) -> tuple[str, ...]:
        """The first conditions of an offer of this catalogue, each as a sentence of its own."""
        found = self._spoken.get(offer.id)
        if found is None:
            said = (sentence(condition) for condition in offer.conditions[:_SPOKEN])
            found = self._spoken[offer.id] = tuple(text[:1].upper() + text[1:] for text in said)
        return found

    def outside(self, now: int) -> tuple[int, int]:
        """The masks of offers that have not begun at `now`, and of those that are over."""
        return self._outside[bisect_right(self._turns, now)]

    def drops(self, mask: int, gate: str, detail: int = 0) -> Iterable[Dropped]:
        """The drops of a mask at a gate; `detail` is which of its reasons, or which condition (from 0)."""
        return cast("Iterable[Dropped]", compress(self._drops[gate, detail], _chosen(mask)))


def is_personal_offer(offer: Offer) -> bool:
    """Whether showing an offer (or its reason) tells something about the person beyond this ask.

    >>> is_personal_offer(Offer(id="a", name="A", because="It rains: {context.weather}"))
    False
    >>> is_personal_offer(Offer(id="a", name="A", conditions=(Condition("totals.orders", ">", 3),)))
    True
    """
    return any(is_personal(c.field) for c in offer.conditions) or any(
        map(is_personal_slot, slots(offer.because))
    )


class _Masks:
    """Which offers allow a name: those that list it, and those that list none (all)."""

    def __init__(self, lists: Sequence[tuple[str, ...]]) -> None:
        self.everyone = _mask(not names for names in lists)
        known = dict.fromkeys(name for names in lists for name in names)
        self.by_name = {name: self.everyone | _mask(name in names for names in lists) for name in known}

    def allowing(self, name: str) -> int:
        return self.by_name.get(name, self.everyone)


def _calendar(offers: Sequence[Offer]) -> tuple[list[int], list[tuple[int, int]]]:
    """Every moment at which an offer begins or ends, and the (early, late) masks between those moments."""
    begins: defaultdict[int, int] = defaultdict(int)
    ends: defaultdict[int, int] = defaultdict(int)
    early = late = 0
    for i, offer in enumerate(offers):
        if offer.valid_from is not None:
            begins[offer.valid_from] |= 1 << i
            early |= 1 << i
        if offer.valid_until is not None:
            ends[offer.valid_until] |= 1 << i
    turns = sorted({*begins, *ends})
    outside = [(early, late)]
    for turn in turns:
        early &= ~begins.get(turn, 0)
        late |= ends.get(turn, 0)
        outside.append((early, late))
    return turns, outside


def _mask(bits: Iterable[bool]) -> int:
    return sum(1 << i for i, bit in enumerate(bits) if bit)


def _chosen(mask: int) -> bytes:
    """Bit i of the mask as byte i: what `compress` takes, at C speed."""
    return bin(mask)[:1:-1].encode().translate(_BITS)


def product_of(offer: Offer) -> str:
    """The product that an offer sells: `sku` or `product_id` of its content; empty when it sells none.

    >>> product_of(Offer(id="a", name="A", content={"sku": "P0101"}))
    'P0101'
    """
    named = offer.content.get("sku") or offer.content.get("product_id") or offer.content.get("productId")
    return named if isinstance(named, str) else ""


def _products(offers: Sequence[Offer]) -> dict[str, int]:
    found: dict[str, int] = {}
    for i, offer in enumerate(offers):
        product = product_of(offer)
        if product:
            found[product] = found.get(product, 0) | 1 << i
    return found


def _of_product(condition: Condition, offer: Offer) -> Condition:
    """A condition on the stock of whatever the offer sells, as one on the stock of that product."""
    product = product_of(offer)
    if not product or not condition.field.startswith("stock.") or "@" in condition.field:
        return condition
    return Condition(f"{condition.field}@{product}", condition.op, condition.value)


def _levels(offers: Sequence[Offer]) -> tuple[tuple[FieldIndex, ...], ...]:
    """For the first, second, ... condition of all offers together: one index per field, its masks are offers."""
    depth = max((len(offer.conditions) for offer in offers), default=0)
    levels: list[dict[str, list[tuple[Condition, int]]]] = [{} for _ in range(depth)]
    for i, offer in enumerate(offers):
        for level, condition in enumerate(offer.conditions):
            asked = _of_product(condition, offer)
            levels[level].setdefault(asked.field, []).append((asked, 1 << i))
    return tuple(tuple(FieldIndex(field, rows) for field, rows in level.items()) for level in levels)


EARLY, LATE = 0, 1
REFUSED, UNASKED = 0, 1
_DETAILS = {"placement": 1, "channel": 1, "validity": 2, "consent": 2, "identity": 1, "stock": 1}
"""How many reasons a gate has; `Dropped.detail` says which one it was, so a record need not hold the sentence."""


def reason_of(offer: Offer, gate: str, detail: int) -> str:
    """Why a gate stops an offer, in a sentence. ValueError for a gate or condition that the offer does not have.

    >>> reason_of(Offer(id="mug", name="Mug", placements=("till", "kiosk")), "placement", 0)
    'Only for till, kiosk'
    """
    if gate == "conditions" and 0 <= detail < len(offer.conditions):
        return condition_reason(offer.conditions[detail])
    if gate not in _DETAILS or not 0 <= detail < _DETAILS[gate]:
        raise ValueError(f"offer `{offer.id}` has no reason {detail} at the gate `{gate}`")
    return _REASONS[gate, detail](offer)


_REASONS: dict[tuple[str, int], Callable[[Offer], str]] = {
    ("placement", 0): lambda offer: f"Only for {', '.join(offer.placements)}",
    ("channel", 0): lambda offer: f"Only in {', '.join(offer.channels)}",
    ("validity", EARLY): lambda offer: f"Starts on {_day(offer.valid_from)}",
    ("validity", LATE): lambda offer: f"Ended on {_day(offer.valid_until, 1)}",
    ("consent", REFUSED): lambda offer: f"Refused {offer.purpose}",
    ("consent", UNASKED): lambda offer: f"No consent to {offer.purpose}, which needs a yes first",
    ("stock", 0): lambda offer: f"Out of stock in this store: {product_of(offer)}",
    ("identity", 0): lambda _offer: "Rests on personal data, and who asks is not proven",
}


def _drops(offers: Sequence[Offer], gate: str, detail: int) -> list[Dropped | None]:
    """The drop of every offer for one reason; None where an offer has no such condition."""
    fits = [gate != "conditions" or detail < len(offer.conditions) for offer in offers]
    return [
        Dropped(offer.id, gate, reason_of(offer, gate, detail), detail) if fit else None
        for offer, fit in zip(offers, fits, strict=True)
    ]


def condition_reason(condition: Condition) -> str:
    """Why an offer was dropped by a condition.

    >>> condition_reason(Condition("totals.orders", ">=", 2))
    'Only for someone who has bought at least 2 times'
    """
    said = sentence(condition)
    return f"Only for someone who {said}" if is_personal(condition.field) else f"Only when {said}"


def _day(moment: int | None, back: int = 0) -> str:
    """A day in words; `back` ms before, so that an end at midnight names the last day it held."""
    try:
        day = _EPOCH + dt.timedelta(milliseconds=(moment or 0) - back)
    except OverflowError:
        return f"day {(moment or 0) // DAY}"
    return f"{day.day} {day:%B %Y}"
