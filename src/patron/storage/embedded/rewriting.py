"""Erasing from an append-only log: the segments that hold a person's events are written again without them.

Append-only in meaning: positions stay, other people's bytes stay, and the old file is gone from the directory. A crash
leaves each segment old or new; asking again for the same positions finishes the work, so an `edit` must give the same
result for what it already edited. Bodies go first and index rows last: until all is done, `find` still leads to them.
"""

from collections.abc import Callable, Collection, Iterator

import numpy as np
from msgspec import Struct

from patron.model.errors import StorageError
from patron.model.log import Entry
from patron.storage.embedded.chain import Chain
from patron.storage.embedded.committer import Crash
from patron.storage.embedded.files import storage_error
from patron.storage.embedded.index import LogIndex
from patron.storage.embedded.packing import regroup, write_packed
from patron.storage.embedded.records import decode_record, encode_fields, encode_record
from patron.storage.embedded.sealing import swap
from patron.storage.embedded.segments import PACKED, OpenFiles, Segment, path_of

Edit = Callable[[Entry, bytes, list[int]], tuple[Entry, bytes]]
"""Takes an entry, its body and the wanted positions inside; gives both as they shall stand."""


class RewriteReport(Struct, frozen=True):
    """What an erasure changed: segments and entries written again, index rows dropped, positions not found."""

    segments: int
    entries: int
    rows: int
    missing: int


class _Rewriting:
    """One segment, written again."""

    def __init__(self, segment: Segment, positions: list[int], edit: Edit) -> None:
        self._segment = segment
        self._positions = positions
        self._edit = edit
        self.entries = 0

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Every record: as it was, or edited."""
        place = 0
        for buffer, record in self._segment.records(self._segment.first):
            hit: list[int] = []
            while place < len(self._positions) and self._positions[place] < record.base + record.messages:
                hit.append(self._positions[place])
                place += 1
            if not hit:
                yield record.base, buffer[record.offset : record.end]
                continue
            old, body = decode_record(buffer, record)
            entry, body = self._edit(old, body, hit)
            if (entry.base, entry.count) != (old.base, old.count):
                raise StorageError(f"an edit of the entry at {old.base} must keep its base and its count")
            self.entries += 1
            yield record.base, b"".join(encode_record(entry, encode_fields(entry), body, record.synced))


def rewrite(
    chain: Chain,
    index: LogIndex,
    files: OpenFiles,
    crash: Crash,
    positions: Collection[int],
    edit: Edit,
    forget: Collection[int],
    gone: Collection[int] | None = None,
) -> RewriteReport:
    """Edit the entries at `positions` (in sealed segments) and drop index rows; the caller holds `maintenance`.

    `gone` are the positions whose rows go, read after all edits were made (so that `edit` may fill it): all when None.

    Raises DiskFull or StorageError; segments already done stay done.
    """
    wanted = sorted(set(positions))
    segments = entries = found = 0
    try:
        for segment in chain.sealed():
            inside = [p for p in wanted if segment.first <= p <= segment.last]
            if inside:
                entries += _rewrite_segment(chain, files, crash, segment, inside, edit)
                segments += 1
                found += len(inside)
        hashes, places = (
            np.array(sorted(set(forget)), np.uint64),
            np.array(wanted if gone is None else sorted(gone), np.uint64),
        )
        crash("before_forget")
        rows = index.forget(hashes, places, chain.sealed())
    except OSError as error:
        raise storage_error(error, chain.tail.path.parent) from error
    return RewriteReport(segments, entries, rows, len(wanted) - found)


def thin(
    chain: Chain, files: OpenFiles, crash: Crash, first: int, edit: Callable[[Entry, bytes], bytes]
) -> None:
    """Edit every body of the sealed segment that begins at `first`; the caller holds `maintenance`. Index rows stay.

    Raises DiskFull or StorageError, with the segment as it was.
    """
    segment = next((s for s in chain.sealed() if s.first == first), None)
    if segment is None:
        raise StorageError(f"position {first} does not begin a sealed segment; see `segments()`")

    def records() -> Iterator[tuple[int, bytes]]:
        for buffer, record in segment.records(segment.first):
            entry, body = decode_record(buffer, record)
            fresh = edit(entry, body)
            yield record.base, b"".join(encode_record(entry, encode_fields(entry), fresh, record.synced))

    path = path_of(segment.path.parent, segment.first, PACKED)
    try:
        temporary = write_packed(path, segment.first, segment.last, segment.received, regroup(records()))
        swap(chain, files, temporary, path, segment, crash)
    except OSError as error:
        raise storage_error(error, path) from error


def _rewrite_segment(
    chain: Chain, files: OpenFiles, crash: Crash, segment: Segment, positions: list[int], edit: Edit
) -> int:
    crash("before_rewrite")
    work = _Rewriting(segment, positions, edit)
    path = path_of(segment.path.parent, segment.first, PACKED)
    temporary = write_packed(path, segment.first, segment.last, segment.received, regroup(work.records()))
    swap(chain, files, temporary, path, segment, crash)
    crash("after_rewrite")
    return work.entries
