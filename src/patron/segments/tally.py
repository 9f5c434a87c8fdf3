"""What one node's events add up to in each series: exact in any order, merged by putting the nodes of a person side by side.

| kind | row |
|---|---|
| `count` | events, first time, last time (ms) |
| `total` | events with a number, their sum (1e-6) |
| `hours` | hour, events, hour, events, ... ascending (UTC hours since 1970) |
| `sums` | hour, events, sum, hour, events, sum, ... |
| lists | time up to which entries are missing (-1: none), then time, event id, value, time, ... ascending |

Hours and list entries are kept while newer than the series' newest one at this node minus 401 days, which holds every window
of 400 days of 25 hours. Of a list the 500 greatest entries stay; the time of the greatest one beyond says from when on it is whole.
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
    newest = row[-3]
    if hour > newest:
        row += (shared_hour(hour), count, number)
        if row[0] <= hour - KEPT_HOURS:
            _forget(row, hour - KEPT_HOURS, 3)
    elif hour > newest - KEPT_HOURS:
        at = _place(row, hour, 3)
        if row[at] == hour:
            row[at + 1] += count
            row[at + 2] += number
        else:
            row[at:at] = (shared_hour(hour), count, number)


def fold_entry(row: Row, time: int, event: int, value: Any) -> bool:
    """Add an entry to a list; whether the list is full and another one was dropped for it.

    >>> row = [ALL]
    >>> fold_entry(row, 7, 2, "b"), fold_entry(row, 5, 1, "a"), row
    (False, False, [-1, 5, 1, 'a', 7, 2, 'b'])
    """
    size = len(row)
    if 1 < size <= 3 * MOST and time > row[-3] and row[0] == ALL and time - row[1] <= _WHOLE:
        row += (time, event, value)  # nearly all: the newest, of a list that is not full
        return False
    horizon = (max(time, row[-3] if len(row) > 1 else 0) // HOUR - KEPT_HOURS + 1) * HOUR
    if time < horizon:
        return False
    entry = (time, event, value)
    at = len(row)
    while at > 1 and (row[at - 3], row[at - 2], row[at - 1]) > entry:
        at -= 3
    row[at:at] = entry
    while row[1] < horizon:
        del row[1:4]
    full = len(row) > 3 * MOST + 1
    if full:
        row[0] = max(row[0], row[1])
        del row[1:4]
    if row[0] < horizon:
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
