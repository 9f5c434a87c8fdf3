"""One node's aggregate: what all its events add up to, and its canonical bytes.

A `Partial` is owned by the caller and changed in place by `fold` only. Everything in it is a function of the set of
events folded. A `Stamp` (event time, source/message id) orders two writes of the same thing; received times and log
positions are not in it, for they depend on arrival.
"""

from itertools import accumulate
from operator import sub
from typing import Any

import msgspec
from msgspec import Struct

from patron.model.errors import NewerSchema
from patron.profiles.sharing import share, share_day

FORMAT = 1
"""Version of the encoded form."""

Stamp = tuple[int, str]
"""When, and by which event (`Event.uid`): a total order of writes that no arrival can change."""
Trait = tuple[Any, Stamp]
"""A written value (None: deleted) and the write."""
Recent = tuple[int, str, str, str, str]
"""Event time, event name, channel, product id, category; empty text where the event has none. Events of the same
time stand in the order of the other columns: rows that tie in all of them are equal, so any order of them is."""
Campaign = tuple[Stamp, dict[str, str]]
"""A visit's campaign (`name`, `source`, `medium`, `term`, `content`) and the event that told it."""


class Consent(Struct, frozen=True, gc=False):
    """One statement on a purpose and channel with its proof: which text, where; the stamp says when and by what."""

    stamp: Stamp
    granted: bool
    text_version: str = ""
    place: str = ""

    @property
    def rank(self) -> tuple[int, bool, str]:
        """The greater one stands: later, and at the same instant a denial.

        >>> Consent((5, "a/1"), False).rank > Consent((5, "b/9"), True).rank
        True
        """
        return (self.stamp[0], not self.granted, self.stamp[1])


class Change(Struct, frozen=True, gc=False, order=True):
    """One explicit change of consent, as its event told it."""

    stamp: Stamp
    purpose: str
    channel: str
    granted: bool
    text_version: str = ""
    place: str = ""


class Order(Struct, frozen=True, gc=False):
    """An order as last completed: its value in units of 1e-4, and its lines (`amounts.unpack`)."""

    stamp: Stamp
    units: int
    currency: str
    channel: str
    lines: bytes = b""


class Refund(Struct, frozen=True, gc=False):
    """A refund: an amount (`units`), or lines, or of everything. No currency means the order's."""

    stamp: Stamp
    units: int | None = None
    currency: str = ""
    lines: bytes = b""


class Partial(Struct):
    """The aggregate of one node. Containers that most nodes do not need are None until used.

    >>> p = Partial()
    >>> p.events, p.traits
    (0, None)
    >>> decode(encode(p)) == p
    True
    """

    events: int = 0
    first: int = 0
    """Time of the earliest event, ms; of no meaning while `events` is 0."""
    last: int = 0
    counters: dict[str, int] = {}
    """Events by name; `other` counts those whose name is beyond the bound."""
    other: int = 0
    channels: dict[str, list[int]] = {}
    """channel -> [first time, last time, events]"""
    days: dict[str, list[int]] = {}
    """Event name -> [UTC day, count, next day, count, ...], days since 1970 ascending."""
    recents: list[Recent] = []
    """Ascending."""
    traits: dict[str, Trait] | None = None
    consents: dict[tuple[str, str], Consent] | None = None
    """(purpose, channel) -> what stands"""
    history: list[Change] | None = None
    """Explicit changes, ascending."""
    orders: dict[str, Order] | None = None
    refunds: dict[tuple[str, str], Refund] | None = None
    """(order id, refund id) -> refund"""
    cancelled: dict[str, Stamp] | None = None
    """Order id -> the latest word of its cancellation"""
    sums: dict[str, dict[str, int]] | None = None
    """Event name -> currency -> units of `revenue` that no order carries."""
    first_campaign: Campaign | None = None
    last_campaign: Campaign | None = None


