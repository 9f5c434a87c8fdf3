"""An event into a tally: each series it feeds, a fraction of a microsecond each."""

from typing import Any

from patron.model.clock import HOUR
from patron.model.events import Event, event_id
from patron.rules.calendar import Calendar
from patron.rules.filters import values_of
from patron.rules.values import number_of, text_of
from patron.segments.feeds import Feed
from patron.segments.tally import ALL, Tally, fold_count, fold_entry, fold_hour, fold_sum, shared_hour

REMEMBERED = 20_000
"""Numbers of properties remembered: prices repeat."""


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
        self._numbers: dict[Any, int | None] = {}

    def fold(self, tally: Tally, event: Event, feed: Feed) -> None:
        """Add an event to all series of a feed."""
        fold_counted(tally, event.time, feed)
        if feed.sums or feed.times or feed.lists:
            self.values(tally, event, feed)

    def values(self, tally: Tally, event: Event, feed: Feed) -> bool:
        """Add an event to the sums and lists of a feed; whether a full list dropped an entry."""
        full = False
        for number, name, by_hours in feed.sums:
            values = values_of(event, name, self._calendar)
            units = [unit for value in values if (unit := self._number(value)) is not None]
            if units:
                _add(tally, number, event.time, units, by_hours=by_hours)
        if feed.times or feed.lists:
            time, place = event.time, event_id(event.uid)
            for number in feed.times:
                held = tally.get(number)
                if held is None:
                    tally[number] = [ALL, time, place, 0]
                elif fold_entry(held, time, place, 0):
                    full = True
            for number, name, kind in feed.lists:
                for value in self._listed(event, name, kind):
                    row = tally.get(number)
                    if row is None:
                        row = tally[number] = [ALL]
                    full |= fold_entry(row, time, place, value)
        return full

    def _number(self, value: Any) -> int | None:
        """The exact number of a value, remembered."""
        if type(value) is bool or isinstance(value, dict | list):
            return None
        try:
            return self._numbers[value]
        except KeyError:
            if len(self._numbers) >= REMEMBERED:
                self._numbers.clear()
            found = self._numbers[value] = number_of(value)
            return found

    def _listed(self, event: Event, name: str, kind: str) -> list[Any]:
        values = values_of(event, name, self._calendar)
        found = [text_of(v) if kind == "texts" else number_of(v) for v in values]
        return [one for one in found if one is not None]


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


def _add(tally: Tally, number: int, time: int, units: list[int], *, by_hours: bool) -> None:
    row, count, total = tally.get(number), len(units), sum(units)
    if row is None:
        tally[number] = [shared_hour(time // HOUR), count, total] if by_hours else [count, total]
    elif by_hours:
        fold_sum(row, time // HOUR, total, count)
    else:
        row[0] += count
        row[1] += total
