"""The gates of the ledger: complaints, quiet hours, what somebody holds already, cool-downs, caps, fatigue, budgets, coupons.

Masks over the catalogue are made once; an ask walks over the person's grants of the last weeks. Offers of the purpose
`service` pass all but quiet hours, budgets and coupons: they are what the person needs, not what the shop wants.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from patron.decide.grants import Grant
from patron.model.clock import DAY, HOUR
from patron.model.offers import Cap, Catalogue, Offer, Quiet
from patron.rules.calendar import Calendar

SERVICE = "service"
"""The purpose of offers that no marketing limit stops."""
HELD = 30 * DAY
"""How long somebody holds an offer of a family, at most, ms."""
TIRED_AFTER, TIRED = 6, 30 * DAY
"""Shown so often in such a time without a click, an offer rests until fewer lie inside."""
HELD_OTHER, USED = 0, 1
"""Reasons of the gate `held`."""
NIGHT, CLOSED = 0, 1
"""Reasons of the gate `quiet`."""
_NEVER = 2**63
IN_ALL, TODAY = 0, 1
"""Reasons of the gate `budget`."""
Stop = Callable[[int, str, int], None]
"""Takes a mask of offers, the gate that stops them, and which of its reasons."""


class Spent(Protocol):
    """What all people together have been given."""

    @property
    def sold_out(self) -> int:
        """Mask of the offers of which no more may be given."""
        ...

    @property
    def overspent(self) -> int:
        """Mask of those whose budget is spent."""
        ...

    @property
    def spent_today(self) -> int:
        """Mask of those whose budget of the day is."""
        ...


class Reach(Struct, frozen=True):
    """What the limits must know of one ask."""

    channel: str
    outbound: bool
    grants: Sequence[Grant]
    zone: Calendar
    complaint: bool = False
    spent: Spent | None = None
    at: int = 0
    """When what is given will be shown, ms; 0 = now."""
    closed: bool = False
    """Whether it is outside the hours that were asked for."""


class Limits:
    """The limits of one catalogue.

    >>> from patron.model.offers import Offer
    >>> limits = Limits(Catalogue((Offer("tea", "Tea"), Offer("mug", "Mug")), caps=(Cap("a", 1, hours=24, each="offer"),)))
    >>> said = []
    >>> given = [Grant("d_1", "tea", 0, "web", "web_home", shown=5)]
    >>> limits.sift(Reach("web", False, given, Calendar("UTC")), HOUR, lambda *stop: said.append(stop))
    >>> [stop for stop in said if stop[0]]
    [(1, 'cap', 0)]
    """

    def __init__(self, catalogue: Catalogue) -> None:
        offers = catalogue.offers
        self._bits = {offer.id: 1 << place for place, offer in enumerate(offers)}
        self._marketing = _mask(offers, lambda offer: offer.purpose != SERVICE)
        families: dict[str, int] = {}
        for offer in offers:
            if offer.family:
                families[offer.family] = families.get(offer.family, 0) | self._bits[offer.id]
        self._rules = {
            offer.id: _Rule(
                self._bits[offer.id],
                offer.family,
                families.get(offer.family, 0),
                _NEVER if offer.valid_until is None else offer.valid_until,
                offer.cooldown_hours * HOUR,
            )
            for offer in offers
        }
        self._caps = [_CapMask(number, cap, offers, families) for number, cap in enumerate(catalogue.caps)]
        self._quiet = catalogue.quiet

    def sift(self, reach: Reach, now: int, stop: Stop) -> None:
        """Put an ask before every gate of the ledger."""
        marketing, at = self._marketing, reach.at or now
        if reach.complaint:
            stop(marketing, "complaint", 0)
        if (
            reach.outbound
            and self._quiet is not None
            and is_quiet(self._quiet, reach.channel, reach.zone, at)
        ):
            stop(-1, "quiet", NIGHT)
        if reach.closed:
            stop(-1, "quiet", CLOSED)
        if reach.grants:
            self._by_grants(reach, now, stop)
        spent = reach.spent
        if spent is not None:
            stop(spent.overspent, "budget", IN_ALL)
            stop(spent.spent_today, "budget", TODAY)
            stop(spent.sold_out, "sold_out", 0)

    def _by_grants(self, reach: Reach, now: int, stop: Stop) -> None:
        live, now = [one for one in reach.grants if one.shown > 0 or now < one.until], reach.at or now
        held = used = resting = 0
        ignored: dict[int, int] = {}
        for grant in live:
            rule = self._rules.get(grant.offer)
            if rule is None:  # no longer in the catalogue
                continue
            bit, since = rule.bit, now - (grant.due or grant.time)
            if grant.closed:
                used |= rule.kin | bit
            elif rule.kin and since < HELD and now < rule.until:
                held |= rule.kin & ~bit
            if rule.cooldown and since < rule.cooldown:
                resting |= bit
            if grant.clicked:
                ignored[bit] = ignored.get(bit, 0) - TIRED_AFTER
            elif grant.shown and since < TIRED:
                ignored[bit] = ignored.get(bit, 0) + 1
        marketing = self._marketing
        stop(used & marketing, "held", USED)
        if held:
            stop(self._one_of_each(live, held) & marketing, "held", HELD_OTHER)
        stop(resting & marketing, "cooldown", 0)
        for cap in self._caps:
            stop(cap.stopped(live, reach, now, self._bits) & marketing, "cap", cap.number)
        tired = sum([bit for bit, times in ignored.items() if times >= TIRED_AFTER])
        stop(tired & marketing, "fatigue", 0)

    def _one_of_each(self, live: Sequence[Grant], held: int) -> int:
        """Of families of which somebody holds two (people merged), the one given last goes on."""
        newest: dict[str, tuple[int, str]] = {}
        for grant in live:
            rule = self._rules.get(grant.offer)
            if rule is not None and rule.family and not grant.closed:
                newest[rule.family] = max(newest.get(rule.family, (-1, "")), (grant.time, grant.offer))
        for _, name in newest.values():
            held &= ~self._bits[name]
        return held


class _Rule(Struct, frozen=True, gc=False):
    """What the ledger's gates ask of an offer, worked out once."""

    bit: int
    family: str
    kin: int
    """Mask of its family; 0 without one."""
    until: int
    cooldown: int
    """How long it rests, ms."""