_Columns = tuple[list[int], list[int | str], list[int | str], list[str], list[str]]
_ConsentRow = tuple[int, str, str, bool, str, str]
_OrderRow = tuple[int, int, str, str, bytes]
_RefundRow = tuple[int, str, str, int | None, str, bytes]


class _Wire(Struct, frozen=True, array_like=True, gc=False):
    """The encoded form: stamps once in a sorted table, event names and times by reference to what stands before."""

    format: int
    events: int
    first: int
    last: int
    counters: dict[str, int]
    other: int
    channels: dict[str, tuple[int, int, int]]
    days: list[list[int]]
    recents: _Columns | None
    stamps: list[Stamp]
    traits: dict[str, tuple[int, Any]] | None
    consents: list[_ConsentRow] | None
    history: list[_ConsentRow] | None
    orders: dict[str, _OrderRow] | None
    refunds: list[_RefundRow] | None
    cancelled: dict[str, int] | None
    sums: dict[str, dict[str, int]] | None
    campaigns: tuple[int, dict[str, str], int, dict[str, str]] | None


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(_Wire).decode
_version = msgspec.msgpack.Decoder(list[Any]).decode


def encode(partial: Partial) -> bytes:
    """Canonical bytes: equal partials give equal bytes, whatever the order of the events that made them.

    Typically 150 bytes and 15 for each recent event, 15-60 for each trait, consent or order.
    """
    names = {name: i for i, name in enumerate(sorted(partial.counters))}
    stamps = sorted(_stamps(partial))
    at = {stamp: i for i, stamp in enumerate(stamps)}
    first, last, days = partial.first, partial.last, partial.days
    consents, history = _consents(partial, at)
    orders, refunds, cancelled = _orders(partial, at)
    return _encode(
        _Wire(
            FORMAT,
            partial.events,
            first,
            last,
            partial.counters,
            partial.other,
            {c: (a - first, last - b, n) for c, (a, b, n) in partial.channels.items()},
            [days.get(name, []) for name in names],
            _columns(partial, names),
            stamps,
            None
            if partial.traits is None
            else {n: (at[s], value) for n, (value, s) in partial.traits.items()},
            consents,
            history,
            orders,
            refunds,
            cancelled,
            partial.sums,
            _campaigns(partial, at),
        )
    )


def _stamps(partial: Partial) -> set[Stamp]:
    found: set[Stamp] = set()
    if partial.traits:
        found.update(stamp for _, stamp in partial.traits.values())
    if partial.consents:
        found.update(c.stamp for c in partial.consents.values())
    if partial.history:
        found.update(h.stamp for h in partial.history)
    if partial.orders:
        found.update(o.stamp for o in partial.orders.values())
    if partial.refunds:
        found.update(r.stamp for r in partial.refunds.values())
    if partial.cancelled:
        found.update(partial.cancelled.values())
    if partial.first_campaign and partial.last_campaign:
        found.update((partial.first_campaign[0], partial.last_campaign[0]))
    return found


def _consents(
    partial: Partial, at: dict[Stamp, int]
) -> tuple[list[_ConsentRow] | None, list[_ConsentRow] | None]:
    consents = history = None
    if partial.consents is not None:
        rows = sorted(partial.consents.items())
        consents = [(at[c.stamp], *key, c.granted, c.text_version, c.place) for key, c in rows]
    if partial.history is not None:
        history = [
            (at[h.stamp], h.purpose, h.channel, h.granted, h.text_version, h.place) for h in partial.history
        ]
    return consents, history


def _orders(
    partial: Partial, at: dict[Stamp, int]
) -> tuple[dict[str, _OrderRow] | None, list[_RefundRow] | None, dict[str, int] | None]:
    orders = refunds = cancelled = None
    if partial.orders is not None:
        orders = {
            i: (at[o.stamp], o.units, o.currency, o.channel, o.lines) for i, o in partial.orders.items()
        }
    if partial.refunds is not None:
        rows = sorted(partial.refunds.items())
        refunds = [(at[r.stamp], *key, r.units, r.currency, r.lines) for key, r in rows]
    if partial.cancelled is not None:
        cancelled = {i: at[stamp] for i, stamp in partial.cancelled.items()}
    return orders, refunds, cancelled


