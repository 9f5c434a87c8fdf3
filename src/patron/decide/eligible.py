"""Which offers a person may get now, and the first gate that stops each of the others.

The gates stand in `decide.gates`, in order. An offer is dropped once, by the first that stops it, so candidates = survivors
+ dropped, always.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from patron.decide.gates import EARLY, INSIDE, LATE, OUTSIDE, REFUSED, UNASKED
from patron.decide.grants import Grant
from patron.decide.index import CatalogueIndex
from patron.decide.limits import Reach, Spent
from patron.decide.variants import NOT_SENT
from patron.model.offers import Ask, Dropped
from patron.rules.calendar import Calendar
from patron.rules.consent import Consents, standing

UTC = Calendar("UTC")


class Around(Protocol):
    """What feeds say of the place and the moment of an ask."""

    @property
    def out(self) -> int:
        """Mask of the offers whose product the touchpoint's store does not have."""
        ...

    def used(self, stopped: int) -> tuple[tuple[str, Any, int], ...]:
        """What was looked at: (field, value, since when it was known); `stopped` is the mask that fell for want of stock."""
        ...


class Known(Struct, frozen=True):
    """Who asks, as far as is known at this moment.

    `facts` is anything with `get(field)` (see `patron.rules.facts`). `identified` is `verified`, `asserted` or
    `anonymous`; `own_device` says that the facts hold only what this very device did, so that showing them to it
    tells it nothing new. Unless one of the two holds, no offer that rests on personal facts survives.
    """

    node: str
    person: str
    facts: Any
    consents: Consents = {}
    identified: str = "anonymous"
    own_device: bool = False
    around: Around | None = None
    grants: Sequence[Grant] = ()
    """What the person was given lately, over all nodes."""
    zone: Calendar = UTC
    """Where the person is, as far as is known; else that of the business."""
    complaint: bool = False
    spent: Spent | None = None
    price: float = 0.0
    """What a message must be worth today beside its cost."""
    is_in: Callable[[str], bool | None] = bool
    """Whether the person is in a segment now; None while nobody knows."""

    @property
    def may_see_personal(self) -> bool:
        """Whether personal content may go to who asks."""
        return self.own_device or self.identified == "verified"


class Sifted(Struct, frozen=True):
    """What the gates left of a catalogue, one bit an offer, and what they stopped: all that a record needs."""

    left: int
    stops: list[tuple[str, int, int]]
    """(gate, which of its reasons, mask of the offers it stopped), in gate order; no offer stands in two."""


def eligible(
    index: CatalogueIndex, ask: Ask, known: Known, now: int
) -> tuple[tuple[str, ...], tuple[Dropped, ...]]:
    """The ids that pass every gate, in catalogue order, and the drops, in gate order.

    An offer holds while `valid_from <= now < valid_until` (ms UTC).

    >>> from patron.model.offers import Offer
    >>> index = CatalogueIndex([Offer(id="tea", name="Tea"), Offer(id="mug", name="Mug", placements=("till",))])
    >>> kept, dropped = eligible(index, Ask("web_home"), Known("anonymous_id:1", "p_1", {}), now=0)
    >>> kept, dropped[0].gate, dropped[0].reason
    (('tea',), 'placement', 'Only for till')
    """
    sifted = sift(index, ask, known, now)
    return index.named(sifted.left), drops_of(index, sifted)


def drops_of(index: CatalogueIndex, sifted: Sifted) -> tuple[Dropped, ...]:
    """Every offer that was stopped, with the gate and the sentence, in gate order."""
    return tuple(drop for gate, detail, mask in sifted.stops for drop in index.drops(mask, gate, detail))


def sift(index: CatalogueIndex, ask: Ask, known: Known, now: int) -> Sifted:
    """Put a catalogue through every gate: `eligible` without naming anybody.

    >>> from patron.model.offers import Offer
    >>> index = CatalogueIndex([Offer(id="tea", name="Tea"), Offer(id="mug", name="Mug", placements=("till",))])
    >>> sift(index, Ask("web_home"), Known("anonymous_id:1", "p_1", {}), now=0)
    Sifted(left=1, stops=[('placement', 0, 2)])
    """
    sieve, at, closed = _Sieve(index), now, False
    if ask.ahead is not None:
        at, closed = ask.ahead.at, ask.ahead.closed
        sieve.stop(~ask.ahead.offers, "placement", NOT_SENT)
    for reason, shut in index.shut(ask.placement):
        sieve.stop(shut, "placement", reason)
    sieve.stop(~index.channels.allowing(ask.channel), "channel")
    early, late = index.outside(at)
    if early or late:
        sieve.stop(early, "validity", EARLY)
        sieve.stop(late, "validity", LATE)
    refused, unasked = _without_consent(index, known.consents, ask.channel)
    if refused or unasked:
        sieve.stop(refused, "consent", REFUSED)
        sieve.stop(unasked, "consent", UNASKED)
    if not known.may_see_personal:
        sieve.stop(index.personal, "identity")
    _by_conditions(sieve, known.facts)
    if known.around is not None:
        sieve.stop(known.around.out, "stock")
    if index.audiences:
        _by_audience(sieve, known)
    place = index.places_of.get(ask.placement)
    outbound = place is not None and place.outbound
    reach = Reach(ask.channel, outbound, known.grants, known.zone, known.complaint, known.spent, at, closed)
    index.limits.sift(reach, now, sieve.stop)
    return Sifted(sieve.left, sieve.stops)


class _Sieve:
    """What is left of the catalogue, and what was stopped on the way."""

    __slots__ = ("index", "left", "stops")

    def __init__(self, index: CatalogueIndex) -> None:
        self.index = index
        self.left = index.all
        self.stops: list[tuple[str, int, int]] = []

    def stop(self, stopped: int, gate: str, detail: int = 0) -> None:
        """Drop what is left of a mask."""
        stopped &= self.left
        if stopped:
            self.stops.append((gate, detail, stopped))
            self.left &= ~stopped


def _without_consent(index: CatalogueIndex, consents: Consents, channel: str) -> tuple[int, int]:
    """Offers whose purpose was refused, and those whose purpose needs a yes that nobody gave."""
    refused = unasked = 0
    for purpose, mask in index.purposes:
        said = standing(consents, purpose, channel)
        if said is False:
            refused |= mask
        elif said is None and purpose in index.opt_in:
            unasked |= mask
    return refused, unasked


def _by_conditions(sieve: _Sieve, facts: Any) -> None:
    """All conditions must hold; the first that does not is the reason. Fields no offer still needs are not read."""
    for level, fields in enumerate(sieve.index.levels):
        stopped = 0
        for field in fields:
            if field.every & sieve.left:
                stopped |= field.failing(facts)
        sieve.stop(stopped, "conditions", level)


def _by_audience(sieve: _Sieve, known: Known) -> None:
    """In one of the segments that an offer wants, and in none of those it does not. Only what is left is asked for.

    What segments somebody is in is told to those who proved to be them; that they are kept from an offer binds everywhere.
    While nobody knows who is in a segment, offers for its members and offers that are not for them wait alike.
    """
    wanted = banned = 0
    for name, wanting, barring in sieve.index.audiences:
        if not (wanting | barring) & sieve.left:
            continue
        held = known.is_in(name)
        if held and known.identified == "verified":
            wanted |= wanting
        if held is not False:
            banned |= barring
    sieve.stop(sieve.index.wanting & ~wanted, "audience", OUTSIDE)
    sieve.stop(banned, "audience", INSIDE)
