"""Fewer and better files: small ones are merged, closed days lie in buckets of nodes, what is older than its class goes.

Each step is one commit of the table: rows are in the old files or in the new ones, never in both. A crash leaves files that
nobody names, and the next sweep removes them.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from patron.model.lake import BUCKETS
from patron.storage.lake.table import DataFile, LakeTable

SMALL, LARGE = 100_000, 1_000_000
"""Rows below which a chunk is small, and from which on it is merged no more."""
WEIGHTS = {"profiles": 20}
"""Tables whose rows weigh so many times as much as an event: their chunks have fewer."""
FAN = 16
"""Chunks side by side that are merged into one."""
FILE_ROWS = 400_000
"""Rows of one file, about: what is sorted in memory at a time."""
ORDERS = ("Order Completed", "Order Updated", "Order Refunded", "Order Cancelled")
CONSENTS = ("Consent Changed",)
_SORT = {
    "events": ("bucket", "node", "time", "event_id"),
    "people": ("node", "position"),
    "members": ("account", "position"),
    "decisions": ("node", "time"),
    "profiles": ("person", "position"),
}


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """Days that each class of rows stays in the lake, by the day of receipt; 0 = for ever."""

    events: int = 0
    """Every event."""
    behaviour: int = 0
    """Events that are neither about orders nor about consent."""
    orders: int = 0
    decisions: int = 0
    profiles: int = 0


Chunk = list[DataFile]
"""Files that hold one span of positions together."""


def chunks(files: Sequence[DataFile]) -> list[Chunk]:
    """Files by the span of positions they lie in, in order.

    >>> spans = [(1, 9), (2, 8), (10, 12)]
    >>> [len(chunk) for chunk in chunks([DataFile("f", 0, 1, first, last) for first, last in spans])]
    [2, 1]
    """
    found = list[Chunk]()
    last = -1
    for file in files:
        if found and file.first <= last:
            found[-1].append(file)
        else:
            found.append([file])
        last = max(last, file.last)
    return found


def due(files: Sequence[DataFile], today: dt.date, weight: int = 1) -> list[Chunk]:
    """Groups of files that should become one chunk each: closed days in several parts, and many small parts side by side.

    A row weighs as much as `weight` events.
    """
    large = LARGE // weight
    groups, run = list[Chunk](), list[Chunk]()
    held = chunks(files)
    for chunk in [*held, None]:
        if chunk is not None and _rows(chunk) < large and (not run or _belongs(run, chunk, today, weight)):
            run.append(chunk)
            continue
        groups += _group(run, today)
        run = [chunk] if chunk is not None and _rows(chunk) < large else []
    return groups


def _belongs(run: Sequence[Chunk], chunk: Chunk, today: dt.date, weight: int) -> bool:
    """Whether a chunk may be merged with those before it: of one closed day, or of the same size."""
    if sum(map(_rows, run)) + _rows(chunk) > 4 * LARGE // weight:
        return False
    same_day = _day(run[-1]) == _day(chunk) and _is_closed(chunk, today)
    small = SMALL // weight
    return same_day or (_rows(run[-1]) < small) == (_rows(chunk) < small)


def _group(run: Sequence[Chunk], today: dt.date) -> list[Chunk]:
    if len(run) >= FAN:
        return [[file for chunk in run for file in chunk]]
    found, days = list[Chunk](), dict[dt.date, list[Chunk]]()
    for chunk in run:
        if (day := _day(chunk)) is not None and _is_closed(chunk, today):
            days.setdefault(day, []).append(chunk)
    for parts in days.values():
        if len(parts) > 1:
            found.append([file for chunk in parts for file in chunk])
    return found


def _rows(chunk: Chunk) -> int:
    return sum(file.rows for file in chunk)


def _day(chunk: Chunk) -> dt.date | None:
    return max((file.days[1] for file in chunk if file.days), default=None)


def _is_closed(chunk: Chunk, today: dt.date) -> bool:
    day = _day(chunk)
    return day is not None and day < today


def compact(table: LakeTable, today: dt.date, crash: Callable[[str], None]) -> int:
    """Merge what is due; gives the number of merges. Raises StorageError; what was done stays done."""
    groups = due(table.files(), today, WEIGHTS.get(table.name, 1))
    for group in groups:
        table.replace(group, merged(table, group))
        crash("lake_after_merge")
    return len(groups)


def merged(table: LakeTable, files: Sequence[DataFile]) -> Iterator[pa.Table]:
    """The rows of some files in new ones, each of a range of buckets, sorted; one at a time in memory."""
    rows = sum(file.rows for file in files)
    keys = [(name, "ascending") for name in _SORT[table.name]]
    parts = -(-rows // FILE_ROWS) if table.name == "events" else 1
    edges = np.linspace(0, BUCKETS, parts + 1).astype(int).tolist()
    for low, high in itertools.pairwise(edges):
        where = None if parts == 1 else (pc.field("bucket") >= low) & (pc.field("bucket") < high)
        found = [
            table.read(file, where=where)
            for file in files
            if where is None or (file.buckets[0] < high and file.buckets[1] >= low)
        ]
        if found:
            yield pa.concat_tables(found).sort_by(keys)


def retain(table: LakeTable, keep: Retention, today: dt.date) -> int:
    """Drop rows that are older than their class may become; gives their number. Raises StorageError."""
    gone = 0
    limits = _limits(table.name, keep, today)
    for file in table.files() if limits else ():
        if file.days is None or file.days[0] >= max(limit for limit, _ in limits):
            continue
        probe = table.read(file, ["day", "name"] if table.name == "events" else ["day"])
        old = np.zeros(len(probe), bool)
        for limit, is_of in limits:
            old |= pc.less(probe["day"], pa.scalar(limit, pa.date32())).to_numpy(
                zero_copy_only=False
            ) & is_of(probe)
        if old.any():
            table.replace([file], [] if old.all() else [table.read(file).filter(pa.array(~old))])
            gone += int(old.sum())
    return gone


_Class = Callable[[pa.Table], "np.ndarray[tuple[int], np.dtype[np.bool_]]"]


def _limits(table: str, keep: Retention, today: dt.date) -> list[tuple[dt.date, _Class]]:
    classes: list[tuple[int, _Class]] = []
    if table == "events":
        classes = [(keep.events, _all), (keep.orders, _named(ORDERS)), (keep.behaviour, _behaviour)]
    elif table == "decisions":
        classes = [(keep.decisions, _all)]
    elif table == "profiles":
        classes = [(keep.profiles, _all)]
    return [(today - dt.timedelta(days=days), is_of) for days, is_of in classes if days > 0]


def _all(rows: pa.Table) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.ones(len(rows), bool)


def _named(names: Sequence[str]) -> _Class:
    values = pa.array(names)
    return lambda rows: pc.is_in(rows["name"], value_set=values).to_numpy(zero_copy_only=False).astype(bool)


def _behaviour(rows: pa.Table) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return ~_named((*ORDERS, *CONSENTS))(rows)
