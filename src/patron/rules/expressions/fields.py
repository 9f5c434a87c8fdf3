"""What a rule reads of one event, in SQL: `rules.filters.read` over the columns of the lake, typed where they are."""

from math import radians
from typing import Any, NamedTuple, Protocol

import ibis
import ibis.expr.types as ir

from patron.rules.expressions.days import hour_of, weekday_of
from patron.rules.expressions.functions import json_items, json_key, json_path
from patron.rules.expressions.numbers import NUMBER, number_of_json, number_of_text, short, text_of_json
from patron.rules.expressions.operators import (
    equal,
    json_holds,
    never,
    number_holds,
    text_holds,
    truth,
    typed_holds,
)
from patron.rules.expressions.tables import At
from patron.rules.filters import ITEMS, PLACE, PROPERTIES, TEXT_FIELDS, TIME_FIELDS, centre_of, distance_km
from patron.rules.tree import ANY_EVENT, Where

_EARTH = 6371.0088
"""Kilometres, as in `rules.filters`."""
_TEXTS = frozenset({"product_id", "category", "order_id", "coupon", "currency"})
_NUMBERS = frozenset({"revenue", "total", "value", "price", "quantity", "discount"})


class Field(Protocol):
    """A field of one event: whether an operator holds, and what measures take of it."""

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue: ...
    def number(self) -> ir.DecimalValue: ...
    def text(self) -> ir.StringValue: ...


class Text(NamedTuple):
    """A text column."""

    value: ir.StringValue

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue:
        return text_holds(op, wanted, self.value)

    def number(self) -> ir.DecimalValue:
        return number_of_text(self.value)

    def text(self) -> ir.StringValue:
        return short(self.value)


class Whole(NamedTuple):
    """A whole number that is always there."""

    value: ir.IntegerValue

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue:
        return number_holds(op, wanted, self.value)

    def number(self) -> ir.DecimalValue:
        return self.value.cast(NUMBER)

    def text(self) -> ir.StringValue:
        return self.value.cast("string")


class Json(NamedTuple):
    """A property that stands in the JSON only."""

    value: ir.StringValue

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue:
        return json_holds(op, wanted, self.value)

    def number(self) -> ir.DecimalValue:
        return number_of_json(self.value)

    def text(self) -> ir.StringValue:
        return text_of_json(self.value)


class TypedText(NamedTuple):
    """A property that has a column for its texts."""

    column: ir.StringValue
    json: Json

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue:
        return typed_holds(op, wanted, self.column, self.json.value)

    def number(self) -> ir.DecimalValue:
        return self.json.number()

    def text(self) -> ir.StringValue:
        return ibis.ifelse(self.column.notnull(), short(self.column), self.json.text())


class TypedNumber(NamedTuple):
    """A property that has a column for its exact number, be it written as a number or as a text."""

    column: ir.DecimalValue
    json: Json

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue:
        return self.json.holds(op, wanted)

    def number(self) -> ir.DecimalValue:
        return self.column

    def text(self) -> ir.StringValue:
        return self.json.text()


class Items(NamedTuple):
    """A field of every item of a list. For a measure, the table must be unnested by `items` first."""

    value: ir.StringValue
    name: str

    def holds(self, op: str, wanted: Any) -> ir.BooleanValue:
        listed = truth(self.value.startswith("["))
        if op in ("exists", "missing"):
            return listed if op == "exists" else ~listed
        if op != "has":
            return never()
        found = json_items(self.value).filter(lambda item: truth(equal(wanted, self.of(item))))
        return truth(ibis.ifelse(listed, found.length() > 0, never()))

    def of(self, item: ir.StringValue) -> ir.StringValue:
        return json_path(item, self.name) if self.name else item

    def items(self) -> ir.ArrayValue:
        """The JSON texts of the list's items; null when it is no list."""
        return ibis.ifelse(self.value.startswith("["), json_items(self.value), ibis.null("array<string>"))


def read(events: ir.Table, field: str, at: At) -> Text | Whole | Json | TypedText | TypedNumber | Items:
    """The field of that name; a bare name is a property's."""
    if field in TEXT_FIELDS:
        return Text(events["group_id" if field == "account" else field])
    if field in TIME_FIELDS:
        return Whole(
            (weekday_of if field == "weekday" else hour_of)(events.milliseconds, at.calendar, at.now)
        )
    path = field.removeprefix(PROPERTIES)
    head, items, rest = path.partition(ITEMS)
    if items:
        return Items(json_path(events.properties, head), rest.removeprefix("."))
    json = Json(json_path(events.properties, path))
    if path in _TEXTS:
        return TypedText(events[path], json)
    return TypedNumber(events[path], json) if path in _NUMBERS else json


def passes(events: ir.Table, name: str, where: tuple[Where, ...], at: At) -> ir.BooleanValue:
    """Whether an event has this name (`*`: any) and passes every filter.

    The name is asked first: a CASE spares reading the JSON of all other events, which AND would not.
    """
    named: ir.BooleanValue = ibis.literal(True) if name == ANY_EVENT else events.name == name
    if not where:
        return named
    held: ir.BooleanValue = ibis.literal(True)
    for one in where:
        held = held & _passes(events, one, at)
    return held if name == ANY_EVENT else ibis.ifelse(named, held, never())


def _passes(events: ir.Table, where: Where, at: At) -> ir.BooleanValue:
    if where.field == PLACE:
        return _is_near(events, where.value, at)
    return read(events, where.field, at).holds(where.op, where.value)


def _is_near(events: ir.Table, value: dict[str, Any], at: At) -> ir.BooleanValue:
    centre, km = centre_of(value, at.stores), value["km"]
    if centre is None:
        return never()
    stores = [store for store, point in sorted(at.stores.items()) if distance_km(centre, point) <= km]
    inside = truth(events.store.isin(stores)) if stores else never()
    lat, lon = events.latitude, events.longitude
    on_earth = lat.between(-90.0, 90.0) & lon.between(-180.0, 180.0)
    for name in ("latitude", "longitude"):  # their columns hold numbers that were written as texts as well
        on_earth = on_earth & json_key(events.properties, name).re_search("^[-0-9]")
    return inside | truth(ibis.ifelse(on_earth, _distance_km(centre, lat, lon) <= km, never()))


def _distance_km(
    centre: tuple[float, float], lat: ir.FloatingValue, lon: ir.FloatingValue
) -> ir.FloatingValue:
    """`filters.distance_km`, step for step."""
    south = lat.radians()
    half_lat, half_lon = (south - radians(centre[0])) / 2, (lon - centre[1]).radians() / 2
    across = ibis.literal(radians(centre[0])).cos() * south.cos()
    chord = half_lat.sin() * half_lat.sin() + across * half_lon.sin() * half_lon.sin()
    return ibis.least(ibis.literal(1.0), chord.sqrt()).asin() * (2 * _EARTH)
