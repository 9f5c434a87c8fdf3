"""The log's index: which events speak of an identifier. In memory for what is open, sidecars for what is sealed."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from patron.model.ports import IndexRow
from patron.storage.embedded.files import sync_directory
from patron.storage.embedded.segments import NOTES, SIDECAR, OpenFiles, Segment, path_of
from patron.storage.embedded.sidecar import (
    Column,
    Rows,
    joined,
    matching,
    read_sidecar,
    rows_of,
    sorted_unique,
    without,
    write_sidecar,
)

CHUNK_ROWS = 4096
"""Rows that are scanned as they came; then they are sorted (a quarter of a millisecond), so that a search is binary."""

_FOR_EVER = 1 << 63
_ALL_BITS = (1 << 64) - 1


class _Buffer:
    """The rows of one segment that has no sidecar yet, noted in log order.

    One thread notes without a lock while others read: a chunk is added before the tail it came from is emptied, and
    readers copy the tail before they look at the chunks, so that no row is missed (one may be seen twice).
    """

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last
        self.noted = first - 1
        """Position up to which everything is here already when the log is opened."""
        self.tail: list[int] = []
        self._chunks: list[Rows] = []

    def begin(self, rows: Rows, noted: int) -> None:
        """Begin with rows of an earlier run, sorted, which are all up to `noted`."""
        self._chunks.append(Rows(*(column.copy() for column in rows)))
        self.noted = noted

    def freeze(self) -> None:
        """Sort what was noted lately."""
        rows = self._recent()
        order = rows.hash.argsort()
        self._chunks.append(Rows(*(column[order] for column in rows)))
        self.tail = []

    def find(self, hashes: Column) -> list[Rows]:
        """The rows of these hashes."""
        recent = self._recent()
        found = [rows for chunk in self._chunks if (rows := matching(chunk, hashes)) is not None]
        mask = np.isin(recent.hash, hashes)
        if mask.any():
            found.append(Rows(*(column[mask] for column in recent)))
        return found

    def rows(self) -> Rows:
        """All rows, as a sidecar keeps them."""
        recent = self._recent()
        return sorted_unique(joined([*self._chunks, recent]))

    def _recent(self) -> Rows:
        tail = self.tail[:]
        try:
            return rows_of(np.array(tail, np.uint64))
        except OverflowError:  # a time before 1970: its bits are kept, and read as signed
            return rows_of(np.array([value & _ALL_BITS for value in tail], np.uint64))

    def forget(self, hashes: Column, places: Column) -> int:
        """Drop rows; gives how many."""
        self.freeze()
        before = sum(len(chunk.hash) for chunk in self._chunks)
        self._chunks = [without(chunk, hashes, places) for chunk in self._chunks]
        return before - sum(len(chunk.hash) for chunk in self._chunks)


class _Sink(_Buffer):
    """Takes notes about segments that have their sidecar: a replay may note them again, and nothing changes."""

    def freeze(self) -> None:
        self.tail = []


class LogIndex:
    """Index rows by identifier hash, over all segments.

    `note` and `forget` belong to the thread that applies; the rest may be called by any.
    """

    def __init__(self, files: OpenFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._buffers: list[_Buffer] = []
        self._current: _Buffer = _Sink(0, -1)

    # --- which segments wait for their rows --------------------------------------------------------------------

    def expect(self, first: int, last: int | None) -> None:
        """A segment without sidecar: its rows are kept in memory (`last` None while it still grows)."""
        with self._lock:
            self._buffers = [*self._buffers, _Buffer(first, _FOR_EVER if last is None else last)]

    def sealed(self, first: int, last: int) -> None:
        """The growing segment ends at `last`."""
        for buffer in self._buffers:
            if buffer.first == first:
                buffer.last = last

    def waiting(self) -> list[tuple[int, int | None]]:
        """First and last position of each segment without sidecar (None: still growing)."""
        return [(b.first, None if b.last == _FOR_EVER else b.last) for b in self._buffers]

    def unnoted(self) -> list[tuple[int, int | None]]:
        """First and last position (None: still growing) of what was in those segments before and is not noted here."""
        return [(b.noted + 1, None if b.last == _FOR_EVER else b.last) for b in self._buffers]

    def keep(self, tail: Segment) -> None:
        """Write down the rows of the growing segment for the next start, when all are noted. Raises OSError."""
        buffer = next(b for b in self._buffers if b.first == tail.first)
        write_sidecar(path_of(tail.path.parent, tail.first, NOTES), tail.first, tail.last, buffer.rows())

    def take_up(self, tail: Segment) -> None:
        """Take up what `keep` wrote, if it fits the growing segment. The file goes: soon it would not fit any more."""
        found = list(tail.path.parent.glob(f"*{NOTES}"))
        for path in found:
            if path.stem == tail.path.stem:
                rows = read_sidecar(path, tail.first, tail.last, check=True)
                if rows is not None:
                    next(b for b in self._buffers if b.first == tail.first).begin(rows, tail.last)
            path.unlink()
        if found:  # an erasure does not look for it: it must not come back after a loss of power
            sync_directory(tail.path.parent)

    def drop(self, first: int) -> None:
        """The segment is gone, and its rows with it."""
        with self._lock:
            self._buffers = [b for b in self._buffers if b.first != first]
        self._current = _Sink(0, -1)

    # --- noting and finding ------------------------------------------------------------------------------------

    def note(self, key_hash: int, time: int, position: int, is_node: bool) -> None:
        """Index one event under a 64-bit hash."""
        self.note_all(position, [key_hash, time, position << 1 | is_node])

    def note_all(self, position: int, rows: list[int]) -> None:
        """Index events of the entry that holds `position`: hash, time, position * 2 + is_node, and so on, flat."""
        buffer = self._current
        if not buffer.first <= position <= buffer.last:
            buffer = self._current = self._route(position)
        buffer.tail += rows
        if len(buffer.tail) >= 3 * CHUNK_ROWS:
            buffer.freeze()

    def _route(self, position: int) -> _Buffer:
        for buffer in reversed(self._buffers):
            if buffer.first <= position <= buffer.last:
                return buffer
        return _Sink(position, position)

    def find(self, hashes: Iterable[int], sealed: Callable[[], list[Segment]]) -> list[IndexRow]:
        """Rows of these hashes, one a position, by (time, position)."""
        wanted = np.array(sorted(set(hashes)), np.uint64)
        buffers = self._buffers
        found = [rows for buffer in buffers for rows in buffer.find(wanted)]
        covered = {buffer.first for buffer in buffers}
        # The list is taken after the buffers, so a segment sealed meanwhile is missed by neither. One that began meanwhile
        # may have no sidecar yet: nothing of it was there when the caller asked.
        for segment in sealed():
            rows = None if segment.first in covered else self._sidecar(segment)
            hit = None if rows is None else matching(rows, wanted)
            if hit is not None:
                found.append(hit)
        return _by_time(joined(found))

    def _sidecar(self, segment: Segment) -> Rows | None:
        def opening(path: Path) -> Rows | None:
            try:
                return read_sidecar(path, segment.first, segment.last)
            except FileNotFoundError:  # not written yet, or dropped by retention meanwhile
                return None

        return self._files.load(_path(segment), opening)

    # --- sealing and erasing -----------------------------------------------------------------------------------

    def seal(self, segment: Segment) -> None:
        """Write the sidecar of a segment whose rows are all noted, and let go of them. Raises OSError."""
        buffer = next((b for b in self._buffers if b.first == segment.first), None)
        if buffer is None:
            return
        self._write(segment, buffer.rows())
        self.drop(segment.first)

    def _write(self, segment: Segment, rows: Rows) -> None:
        write_sidecar(_path(segment), segment.first, segment.last, rows)
        self._files.forget(_path(segment))

    def forget(self, hashes: Column, places: Column, sealed: list[Segment]) -> int:
        """Drop rows of these hashes and of these positions everywhere; gives how many. Raises OSError."""
        buffers = self._buffers
        dropped = sum(buffer.forget(hashes, places) for buffer in buffers)
        covered = {buffer.first for buffer in buffers}
        for segment in sealed:
            rows = None if segment.first in covered else self._sidecar(segment)
            if rows is None:
                continue
            inside = places[(places >= segment.first) & (places <= segment.last)]
            if not len(inside) and matching(rows, hashes) is None:
                continue
            kept = without(rows, hashes, inside)
            if kept is not rows:
                dropped += len(rows.hash) - len(kept.hash)
                self._write(segment, kept)
        return dropped


def _path(segment: Segment) -> Path:
    return path_of(segment.path.parent, segment.first, SIDECAR)


def _by_time(rows: Rows) -> list[IndexRow]:
    signed = rows.time.view(np.int64)
    order = np.lexsort((rows.place, signed))
    times, places = signed[order].tolist(), rows.place[order].tolist()
    found: list[IndexRow] = []
    for time, place in zip(times, places, strict=True):
        row = IndexRow(time, place >> 1, bool(place & 1))
        # One row a position: the same event may be found under several hashes; being its node counts.
        if found and found[-1].position == row.position and found[-1].time == time:
            found[-1] = row
        else:
            found.append(row)
    return found
