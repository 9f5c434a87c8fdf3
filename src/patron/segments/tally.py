"""What one node's events add up to in each series: exact in any order, merged by putting the nodes of a person side by side.

| kind | row |
|---|---|
| `count` | events, first time, last time (ms) |
| `total` | events with a number, their sum (1e-6) |
| `hours` | hour, events, hour, events, ... ascending (UTC hours since 1970) |
| `sums` | hour, events, sum, hour, events, sum, ... |
| `numbers` | hour, least, greatest (1e-6), hour, least, ... |
| `texts` | hour up to which texts are missing (-1: none), then hour, text, events, hour, ... by hour and text |
| `times` | time up to which events are missing (-1: none), then time, event id, time, ... ascending |

Hours and events are kept while newer than the series' newest one at this node minus 401 days, which holds every window of 400 days
of 25 hours. Of `texts` and `times` the 500 greatest entries stay; the place of the greatest one beyond says from when on they are whole.
So each row is a function of the set of events alone.
"""

from bisect import bisect_left
from typing import Any

import msgspec

from patron.model.clock import HOUR

Row = list[Any]
Tally = dict[int, Row]
"""Number of a series -> its row."""

KEPT_HOURS = 401 * 24
MOST = 500
"""Entries of a list."""
ALL = -1
"""In place of the time up to which entries are missing: none is."""

_WHOLE = (KEPT_HOURS - 1) * HOUR
"""Of entries no further apart none is too old, ms."""

_hours: dict[int, int] = {}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, list[Any]]]).decode
_decode_large = msgspec.msgpack.Decoder(dict[int, list[tuple[int, list[Any]]]]).decode
_MAP = 8
"""First half byte of a MessagePack map of one entry: the form with numbers beyond 64 bits."""


def shared_hour(hour: int) -> int:
    """One object for each hour, however many rows name it."""
    found = _hours.get(hour)
    if found is None:
        if len(_hours) > 100_000:
            _hours.clear()
        found = _hours[hour] = hour
    return found


def encode(tally: Tally) -> bytes:
    """Canonical bytes.

    >>> decode(encode({3: [5, 1], 1: [2, 2, 2]}))
    {1: [2, 2, 2], 3: [5, 1]}
    """
    rows = sorted(tally.items())
    try:
        return _encode(rows)
    except OverflowError:  # a sum beyond 64 bits, of a sender who tries
        return _encode({0: [(number, [_small(one) for one in row]) for number, row in rows]})


def decode(data: bytes) -> Tally:
    """The tally of `encode`."""
    if data[0] >> 4 == _MAP:
        return {number: [_large(one) for one in row] for number, row in _decode_large(data)[0]}
    return dict(_decode(data))


def fold_count(row: Row, time: int) -> None:
    """Add an event to a `count` row."""
    row[0] += 1
    if time > row[2]:
        row[2] = time
    elif time < row[1]:
        row[1] = time


def fold_hour(row: Row, hour: int) -> None:
    """Add an event to an `hours` row.

    >>> row = [10, 1]
    >>> fold_hour(row, 12); fold_hour(row, 11); fold_hour(row, 10); row
    [10, 2, 11, 1, 12, 1]
    """
    newest = row[-2]
    if hour == newest:
        row[-1] += 1
    elif hour > newest:
        row += (shared_hour(hour), 1)
        if row[0] <= hour - KEPT_HOURS:
            _forget(row, hour - KEPT_HOURS, 2)
    elif hour > newest - KEPT_HOURS:
        at = _place(row, hour, 2)
        if row[at] == hour:
            row[at + 1] += 1
        else:
            row[at:at] = (shared_hour(hour), 1)


def fold_sum(row: Row, hour: int, number: int, count: int = 1) -> None:
    """Add numbers (1e-6) to a `sums` row."""
    at = _opened(row, hour, count, number)
    if at >= 0:
        row[at + 1] += count
        row[at + 2] += number


def fold_extremes(row: Row, hour: int, number: int) -> None:
    """Add a number (1e-6) to a `numbers` row.

    >>> row = [10, 5, 5]
    >>> fold_extremes(row, 10, 7); fold_extremes(row, 10, 3); fold_extremes(row, 11, 4); row
    [10, 3, 7, 11, 4, 4]
    """
    at = _opened(row, hour, number, number)
    if at >= 0:
        row[at + 1] = min(row[at + 1], number)
        row[at + 2] = max(row[at + 2], number)


def fold_text(row: Row, hour: int, text: str) -> bool:
    """Add a text to a `texts` row; whether another one was dropped for it.

    >>> row = [ALL]
    >>> fold_text(row, 7, "b"), fold_text(row, 7, "a"), fold_text(row, 7, "b"), row
    (False, False, False, [-1, 7, 'a', 1, 7, 'b', 2])
    """
    size = len(row)
    newest = row[-3] if size > 1 else hour
    if hour <= newest - KEPT_HOURS:
        return False
    at = size
    while at > 1 and (row[at - 3] > hour or (row[at - 3] == hour and row[at - 2] > text)):
        at -= 3
    if at > 1 and row[at - 3] == hour and row[at - 2] == text:
        row[at - 1] += 1
        return False
    row[at:at] = (shared_hour(hour), text, 1)
    return _bounded(row, max(hour, newest) - KEPT_HOURS, 3)


def fold_time(row: Row, time: int, event: int) -> bool:
    """Add an event to a `times` row; whether the list is full and another one was dropped for it.

    >>> row = [ALL]
    >>> fold_time(row, 7, 2), fold_time(row, 5, 1), row
    (False, False, [-1, 5, 1, 7, 2])
    """
    size = len(row)
    if 1 < size <= 2 * MOST and time > row[-2] and row[0] == ALL and time - row[1] <= _WHOLE:
        row += (time, event)  # nearly all: the newest, of a list that is not full
        return False
    last = (max(time, row[-2] if size > 1 else 0) // HOUR - KEPT_HOURS + 1) * HOUR - 1
    if time <= last:
        return False
    at = size
    while at > 1 and (row[at - 2], row[at - 1]) > (time, event):
        at -= 2
    row[at:at] = (time, event)
    return _bounded(row, last, 2)


def _opened(row: Row, hour: int, first: int, second: int) -> int:
    """Where an hour is in a row of hours with two numbers each; -1 where it was just put in with these, or is too old."""
    newest = row[-3]
    if hour > newest:
        row += (shared_hour(hour), first, second)
        if row[0] <= hour - KEPT_HOURS:
            _forget(row, hour - KEPT_HOURS, 3)
    elif hour > newest - KEPT_HOURS:
        at = _place(row, hour, 3)
        if row[at] == hour:
            return at
        row[at:at] = (shared_hour(hour), first, second)
    return -1


def _bounded(row: Row, last: int, width: int) -> bool:
    """Drop what lies at `last` or before it, and the least entry beyond the cap; whether there was one."""
    while row[1] <= last:
        del row[1 : 1 + width]
    full = len(row) > width * MOST + 1
    if full:
        row[0] = max(row[0], row[1])
        del row[1 : 1 + width]
    if row[0] <= last:
        row[0] = ALL
    return full


def _small(value: Any) -> Any:
    return str(value).encode() if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _large(value: Any) -> Any:
    return int(value) if isinstance(value, bytes) else value


def _place(row: Row, hour: int, width: int) -> int:
    return width * bisect_left(range(len(row) // width), hour, key=lambda i: row[width * i])


def _forget(row: Row, floor: int, width: int) -> None:
    """Drop the hours up to `floor`."""
    del row[: _place(row, floor + 1, width)]
