"""Sorted files of fingerprints: written once, merged into larger ones, searched through a memory map.

File name: `<partition>-<from>-<to>.run`: it holds what was written under the numbers from..to, so a merged file makes
those inside its range superfluous, also when a crash leaves them lying about. Inside: a header, the sorted 8-byte
fingerprints, and the 4-byte checksums of their payloads in the same order.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from patron.model.errors import StorageError
from patron.storage.embedded.bloom import Keys
from patron.storage.embedded.files import TEMPORARY, create_private, sync_data, write_all

Checksums = npt.NDArray[np.uint32]
RUN = ".run"
_HEADER = struct.Struct("<8sQQI36x")
_MARK = b"PATRONF1"
_SLICE = 1 << 20


class Columns(NamedTuple):
    """Sorted fingerprints and the payload checksum of each."""

    keys: Keys
    checksums: Checksums


class Run(NamedTuple):
    """One file: where it is, the numbers it covers, how many ids it holds."""

    path: Path
    begin: int
    end: int
    ids: int


def sorted_columns(keys: Keys, checksums: Checksums) -> Columns:
    """Columns by fingerprint; of equal ones the first given stays, as the first in the log stands.

    >>> sorted_columns(np.array([9, 2, 9], np.uint64), np.array([1, 2, 3], np.uint32)).checksums.tolist()
    [2, 1]
    """
    order = keys.argsort(kind="stable")
    keys, checksums = keys[order], checksums[order]
    fresh = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=fresh[1:])
    return Columns(keys, checksums) if fresh.all() else Columns(keys[fresh], checksums[fresh])


def write_run(directory: Path, partition: str, begin: int, end: int, parts: list[Columns]) -> Run:
    """Write one file out of sorted parts (older first) and sync it; the caller syncs the directory.

    It goes through the parts a slice of the key space at a time, so that a merge of millions takes little memory.
    Raises OSError, with nothing left behind.
    """
    path = directory / f"{partition}-{begin:010d}-{end:010d}{RUN}"
    temporary = path.with_name(path.name + TEMPORARY)
    fd = create_private(temporary)
    try:
        count = _write(fd, parts)
        sync_data(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    return Run(path, begin, end, count)


def _write(fd: int, parts: list[Columns]) -> int:
    most = sum(len(part.keys) for part in parts)
    second = _HEADER.size + most * 8
    os.ftruncate(fd, second + most * 4)
    written = 0
    slices = max(1, -(-most // _SLICE))
    edges = np.array([(number << 64) // slices for number in range(slices)], np.uint64)
    cuts = [[*part.keys.searchsorted(edges).tolist(), len(part.keys)] for part in parts]
    for number in range(slices):
        pieces = [
            Columns(part.keys[cut[number] : cut[number + 1]], part.checksums[cut[number] : cut[number + 1]])
            for part, cut in zip(parts, cuts, strict=True)
        ]
        merged = sorted_columns(
            np.concatenate([piece.keys for piece in pieces]),
            np.concatenate([piece.checksums for piece in pieces]),
        )
        _put(fd, merged.keys.tobytes(), _HEADER.size + written * 8)
        _put(fd, merged.checksums.tobytes(), second + written * 4)
        written += len(merged.keys)
    _put(fd, _header(written, second), 0)
    os.ftruncate(fd, second + written * 4)
    return written


def _put(fd: int, data: bytes, offset: int) -> None:
    os.lseek(fd, offset, os.SEEK_SET)
    write_all(fd, data)


def _header(count: int, second: int) -> bytes:
    return _HEADER.pack(_MARK, count, second, zlib.crc32(struct.pack("<QQ", count, second)))


def open_run(path: Path) -> Columns:
    """Map a file. Raises StorageError when it is damaged."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        view = mmap.mmap(fd, 0, prot=mmap.PROT_READ) if size >= _HEADER.size else b""
    finally:
        os.close(fd)
    mark, count, second, crc = _HEADER.unpack_from(view) if view else (b"", 0, 0, 0)
    sound = mark == _MARK and crc == zlib.crc32(struct.pack("<QQ", count, second))
    if not sound or size < second + count * 4:
        raise StorageError(
            f"{path} is damaged; it is part of the memory of message ids. Stop Patron, remove the `dedup` folder and "
            "state.db, and start: both are made again from the log"
        )
    if not count:
        return Columns(np.empty(0, np.uint64), np.empty(0, np.uint32))
    return Columns(
        np.frombuffer(view, np.uint64, count, _HEADER.size), np.frombuffer(view, np.uint32, count, second)
    )


def runs_in(directory: Path) -> dict[str, list[Run]]:
    """The files by partition, in order; those that a merge made superfluous are removed."""
    found: dict[str, list[Run]] = {}
    for path in sorted(directory.glob(f"*{RUN}")):
        partition, begin, end = path.stem.rsplit("-", 2)
        found.setdefault(partition, []).append(Run(path, int(begin), int(end), len(open_run(path).keys)))
    for partition, runs in found.items():
        kept = [run for run in runs if not any(_covers(other, run) for other in runs)]
        for run in set(runs) - set(kept):
            run.path.unlink()
        found[partition] = sorted(kept, key=lambda run: run.begin)
    return found


def _covers(other: Run, run: Run) -> bool:
    return other is not run and other.begin <= run.begin and run.end <= other.end


def to_merge(counts: list[int]) -> int:
    """How many of the newest runs to merge into one: so that each stays more than twice what is newer.

    >>> to_merge([1000, 300, 100]), to_merge([1000, 100, 90]), to_merge([100])
    (0, 2, 0)
    """
    total, take = 0, 0
    for number, count in enumerate(reversed(counts)):
        if number and count > 2 * total:
            break
        total, take = total + count, number + 1
    return take if take > 1 else 0
