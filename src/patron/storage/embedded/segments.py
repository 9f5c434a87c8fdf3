"""A segment file as readers see it: the plain one that grows, and the packed one made of small zstd frames.

A segment is named by its first position: `00000000000000000001.log` is plain, `.zst` packed, `.idx` its sidecar.
Once sealed neither form ever changes in place: it is replaced whole, so a reader that still holds the old one
reads on undisturbed.
"""

import struct
import threading
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar, cast

import numpy as np
import zstandard

from patron.model.errors import CorruptLog
from patron.model.log import Entry
from patron.storage.embedded.files import ReadOnlyFile
from patron.storage.embedded.records import Placed, decode_record, locate, walk

PLAIN, PACKED, SIDECAR, NOTES = ".log", ".zst", ".idx", ".notes"
"""Files of a segment: growing or not packed yet, packed, its index, and the index of the growing one at an orderly end."""
PLAIN_HEADER = struct.Struct("<8sQ")
PLAIN_MARK = b"PATRONL1"
PACKED_MARK = b"PATRONZ1"
PACKED_FOOTER = struct.Struct("<QIIQQqqQI8s")
"""Table offset, frames, CRC of the table, first, last, received from, received to, plain bytes, CRC, mark."""
FRAME_TABLE = np.dtype([("base", "<u8"), ("offset", "<u8"), ("length", "<u4"), ("plain", "<u4")])
CHUNK = 4 << 20

T = TypeVar("T")
_threads = threading.local()


def path_of(directory: Path, first: int, suffix: str) -> Path:
    """The file of a segment.

    >>> path_of(Path("log"), 7, PLAIN).as_posix()
    'log/00000000000000000007.log'
    """
    return directory / f"{first:020d}{suffix}"


def corrupt(path: Path, offset: int, what: str) -> CorruptLog:
    """The refusal to guess about damage: it names file and offset and says what to do."""
    return CorruptLog(
        f"{path} is damaged at byte {offset}: {what}. Patron does not guess what stood there. Check the disk, "
        "then restore a backup (`patron restore`)"
    )


class Segment(Protocol):
    """What both forms offer to readers."""

    path: Path
    first: int
    last: int
    received: tuple[int, int]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        ...

    def at(self, position: int) -> tuple[Entry, bytes]:
        """The entry that holds `position`, which lies in this segment."""
        ...

    def records(self, start: int) -> Iterator[tuple[bytes, Placed]]:
        """Records from the one that holds `start` to the end of the segment as it is now, each with its buffer."""
        ...


class PlainSegment:
    """Records one after another, with their offsets in memory. `last` is `first - 1` while it is empty."""

    def __init__(self, path: Path, first: int) -> None:
        self.path = path
        self.first = first
        self.last = first - 1
        self.received = (0, 0)
        self._bases = array("Q")
        self._offsets = array("Q", [PLAIN_HEADER.size])
        self._file = ReadOnlyFile(path)

    @property
    def size(self) -> int:
        """Bytes of whole, synced records (and the header)."""
        return self._offsets[-1]

    def extend(self, records: list[Placed]) -> None:
        """Take up records that are on disk now: they can be read from here on."""
        for record in records:
            low, high = self.received if self._bases else (record.received, record.received)
            self.received = (min(low, record.received), max(high, record.received))
            self._offsets.append(record.end)
            self._bases.append(record.base)
        if records:
            self.last = records[-1].base + records[-1].messages - 1

    def at(self, position: int) -> tuple[Entry, bytes]:
        """The entry that holds `position`: a binary search and one read."""
        place = bisect_right(self._bases, position) - 1
        start, end = self._offsets[place], self._offsets[place + 1]
        buffer = self._file.read(end - start, start)
        return decode_record(buffer, self._whole(buffer, 0, start))

    def records(self, start: int) -> Iterator[tuple[bytes, Placed]]:
        """Records from the one that holds `start`, read some megabytes at a time."""
        place, count = max(0, bisect_right(self._bases, start) - 1), len(self._bases)
        while place < count:
            begin = self._offsets[place]
            stop = max(place + 1, bisect_right(self._offsets, begin + CHUNK, place, count + 1) - 1)
            chunk = self._file.read(self._offsets[stop] - begin, begin)
            for number in range(place, stop):
                yield chunk, self._whole(chunk, self._offsets[number] - begin, begin)
            place = stop

    def frames(self, limit: int) -> Iterator[tuple[int, bytes]]:
        """The records in chunks of about `limit` bytes, each with the position of its first record."""
        place, count = 0, len(self._bases)
        while place < count:
            begin, stop = self._offsets[place], place + 1
            while stop < count and self._offsets[stop] - begin < limit:
                stop += 1
            yield self._bases[place], self._file.read(self._offsets[stop] - begin, begin)
            place = stop

    def _whole(self, buffer: bytes, offset: int, begin: int) -> Placed:
        record = locate(buffer, offset)
        if record is None:
            raise corrupt(self.path, begin + offset, "a record does not match its checksum")
        return record


