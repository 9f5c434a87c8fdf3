"""The sidecar of a sealed segment: which position speaks of which identifier, sorted for binary search.

Three columns one after another (hash, time, position with the `is_node` bit lowest), each contiguous: a search touches a
dozen pages of the hash column and nothing else. Rows are sorted by (hash, time, position).
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from patron.storage.embedded.files import TEMPORARY, create_private, sync_data, sync_directory, write_all

Column = npt.NDArray[np.uint64]
_HEADER = struct.Struct("<8sQQQI4x")
_MARK = b"PATRONI1"


class Rows(NamedTuple):
    """Index rows as columns: 64-bit identifier hash, event time (ms), position shifted by one over `is_node`."""

    hash: Column
    time: Column
    place: Column


def rows_of(flat: Column) -> Rows:
    """Rows from `hash, time, place` triples in a row."""
    table = flat.reshape(-1, 3)
    return Rows(table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy())


def joined(parts: list[Rows]) -> Rows:
    """Several sets of rows as one."""
    if not parts:
        empty = np.empty(0, np.uint64)
        return Rows(empty, empty, empty)
    return Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def sorted_unique(rows: Rows) -> Rows:
    """Rows by (hash, time, position), each once: noting an event twice, as a replay does, changes nothing.

    >>> sorted_unique(rows_of(np.array([9, 5, 2, 4, 7, 3, 9, 5, 2], np.uint64))).hash.tolist()
    [4, 9]
    """
    order = np.lexsort((rows.place, rows.time, rows.hash))
    ordered = Rows(*(column[order] for column in rows))
    if len(order) < 2:
        return ordered
    fresh = np.ones(len(order), bool)
    fresh[1:] = np.any([column[1:] != column[:-1] for column in ordered], axis=0)
    return ordered if fresh.all() else Rows(*(column[fresh] for column in ordered))


def matching(rows: Rows, hashes: Column) -> Rows | None:
    """The rows of these hashes out of rows sorted by hash; None when there are none."""
    low = rows.hash.searchsorted(hashes, "left")
    high = rows.hash.searchsorted(hashes, "right")
    found = np.flatnonzero(high > low)
    if not len(found):
        return None
    return joined([Rows(*(column[low[i] : high[i]] for column in rows)) for i in found])


def without(rows: Rows, hashes: Column, places: Column) -> Rows:
    """Rows that neither have one of these hashes nor speak of one of these positions."""
    keep = ~(np.isin(rows.hash, hashes) | np.isin(rows.place >> np.uint64(1), places))
    return rows if keep.all() else Rows(*(column[keep] for column in rows))


def write_sidecar(path: Path, first: int, last: int, rows: Rows) -> None:
    """Replace the sidecar by these rows (sorted already), durably. Raises OSError, the old one untouched."""
    body = b"".join(np.ascontiguousarray(column).tobytes() for column in rows)
    head = _HEADER.pack(_MARK, first, last, len(rows.hash), zlib.crc32(body))
    temporary = path.with_name(path.name + TEMPORARY)
    fd = create_private(temporary)
    try:
        write_all(fd, head)
        write_all(fd, body)
        sync_data(fd)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    temporary.replace(path)
    sync_directory(path.parent)


def read_sidecar(path: Path, first: int, last: int, *, check: bool = False) -> Rows | None:
    """Map a sidecar; None when it does not fit its segment (it can be made again from the log).

    `check` compares the checksum too, which reads the whole file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        if size < _HEADER.size:
            return None
        view = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    finally:
        os.close(fd)
    mark, begins, ends, count, crc = _HEADER.unpack_from(view)
    if (mark, begins, ends, size) != (_MARK, first, last, _HEADER.size + count * 24):
        return None
    if check and zlib.crc32(memoryview(view)[_HEADER.size :]) != crc:
        return None
    if not count:
        return joined([])
    columns = np.frombuffer(view, np.uint64, offset=_HEADER.size).reshape(3, count)
    return Rows(columns[0], columns[1], columns[2])
