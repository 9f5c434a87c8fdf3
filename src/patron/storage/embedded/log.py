"""The durable log: append-only segment files, one sync a group, an index beside each sealed file.

>>> import tempfile, threading
>>> log = SegmentLog.open(Path(tempfile.mkdtemp()))
>>> synced = threading.Event()
>>> log.append(Entry("track", log.last + 1, 2, "shop", 1700000000000), b'{"batch":[{},{}]}', lambda error: synced.set())
>>> synced.wait(5), log.durable, log.at(2)[1]
(True, 2, b'{"batch":[{},{}]}')
>>> log.note(77, 1700000000000, 2, True); log.find([77])
[IndexRow(time=1700000000000, position=2, is_node=True)]
>>> log.close()
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from patron.model.errors import StorageError
from patron.model.log import Entry
from patron.model.ports import IndexRow
from patron.storage.embedded import rewriting
from patron.storage.embedded.chain import Chain
from patron.storage.embedded.committer import Committer, Crash, Done, Tail
from patron.storage.embedded.index import LogIndex
from patron.storage.embedded.records import decode_record
from patron.storage.embedded.recovery import recover, remove_segment, write_floor
from patron.storage.embedded.rewriting import Edit, RewriteReport
from patron.storage.embedded.sealing import Sealer
from patron.storage.embedded.segments import PACKED, PLAIN, SIDECAR, OpenFiles, PlainSegment, path_of

SEGMENT_BYTES = 32 << 20
GROUP_BYTES = 4 << 20


class SegmentInfo(Struct, frozen=True):
    """One segment, for retention and health pages: positions, receipt times (ms, earliest and latest), bytes on disk."""

    first: int
    last: int
    received_first: int
    received_last: int
    bytes: int
    sealed: bool


class Snapshot(Struct, frozen=True):
    """The log's files as of one position: sealed ones whole, the open one up to `tail_bytes`."""

    position: int
    sealed: list[Path]
    tail: Path
    tail_bytes: int


def _no_crash(_name: str) -> None:
    pass


