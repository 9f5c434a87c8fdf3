"""The laws of CORE.md section 1 a second time, as plainly as possible: from the whole set of events at once.

Money is `Decimal` here and integers there. Nothing of `patron.profiles` is used but the rules and the constants
that are part of the specification (which names are declared, and that sums stop somewhere).
"""

from collections import Counter, defaultdict
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from patron.model.clock import DAY
from patron.model.events import Event
from patron.profiles.rules import STANDARD_NAMES, ProfileRules

CENT4 = Decimal("0.0001")


def key(event: Event) -> tuple[int, str]:
    return event.time, f"{event.source}/{event.message_id}"


def decimal(value: Any) -> Decimal | None:
    """An amount to four places."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number.quantize(CENT4, ROUND_HALF_EVEN) if abs(number) <= 10**12 else None


def code(properties: dict[str, Any], default: str) -> str:
    given = properties.get("currency") or ""
    return given.upper() if len(given) == 3 else default


def lines(properties: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal | None]]:
    """product -> (quantity, price of all of it, None when no line of it has a price)"""
    found: dict[str, list[tuple[Decimal, Decimal | None]]] = defaultdict(list)
    for line in properties.get("products") or []:
        given = line.get("quantity")
        quantity = abs(Decimal(str(1 if given is None else given)))
        price = decimal(line.get("price"))
        if quantity:
            whole = None if price is None else (price * quantity).quantize(CENT4, ROUND_HALF_UP)
            found[str(line["product_id"])].append((quantity, whole))
    return {
        product: (
            sum((q for q, _ in parts), Decimal(0)),
            None
            if all(w is None for _, w in parts)
            else sum((w for _, w in parts if w is not None), Decimal(0)),
        )
        for product, parts in found.items()
    }


def first_of(properties: dict[str, Any], *names: str) -> Decimal | None:
    return next((d for n in names if (d := decimal(properties.get(n))) is not None), None)


def latest(groups: dict[Any, list[Event]], most: int) -> dict[Any, Event]:
    """Of each group its greatest event; of the groups the `most` greatest."""
    best = {name: max(events, key=key) for name, events in groups.items()}
    kept = sorted(best, key=lambda n: (key(best[n]), n), reverse=True)[:most]
    return {name: best[name] for name in kept}


def named(events: list[Event], name: str) -> list[Event]:
    return [e for e in events if e.type == "track" and e.name == name]


def money(events: list[Event], rules: ProfileRules) -> tuple[int, dict[str, Decimal], dict[str, Decimal]]:
    """(orders, gross, net) of a person."""
    by_order, by_refund, by_cancel = defaultdict(list), defaultdict(list), defaultdict(list)
    for e in named(events, "Order Completed"):
        by_order[str(e.properties.get("order_id", key(e)[1]))].append(e)
    for e in named(events, "Order Refunded"):
        if "order_id" in e.properties:
            by_refund[str(e.properties["order_id"]), e.properties.get("refund_id", key(e)[1])].append(e)
    for e in named(events, "Order Cancelled"):
        if "order_id" in e.properties:
            by_cancel[str(e.properties["order_id"])].append(e)
    refunds, cancels = latest(by_refund, rules.refunds), latest(by_cancel, rules.refunds)
    count, gross, net = 0, defaultdict(Decimal), defaultdict(Decimal)
    for name, order in latest(by_order, rules.orders).items():
        currency = code(order.properties, rules.currency)
        value = first_of(order.properties, "revenue", "total", "value")
        if value is None:
            value = sum((w for _, w in lines(order.properties).values() if w is not None), Decimal(0))
        value = max(value, Decimal(0))
        gross[currency] += value
        net[currency] += 0
        if name not in cancels:
            count += 1
            back = refunded(order, value, [r for (o, _), r in refunds.items() if o == name], rules)
            net[currency] += max(value - back, Decimal(0))
    return count, dict(gross), dict(net)


def refunded(order: Event, value: Decimal, refunds: list[Event], rules: ProfileRules) -> Decimal:
    bought = {p: (q, w) for p, (q, w) in lines(order.properties).items() if w is not None}
    total, returned = Decimal(0), defaultdict(Decimal)
    for refund in refunds:
        mine = code(order.properties, rules.currency)
        same = code(refund.properties, mine) == mine
        amount = first_of(refund.properties, "revenue", "total", "refund", "amount")
        given = lines(refund.properties)
        if amount is not None and same:
            total += abs(amount)
            continue
        worth = [p for p, (_, w) in given.items() if p in bought or (same and w is not None)]
        if amount is None and not worth:
            return value
        for product in worth:
            quantity, whole = given[product]
            if product in bought:
                returned[product] += quantity
            else:
                assert whole is not None
                total += whole
    for product, quantity in returned.items():
        had, whole = bought[product]
        total += (whole * min(quantity, had) / had).quantize(CENT4, ROUND_HALF_UP)
    return total


def counters(events: list[Event], rules: ProfileRules) -> tuple[dict[str, int], int]:
    count = Counter(e.name[:200] for e in events)
    declared = {n for n in count if n in STANDARD_NAMES or n in rules.declared}
    kept = declared | set(sorted(set(count) - declared)[: rules.names])
    return {n: count[n] for n in kept}, sum(c for n, c in count.items() if n not in kept)


def days(events: list[Event], rules: ProfileRules) -> dict[str, dict[int, int]]:
    """Of one node."""
    floor = max(e.time for e in events) // DAY - rules.days
    kept, _ = counters(events, rules)
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for e in events:
        if e.time // DAY > floor and e.name[:200] in kept:
            found[e.name[:200]][e.time // DAY] += 1
    return {name: dict(series) for name, series in found.items()}


def sums(events: list[Event], rules: ProfileRules) -> dict[str, dict[str, Decimal]]:
    kept, _ = counters(events, rules)
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for e in events:
        value = decimal(e.properties.get("revenue"))
        name = e.name[:200]
        if value and value > 0 and name in kept and not name.startswith("Order ") and e.type == "track":
            found[name][code(e.properties, rules.currency)] += value
    return {name: dict(money) for name, money in found.items()}


def refused(event: Event, rules: ProfileRules) -> bool:
    return any(not c.granted and c.purpose in rules.collection_purposes for c in event.consents)


def traits(events: list[Event], rules: ProfileRules) -> dict[str, tuple[Any, tuple[int, str]]]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for e in events:
        if e.type != "group" and (e.reduced or not refused(e, rules)):
            for name, value in e.traits.items():
                if len(name) <= 200 and value != 2**70 and len(str(value)) <= 2048:
                    groups[name].append(e)
    best = latest(groups, rules.traits)
    return {n: (e.traits[n], key(e)) for n, e in best.items() if e.traits[n] is not None}


def consents(events: list[Event], rules: ProfileRules) -> dict[tuple[str, str], tuple[bool, int]]:
    said: dict[tuple[str, str], list[tuple[int, bool, str]]] = defaultdict(list)
    for e in events:
        for c in e.consents:
            said[c.purpose, c.channel].append((e.time, not c.granted, key(e)[1]))
    best = {name: max(ranks) for name, ranks in said.items()}
    kept = sorted(best, key=lambda n: (best[n], n), reverse=True)[: rules.consents]
    return {name: (not best[name][1], best[name][0]) for name in kept}


def history(events: list[Event], rules: ProfileRules) -> list[tuple[Any, ...]]:
    said = [
        (key(e), c.purpose, c.channel, c.granted, c.text_version, c.place)
        for e in events
        for c in e.consents
        if c.explicit
    ]
    return sorted(said)[-rules.history :]


def recents(events: list[Event], rules: ProfileRules) -> list[tuple[int, str, str, str, str]]:
    rows = []
    for e in events:
        if e.reduced or refused(e, rules):
            continue
        about = e.properties if "product_id" in e.properties else ((e.properties.get("products") or [{}])[0])
        rows.append(
            (
                e.time,
                e.name[:200],
                e.channel,
                str(about.get("product_id", "")),
                about.get("category", e.properties.get("category", ""))
                if about is e.properties
                else e.properties.get("category", ""),
            )
        )
    return sorted(rows, reverse=True)[: rules.recents]


def campaigns(events: list[Event], rules: ProfileRules) -> list[tuple[tuple[int, str], str]]:
    """(event, name) of the first and the last campaign."""
    told = [
        (key(e), e.context["campaign"]["name"])
        for e in events
        if isinstance(e.context.get("campaign"), dict)
        and e.context["campaign"]
        and not (e.reduced or refused(e, rules))
    ]
    return [min(told), max(told)] if told else []
