"""What is bought: pairs of products in one order, and recency, frequency and money of every buyer."""

from typing import Annotated

import ibis
import ibis.expr.types as ir
from msgspec import Meta, Struct

from patron.insights.bounds import Days, Top
from patron.insights.events import events_between
from patron.rules.expressions.days import day_of
from patron.rules.expressions.tables import SUBJECT, At, Lake

ORDER = "Order Completed"


class Pair(Struct, frozen=True):
    """Two products bought in one order."""

    a: str
    b: str
    orders: int
    a_orders: int
    b_orders: int


class Scored(Struct, frozen=True):
    """How many buyers have these fifths: 5 is the best (latest, most often, most money)."""

    recency: int
    frequency: int
    monetary: int
    people: int


class Pairs(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pairs"):
    """Products that are bought together, the most frequent first; a product counts once an order.

    Orders of more than `lines` products (a wholesaler's) are passed over: their pairs grow with the square.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Pairs().expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('a', 'b', 'orders', 'a_orders', 'b_orders')
    """

    days: Days | None = 90
    top: Top = 100
    lines: Annotated[int, Meta(ge=2, le=1000)] = 100

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Pair`."""
        orders = events_between(lake, at, (ORDER,), self.days)
        orders = orders.filter(orders.products.length() <= self.lines)
        lines = orders.select("position", line=orders.products.unnest())
        lines = lines.select("position", product=lines.line["product_id"])
        lines = lines.filter(lines["product"].notnull()).distinct()
        other = lines.rename(also="product")
        both = lines.join(other, [lines.position == other.position, lines["product"] < other.also])
        pairs = both.group_by(a="product", b="also").agg(orders=ibis._.count())
        best = pairs.order_by(pairs.orders.desc(), pairs.a, pairs.b).limit(self.top)
        alone = lines.group_by("product").agg(times=lines.count())
        first, second = (
            alone.rename(a="product", a_orders="times"),
            alone.rename(b="product", b_orders="times"),
        )
        found = best.join(first, "a").join(second, "b").select("a", "b", "orders", "a_orders", "b_orders")
        return found.order_by(found.orders.desc(), found.a, found.b)


class Rfm(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rfm"):
    """Buyers by fifths of recency (days), frequency (orders) and money (`revenue`), each a rank among all buyers.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions import unbound
    >>> Rfm().expression(unbound(), At(10**12, Calendar("UTC"))).columns
    ('recency', 'frequency', 'monetary', 'people')
    """

    days: Days | None = None

    def buyers(self, lake: Lake, at: At) -> ir.Table:
        """One row a buyer: `subject`, `days`, `orders`, `revenue`, and the fifths (1 to 5). Ties go by the subject's id."""
        orders = events_between(lake, at, (ORDER,), self.days)
        found = orders.group_by(SUBJECT).agg(
            last=orders.milliseconds.max(),
            orders=orders.count(),
            revenue=ibis.coalesce(orders.revenue.sum(), ibis.literal(0, "decimal(38, 6)")),
        )
        return found.select(
            SUBJECT,
            "orders",
            "revenue",
            days=at.calendar.day(at.now) - day_of(found["last"], at.calendar, at.now),
            recency=_fifth(found["last"]),
            frequency=_fifth(found.orders),
            monetary=_fifth(found.revenue),
        )

    def expression(self, lake: Lake, at: At) -> ir.Table:
        """The table whose rows are `Scored`."""
        buyers = self.buyers(lake, at)
        return buyers.group_by("recency", "frequency", "monetary").agg(people=buyers.count())


def _fifth(value: ir.Value) -> ir.IntegerValue:
    """1 to 5. Ibis counts tiles from 0."""
    return ibis.ntile(5).over(ibis.window(order_by=[value, ibis._[SUBJECT]])).cast("int64") + 1
