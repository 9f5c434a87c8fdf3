"""A catalogue prepared for asking: one bit per offer, so that a gate is a few integer operations.

Bit i of a mask is offer i of the catalogue. Placements, channels and purposes are masks made once, conditions cost one
look-up per field, and the sentence of a drop is made once.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from patron.decide.catalogue import version
from patron.decide.gates import is_marketing, product_of, reason_of
from patron.decide.limits import Limits
from patron.decide.slots import is_personal_slot, slots
from patron.decide.variants import BARE, ELSEWHERE, OTHER_FAMILY, obstacle
from patron.model.clock import HOUR
from patron.model.offers import NOTHING, Catalogue, Condition, Dropped, Offer, Placement
from patron.rules.index import FieldIndex
from patron.rules.language import is_personal
from patron.rules.sentences import sentence

Shut = tuple[tuple[int, int], ...]
"""(reason, mask of offers) of the gate `placement`."""

_BITS = bytes.maketrans(b"01", b"\x00\x01")
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
        self._named = _Masks([offer.placements for offer in self.offers])
        self.places_of = {placement.id: placement for placement in self.catalogue.placements}
        """The declared placements by id; none = any name may ask."""
        windows = (place.window_hours for place in (Placement("", ""), *self.catalogue.placements))
        self.window = max(windows) * HOUR
        """The longest time in which what follows is credited to a decision of any placement, ms."""
        self._shut: dict[str, Shut] = {name: self._shut_at(place) for name, place in self.places_of.items()}
        self.channels = _Masks([offer.channels for offer in self.offers])
        self._turns, self._outside = _calendar(self.offers)
        self.purposes = tuple(_Masks([(offer.purpose,) for offer in self.offers]).by_name.items())
        self.personal = _mask(is_personal_offer(offer) for offer in self.offers)
        self.levels = _levels(self.offers)
        self.products = _products(self.offers)
        """Product -> mask of the offers of it."""
        self.marketing = _mask(map(is_marketing, self.offers))
        self.audiences = _audiences(self.offers)
        """Segment -> masks of the offers that want somebody in it, and of those that do not."""
        self.wanting = _mask(bool(offer.segments) for offer in self.offers)
        self.limits = Limits(self.catalogue)
        self.limited = tuple((1 << i, offer) for i, offer in enumerate(self.offers) if is_limited(offer))
        """Offers with a stock or a budget, each with its bit."""
        self._drops: dict[tuple[str, int], list[Dropped | None]] = {}
        self._places: dict[int, NDArray[np.intp]] = {}
        self._choices: dict[int, tuple[str, ...]] = {}
        self._spoken: dict[str, tuple[str, ...]] = {}

    def shut(self, placement: str) -> Shut:
        """What a placement does not show, by reason."""
        found = self._shut.get(placement)
        return ((ELSEWHERE, ~self._named.allowing(placement)),) if found is None else found

    def _shut_at(self, place: Placement) -> Shut:
        met = [obstacle(place, offer) for offer in self.offers]
        return tuple(
            (reason, _mask(one == reason for one in met)) for reason in (ELSEWHERE, OTHER_FAMILY, BARE)
        )

    def named(self, mask: int) -> tuple[str, ...]:
        """The ids of a mask, in catalogue order."""
        return tuple(compress(self.ids, _chosen(mask)))

    def places_in(self, mask: int) -> NDArray[np.intp]:
        """The places of the offers of a mask, ascending; not to be written to."""
        found = self._places.get(mask)
        if found is None:
            if len(self._places) >= _REMEMBERED:
                self._places.clear()
            found = self._places[mask] = np.flatnonzero(np.frombuffer(_chosen(mask), np.uint8))
            found.flags.writeable = False
        return found

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
        rows = self._drops.get((gate, detail))
        if rows is None:
            rows = self._drops[gate, detail] = [None] * len(self.offers)
        found = []
        for place in compress(range(len(rows)), _chosen(mask)):
            row = rows[place]
            if row is None:
                offer = self.offers[place]
                row = rows[place] = Dropped(
                    offer.id, gate, reason_of(self.catalogue, offer, gate, detail), detail
                )
            found.append(row)
        return found


def is_limited(offer: Offer) -> bool:
    """Whether an offer draws on a stock or a budget that all people share."""
    return offer.stock is not None or offer.budget is not None or offer.daily_budget is not None


def is_personal_offer(offer: Offer) -> bool:
    """Whether showing an offer (or its reason) tells something about the person beyond this ask.

    >>> is_personal_offer(Offer(id="a", name="A", because="It rains: {context.weather}"))
    False
    >>> is_personal_offer(Offer(id="a", name="A", conditions=(Condition("totals.orders", ">", 3),)))
    True
    """
    asked = any(is_personal(c.field) for c in offer.conditions) or offer.segments or offer.not_segments
    return bool(asked) or any(map(is_personal_slot, slots(offer.because)))


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


def _products(offers: Sequence[Offer]) -> dict[str, int]:
    found: dict[str, int] = {}
    for i, offer in enumerate(offers):
        product = product_of(offer)
        if product:
            found[product] = found.get(product, 0) | 1 << i
    return found


def _audiences(offers: Sequence[Offer]) -> tuple[tuple[str, int, int], ...]:
    """(segment, mask of the offers for its members, mask of those not for them)."""
    names = dict.fromkeys(name for o in offers for name in (*o.segments, *o.not_segments))
    return tuple(
        (name, _mask(name in o.segments for o in offers), _mask(name in o.not_segments for o in offers))
        for name in names
    )


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