class _CapMask:
    """A cap with the offers that it counts and stops."""

    __slots__ = ("_all", "_families", "cap", "number")

    def __init__(self, number: int, cap: Cap, offers: Sequence[Offer], families: Mapping[str, int]) -> None:
        self.number = number
        self.cap = cap
        self._all = _mask(offers, lambda offer: not cap.families or offer.family in cap.families)
        self._families = families

    def stopped(self, live: Sequence[Grant], reach: Reach, now: int, bits: Mapping[str, int]) -> int:
        """The offers that the cap stops now."""
        cap = self.cap
        if (cap.channels and reach.channel not in cap.channels) or (cap.outbound and not reach.outbound):
            return 0
        zone = reach.zone
        since = zone.begins(zone.day(now) - cap.days + 1) if cap.days else now - cap.hours * HOUR
        counts: Counter[str] = Counter()
        for grant in live:
            time = grant.due or grant.time
            inside = time >= since if cap.days else time > since
            if inside and _is_counted(cap, grant):
                counts[_group(cap.each, grant)] += 1
        full = [name for name, count in counts.items() if count >= cap.limit]
        if cap.each == "offer":
            return sum(bits.get(name, 0) for name in full)
        if cap.each == "family":
            return sum(self._families.get(name, 0) for name in full) & self._all
        if cap.each == "channel":
            return self._all if reach.channel in full or cap.limit < 1 else 0
        return self._all if full or cap.limit < 1 else 0


def _is_counted(cap: Cap, grant: Grant) -> bool:
    if grant.service or (cap.outbound and not grant.outbound):
        return False
    return (not cap.channels or grant.channel in cap.channels) and (
        not cap.families or grant.family in cap.families
    )


def _group(each: str, grant: Grant) -> str:
    return {"offer": grant.offer, "family": grant.family, "channel": grant.channel}.get(each, "")


def is_quiet(quiet: Quiet, channel: str, zone: Calendar, now: int) -> bool:
    """Whether nothing may be sent on a channel now.

    >>> night = Quiet(21 * 60, 8 * 60)
    >>> [is_quiet(night, "push", Calendar("UTC"), hour * HOUR) for hour in (20, 21, 0, 7, 8)]
    [False, True, True, True, False]
    """
    if quiet.channels and channel not in quiet.channels:
        return False
    minute = zone.minute(now)
    if quiet.start <= quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def cap_words(cap: Cap) -> str:
    """A cap as a person would say it.

    >>> cap_words(Cap("a", 2, days=1, channels=("push", "email")))
    'at most 2 by push or email in a calendar day'
    >>> cap_words(Cap("b", 1, hours=48, each="family", families=("coffee",)))
    'at most 1 of the family coffee in 48 hours, each family by itself'
    """
    what = f" of the family {' or '.join(cap.families)}" if cap.families else ""
    where = f" by {' or '.join(cap.channels)}" if cap.channels else ""
    sent = " sent" if cap.outbound else ""
    if cap.days:
        time = "in a calendar day" if cap.days == 1 else f"in {cap.days} calendar days"
    else:
        time = "in an hour" if cap.hours == 1 else f"in {cap.hours} hours"
    each = f", each {cap.each} by itself" if cap.each else ""
    return f"at most {cap.limit}{sent}{what}{where} {time}{each}"


def _mask(offers: Sequence[Offer], fits: Callable[[Offer], bool]) -> int:
    return sum(1 << place for place, offer in enumerate(offers) if fits(offer))
