"""Opening the log's directory after whatever happened: finish or undo what was begun, then check that nothing is missing.

- `*.tmp` was never finished: removed.
- `.log` beside `.zst`: the packed file was complete before it got its name, so the plain one is removed.
- The last plain file may end in a torn record, or may not even have its header: it was never acknowledged and is
  cut off. Damage anywhere else was acknowledged data: CorruptLog, and a person decides.
- Positions must run on from file to file, from `floor` (what retention left) to the end.
"""

import os
from pathlib import Path
from typing import NamedTuple

from patron.model.errors import CorruptLog
from patron.storage.embedded.committer import create_plain
from patron.storage.embedded.files import (
    make_private_directory,
    remove_unfinished,
    sync_data,
    sync_directory,
    write_durably,
)
from patron.storage.embedded.records import Placed, proves_damage, walk
from patron.storage.embedded.segments import (
    PACKED,
    PLAIN,
    PLAIN_HEADER,
    PLAIN_MARK,
    SIDECAR,
    OpenFiles,
    PackedSegment,
    PlainSegment,
    Segment,
    corrupt,
    path_of,
)
from patron.storage.embedded.sidecar import read_sidecar

FLOOR = "floor"


class Recovered(NamedTuple):
    """What was found: sealed segments in order, the one that grows, and the first positions without sidecar."""

    sealed: list[Segment]
    tail: PlainSegment
    unindexed: set[int]


def recover(directory: Path, files: OpenFiles) -> Recovered:
    """Bring the directory into order. Raises CorruptLog, naming file and byte."""
    make_private_directory(directory)
    remove_unfinished(directory)
    floor = read_floor(directory)
    firsts = _segments_in(directory, floor)
    sealed: list[Segment] = []
    tail: PlainSegment | None = None
    expected = floor
    for number, first in enumerate(firsts):
        if first != expected:
            raise _missing(directory, expected, first)
        opened = _open(directory, first, files, is_last=number == len(firsts) - 1)
        if opened is None:
            continue
        segment, grows = opened
        if grows and isinstance(segment, PlainSegment):
            tail = segment
        else:
            sealed.append(segment)
        expected = segment.last + 1
    tail = tail or create_plain(directory, expected)
    return Recovered(sealed, tail, {s.first for s in sealed if not _has_sidecar(directory, s)} | {tail.first})


def read_floor(directory: Path) -> int:
    """The first position that retention kept; 1 when nothing was dropped."""
    path = directory / FLOOR
    if not path.exists():
        return 1
    try:
        return int(path.read_text("ascii"))
    except ValueError as error:
        raise corrupt(path, 0, "it does not hold a position") from error


def write_floor(directory: Path, position: int) -> None:
    """Say durably that everything before `position` was dropped on purpose."""
    write_durably(directory / FLOOR, str(position).encode())


def remove_segment(directory: Path, first: int) -> None:
    """Remove all files of a segment."""
    for suffix in (PLAIN, PACKED, SIDECAR):
        path_of(directory, first, suffix).unlink(missing_ok=True)
    sync_directory(directory)


def _segments_in(directory: Path, floor: int) -> list[int]:
    firsts = set[int]()
    for path in directory.iterdir():
        if path.suffix in (PLAIN, PACKED, SIDECAR) and path.stem.isdigit():
            first = int(path.stem)
            if first < floor:
                path.unlink()
            elif path.suffix != SIDECAR:
                firsts.add(first)
    return sorted(firsts)


def _open(directory: Path, first: int, files: OpenFiles, *, is_last: bool) -> tuple[Segment, bool] | None:
    """A segment and whether it goes on growing; None when its creation was cut short."""
    plain, packed = path_of(directory, first, PLAIN), path_of(directory, first, PACKED)
    if packed.exists():
        segment = PackedSegment(packed, files)
        if segment.first != first:
            raise corrupt(packed, 0, f"it holds position {segment.first}, not what its name says")
        if plain.exists():
            plain.unlink()
            sync_directory(directory)
        return segment, False
    data = plain.read_bytes()
    if data[: PLAIN_HEADER.size] != PLAIN_HEADER.pack(PLAIN_MARK, first):
        # A crash can leave a new file without its header, never with anything behind a wrong one.
        if is_last and not any(data):
            plain.unlink()
            sync_directory(directory)
            return None
        raise corrupt(plain, 0, "its header is not that of a log segment")
    records = list(walk(data, PLAIN_HEADER.size, first))
    end = records[-1].end if records else PLAIN_HEADER.size
    if end < len(data):
        if not is_last:
            raise corrupt(plain, end, "a record does not match its checksum, and later files exist")
        _check_torn(plain, data, end, records)
    return _plain(plain, first, records, end), is_last and not path_of(directory, first, SIDECAR).exists()


def _plain(path: Path, first: int, records: list[Placed], end: int) -> PlainSegment:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, end)
        # Records that were written and not synced before the crash count as durable from here on: make it true.
        sync_data(fd)
    finally:
        os.close(fd)
    segment = PlainSegment(path, first)
    segment.extend(records)
    return segment


def _check_torn(path: Path, data: bytes, end: int, records: list[Placed]) -> None:
    following = records[-1].base + records[-1].messages if records else int(path.stem)
    if proves_damage(data, end, following):
        raise corrupt(path, end, f"the record at position {following} was acknowledged and cannot be read")


def _has_sidecar(directory: Path, segment: Segment) -> bool:
    path = path_of(directory, segment.first, SIDECAR)
    return path.exists() and read_sidecar(path, segment.first, segment.last) is not None


def _missing(directory: Path, expected: int, found: int) -> CorruptLog:
    return CorruptLog(
        f"{directory} has no file for positions {expected} to {found - 1}: a segment is missing. "
        "Put it back, or restore a backup (`patron restore`)"
    )