def _columns(partial: Partial, names: dict[str, int]) -> _Columns | None:
    if not partial.recents:
        return None
    times, events, channels, products, categories = zip(*partial.recents, strict=True)
    order = {c: i for i, c in enumerate(sorted(partial.channels))}
    return (
        [times[0], *map(sub, times[1:], times)],
        list(map(names.get, events, events)),
        list(map(order.get, channels, channels)),
        list(products),
        list(categories),
    )


def _campaigns(
    partial: Partial, at: dict[Stamp, int]
) -> tuple[int, dict[str, str], int, dict[str, str]] | None:
    first, last = partial.first_campaign, partial.last_campaign
    if first is None or last is None:
        return None
    return at[first[0]], first[1], at[last[0]], last[1]


def decode(data: bytes) -> Partial:
    """The partial of `encode`.

    Raises
    ------
    NewerSchema
        When the bytes were written by a later Patron.
    msgspec.ValidationError
        When they are no partial.
    """
    try:
        wire = _decode(data)
    except msgspec.ValidationError:
        _refuse_newer(data)
        raise
    if wire.format != FORMAT:
        _refuse_newer(data)
    first, last, stamps, names = wire.first, wire.last, wire.stamps, [share(name) for name in wire.counters]
    return Partial(
        wire.events,
        first,
        last,
        wire.counters,
        wire.other,
        {c: [first + a, last - b, n] for c, (a, b, n) in wire.channels.items()},
        _shared_days(names, wire.days),
        _rows(wire, names),
        None if wire.traits is None else {n: (value, stamps[i]) for n, (i, value) in wire.traits.items()},
        None
        if wire.consents is None
        else {(p, c): Consent(stamps[i], yes, text, place) for i, p, c, yes, text, place in wire.consents},
        None
        if wire.history is None
        else [Change(stamps[i], p, c, yes, text, place) for i, p, c, yes, text, place in wire.history],
        None
        if wire.orders is None
        else {
            n: Order(stamps[i], units, code, c, lines)
            for n, (i, units, code, c, lines) in wire.orders.items()
        },
        None
        if wire.refunds is None
        else {(o, r): Refund(stamps[i], units, code, lines) for i, o, r, units, code, lines in wire.refunds},
        None if wire.cancelled is None else {n: stamps[i] for n, i in wire.cancelled.items()},
        wire.sums,
        None if wire.campaigns is None else (stamps[wire.campaigns[0]], wire.campaigns[1]),
        None if wire.campaigns is None else (stamps[wire.campaigns[2]], wire.campaigns[3]),
    )


def _shared_days(names: list[str], days: list[list[int]]) -> dict[str, list[int]]:
    for flat in days:
        flat[::2] = map(share_day, flat[::2])
    return {name: flat for name, flat in zip(names, days, strict=True) if flat}


def _rows(wire: _Wire, names: list[str]) -> list[Recent]:
    if wire.recents is None:
        return []
    times, events, channels, products, categories = wire.recents
    order = [share(channel) for channel in wire.channels]
    return list(
        zip(
            accumulate(times),
            [e if isinstance(e, str) else names[e] for e in events],
            [c if isinstance(c, str) else order[c] for c in channels],
            products,
            categories,
            strict=True,
        )
    )


def _refuse_newer(data: bytes) -> None:
    version = _version(data)[:1]
    if version and isinstance(version[0], int) and version[0] > FORMAT:
        raise NewerSchema(
            f"A profile was written in form {version[0]}, this Patron reads up to {FORMAT}: start the newer version."
        )
