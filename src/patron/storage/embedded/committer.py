"""The open segment's end on disk, and the one thread that writes to it: a group of entries for every sync."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from patron.model.errors import StorageError
from patron.model.log import Entry
from patron.storage.embedded.files import create_private, storage_error, sync_data, sync_directory, write_all
from patron.storage.embedded.records import Placed, encode_fields, encode_record, record_size
from patron.storage.embedded.segments import PLAIN, PLAIN_HEADER, PLAIN_MARK, PlainSegment, path_of

Done = Callable[[BaseException | None], None]
Crash = Callable[[str], None]

GROUP_SECONDS = 0.002
"""A group starts no sooner after the last one started, unless nothing was waiting: small groups would eat the disk."""

_logger = logging.getLogger("patron.storage.log")


class Pending(NamedTuple):
    """An entry that waits for its group; without one it asks to seal the open segment."""

    entry: Entry | None
    fields: bytes
    body: bytes
    done: Done


def create_plain(directory: Path, first: int) -> PlainSegment:
    """Make an empty segment file, durable with its name. Raises OSError, with no file left."""
    path = path_of(directory, first, PLAIN)
    fd = create_private(path)
    try:
        write_all(fd, PLAIN_HEADER.pack(PLAIN_MARK, first))
        sync_data(fd)
        sync_directory(directory)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return PlainSegment(path, first)


class Tail:
    """The open segment for writing. A group is on disk whole, or the file is as it was before."""

    def __init__(
        self,
        segment: PlainSegment,
        limit: int,
        rotated: Callable[[PlainSegment, PlainSegment], None],
        crash: Crash,
    ) -> None:
        self.segment = segment
        self._limit = limit
        self._rotated = rotated
        self._crash = crash
        self._fd = self._open(segment)
        self._broken = False

    @staticmethod
    def _open(segment: PlainSegment) -> int:
        return os.open(segment.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)

    def write(self, group: list[Pending], synced: int) -> None:
        """Put a group on disk. Raises OSError, with nothing of it left behind."""
        if self._broken:
            self._cut_back()
        pieces = list[bytes]()
        ends = []
        size = 0
        for entry, fields, body, _ in group:
            if entry is not None:
                pieces += encode_record(entry, fields, body, synced)
                size += record_size(fields, body)
                ends.append((size, entry))
        if self.segment.size + size > self._limit:
            self.rotate()
        self._crash("before_append")
        try:
            write_all(self._fd, b"".join(pieces))
            self._crash("after_write")
            self._crash("before_sync")
            sync_data(self._fd)
            self._crash("after_sync")
        except BaseException:
            self._undo()
            raise
        offset = self.segment.size
        placed = []
        for end, entry in ends:
            end += self.segment.size
            placed.append(Placed(offset, end, entry.base, entry.count, synced, entry.received))
            offset = end
        self.segment.extend(placed)

    def rotate(self) -> None:
        """Go on in a new file; the old one is sealed. Does nothing while it holds no record. Raises OSError."""
        old = self.segment
        if old.last < old.first:
            return
        if self._broken:
            self._cut_back()
        self._crash("before_rotate")
        segment = create_plain(old.path.parent, old.last + 1)
        fd = self._open(segment)
        os.close(self._fd)
        self.segment, self._fd = segment, fd
        self._rotated(old, segment)
        self._crash("after_rotate")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _undo(self) -> None:
        try:
            self._cut_back()
        except OSError:
            # Later groups try again before they write: behind a half record nothing could be read.
            self._broken = True
            _logger.exception("cannot cut %s back to its last whole record", self.segment.path)

    def _cut_back(self) -> None:
        os.ftruncate(self._fd, self.segment.size)
        sync_data(self._fd)
        self._broken = False


class Committer:
    """Takes entries in order, writes them in groups, and says of each once whether it is on disk."""

    def __init__(self, tail: Tail, group_bytes: int) -> None:
        self._tail = tail
        self._group_bytes = group_bytes
        self.durable = self.last = tail.segment.last
        self._queue: deque[Pending] = deque()
        self._wake = threading.Condition()
        self._idle = False
        self._closing = False
        self._started = 0.0
        self._thread = threading.Thread(target=self._run, name="patron-committer", daemon=True)
        self._thread.start()

    def submit(self, entry: Entry, body: bytes, done: Done) -> None:
        """Queue an entry. Raises StorageError when its base does not follow `last`, or the log is closed."""
        pending = Pending(entry, encode_fields(entry), body, done)
        with self._wake:
            if self._closing:
                raise StorageError("the log is closed; open the workspace again")
            if entry.base != self.last + 1 or entry.count < 1:
                raise StorageError(
                    f"entry at {entry.base} with {entry.count} messages does not follow position {self.last}; "
                    "give an entry at least one message and take its base from the log's `last` again "
                    "(a failed group gives its positions back)"
                )
            self.last = entry.last
            self._queue.append(pending)
            if self._idle:
                self._wake.notify()

    def rotate(self) -> None:
        """Seal the open segment behind everything queued, and wait for it. Raises StorageError or DiskFull."""
        ready, errors = threading.Event(), list[BaseException]()

        def done(error: BaseException | None) -> None:
            if error is not None:
                errors.append(error)
            ready.set()

        with self._wake:
            if self._closing:
                raise StorageError("the log is closed; open the workspace again")
            self._queue.append(Pending(None, b"", b"", done))
            if self._idle:
                self._wake.notify()
        ready.wait()
        if errors:
            raise errors[0]

    def close(self) -> None:
        """Write what is queued and stop the thread."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._tail.close()

    def _run(self) -> None:
        while group := self._next_group():
            error = self._write(group)
            entry = group[-1].entry
            if entry is None:
                self._answer(group, error)
            elif error is None:
                self.durable = entry.last
                self._answer(group, None)
            else:
                self._fail(group, error)

    def _write(self, group: list[Pending]) -> Exception | None:
        try:
            if group[0].entry is None:
                self._tail.rotate()
            else:
                self._tail.write(group, self.durable)
        except OSError as error:
            return storage_error(error, self._tail.segment.path)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of every fault, or waits for ever
            return error
        return None

    def _next_group(self) -> list[Pending]:
        with self._wake:
            while not self._queue and not self._closing:
                self._idle = True
                self._wake.wait()
            self._idle = False
            closing = self._closing
        early = self._started + GROUP_SECONDS - time.monotonic()
        if early > 0 and not closing:
            time.sleep(early)
        self._started = time.monotonic()
        with self._wake:
            return self._take()

    def _take(self) -> list[Pending]:
        group, size = list[Pending](), 0
        while self._queue:
            following = self._queue[0]
            size += len(following.body) + len(following.fields)
            if group and (following.entry is None or size > self._group_bytes):
                break
            group.append(self._queue.popleft())
            if following.entry is None:
                break
        return group

    def _fail(self, group: list[Pending], error: Exception) -> None:
        with self._wake:
            # Entries behind the failed group hold positions that follow it: they fail too, and `last` falls back.
            failed = [*group, *self._queue]
            self._queue.clear()
            self.last = self.durable
        _logger.error("%d log entries were not taken: %s", len(failed), error)
        self._answer(failed, error)

    @staticmethod
    def _answer(group: list[Pending], error: BaseException | None) -> None:
        for pending in group:
            try:
                pending.done(error)
            except Exception:
                _logger.exception("the caller of a log entry did not take its answer")
