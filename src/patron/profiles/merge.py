"""A person's profile: the exact merge of the partials of their nodes, the same for any division into nodes.

Only the daily counts (`days`) depend on the division: each node keeps them while newer than its own newest event
minus `ProfileRules.days` (CORE.md section 1), so an old node that wakes up forgets, and one that sleeps does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from msgspec import Struct

from patron.model.clock import DAY
from patron.profiles.amounts import CEILING
from patron.profiles.bounds import beyond, keep_latest
from patron.profiles.orders import Purchase, itself, settle, stamp_of
from patron.profiles.partial import Campaign, Change, Consent, Order, Partial, Recent, Refund, Stamp
from patron.profiles.rules import ProfileRules


class Seen(Struct, frozen=True, gc=False):
    """First and last event time in a channel, ms, and how many events."""

    first: int
    last: int
    events: int


class Written(Struct, frozen=True, gc=False):
    """A trait's value with its provenance.

    >>> w = Written("Bologna", (5, "shop/m-1")); w.time, w.source, w.message_id
    (5, 'shop', 'm-1')
    """

    value: Any
    stamp: Stamp

    @property
    def time(self) -> int:
        """Event time of the write, ms."""
        return self.stamp[0]

    @property
    def source(self) -> str:
        """Name of the source that wrote it."""
        return self.stamp[1].partition("/")[0]

    @property
    def message_id(self) -> str:
        """The message that wrote it."""
        return self.stamp[1].partition("/")[2]


class Standing(Struct, frozen=True, gc=False):
    """What stands for a purpose on a channel. `stamp` is the last word; `proof` the explicit change that it repeats."""

    granted: bool
    stamp: Stamp
    proof: Stamp
    text_version: str = ""
    place: str = ""

    @property
    def time(self) -> int:
        """When it was given or refused, ms: the time of the proof."""
        return self.proof[0]

    @property
    def source(self) -> str:
        """Name of the source that brought the proof."""
        return self.proof[1].partition("/")[0]


class Totals(Struct, frozen=True):
    """Orders and money of a person; money is currency -> units of 1e-4, exact.

    `orders` counts the completed ones that were not cancelled, whatever came back of them.
    """

    orders: int = 0
    gross: dict[str, int] = {}
    refunded: dict[str, int] = {}
    net: dict[str, int] = {}


class Profile(Struct, frozen=True):
    """A person as known from their nodes. Owns its containers: later folds do not change it."""

    nodes: tuple[str, ...] = ()
    events: int = 0
    first: int | None = None
    """Earliest event time, ms; None for somebody without events."""
    last: int | None = None
    counters: dict[str, int] = {}
    other: int = 0
    """Events whose names are beyond the bound."""
    channels: dict[str, Seen] = {}
    traits: dict[str, Written] = {}
    consents: dict[tuple[str, str], Standing] = {}
    """(purpose, channel or `*`) -> what stands"""
    history: list[Change] = []
    """Explicit changes of consent, ascending, the latest only."""
    orders: dict[str, Purchase] = {}
    totals: Totals = Totals()
    sums: dict[str, dict[str, int]] = {}
    """Event name -> currency -> units of `revenue` that belong to no order."""
    days: dict[str, dict[int, int]] = {}
    """Event name -> UTC day since 1970 -> count."""
    recents: list[Recent] = []
    """The latest events in short, newest first."""
    first_campaign: Campaign | None = None
    last_campaign: Campaign | None = None

    def revenue_days(self, currency: str) -> dict[int, int]:
        """Net units by UTC day of the order. Exact for all time: orders are not forgotten by day.

        >>> Profile(orders={"o": Purchase(3 * DAY, "EUR", "pos", 500, 100)}).revenue_days("EUR")
        {3: 400}
        """
        days: dict[int, int] = {}
        for order in self.orders.values():
            if order.currency == currency:
                day = order.time // DAY
                days[day] = days.get(day, 0) + order.net
        return days


def merge(partials: Sequence[tuple[str, Partial]], rules: ProfileRules) -> Profile:
    """The profile of the person who owns these nodes; of nobody's nodes, the empty profile.

    >>> merge([], ProfileRules()).totals.orders
    0
    """
    live = [(key, p) for key, p in partials if p.events]
    if not live:
        return Profile(tuple(sorted(key for key, _ in partials)))
    parts = [p for _, p in live]
    counters, other, days, sums = _counted(parts, rules)
    history = _history(parts, rules)
    orders = orders_of(parts, rules)
    firsts = [p.first_campaign for p in parts if p.first_campaign]
    lasts = [p.last_campaign for p in parts if p.last_campaign]
    return Profile(
        tuple(sorted(key for key, _ in partials)),
        sum(p.events for p in parts),
        min(p.first for p in parts),
        max(p.last for p in parts),
        counters,
        other,
        _channels(parts),
        _traits(parts, rules),
        _consents(parts, history, rules),
        history,
        orders,
        totals_of(orders),
        sums,
        days,
        sorted(chain.from_iterable(p.recents for p in parts), reverse=True)[: rules.recents],
        min(firsts, key=_stamp) if firsts else None,
        max(lasts, key=_stamp) if lasts else None,
    )


def _stamp(campaign: Campaign) -> Stamp:
    return campaign[0]


K = TypeVar("K", int, str)
_Days = dict[str, dict[int, int]]
_Sums = dict[str, dict[str, int]]


def _counted(parts: list[Partial], rules: ProfileRules) -> tuple[dict[str, int], int, _Days, _Sums]:
    counters = parts[0].counters.copy()
    days = {name: dict(zip(s[::2], s[1::2], strict=True)) for name, s in parts[0].days.items()}
    sums = {name: dict(money) for name, money in (parts[0].sums or {}).items()}
    for part in parts[1:]:
        for name, count in part.counters.items():
            counters[name] = counters.get(name, 0) + count
        for name, s in part.days.items():
            _add(days.setdefault(name, {}), dict(zip(s[::2], s[1::2], strict=True)))
        for name, money in (part.sums or {}).items():
            _add(sums.setdefault(name, {}), money)
    other = sum(p.other for p in parts)
    if len(counters) > rules.names:
        for name in beyond(counters, rules):
            other += counters.pop(name)
            days.pop(name, None)
            sums.pop(name, None)
    return counters, other, days, sums


def _add(into: dict[K, int], values: dict[K, int]) -> None:
    for key, value in values.items():
        into[key] = min(into.get(key, 0) + value, CEILING)


def _channels(parts: list[Partial]) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    for part in parts:
        for channel, (first, last, events) in part.channels.items():
            b = found.get(channel)
            found[channel] = (
                Seen(first, last, events)
                if b is None
                else Seen(min(first, b.first), max(last, b.last), events + b.events)
            )
    return found


def _traits(parts: list[Partial], rules: ProfileRules) -> dict[str, Written]:
    written: dict[str, tuple[Any, Stamp]] = {}
    for part in parts:
        if part.traits:
            for name, trait in part.traits.items():
                before = written.get(name)
                if before is None or trait[1] > before[1]:
                    written[name] = trait
    if len(written) > rules.traits:
        keep_latest(written, rules.traits, lambda trait: trait[1])
    return {name: Written(*trait) for name, trait in written.items() if trait[0] is not None}


def _history(parts: list[Partial], rules: ProfileRules) -> list[Change]:
    found = [p.history for p in parts if p.history]
    return sorted(chain.from_iterable(found))[-rules.history :] if found else []


def _consents(
    parts: list[Partial], history: list[Change], rules: ProfileRules
) -> dict[tuple[str, str], Standing]:
    said = said_of(parts, rules)
    explicit = {(change.purpose, change.channel): change for change in history}
    return {key: _standing(consent, explicit.get(key)) for key, consent in said.items()}


def said_of(parts: Iterable[Partial], rules: ProfileRules) -> dict[tuple[str, str], Consent]:
    """The last statement on each purpose and channel of some nodes together."""
    said: dict[tuple[str, str], Consent] = {}
    for part in parts:
        if part.consents:
            for key, consent in part.consents.items():
                before = said.get(key)
                if before is None or consent.rank > before.rank:
                    said[key] = consent
    if len(said) > rules.consents:
        keep_latest(said, rules.consents, lambda consent: consent.rank)
    return said


def _standing(said: Consent, change: Change | None) -> Standing:
    """A state repeated in a context is proved by the explicit change before it, when they agree."""
    if change is not None and change.granted == said.granted and change.stamp <= said.stamp:
        return Standing(said.granted, said.stamp, change.stamp, change.text_version, change.place)
    return Standing(said.granted, said.stamp, said.stamp, said.text_version, said.place)


def orders_of(parts: Sequence[Partial], rules: ProfileRules) -> dict[str, Purchase]:
    """The orders of some nodes together, refunds and cancellations set against them."""
    having = [p.orders for p in parts if p.orders]
    if not having:
        return {}
    orders: dict[str, Order] = {}
    refunds: dict[tuple[str, str], Refund] = {}
    cancelled: dict[str, Stamp] = {}
    for some in having:
        for name, order in some.items():
            before = orders.get(name)
            if before is None or order.stamp > before.stamp:
                orders[name] = order
    for part in parts:
        for key, refund in (part.refunds or {}).items():
            known = refunds.get(key)
            if known is None or refund.stamp > known.stamp:
                refunds[key] = refund
        for name, stamp in (part.cancelled or {}).items():
            cancelled[name] = max(stamp, cancelled.get(name, stamp))
    keep_latest(orders, rules.orders, stamp_of)
    keep_latest(refunds, rules.refunds, stamp_of)
    keep_latest(cancelled, rules.refunds, itself)
    return settle(orders, refunds, cancelled)


def totals_of(orders: Mapping[str, Purchase]) -> Totals:
    """Orders and money of some orders.

    >>> totals_of({"o": Purchase(0, "EUR", "pos", 500, 100)}).net
    {'EUR': 400}
    """
    count = 0
    gross: dict[str, int] = {}
    refunded: dict[str, int] = {}
    net: dict[str, int] = {}
    for order in orders.values():
        currency = order.currency
        count += not order.cancelled
        gross[currency] = gross.get(currency, 0) + order.gross
        refunded[currency] = refunded.get(currency, 0) + order.refunded
        net[currency] = net.get(currency, 0) + order.gross - order.refunded
    return Totals(count, gross, refunded, net)
