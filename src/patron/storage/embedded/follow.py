"""Reading a log that another process writes: durable entries in order, up to a position which that process named.

The writer says how far entries are on disk; nothing beyond is looked at, so a group that fails half-way is never seen.
Files are replaced while we read (packed, or rewritten for an erasure): what is open is read to its end, what is gone is
looked for again.

>>> import tempfile, threading
>>> from patron.storage.embedded.log import SegmentLog
>>> folder = Path(tempfile.mkdtemp()); log = SegmentLog.open(folder); synced = threading.Event()
>>> log.append(Entry("track", 1, 2, "shop", 1700000000000), b'{"batch":[{},{}]}', lambda error: synced.set())
>>> synced.wait(5), [(entry.base, body) for entry, body in LogFollower(folder).read(1, 2)]
(True, [(1, b'{"batch":[{},{}]}')])
>>> log.close()
"""

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from patron.model.errors import CorruptLog
from patron.model.log import Entry
from patron.storage.embedded.files import ReadOnlyFile
from patron.storage.embedded.records import HEADER, Placed, decode_record, locate
from patron.storage.embedded.segments import (
    CHUNK,
    PACKED,
    PLAIN,
    PLAIN_HEADER,
    PLAIN_MARK,
    OpenFiles,
    PackedSegment,
    corrupt,
    path_of,
)

_ATTEMPTS = 50


class LogFollower:
    """Reads the segment files of a log in `directory`; it never writes there and takes no lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = OpenFiles(4)
        self._growing: _Growing | None = None

    def read(self, start: int, last: int) -> Iterator[tuple[Entry, bytes]]:
        """Entries from the one that holds `start` (or the oldest there is) to the one that ends at or before `last`.

        Raises CorruptLog at damage, or when a file is missing.
        """
        position = start
        while position <= last:
            found = position
            for buffer, record in self._records(position, last):
                yield decode_record(buffer, record)
                found = record.base + record.messages
            if found == position:
                raise CorruptLog(
                    f"{self._directory} has no entry for position {position}, which is durable. Restore a backup "
                    "(`patron restore`)"
                )
            position = found

    def forget(self) -> None:
        """Let go of every file: they are about to be written anew without somebody's messages."""
        self._growing = None
        self._files = OpenFiles(4)

    def _records(self, position: int, last: int) -> Iterator[tuple[bytes, Placed]]:
        """Records of one segment from the one that holds `position`."""
        for _ in range(_ATTEMPTS):
            first = self._holding(position)
            packed = path_of(self._directory, first, PACKED)
            try:
                if packed.exists():
                    self._growing = None
                    for buffer, record in PackedSegment(packed, self._files).records(position):
                        if record.base + record.messages - 1 > last:
                            return
                        yield buffer, record
                    return
                if self._growing is None or self._growing.first != first:
                    self._growing = _Growing(path_of(self._directory, first, PLAIN), first)
            except FileNotFoundError:
                continue  # it was packed between the look and the opening
            yield from self._growing.records(position, last)
            return
        raise CorruptLog(f"{self._directory} changes faster than it can be read; start again")

    def _holding(self, position: int) -> int:
        firsts = sorted(
            {
                int(path.stem)
                for path in self._directory.iterdir()
                if path.suffix in (PLAIN, PACKED) and path.stem.isdigit()
            }
        )
        if not firsts:
            raise CorruptLog(
                f"{self._directory} holds no segment. Restore a backup (`patron restore`); nothing was changed"
            )
        return firsts[max(0, bisect_right(firsts, position) - 1)]


class _Growing:
    """A plain segment of which we know how far we have read."""

    def __init__(self, path: Path, first: int) -> None:
        self.first = first
        self._file = ReadOnlyFile(path)
        if self._file.read(PLAIN_HEADER.size, 0) != PLAIN_HEADER.pack(PLAIN_MARK, first):
            raise corrupt(path, 0, "its header is not that of a log segment")
        self._known = (first, PLAIN_HEADER.size)
        """A position that begins a record, and where."""

    def records(self, start: int, last: int) -> Iterator[tuple[bytes, Placed]]:
        base, offset = self._known if start >= self._known[0] else (self.first, PLAIN_HEADER.size)
        while base <= last:
            chunk, records = self._chunk(base, offset)
            if not records:
                return  # the segment ends here
            for record in records:
                if record.base + record.messages - 1 > last:
                    return
                if start < record.base + record.messages:
                    yield chunk, record
                base = record.base + record.messages
                self._known = (base, offset + record.end)
            offset += records[-1].end

    def _chunk(self, base: int, offset: int) -> tuple[bytes, list[Placed]]:
        """Some megabytes of whole records, at least one if there is one."""
        chunk = self._file.read(CHUNK, offset)
        if len(chunk) >= HEADER.size:
            fields, body = HEADER.unpack_from(chunk, 0)[2:4]
            need = HEADER.size + fields + body
            if need > len(chunk):
                chunk = self._file.read(need, offset)
        records, at = list[Placed](), 0
        while (record := locate(chunk, at)) is not None and record.base == base:
            records.append(record)
            at, base = record.end, record.base + record.messages
        return chunk, records
