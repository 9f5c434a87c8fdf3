"""A scanner that opens everything a data directory holds and looks for what must not be there any more."""

import contextlib
import gzip
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import zstandard

PARQUET = b"PAR1"
ZSTD = b"\x28\xb5\x2f\xfd"


def needles(values: Iterable[str]) -> dict[str, bytes]:
    """What to look for: each value as text and as the usual hashes of it, in hex and raw."""
    found: dict[str, bytes] = {}
    for value in values:
        raw = value.encode()
        found[f"text {value}"] = raw
        for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(name, raw)
            found[f"{name} of {value}"] = digest.digest()
            found[f"{name} hex of {value}"] = digest.hexdigest().encode()
    return found


def scan(folder: Path, values: Iterable[str]) -> list[str]:
    """Every place where one of the values is found, as `file: what`."""
    wanted = needles(values)
    hits = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for layer, data in layers(path):
            low = data.lower()
            hits += [
                f"{path.relative_to(folder)} ({layer}): {name}"
                for name, needle in wanted.items()
                if needle in data or (name.startswith("text") and needle.lower() in low)
            ]
    return hits


def layers(path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes of a file, and everything that can be opened inside them."""
    data = path.read_bytes()
    yield "bytes", data
    if data.startswith(b"SQLite format 3\0"):
        yield "rows", b"\0".join(_sqlite(path))
    if data.startswith(b"\x1f\x8b"):
        yield "gzip", gzip.decompress(data)
    if data.startswith(PARQUET):
        yield "values", b"\0".join(_parquet(path))
    yield from _frames(data)


def _parquet(path: Path) -> Iterator[bytes]:
    """Every value of every column, and what the file says of them, statistics included."""
    file = pq.ParquetFile(path)
    yield str(file.metadata.metadata).encode()
    for group in range(file.metadata.num_row_groups):
        for column in range(file.metadata.num_columns):
            yield str(file.metadata.row_group(group).column(column).to_dict()).encode()
    for row in file.read().to_pylist():
        yield json.dumps(row, default=str, ensure_ascii=False).encode()
        yield from (value.encode() for value in row.values() if isinstance(value, str))


def _sqlite(path: Path) -> Iterator[bytes]:
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for (table,) in base.execute("select name from sqlite_master where type='table'").fetchall():
            for row in base.execute(f'select * from "{table}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        yield cell
                        yield from (inner for _, inner in _frames(cell))
                    else:
                        yield str(cell).encode()
    finally:
        base.close()


def _frames(data: bytes) -> Iterator[tuple[str, bytes]]:
    start = data.find(ZSTD)
    while start >= 0:
        with contextlib.suppress(zstandard.ZstdError):
            yield f"zstd at {start}", zstandard.ZstdDecompressor().decompressobj().decompress(data[start:])
        start = data.find(ZSTD, start + 1)
    with contextlib.suppress(zlib.error):
        yield "zlib", zlib.decompress(data)
