"""Orders, exact: one value per order id whatever tells it how often, net of refunds that may come first.

| event | law |
|---|---|
| `Order Completed` | by order id; the greater (time, uid) replaces |
| `Order Refunded` | by order id and refund id (`refund_id`, else the event); the greater (time, uid) replaces |
| `Order Cancelled` | once said, the order counts as refunded whole and is no order in the count |

A refund is worth the amount it names; else its lines at the order's own prices; else the whole order. What one
product gives back is never more than was bought of it, and what an order gives back never more than the order.
All of this is worked out when partials are merged, so a refund may come before its order or sit in another node.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from patron.model.events import Event
from patron.profiles.amounts import (
    MOST,
    UNPRICED,
    Lines,
    currency_of,
    first_amount,
    lines_of,
    pack,
    text_of,
    unpack,
)
from patron.profiles.bounds import keep_latest
from patron.profiles.partial import Order, Partial, Refund, Stamp
from patron.profiles.rules import ProfileRules

REVENUE = ("revenue", "total", "value")
"""Properties that say what an order is worth, the first usable one counts; else its lines do."""
REFUND = ("revenue", "total", "refund", "amount")
"""Properties that say what a refund gives back."""


class Purchase(Struct, frozen=True, gc=False):
    """One order of a person with what came back of it, in units of 1e-4."""

    time: int
    currency: str
    channel: str
    gross: int
    refunded: int = 0
    cancelled: bool = False

    @property
    def net(self) -> int:
        """What stays: never below 0.

        >>> Purchase(0, "EUR", "pos", 413000, 180000).net
        233000
        """
        return self.gross - self.refunded


def order_id(event: Event) -> str:
    """The order that an event is about; empty when it names none.

    >>> order_id(Event(1, "till", "pos", "track", "Order Completed", "m", 0, 0, properties={"order_id": 770958}))
    '770958'
    """
    return text_of(event.properties.get("order_id")) or text_of(event.properties.get("orderId"))


def fold_order(partial: Partial, event: Event, rules: ProfileRules) -> None:
    """Take an `Order Completed`. Without an order id the event is an order of its own."""
    stamp = (event.time, event.uid)
    name = order_id(event) or event.uid
    orders = partial.orders
    if orders is None:
        orders = partial.orders = {}
    before = orders.get(name)
    if before is not None and before.stamp >= stamp:
        return
    lines = lines_of(event.properties)
    units = first_amount(event.properties, REVENUE)
    if units is None:
        units = min(sum(total for _, total in lines.values() if total != UNPRICED), MOST)
    currency = currency_of(event.properties, rules.currency)
    orders[name] = Order(stamp, max(units, 0), currency, event.channel, pack(lines))
    if len(orders) > rules.orders:
        keep_latest(orders, rules.orders, stamp_of)


def fold_refund(partial: Partial, event: Event, rules: ProfileRules) -> None:
    """Take an `Order Refunded`. One that names no order cannot be set against any, and only counts as an event."""
    order = order_id(event)
    if not order:
        return
    stamp = (event.time, event.uid)
    key = (order, text_of(event.properties.get("refund_id")) or event.uid)
    refunds = partial.refunds
    if refunds is None:
        refunds = partial.refunds = {}
    before = refunds.get(key)
    if before is not None and before.stamp >= stamp:
        return
    units = first_amount(event.properties, REFUND)
    refunds[key] = Refund(
        stamp,
        None if units is None else abs(units),
        currency_of(event.properties, ""),
        pack(lines_of(event.properties)),
    )
    if len(refunds) > rules.refunds:
        keep_latest(refunds, rules.refunds, stamp_of)


def fold_cancel(partial: Partial, event: Event, rules: ProfileRules) -> None:
    """Take an `Order Cancelled`."""
    order = order_id(event)
    if not order:
        return
    stamp = (event.time, event.uid)
    cancelled = partial.cancelled
    if cancelled is None:
        cancelled = partial.cancelled = {}
    cancelled[order] = max(stamp, cancelled.get(order, stamp))
    if len(cancelled) > rules.refunds:
        keep_latest(cancelled, rules.refunds, itself)


def stamp_of(value: Order | Refund) -> Stamp:
    """The write that an order or refund comes from."""
    return value.stamp


def itself(stamp: Stamp) -> Stamp:
    """A cancellation is nothing but its stamp."""
    return stamp


def settle(
    orders: Mapping[str, Order], refunds: Mapping[tuple[str, str], Refund], cancelled: Iterable[str]
) -> dict[str, Purchase]:
    """Set refunds and cancellations against their orders, each wherever it came from."""
    by_order: dict[str, list[Refund]] = {}
    for (order, _), refund in refunds.items():
        by_order.setdefault(order, []).append(refund)
    gone = frozenset(cancelled)
    return {name: _purchase(order, by_order.get(name), name in gone) for name, order in orders.items()}


def _purchase(order: Order, refunds: list[Refund] | None, cancelled: bool) -> Purchase:
    refunded = 0
    if cancelled:
        refunded = order.units
    elif refunds:
        refunded = min(_refunded(order, refunds), order.units)
    return Purchase(order.stamp[0], order.currency, order.channel, order.units, refunded, cancelled)


def _refunded(order: Order, refunds: list[Refund]) -> int:
    bought = {p: line for p, line in unpack(order.lines).items() if line[1] != UNPRICED}
    total = 0
    returned: dict[str, int] = {}
    for refund in refunds:
        lines = unpack(refund.lines)
        same = refund.currency in ("", order.currency)
        if refund.units is not None and same:
            total += refund.units
        elif refund.units is None and not _priced(lines, bought, same):
            return order.units
        else:
            total += _back(lines, bought, same, returned)
    return total + sum(_worth(bought[p], quantity) for p, quantity in returned.items())


def _priced(lines: Lines, bought: Lines, same: bool) -> bool:
    return any(product in bought or (same and total != UNPRICED) for product, (_, total) in lines.items())


def _back(lines: Lines, bought: Lines, same: bool, returned: dict[str, int]) -> int:
    """Note what came back of the order's own products; give the value of the others at the refund's prices."""
    total = 0
    for product, (quantity, price) in lines.items():
        if product in bought:
            returned[product] = returned.get(product, 0) + quantity
        elif same and price != UNPRICED:
            total += price
    return total


def _worth(line: tuple[int, int], quantity: int) -> int:
    bought, total = line
    return (2 * total * min(quantity, bought) + bought) // (2 * bought)
