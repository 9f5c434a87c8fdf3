"""What a rule may ask of feeds: values of rows as facts of a place and a moment.

| field | from |
|---|---|
| `context.weather` | `snow`, `rain` or `dry`, by the hour's row of the store's city |
| `context.weather.rain`, `.temp`, `.age_hours` | mm, °C, hours since this was known |
| `context.calendar.holiday`, `.promotion`, `.event` | names of what goes on in the store, its city, its country or everywhere |
| `context.calendar.weekday`, `.hour` | by the store's clock |
| `context.place.name`, `.city`, `.country`, `.open` | the store |
| `stock.quantity`, `stock.age_hours` | of the offer's product in the store |
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from patron.feeds.hours import is_open
from patron.feeds.kinds import KINDS
from patron.feeds.rows import joined, parted
from patron.feeds.versions import Version
from patron.model.clock import DAY, HOUR

WET = 0.1
"""mm in an hour from which on it rains (or snows): less is not felt. World Meteorological Organization: a trace."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACE = {
    name: place for kind in KINDS.values() for place, name in enumerate(kind.values) if kind.name == "stores"
}
_WEATHER = {name: place for place, name in enumerate(KINDS["weather"].values)}
SORTS = {"holiday": "holiday/", "promotion": "promotion/", "event": "event/"}
"""What the calendar tells apart, with how such items begin."""


def state_key(kind: str, key: str, valid_from: int) -> str:
    """Where the versions of a key are kept: those of a daily kind by the UTC day.

    >>> state_key("stock", "S1/P1", 0), state_key("weather", "Bari", 90_000_000)
    ('stock/S1/P1', 'weather/Bari/1')
    """
    return f"{kind}/{key}/{valid_from // DAY}" if KINDS[kind].daily else f"{kind}/{key}"


def weather(version: Version, name: str, now: int) -> Any:
    """A fact of an hour's weather; `name` is empty for the word, else `rain`, `temp` or `age_hours`.

    >>> weather(Version("", 0, 0, 1, 3_600_000, (0.4, -2)), "", 7_200_000)
    'snow'
    """
    values = version.values or (None, None)
    if name == "age_hours":
        return hours_since(version, now)
    rain, temp = values[_WEATHER["rain"]], values[_WEATHER["temp"]]
    if name:
        return {"rain": rain, "temp": temp}.get(name)
    if rain is None:
        return None
    return "dry" if rain < WET else "snow" if temp is not None and temp <= 0 else "rain"


def going_on(versions: Iterable[Version], sort: str) -> list[str]:
    """The names of the holidays (promotions, events) among what the calendar has, in order.

    >>> going_on([Version("holiday/Ferragosto", 0, 0, 1, 9, ("x",))], "holiday")
    ['Ferragosto']
    """
    prefix = SORTS[sort]
    found = {v.item.removeprefix(prefix) for v in versions if v.item.startswith(prefix)}
    return sorted(parted(name)[0] for name in found)


def place(store: Version, name: str) -> Any:
    """A value of a store's row: `name`, `city`, `country`, `latitude`, `longitude`, `timezone`, ..."""
    at = _PLACE.get(name)
    return None if at is None or store.values is None or at >= len(store.values) else store.values[at]


def clock(now: int, zone: ZoneInfo) -> dt.datetime:
    """The time of day at a place."""
    return dt.datetime.fromtimestamp(now / 1000, zone)


def open_at(hours: str, local: dt.datetime) -> bool:
    """Whether a store with these opening hours is open at a local time."""
    return is_open(hours, local.weekday(), 60 * local.hour + local.minute)


def hours_since(version: Version, now: int) -> float:
    """How old the news is, in hours."""
    return round(max(0, now - version.known_at) / HOUR, 2)


def stock_key(store: str, product: str) -> str:
    """Where the stock of a product in a store is kept."""
    return f"stock/{joined((store, product))}"