class SegmentLog:
    """`patron.model.ports.Log` over files in one directory.

    `append`, `note`, `applied` and `rewrite` belong to the thread that owns the state; everything else may be called from
    any. `done` callbacks come from the committer's thread.
    """

    note: Callable[[int, int, int, bool], None]
    """`note(key_hash, time, position, is_node)`: index one event under a 64-bit keyed hash of an identifier; in log order,
    once or more often."""
    note_all: Callable[[int, list[int]], None]
    """`note_all(position, rows)`: the same for the events of the entry that holds `position`, flat:
    `key_hash, time, position << 1 | is_node` one after the other. (The index's own methods, without a call in between.)"""

    rewritten: int
    """How often entries were changed or dropped since it was opened: whoever keeps what was read before lets go of it."""

    def __init__(self, directory: Path, segment_bytes: int, group_bytes: int, crash: Crash) -> None:
        self.directory = directory
        self.rewritten = 0
        self._crash = crash
        self._files = OpenFiles()
        found = recover(directory, self._files)
        self._chain = Chain(found.sealed, found.tail)
        self._index = LogIndex(self._files)
        for segment in found.sealed:
            if segment.first in found.unindexed:
                self._index.expect(segment.first, segment.last)
        self._index.expect(found.tail.first, None)
        self._index.take_up(found.tail)
        self.note = self._index.note
        self.note_all = self._index.note_all
        self._sealer = Sealer(self._chain, self._index, self._files, crash)
        self._committer = Committer(Tail(found.tail, segment_bytes, self._rotated, crash), group_bytes)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        group_bytes: int = GROUP_BYTES,
        crash: Crash | None = None,
    ) -> "SegmentLog":
        """Open the log in `path`, making it when there is none; a torn last record is cut off.

        Parameters
        ----------
        segment_bytes
            Size at which a new file is begun.
        group_bytes
            Most bytes of bodies that one sync covers.
        crash
            Called with the name of each crash point on the way; tests make the process die there.

        Raises
        ------
        CorruptLog
            Acknowledged data cannot be read, or a file is missing; names the file and the byte.
        """
        return cls(Path(path), segment_bytes, group_bytes, crash or _no_crash)

    def close(self) -> None:
        """Put on disk what is queued, finish the segment being sealed, and stop the threads."""
        self._committer.close()
        self._sealer.close()
        tail = self._chain.tail
        if self._sealer.position >= tail.last >= tail.first:
            with contextlib.suppress(OSError):  # the next start reads the segment instead
                self._index.keep(tail)

    # --- appending -----------------------------------------------------------------------------------------------

    @property
    def last(self) -> int:
        """Position of the last message appended (0 when empty). Falls back to `durable` when a group fails."""
        return self._committer.last

    @property
    def durable(self) -> int:
        """Position up to which everything is on disk."""
        return self._committer.durable

    def append(self, entry: Entry, body: bytes, done: Done) -> None:
        """Queue an entry; `done` is called once, in order, from the committer's thread.

        It gets None when the bytes are on disk, else DiskFull or StorageError: then neither this entry nor any queued
        behind it was kept, and `last` is back at `durable`. Raises StorageError when `entry.base` is not `last + 1`.
        """
        self._committer.submit(entry, body, done)

    def _rotated(self, old: PlainSegment, new: PlainSegment) -> None:
        self._index.sealed(old.first, old.last)
        self._index.expect(new.first, None)
        self._chain.rotated(old, new)
        self._sealer.refresh()

    # --- reading -------------------------------------------------------------------------------------------------

    def read(self, start: int = 1) -> Iterator[tuple[Entry, bytes]]:
        """Durable entries in order, from the one that holds `start` (or from the oldest that retention kept).

        It ends at what is durable when it gets there. Raises CorruptLog at damage.
        """
        position = start
        while position <= self.durable and (segment := self._chain.holding(position)) is not None:
            for buffer, record in segment.records(position):
                yield decode_record(buffer, record)
                position = record.base + record.messages

    def at(self, position: int) -> tuple[Entry, bytes]:
        """The durable entry that holds `position`. Raises KeyError when there is none, CorruptLog at damage."""
        segment = self._chain.holding(position) if 1 <= position <= self.durable else None
        if segment is None or position < segment.first:
            raise KeyError(position)
        return segment.at(position)

    # --- the index -----------------------------------------------------------------------------------------------

    def applied(self, position: int) -> None:
        """Every event up to `position` was noted: sealed segments up to there get their sidecar and are packed."""
        self._sealer.applied(position)

    def find(self, key_hashes: Iterable[int]) -> list[IndexRow]:
        """Index rows of these hashes, by (time, position), one a position."""
        return self._index.find(key_hashes, self._chain.sealed)

    def unindexed(self) -> list[tuple[int, int]]:
        """Ranges of positions whose events must be noted again after opening, before `applied` passes them.

        They are the open segment (after an orderly end, nothing of it) and sealed ones whose sidecar was not finished.
        Noting others does no harm.
        """
        ranges = [(first, self.durable if last is None else last) for first, last in self._index.unnoted()]
        return sorted((first, last) for first, last in ranges if last >= first)

    # --- erasing, dropping, copying ----------------------------------------------------------------------------------

    def rewrite(
        self,
        positions: Collection[int],
        edit: Edit,
        forget: Collection[int] = (),
        gone: Collection[int] | None = None,
    ) -> RewriteReport:
        """Write the segments that hold `positions` again, with `edit` applied to the entries concerned.

        `edit(entry, body, positions inside)` gives the entry (same base and count) and the body as they shall stand. Index
        rows of the hashes in `forget`, and all rows of these positions (of those in `gone`, which `edit` may fill), are dropped. On return no file of the directory
        holds the old bytes. Repeating it after a crash is harmless.

        Raises
        ------
        DiskFull, StorageError
            There was no room for the new file; what was done so far stays done.
        """
        if any(position >= self._chain.tail.first for position in positions):
            self._committer.rotate()
        with self._chain.maintenance:
            try:
                report = rewriting.rewrite(
                    self._chain, self._index, self._files, self._crash, positions, edit, forget, gone
                )
            finally:  # also when only some of it was done
                self.rewritten += 1
        self._sealer.refresh()
        return report

    def thin(self, first: int, edit: Callable[[Entry, bytes], bytes]) -> None:
        """Edit every body of the sealed segment that begins at `first`; positions and index rows stay. From any thread.

        Raises DiskFull or StorageError, with the segment as it was.
        """
        with self._chain.maintenance:
            rewriting.thin(self._chain, self._files, self._crash, first, edit)
            self.rewritten += 1
        self._sealer.refresh()

    def segments(self) -> list[SegmentInfo]:
        """All segments that hold something, oldest first."""
        tail = self._chain.tail
        return [
            SegmentInfo(s.first, s.last, *s.received, s.size, s is not tail)
            for s in [*self._chain.sealed(), tail]
            if s.last >= s.first
        ]

    def drop(self, first: int) -> None:
        """Remove the oldest sealed segment, which begins at `first`. Raises StorageError for any other."""
        with self._chain.maintenance:
            oldest = next(iter(self._chain.sealed()), None)
            if oldest is None or oldest.first != first:
                raise StorageError(
                    f"position {first} does not begin the oldest sealed segment; drop segments from the oldest on "
                    "(see `segments()`), or the log would have a hole"
                )
            write_floor(self.directory, oldest.last + 1)
            self._crash("after_floor")
            self.rewritten += 1
            self._chain.drop_oldest()
            self._index.drop(first)
            for suffix in (PACKED, SIDECAR):
                self._files.forget(path_of(self.directory, first, suffix))
            remove_segment(self.directory, first)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Hold the sealed files still, for a backup; appending goes on."""
        with self._chain.maintenance:
            tail = self._chain.tail
            position, size = tail.last, tail.size
            names = [
                path_of(self.directory, segment.first, suffix)
                for segment in self._chain.sealed()
                if segment.first < tail.first
                for suffix in (PLAIN, PACKED, SIDECAR)
            ]
            yield Snapshot(position, [path for path in names if path.exists()], tail.path, size)

    def settle(self, seconds: float = 60.0) -> bool:
        """Wait until all segments that are applied are sealed and packed; whether they are."""
        return self._sealer.settle(seconds)
