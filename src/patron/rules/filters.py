"""What a rule reads of one event: the value of a field, and whether the event passes a filter.

| field | value |
|---|---|
| `properties.NAME` | a property, nested by dots |
| `properties.LIST[].NAME` | of each item of a list: `products[].category`; measures count every item, `has` looks for one |
| `channel`, `source`, `touchpoint`, `store` | text, where the event has it |
| `account` | the `groupId` it was done for: the business hat |
| `weekday` | 1 (Monday) to 7 (Sunday), of the event's day in the business's zone |
| `hour` | 0 to 23, local, at the beginning of the event's UTC hour |
| `place` | only with `near` |
"""

from collections.abc import Mapping
from math import asin, cos, radians, sin, sqrt
from typing import Any

from patron.model.events import Event
from patron.rules.calendar import Calendar
from patron.rules.tree import ANY_EVENT, Where
from patron.rules.values import field_of, holds

PROPERTIES = "properties."
TEXT_FIELDS = ("channel", "source", "touchpoint", "store", "account")
TIME_FIELDS = ("weekday", "hour")
PLACE = "place"
FIELDS = (*TEXT_FIELDS, *TIME_FIELDS, PLACE)
"""What is read of an event beside its properties."""
ITEMS = "[]"
"""Behind the name of a list in a path: every item of it."""

Stores = Mapping[str, tuple[float, float]]
"""Store id -> latitude and longitude in degrees."""

_EARTH = 6371.0088
"""Mean radius in km (IUGG)."""


def read(event: Event, field: str, calendar: Calendar) -> Any:
    """The value of a field of one event; None where it has none. A bare name is a property's.

    >>> e = Event(1, "shop", "web", "track", "Order Completed", "m", 5, 5, properties={"revenue": 12.5, "channel": "x"})
    >>> utc = Calendar("UTC")
    >>> read(e, "properties.revenue", utc), read(e, "channel", utc), read(e, "weekday", utc), read(e, "store", utc)
    (12.5, 'web', 4, None)
    """
    if field == "account":
        return event.group_id
    if field in TEXT_FIELDS:
        return getattr(event, field)
    if field == "weekday":
        return calendar.weekday(event.time)
    if field == "hour":
        return calendar.hour(event.time)
    return _property(event.properties, field.removeprefix(PROPERTIES))


def values_of(event: Event, field: str, calendar: Calendar) -> list[Any]:
    """What a measure takes of one event: its value, or with `LIST[]` that of every item; absent ones are left out.

    >>> e = Event(1, "shop", "web", "track", "Order Completed", "m", 5, 5, properties={"products": [{"sku": "a"}, {"sku": "b"}, {}]})
    >>> values_of(e, "products[].sku", Calendar("UTC")), values_of(e, "revenue", Calendar("UTC"))
    (['a', 'b'], [])
    """
    value = read(event, field, calendar)
    if value is None:
        return []
    return value if ITEMS in field else [value]


def canonical(field: str) -> str:
    """A field of an event as filters write it: a bare name becomes a property's.

    >>> canonical("revenue"), canonical("channel"), canonical("properties.revenue")
    ('properties.revenue', 'channel', 'properties.revenue')
    """
    return field if field in FIELDS or field.startswith(PROPERTIES) else PROPERTIES + field


def passes(
    event: Event, name: str, where: tuple[Where, ...], calendar: Calendar, stores: Stores | None = None
) -> bool:
    """Whether an event has this name (`*`: any) and passes every filter.

    >>> e = Event(1, "till", "pos", "track", "Order Completed", "m", 5, 5, properties={"coupon": "TEA5"})
    >>> passes(e, "Order Completed", (Where("properties.coupon", "exists"),), Calendar("UTC"))
    True
    """
    if name not in (ANY_EVENT, event.name):
        return False
    return all(_passes(event, one, calendar, stores or {}) for one in where)


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Kilometres between two points (latitude, longitude in degrees) along the great circle (haversine).

    >>> round(distance_km((44.4949, 11.3426), (45.4642, 9.19)))
    201
    """
    north, south = radians(a[0]), radians(b[0])
    half_lat, half_lon = (south - north) / 2, radians(b[1] - a[1]) / 2
    chord = sin(half_lat) ** 2 + cos(north) * cos(south) * sin(half_lon) ** 2
    return 2 * _EARTH * asin(min(1.0, sqrt(chord)))


INSIDE = "inside"
"""In the value of a `near` whose feed of stores was read already: ids of the stores inside the radius (`places.located`)."""


def centre_of(value: Mapping[str, Any], stores: Stores) -> tuple[float, float] | None:
    """The centre of a radius: a point, or where a store is; None when that store is unknown.

    >>> centre_of({"lat": 44.49, "lon": 11.34, "km": 5}, {}), centre_of({"store": "S9", "km": 5}, {})
    ((44.49, 11.34), None)
    """
    return (value["lat"], value["lon"]) if "lat" in value else stores.get(value.get("store", ""))


def is_near(event: Event, value: Mapping[str, Any], stores: Stores) -> bool:
    """Whether the event's store, or the place that its own properties state, lies within `km` of a point or a store.

    An event of the very store that is named is near, as long as the store is known.
    """
    centre, km = centre_of(value, stores), value["km"]
    if centre is None:
        return False
    if event.store is not None:
        inside = value.get(INSIDE)
        there = event.store in stores and distance_km(centre, stores[event.store]) <= km
        if there if inside is None else event.store in inside:
            return True
    own = _point(event.properties.get("latitude"), event.properties.get("longitude"))
    return own is not None and distance_km(centre, own) <= km


def _passes(event: Event, where: Where, calendar: Calendar, stores: Stores) -> bool:
    if where.field == PLACE:
        return is_near(event, where.value, stores)
    return holds(where.op, where.value, read(event, where.field, calendar))


def _property(properties: Mapping[str, Any], path: str) -> Any:
    head, items, rest = path.partition(ITEMS)
    if not items:
        return field_of(properties, path)
    listed = field_of(properties, head)
    if not isinstance(listed, list):
        return None
    name = rest.removeprefix(".")
    found = (_of_item(item, name) for item in listed)
    return [value for value in found if value is not None]


def _of_item(item: Any, name: str) -> Any:
    if not name:
        return item
    return field_of(item, name) if isinstance(item, Mapping) else None


def _point(latitude: object, longitude: object) -> tuple[float, float] | None:
    """A place on Earth, when both are JSON numbers within its bounds."""
    if not _is_number(latitude) or not _is_number(longitude):
        return None
    point = float(latitude), float(longitude)  # type: ignore[arg-type]
    return point if -90 <= point[0] <= 90 and -180 <= point[1] <= 180 else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
