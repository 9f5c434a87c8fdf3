"""An event into the partial of its node: a few microseconds, exact in any order.

Duplicates must be gone before (they are: by source and message id, at acceptance). A `group` call counts as an event;
its traits are the account's, not the person's.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any

import msgspec

from patron.model.clock import DAY
from patron.model.events import Event
from patron.profiles.amounts import CEILING, amount, currency_of, product_of, text_of
from patron.profiles.bounds import beyond, drop_days, keep_latest
from patron.profiles.orders import fold_cancel, fold_order, fold_refund
from patron.profiles.partial import Campaign, Change, Consent, Partial, Recent, Stamp, Trait
from patron.profiles.rules import ProfileRules
from patron.profiles.sharing import goods, labels, share, share_day, share_good, share_label, shared

_NAME = 200
"""Longest event name, trait name, purpose or text kept, in characters."""
_CAMPAIGN = ("name", "source", "medium", "term", "content", "id")
_INT_LOW, _INT_HIGH = -(2**63), 2**64
_encode = msgspec.msgpack.Encoder(order="deterministic").encode

_MONEY: dict[str, Callable[[Partial, Event, ProfileRules], None]] = {
    "Order Completed": fold_order,
    "Order Refunded": fold_refund,
    "Order Cancelled": fold_cancel,
}


def fold(partial: Partial, event: Event, rules: ProfileRules) -> None:
    """Add one event to its node, in place.

    >>> p = Partial()
    >>> viewed = Event(position=1, source="shop", channel="web", type="track", name="Product Viewed",
    ...                message_id="m-1", time=1_700_000_000_000, received=1_700_000_000_900,
    ...                properties={"product_id": "P0412", "category": "coffee"})
    >>> fold(p, viewed, ProfileRules())
    >>> p.counters, p.channels, p.recents[0][3]
    ({'Product Viewed': 1}, {'web': [1700000000000, 1700000000000, 1]}, 'P0412')
    """
    name, channel, time = event.name, event.channel, event.time
    if name not in shared:
        name = share(name[:_NAME])
    _count(partial, name, time, rules)
    seen = partial.channels.get(channel)
    if seen is None:
        partial.channels[share(channel)] = [time, time, 1]
    else:
        seen[2] += 1
        if time > seen[1]:
            seen[1] = time
        elif time < seen[0]:
            seen[0] = time
    properties = event.properties
    if event.type == "track":
        if name in _MONEY:
            _MONEY[name](partial, event, rules)
        elif "revenue" in properties:
            _sum(partial, name, properties, rules)
    refused = bool(event.consents) and _consents(partial, event, rules)
    if not refused and not event.reduced:
        product, category = _product(properties) if properties else ("", "")
        row = (time, shared.get(name, name), shared.get(channel, channel), product, category)
        _recent(partial.recents, row, rules.recents)
        if "campaign" in event.context:
            _campaign(partial, event)
    if (event.traits or "traits" in event.context) and (event.reduced or not refused):
        _traits(partial, event, rules)  # of a reduced event the reader left only what operations need


def _recent(recents: list[Recent], row: Recent, most: int) -> None:
    if not recents or row >= recents[-1]:
        recents.append(row)
    else:
        insort(recents, row)
    if len(recents) > most:
        del recents[0]


def _count(partial: Partial, name: str, time: int, rules: ProfileRules) -> None:
    """Counters and days. The newest day only grows, so a day that left the window never comes back."""
    day, last = time // DAY, partial.last
    if not partial.events:
        partial.first = partial.last = last = time
    elif time > last:
        newest = last // DAY
        partial.last = last = time
        if day != newest and partial.first // DAY <= day - rules.days:
            _forget_days(partial, day - rules.days)
    elif time < partial.first:
        partial.first = time
    partial.events += 1
    counters = partial.counters
    before = counters.get(name)
    if before is not None:
        counters[name] = before + 1
    else:
        name = shared.get(name, name)
        counters[name] = 1
        if len(counters) > rules.names:
            _drop_names(partial, rules)
            if name not in counters:
                return
    series = partial.days.get(name)
    if series is not None and series[-2] == day:
        series[-1] += 1
    elif day > last // DAY - rules.days:
        _day(partial.days, name, series, day)


def _day(days: dict[str, list[int]], name: str, series: list[int] | None, day: int) -> None:
    if series is None:
        days[name] = [share_day(day), 1]
    elif series[-2] < day:
        series += (share_day(day), 1)
    else:
        at = 2 * bisect_left(range(len(series) // 2), day, key=lambda i: series[2 * i])
        if series[at] == day:
            series[at + 1] += 1
        else:
            series[at:at] = (share_day(day), 1)


def _forget_days(partial: Partial, floor: int) -> None:
    for name in [name for name, series in partial.days.items() if series[0] <= floor]:
        drop_days(partial.days[name], floor)
        if not partial.days[name]:
            del partial.days[name]


def _drop_names(partial: Partial, rules: ProfileRules) -> None:
    for name in beyond(partial.counters, rules):
        partial.other += partial.counters.pop(name)
        partial.days.pop(name, None)
        if partial.sums is not None and name in partial.sums:
            del partial.sums[name]
            partial.sums = partial.sums or None


def _product(properties: dict[str, Any]) -> tuple[str, str]:
    """Product and category that an event speaks of; of several products, those of the first."""
    line = properties
    if "product_id" not in properties:
        products = properties.get("products")
        if products and isinstance(products, list) and isinstance(products[0], dict):
            line = products[0]
    product = ""
    if "product_id" in line:
        told = line["product_id"]
        product = (goods.get(told) if type(told) is str else None) or share_good(product_of(line))
    elif line is not properties:
        product = share_good(product_of(line))
    category = line.get("category")
    if category is None:
        return product, ""
    if type(category) is str:
        return product, labels[category] if category in labels else share_label(
            category, text_of(category, 100)
        )
    return product, share_good(text_of(category, 100))


def _sum(partial: Partial, name: str, properties: dict[str, Any], rules: ProfileRules) -> None:
    """Revenue that belongs to no order. Only what is above 0 adds up, so that a full sum stays full."""
    units = amount(properties["revenue"])
    if units is None or units <= 0 or name not in partial.counters:
        return
    if partial.sums is None:
        partial.sums = {}
    sums = partial.sums.setdefault(name, {})
    currency = currency_of(properties, rules.currency)
    sums[currency] = min(sums.get(currency, 0) + units, CEILING)


def _consents(partial: Partial, event: Event, rules: ProfileRules) -> bool:
    """Keep what the event says of consents; whether it refuses the collection of itself."""
    stamp = (event.time, event.uid)
    consents = partial.consents
    if consents is None:
        consents = partial.consents = {}
    for claim in event.consents:
        key = (claim.purpose[:_NAME], claim.channel[:_NAME])
        proof = (claim.text_version[:_NAME], claim.place[:_NAME])
        consent = Consent(stamp, claim.granted, *proof)
        before = consents.get(key)
        if before is None or consent.rank > before.rank:
            consents[key] = consent
        if claim.explicit:
            _change(partial, Change(stamp, *key, claim.granted, *proof), rules)
    if len(consents) > rules.consents:
        keep_latest(consents, rules.consents, rank_of)
    return any(not claim.granted and claim.purpose in rules.collection_purposes for claim in event.consents)


def _change(partial: Partial, change: Change, rules: ProfileRules) -> None:
    if partial.history is None:
        partial.history = []
    insort(partial.history, change)
    if len(partial.history) > rules.history:
        del partial.history[0]


def rank_of(consent: Consent) -> tuple[int, bool, str]:
    """What decides which of two statements stands."""
    return consent.rank


def told_traits(event: Event, rules: ProfileRules) -> dict[str, Any]:
    """The traits that a profile takes of an event, null for those it deletes; what else the node holds is not asked.

    >>> told_traits(Event(1, "shop", "web", "identify", "Identified", "m", 5, 5, traits={"city": "Bari"}), ProfileRules())
    {'city': 'Bari'}
    """
    if not event.traits and "traits" not in event.context:
        return {}
    if not event.reduced and any(
        not claim.granted and claim.purpose in rules.collection_purposes for claim in event.consents
    ):
        return {}
    return {n: v for n, v in _written_traits(event).items() if len(n) <= _NAME and _fits(v, rules)}


def _written_traits(event: Event) -> dict[str, Any]:
    told = event.context.get("traits")
    written = told if isinstance(told, dict) else {}
    if event.type != "group" and event.traits:
        return {**written, **event.traits} if written else event.traits
    return written


def _traits(partial: Partial, event: Event, rules: ProfileRules) -> None:
    written = _written_traits(event)
    stamp = (event.time, event.uid)
    traits = partial.traits if partial.traits is not None else {}
    for name, value in written.items():
        before = traits.get(name)
        if (before is None or stamp > before[1]) and len(name) <= _NAME and _fits(value, rules):
            traits[name] = (value, stamp)
    if traits:
        partial.traits = traits
        keep_latest(traits, rules.traits, _written)


def _written(trait: Trait) -> Stamp:
    return trait[1]


def _fits(value: Any, rules: ProfileRules) -> bool:
    """Whether a value can be kept: JSON, within 64 bits, and small."""
    if value is None or isinstance(value, bool | float):
        return True
    if isinstance(value, int):
        return _INT_LOW <= value < _INT_HIGH
    if isinstance(value, str) and len(value) * 4 <= rules.trait_bytes:
        return True
    try:
        return len(_encode(value)) <= rules.trait_bytes
    except (OverflowError, TypeError, ValueError, RecursionError):
        return False


def _campaign(partial: Partial, event: Event) -> None:
    campaign = event.context.get("campaign")
    if not isinstance(campaign, dict):
        return
    facts = {name: text for name in _CAMPAIGN if (text := text_of(campaign.get(name)))}
    if not facts:
        return
    new: Campaign = ((event.time, event.uid), facts)
    if partial.first_campaign is None or new[0] < partial.first_campaign[0]:
        partial.first_campaign = new
    if partial.last_campaign is None or new[0] > partial.last_campaign[0]:
        partial.last_campaign = new