class _Footer(NamedTuple):
    table: int
    frames: int
    table_crc: int
    first: int
    last: int
    received_first: int
    received_last: int
    plain_bytes: int


def _footer(file: ReadOnlyFile) -> _Footer:
    size = file.size()
    raw = file.read(PACKED_FOOTER.size, max(0, size - PACKED_FOOTER.size))
    if len(raw) < PACKED_FOOTER.size:
        raise corrupt(file.path, 0, "it is shorter than its footer")
    *fields, crc, mark = PACKED_FOOTER.unpack(raw)
    if mark != PACKED_MARK or zlib.crc32(raw[:-12]) != crc:
        raise corrupt(file.path, size - PACKED_FOOTER.size, "its footer does not match its checksum")
    return _Footer(*fields)


class _Frames:
    """A packed file that is open: its table and the frame decoded last."""

    def __init__(self, path: Path) -> None:
        self.file = ReadOnlyFile(path)
        footer = _footer(self.file)
        raw = self.file.read(footer.frames * FRAME_TABLE.itemsize, footer.table)
        if zlib.crc32(raw) != footer.table_crc:
            raise corrupt(path, footer.table, "its block table does not match its checksum")
        self.table = np.frombuffer(raw, FRAME_TABLE)
        self.bases = self.table["base"].copy()
        self._recent: tuple[int, bytes] = (-1, b"")

    def frame(self, number: int) -> bytes:
        """The plain bytes of one frame."""
        held, data = self._recent
        if held == number:
            return data
        row = self.table[number]
        raw = self.file.read(int(row["length"]), int(row["offset"]))
        try:
            data = _decompressor().decompress(raw, max_output_size=int(row["plain"]))
        except zstandard.ZstdError as error:
            raise corrupt(
                self.file.path, int(row["offset"]), f"a frame cannot be unpacked ({error})"
            ) from error
        self._recent = (number, data)
        return data


class OpenFiles:
    """The packed files and sidecars that are open, at most `limit`: the least recently used is let go.

    A log of many gigabytes has more segments than a process may have open files.
    """

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._open: dict[Path, object] = {}
        self._replaced = 0
        self._lock = threading.Lock()

    def load(self, path: Path, opening: Callable[[Path], T]) -> T:
        """What is open under `path`, opened now if it is not."""
        with self._lock:
            found = self._open.pop(path, None)
            if found is not None:
                self._open[path] = found
                return cast("T", found)
            replaced = self._replaced
        opened = opening(path)
        with self._lock:
            # What was opened while files were being replaced may be the old one: use it once, keep it not.
            if replaced == self._replaced:
                self._open[path] = opened
                while len(self._open) > self._limit:
                    del self._open[next(iter(self._open))]
        return opened

    def forget(self, path: Path) -> None:
        """Let go of `path`: it was replaced or removed."""
        with self._lock:
            self._replaced += 1
            self._open.pop(path, None)


class PackedSegment:
    """A sealed segment in independent zstd frames of about 64 KB: one record costs the decoding of one frame."""

    def __init__(self, path: Path, files: OpenFiles) -> None:
        self.path = path
        self._files = files
        file = ReadOnlyFile(path)
        self.size = file.size()
        footer = _footer(file)
        self.first, self.last = footer.first, footer.last
        self.received = (footer.received_first, footer.received_last)

    def at(self, position: int) -> tuple[Entry, bytes]:
        """The entry that holds `position`: one frame is decoded."""
        frames = self._frames()
        number = int(frames.bases.searchsorted(position, "right")) - 1
        data = frames.frame(number)
        for record in walk(data, 0, int(frames.bases[number])):
            if position < record.base + record.messages:
                return decode_record(data, record)
        raise self._damage(frames, number)

    def records(self, start: int) -> Iterator[tuple[bytes, Placed]]:
        """Records from the one that holds `start`, a frame at a time."""
        frames = self._frames()
        for number in range(max(0, int(frames.bases.searchsorted(start, "right")) - 1), len(frames.bases)):
            data, end = frames.frame(number), 0
            for record in walk(data, 0, int(frames.bases[number])):
                end = record.end
                if start < record.base + record.messages:
                    yield data, record
            if end != len(data):
                raise self._damage(frames, number)

    def _frames(self) -> _Frames:
        return self._files.load(self.path, _Frames)

    def _damage(self, frames: _Frames, number: int) -> CorruptLog:
        return corrupt(self.path, int(frames.table[number]["offset"]), "a record does not match its checksum")


def _decompressor() -> zstandard.ZstdDecompressor:
    found = getattr(_threads, "decompressor", None)
    if found is None:
        found = _threads.decompressor = zstandard.ZstdDecompressor()
    return found
