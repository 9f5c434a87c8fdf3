"""Bitemporal versions of one key: what held at one moment, as it was known at another.

The versions of a key are kept sorted by (item, valid_from, known_at, position). A correction is a version of the same
`valid_from` and a later `known_at`: it supersedes, and what it corrects stays visible as known before.
Source: Snodgrass, "Developing Time-Oriented Database Applications in SQL", ch. 10 (valid time and transaction time).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from patron.feeds.rows import Row

_END = float("inf")


class Version(Struct, frozen=True, array_like=True, gc=False):
    """One version of a key's value. Times are ms UTC."""

    item: str
    valid_from: int
    known_at: int
    position: int
    """Of the fact in the log that brought it: of two versions known at the same time the later one stands."""
    until: int | None
    values: tuple[Any, ...] | None
    """None: withdrawn."""


def _order(version: Version) -> Any:
    return version.item, version.valid_from, version.known_at, version.position


def as_of(versions: Sequence[Version], at: int, known: int, item: str = "") -> Version | None:
    """What held at `at` (ms UTC), as it was known at `known`; None when nothing did, or nobody knew.

    >>> first, better = Version("", 10, 5, 1, None, ("rain",)), Version("", 10, 20, 2, None, ("dry",))
    >>> [as_of([first, better], 15, known).values for known in (12, 25)], as_of([first, better], 9, 25)
    ([('rain',), ('dry',)], None)
    """
    place = bisect_right(versions, (item, at, _END, _END), key=_order)
    while place:
        place -= 1
        version = versions[place]
        if version.item != item:
            return None
        if version.known_at > known:
            continue
        if version.values is not None and (version.until is None or at < version.until):
            return version
        # superseded, over or withdrawn: whatever else was said of the same beginning counts no more
        place = bisect_left(versions, (item, version.valid_from, -_END, -_END), key=_order)
    return None


def all_as_of(versions: Sequence[Version], at: int, known: int) -> Iterator[Version]:
    """What held at `at` for each item of the key, as it was known at `known`."""
    for item in dict.fromkeys(version.item for version in versions):
        found = as_of(versions, at, known, item)
        if found is not None:
            yield found


def turns(versions: Sequence[Version], now: int) -> int | None:
    """The first moment after `now` at which time alone may change what holds as known then; None when there is none.

    >>> turns([Version("", 10, 5, 1, 30, ("rain",)), Version("", 20, 40, 2, None, ("dry",))], 12)
    20
    """
    moments = (m for v in versions for m in (v.valid_from, v.known_at, v.until) if m is not None and m > now)
    return min(moments, default=None)


def tells(versions: Sequence[Version], row: Row, *, stated: bool) -> bool:
    """Whether a row says anything that the versions do not hold.

    A row that does not say itself since when it is known (`stated` false) is news only when it differs from what stood;
    with the day it holds from left out too, from what holds now.
    """
    same = bisect_left(versions, (row.item, row.valid_from, row.known_at, -_END), key=_order)
    for version in versions[same:]:
        if (version.item, version.valid_from, version.known_at) != (row.item, row.valid_from, row.known_at):
            break
        if (version.until, version.values) == (row.until, row.values):
            return False
    if stated:
        return True
    if row.valid_from == row.known_at:
        held = as_of(versions, row.valid_from, row.known_at, row.item)
        return held is None or held.values != row.values
    last = bisect_right(versions, (row.item, row.valid_from, row.known_at, _END), key=_order)
    if last == 0:
        return True
    held = versions[last - 1]
    stands = (held.item, held.valid_from) == (row.item, row.valid_from)
    return not stands or (held.until, held.values) != (row.until, row.values)


def put(versions: list[Version], row: Row, position: int) -> bool:
    """Take a row up in its place; whether it was not there already."""
    if not tells(versions, row, stated=True):
        return False
    version = Version(row.item, row.valid_from, row.known_at, position, row.until, row.values)
    insort(versions, version, key=_order)
    return True
