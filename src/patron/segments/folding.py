"""An event into a tally: each series it feeds, a fraction of a microsecond each."""

from collections.abc import Callable
from typing import Any, TypeVar

from patron.model.clock import HOUR
from patron.model.events import Event, event_id
from patron.rules.calendar import Calendar
from patron.rules.filters import values_of
from patron.rules.values import number_of, text_of
from patron.segments.feeds import Feed
from patron.segments.tally import (
    ALL,
    Tally,
    fold_count,
    fold_extremes,
    fold_hour,
    fold_sum,
    fold_text,
    fold_time,
    shared_hour,
)

T = TypeVar("T")
REMEMBERED = 20_000
"""Numbers and texts of properties remembered: prices and categories repeat."""


class _Known(dict[Any, T]):
    """What values are, worked out once for each: one object for all who have it."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        super().__init__()
        self._work_out = work_out

    def of(self, value: Any) -> T:
        """What a value is. Truths are no keys, as they equal numbers, and lists and objects cannot be any."""
        return self._work_out(value) if isinstance(value, bool | dict | list) else self[value]

    def __missing__(self, value: Any) -> T:
        if len(self) >= REMEMBERED:
            self.clear()
        found = self[value] = self._work_out(value)
        return found


class Folding:
    """Folds events under one calendar (values such as `weekday` depend on it).

    >>> tally = {}
    >>> order = Event(1, "till", "pos", "track", "Order Completed", "m", 5, 5, properties={"revenue": 2.5})
    >>> Folding(Calendar("UTC")).fold(tally, order, Feed(counts=(0,), sums=((1, "revenue", False),)))
    >>> tally
    {0: [1, 5, 5], 1: [1, 2500000]}
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._numbers = _Known(number_of)
        self._texts = _Known(text_of)

    def fold(self, tally: Tally, event: Event, feed: Feed) -> None:
        """Add an event to all series of a feed."""
        fold_counted(tally, event.time, feed)
        self.values(tally, event, feed)

    def values(self, tally: Tally, event: Event, feed: Feed) -> bool:
        """Add an event to the sums and lists of a feed; whether a full list dropped an entry."""
        hour, full = event.time // HOUR, False
        for number, name, by_hours in feed.sums:
            units = self._numbers_of(event, name)
            if units:
                _add(tally, number, hour, units, by_hours=by_hours)
        for number in feed.times:
            held, place = tally.get(number), event_id(event.uid)
            if held is None:
                tally[number] = [ALL, event.time, place]
            elif fold_time(held, event.time, place):
                full = True
        for number, name in feed.texts:
            for text in self._texts_of(event, name):
                full |= _add_text(tally, number, hour, text)
        for number, name in feed.numbers:
            for unit in self._numbers_of(event, name):
                held = tally.get(number)
                if held is None:
                    tally[number] = [shared_hour(hour), unit, unit]
                else:
                    fold_extremes(held, hour, unit)
        return full

    def _numbers_of(self, event: Event, name: str) -> list[int]:
        values = values_of(event, name, self._calendar)
        return [unit for value in values if (unit := self._numbers.of(value)) is not None]

    def _texts_of(self, event: Event, name: str) -> list[str]:
        values = values_of(event, name, self._calendar)
        return [text for value in values if (text := self._texts.of(value)) is not None]


def fold_counted(tally: Tally, time: int, feed: Feed) -> list[int]:
    """Add an event to the counts of a feed; gives the series whose first or last event may be of another day now."""
    hour = time // HOUR
    for number in feed.hours:
        held = tally.get(number)
        if held is None:
            tally[number] = [shared_hour(hour), 1]
        elif held[-2] == hour:
            held[-1] += 1
        else:
            fold_hour(held, hour)
    for number in feed.counts:
        held = tally.get(number)
        if held is None:
            tally[number] = [1, time, time]
        else:
            fold_count(held, time)
    return _fold_dated(tally, time, feed) if feed.dated_counts or feed.dated_hours else []


def _fold_dated(tally: Tally, time: int, feed: Feed) -> list[int]:
    aged, hour = [], time // HOUR
    for number in feed.dated_counts:
        held = tally.get(number)
        if held is None:
            tally[number] = [1, time, time]
            aged.append(number)
        else:
            if time < held[1] or hour > held[2] // HOUR:
                aged.append(number)
            fold_count(held, time)
    for number in feed.dated_hours:
        held = tally.get(number)
        if held is None:
            tally[number] = [shared_hour(hour), 1]
            aged.append(number)
        else:
            if held[-2] != hour:
                aged.append(number)
            fold_hour(held, hour)
    return aged


def _add_text(tally: Tally, number: int, hour: int, text: str) -> bool:
    row = tally.get(number)
    if row is None:
        tally[number] = [ALL, shared_hour(hour), text, 1]
        return False
    return fold_text(row, hour, text)


def _add(tally: Tally, number: int, hour: int, units: list[int], *, by_hours: bool) -> None:
    row, count, total = tally.get(number), len(units), sum(units)
    if row is None:
        tally[number] = [shared_hour(hour), count, total] if by_hours else [count, total]
    elif by_hours:
        fold_sum(row, hour, total, count)
    else:
        row[0] += count
        row[1] += total
