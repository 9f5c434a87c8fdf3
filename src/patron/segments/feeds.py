"""Which series an event feeds: looked up by its name and by the values that filters read, decided once for each."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from msgspec import Struct

from patron.model.events import Event
from patron.rules.calendar import Calendar
from patron.rules.filters import ITEMS, PLACE, PROPERTIES, TEXT_FIELDS, TIME_FIELDS, Stores, passes, read
from patron.rules.tree import ANY_EVENT, Where
from patron.segments.series import LISTS, Series

REMEMBERED = 5_000
"""Combinations of values remembered for one event name."""
Getter = Callable[[Event], Any]


class Fed(Struct, frozen=True):
    """One series as events feed it."""

    series: Series
    number: int
    slot: int
    """Its place in a person's slacks."""
    leaves: tuple[int, ...] = ()
    """Conditions that any event of it makes look again."""


class Feed(Struct, frozen=True):
    """All series that an event feeds, by kind."""

    counts: tuple[tuple[int, int], ...] = ()
    """(number, slot)"""
    hours: tuple[tuple[int, int], ...] = ()
    sums: tuple[tuple[int, str, bool], ...] = ()
    """(number, property, whether by hours)"""
    lists: tuple[tuple[int, str, str], ...] = ()
    """(number, property, kind)"""
    leaves: tuple[int, ...] = ()


class _Name:
    """The series of one event name, and what their filters read."""

    def __init__(self, fed: list[Fed], calendar: Calendar, stores: Stores) -> None:
        self._fed = fed
        self._calendar = calendar
        self._stores = stores
        self._getters = [_getter(field, calendar) for field in sorted(_fields(fed))]
        self._only = self._getters[0] if len(self._getters) == 1 else None
        self._known: dict[Any, Feed] = {}
        self._always = None if self._getters else feed_of(fed)

    def of(self, event: Event) -> Feed:
        if self._always is not None:
            return self._always
        if self._only is not None:
            key = self._only(event)
            if type(key) is bool:
                key = (key,)
        else:
            key = tuple([(v,) if type(v := get(event)) is bool else v for get in self._getters])
        try:
            found = self._known.get(key)
        except TypeError:  # a list or an object: looked at each time
            return self._matching(event)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._matching(event)
        return found

    def _matching(self, event: Event) -> Feed:
        calendar, stores = self._calendar, self._stores
        fits = [f for f in self._fed if passes(event, f.series.event, f.series.where, calendar, stores)]
        return feed_of(fits)


class Feeds:
    """Event -> feed.

    >>> shown = Fed(Series("count", "Offer Shown", (Where("channel", "=", "app"),)), 4, 0)
    >>> feeds = Feeds([shown], Calendar("UTC"), {})
    >>> e = Event(1, "till", "pos", "track", "Offer Shown", "m", 5, 5)
    >>> feeds.of(e).counts, feeds.of(Event(2, "app", "app", "track", "Offer Shown", "n", 6, 6)).counts
    ((), ((4, 0),))
    """

    def __init__(self, fed: list[Fed], calendar: Calendar, stores: Stores) -> None:
        every = [f for f in fed if f.series.event == ANY_EVENT]
        names = {f.series.event for f in fed} - {ANY_EVENT}
        self._other = _Name(every, calendar, stores) if every else None
        self._names: dict[str, _Name] = {
            name: _Name([*(f for f in fed if f.series.event == name), *every], calendar, stores)
            for name in names
        }

    def of(self, event: Event) -> Feed | None:
        """What an event feeds; None where nothing may hang on its name."""
        name = self._names.get(event.name, self._other)
        return None if name is None else name.of(event)


def feed_of(fed: list[Fed]) -> Feed:
    """Sort series by how they are fed."""
    leaves = {leaf: None for f in fed for leaf in f.leaves}
    kinds: Mapping[str, list[Fed]] = {
        kind: [f for f in fed if f.series.kind == kind]
        for kind in ("count", "hours", "total", "sums", *sorted(LISTS))
    }
    return Feed(
        tuple((f.number, f.slot) for f in kinds["count"]),
        tuple((f.number, f.slot) for f in kinds["hours"]),
        tuple((f.number, f.series.reads, f.series.kind == "sums") for f in (*kinds["total"], *kinds["sums"])),
        tuple((f.number, f.series.reads, kind) for kind in sorted(LISTS) for f in kinds[kind]),
        tuple(leaves),
    )


def _fields(fed: list[Fed]) -> set[str]:
    found: set[str] = set()
    for where in (one for f in fed for one in f.series.where):
        found |= _read_by(where)
    return found


def _read_by(where: Where) -> set[str]:
    if where.field == PLACE:
        return {"store", "properties.latitude", "properties.longitude"}
    return {where.field}


def _getter(field: str, calendar: Calendar) -> Getter:
    if field in TEXT_FIELDS:
        return attrgetter("group_id" if field == "account" else field)
    name = field.removeprefix(PROPERTIES)
    if field in TIME_FIELDS or "." in name or ITEMS in name:
        return lambda event: read(event, field, calendar)
    return lambda event: event.properties.get(name)
