"""Which series an event feeds: looked up by its name and by the values that filters read, decided once for each."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from msgspec import Struct

from patron.model.clock import HOUR
from patron.model.events import Event
from patron.rules.calendar import Calendar
from patron.rules.filters import ITEMS, PLACE, PROPERTIES, TEXT_FIELDS, TIME_FIELDS, Stores, passes, read
from patron.rules.tree import ANY_EVENT, Where
from patron.segments.gauge import LANE
from patron.segments.series import CAPPED, Series

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
    starts: tuple[tuple[int, int], ...] = ()
    """Sequences that it does not end, each with the series that does: an event makes look again where an end stands behind it."""
    relying: int = 0
    """Membership bits of the rules that read it by such conditions."""
    dated: bool = False
    """Whether its first or last event is asked for."""


class Feed(Struct, frozen=True):
    """All series that an event feeds, by kind."""

    hours: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    dated_hours: tuple[int, ...] = ()
    """Those whose first or last event is asked for, not in `hours` and `counts`."""
    dated_counts: tuple[int, ...] = ()
    sums: tuple[tuple[int, str, bool], ...] = ()
    """(number, field, whether by hours)"""
    times: tuple[int, ...] = ()
    """Lists of single events."""
    texts: tuple[tuple[int, str], ...] = ()
    """(number, field)"""
    numbers: tuple[tuple[int, str], ...] = ()
    """(number, field)"""
    leaves: tuple[int, ...] = ()
    """Places of the conditions to look at again."""
    starts: tuple[tuple[int, int], ...] = ()
    """Places of the sequences to look at again where an end (of that series) stands behind the event."""
    relying: int = 0
    """Membership bits of the rules that read its lists."""
    ones: int = 0
    """A one in the lane of each counted series: what the event takes from a person's slacks."""
    highs: int = 0
    """The high bits of these lanes."""


class _Name:
    """The series of one event name, and what their filters read."""

    def __init__(self, fed: list[Fed], calendar: Calendar, stores: Stores) -> None:
        self._fed = fed
        self._calendar = calendar
        self._stores = stores
        fields = sorted(_fields(fed))
        self._names = [name for field in fields if (name := _plain(field))]
        self._getters = [_getter(field, calendar) for field in fields if not _plain(field)]
        alone = len(fields) == 1 and (fields[0] in TEXT_FIELDS or fields[0] in TIME_FIELDS)
        self._only = self._getters[0] if alone else None
        """Where one field that is no property decides, as the channel mostly does."""
        self._known: dict[Any, Feed | None] = {}
        self._always = None if fields else feed_of(fed)

    def of(self, event: Event) -> Feed | None:
        if self._always is not None:
            return self._always
        if self._only is not None:
            return self._known_by(self._only(event), event)
        properties = event.properties
        key = [properties.get(name) for name in self._names]
        for get in self._getters:
            key.append(get(event))  # noqa: PERF401 - none or one, mostly
        if True in key or False in key:  # so are 1 and 0, which filters tell from them
            key = [(value,) if type(value) is bool else value for value in key]
        return self._known_by(tuple(key), event)

    def _known_by(self, key: Any, event: Event) -> Feed | None:
        try:
            return self._known[key]
        except TypeError:  # a list or an object: looked at each time
            return self._matching(event)
        except KeyError:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._matching(event)
            return found

    def _matching(self, event: Event) -> Feed | None:
        calendar, stores = self._calendar, self._stores
        fits = [f for f in self._fed if passes(event, f.series.event, f.series.where, calendar, stores)]
        return feed_of(fits) if fits else None


class Feeds:
    """Event -> feed.

    >>> shown = Fed(Series("count", "Offer Shown", (Where("channel", "=", "app"),)), 4, 0)
    >>> feeds = Feeds([shown], Calendar("UTC"), {})
    >>> e = Event(1, "till", "pos", "track", "Offer Shown", "m", 5, 5)
    >>> feeds.of(e), feeds.of(Event(2, "app", "app", "track", "Offer Shown", "n", 6, 6)).counts
    (None, (4,))
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
        """What an event feeds; None where it feeds nothing."""
        name = self._names.get(event.name, self._other)
        return None if name is None else name.of(event)


def feed_of(fed: list[Fed]) -> Feed:
    """Sort series by how they are fed."""
    counted = [f for f in fed if f.series.kind in ("count", "hours") and f.slot >= 0]

    def numbers(kind: str, *, dated: bool) -> tuple[int, ...]:
        return tuple(f.number for f in fed if f.series.kind == kind and f.dated is dated)

    return Feed(
        numbers("hours", dated=False),
        numbers("count", dated=False),
        numbers("hours", dated=True),
        numbers("count", dated=True),
        tuple(
            (f.number, f.series.reads, f.series.kind == "sums")
            for f in fed
            if f.series.kind in ("total", "sums")
        ),
        tuple(f.number for f in fed if f.series.kind == "times"),
        tuple((f.number, f.series.reads) for f in fed if f.series.kind == "texts"),
        tuple((f.number, f.series.reads) for f in fed if f.series.kind == "numbers"),
        tuple({leaf: None for f in fed for leaf in f.leaves}),
        tuple({place: (place, last) for f in fed for place, last in f.starts}.values()),
        _union(f.relying for f in fed if f.series.kind in CAPPED),
        sum(1 << LANE * f.slot for f in counted),
        sum(128 << LANE * f.slot for f in counted),
    )


def _union(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found


def _fields(fed: list[Fed]) -> set[str]:
    found: set[str] = set()
    for where in (one for f in fed for one in f.series.where):
        found |= _read_by(where)
    return found


def _read_by(where: Where) -> set[str]:
    if where.field == PLACE:
        return {"store", "properties.latitude", "properties.longitude"}
    return {where.field}


def _weekday(hour: int, known: dict[int, int], calendar: Calendar) -> int:
    found = known.get(hour)
    if found is None:
        if len(known) > REMEMBERED:
            known.clear()
        found = known[hour] = calendar.weekday(hour * HOUR)
    return found


def _getter(field: str, calendar: Calendar) -> Getter:
    if field in TEXT_FIELDS:
        return attrgetter("group_id" if field == "account" else field)
    if field == "weekday":
        days: dict[int, int] = {}
        return lambda event: _weekday(event.time // HOUR, days, calendar)
    return lambda event: read(event, field, calendar)


def _plain(field: str) -> str:
    """The name of a property that is no path; "" for any other field."""
    name = field.removeprefix(PROPERTIES)
    if field in TEXT_FIELDS or field in TIME_FIELDS or "." in name or ITEMS in name:
        return ""
    return name
