"""Rounds of profile snapshots, in the jobs process: who changed since the last one, and the rows that the main process tells.

A round looks at everything between the position up to which the last one looked and that of the lake. Its rows are committed in
parts; the last commit notes up to where it looked and when it began. A round that was cut off begins again from the same
position: whoever has a row of this interval already is passed over.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from patron.model.clock import DAY
from patron.model.errors import StorageError
from patron.runtime.lake.rows import signed
from patron.storage.lake.schema import SCHEMAS
from patron.storage.lake.store import LakeStore
from patron.storage.lake.table import LakeTable

TAKEN = "taken"
"""Note of the table: when the last whole round began, ms."""
AT_ONCE = 50
"""People that the main process is asked of at a time."""
ROWS, BYTES = 10_000, 32 << 20
"""Rows, and bytes of their profiles, of one commit."""
_FIELDS = (
    *("person", "position", "nodes", "first_seen", "last_seen", "events", "orders", "segments", "profile"),
)
"""What the main process tells of a person, in this order; times are ms, nodes as the log's index has them."""
_Numbers = np.ndarray[Any, np.dtype[np.int64]]


class Rounds:
    """Takes profiles into the lake, one round after the other, at most `rows` in a commit."""

    def __init__(self, store: LakeStore, crash: Callable[[str], None], rows: int = ROWS) -> None:
        self._store = store
        self._table = store["profiles"]
        self._crash = crash
        self._most = min(rows, ROWS)
        self.taken = self._table.note(TAKEN) or 0
        """When the last round began that is in the lake, ms; 0: none is."""
        self._began = 0
        self._upto: int | None = None
        """Position up to which the round that runs looks; None while none does."""
        self._left: list[str] = []
        self._done: set[str] = set()
        self._rows: list[Sequence[Any]] = []
        self._bytes = 0

    def begin(self, now: int, interval: int) -> list[str]:
        """Begin a round in the interval (ms, counted from 1970 UTC) of `now`; gives whom to tell of first.

        With nobody the round is over.
        """
        since, upto, begin = self._table.position, self._store.position, now // interval * interval
        self._upto, self._began, self._rows, self._bytes = None, now, [], 0
        if self.taken >= begin > 0:
            return []
        if upto <= since:
            self.taken = now
            return []
        self._done, lowest = taken_since(self._table, begin)
        self._upto = (
            upto if lowest is None else min(upto, lowest)
        )  # what they did since is looked at next time
        self._left = sorted(changed(self._store, since, self._upto) - self._done, reverse=True)
        return self._next()

    def take(self, rows: Sequence[Sequence[Any]]) -> list[str]:
        """Take in what was asked for; gives whom to tell of next. With nobody the round is over, and in the lake.

        Raises StorageError when no round runs: whoever tells must begin one.
        """
        if self._upto is None:
            raise StorageError("no round of profile snapshots runs here; it begins again by itself")
        for row in rows:
            if row[0] not in self._done:
                self._done.add(row[0])
                self._rows.append(row)
                self._bytes += len(row[-1])
        if len(self._rows) >= self._most or self._bytes >= BYTES:
            self.settle()
        return self._next()

    def settle(self) -> None:
        """Bring what was told so far into the lake; whoever is erased next is sought there."""
        if self._rows:
            self._table.append(profiles_table(self._rows, self._began), self._table.position)
            self._rows, self._bytes = [], 0
            self._crash("lake_in_round")

    def _next(self) -> list[str]:
        wanted, self._left = self._left[: -AT_ONCE - 1 : -1], self._left[:-AT_ONCE]
        if not wanted and self._upto is not None:
            self._crash("lake_before_round")
            rows, position = profiles_table(self._rows, self._began), self._upto
            self._table.append(rows, position, {TAKEN: self._began})
            self.taken, self._upto = self._began, None
            self._rows, self._bytes, self._done = [], 0, set()
            self._crash("lake_after_round")
        return wanted


def changed(store: LakeStore, since: int, upto: int) -> set[str]:
    """Ids of the people, as the lake knows them, who had an event or came to be after one position, up to another."""
    inside = (pc.field("position") > since) & (pc.field("position") <= upto)
    events = store["events"]
    nodes = [
        np.unique(events.read(file, ["node"], inside)["node"].to_numpy())
        for file in events.files()
        if file.last > since and file.first <= upto
    ]
    return _people_of(store["people"], np.unique(np.concatenate(nodes or [np.empty(0, np.int64)])), since)


def _people_of(people: LakeTable, nodes: _Numbers, since: int) -> set[str]:
    """Whoever stands with one of the nodes; and who had a node before it moved after a position, and who has it now."""
    parts = [people.read(file, ["node", "person", "position"]) for file in people.files()]
    if not parts:
        return set()
    held = pa.concat_tables(parts)
    node, position = held["node"].to_numpy(), held["position"].to_numpy()
    moved, before = position > since, np.flatnonzero(position <= since)
    wanted = moved | (_newest(node, position) & np.isin(node, nodes))
    left = before[_newest(node[before], position[before]) & np.isin(node[before], node[moved])]
    wanted[left] = True
    return set(pc.unique(held["person"].filter(pa.array(wanted))).to_pylist()) - {"", None}


def _newest(node: _Numbers, position: _Numbers) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Which rows have the greatest position of their node.

    >>> _newest(np.array([5, 5, 7, 5]), np.array([1, 3, 2, 3])).tolist()
    [False, True, True, True]
    """
    found = np.zeros(len(node), bool)
    if len(node):
        order = np.lexsort((position, node))
        ends = np.append(np.flatnonzero(np.diff(node[order])), len(order) - 1)
        found[order] = position[order] == np.repeat(position[order][ends], np.diff(ends, prepend=-1))
    return found


def taken_since(table: LakeTable, time: int) -> tuple[set[str], int | None]:
    """Ids of the people who have a snapshot that was taken at a time (ms) or later, and the first position of those."""
    later = pc.field("taken") >= pa.scalar(time * 1000, pa.timestamp("us", "UTC"))
    parts = [table.read(file, ["person", "position"], later) for file in table.files()]
    lowest = min((pc.min(part["position"]).as_py() for part in parts if len(part)), default=None)
    return {name for part in parts for name in part["person"].to_pylist()}, lowest


def profiles_table(rows: Sequence[Sequence[Any]], taken: int) -> pa.Table:
    """Rows of `profiles` as Arrow, of a round that began at `taken` (ms).

    >>> row = ("p_1", 7, [2**64 - 1], 0, None, 3, 1, ["vip"], "{}")
    >>> told = profiles_table([row], 86_400_000).to_pylist()[0]
    >>> told["nodes"], told["day"].isoformat(), told["last_seen"], told["segments"]
    ([-1], '1970-01-02', None, ['vip'])
    """
    schema, count = SCHEMAS["profiles"], len(rows)
    columns: dict[str, list[Any]] = {name: [row[at] for row in rows] for at, name in enumerate(_FIELDS)}
    columns["nodes"] = [[signed(node) for node in nodes] for nodes in columns["nodes"]]
    columns |= {"taken": [taken] * count, "day": [taken // DAY] * count}
    return pa.table([_array(columns[field.name], field.type) for field in schema], schema=schema)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pc.multiply(pa.array(values, pa.int64()), 1000).cast(kind)
    return pa.array(values, pa.int32()).cast(kind) if pa.types.is_date(kind) else pa.array(values, kind)
