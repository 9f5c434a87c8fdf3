"""Changes to files: one file of changes a run, and `latest`, everybody as of the last run that was finished.

Each file is written beside its name and renamed, so whoever reads the folder never sees half of one.
"""

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from patron.exports.delivery import Undelivered
from patron.model.exports import Difference, FileTarget

_LEADS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
ALL_AT_ONCE = 1_000_000_000


class FileSender:
    """Writes one run. `rows` gives everybody as of this run: (id, values)."""

    batch = ALL_AT_ONCE

    def __init__(
        self,
        folder: Path,
        target: FileTarget,
        fields: Sequence[str],
        rows: Callable[[], Iterable[tuple[str, tuple[Any, ...]]]],
    ) -> None:
        self._folder = folder
        self._target = target
        self._fields = list(fields)
        self._rows = rows

    async def send(self, batch_id: str, changes: Sequence[Difference]) -> dict[str, str]:
        """Write the file of changes; the same batch again writes the same file."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        rows = [(c.op, c.key, *(c.values or [None] * len(self._fields))) for c in changes]
        columns = ["change", "patron_id", *self._fields]
        await asyncio.to_thread(self._put, f"{batch_id}-changes", columns, rows)
        return {}

    async def finish(self) -> None:
        """Write `latest`, and let the oldest files of changes go."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        everybody = [(key, *values) for key, values in self._rows()]
        await asyncio.to_thread(self._put, "latest", ["patron_id", *self._fields], everybody)
        changes = sorted(self._folder.glob("*-changes.*"), key=lambda path: path.stat().st_mtime_ns)
        for path in changes[: -self._target.keep]:
            path.unlink()

    async def close(self) -> None:
        """Nothing stays open."""

    def _put(self, name: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        path = self._folder / f"{name}.{self._target.format}"
        beside = path.with_name(path.name + ".tmp")
        try:
            beside.touch(mode=0o600)
            WRITERS[self._target.format](beside, columns, rows)
            beside.replace(path)
        except OSError as error:
            raise Undelivered(f"{path.name} cannot be written: {error.strerror}", again=False) from error


def _csv(path: Path, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    """A value in a cell; a text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP)."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(_LEADS_FORMULA) and not _is_number(value) else value
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, list | tuple | dict | bool) else str(value)
    )


def _is_number(text: str) -> bool:
    """Whether it is a signed number or a phone number, which no spreadsheet runs."""
    return text[1:].replace(".", "", 1).isdigit()


def _jsonl(path: Path, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")


def _parquet(path: Path, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [pa.array(_column([row[at] for row in rows])) for at in range(len(columns))]
    arrays = [a.cast(pa.string()) if pa.types.is_null(a.type) else a for a in arrays]
    pq.write_table(pa.table(arrays, names=columns), path, compression="zstd")


def _column(values: list[Any]) -> list[Any]:
    """Values of one kind: numbers stay numbers, booleans booleans, anything mixed becomes text as JSON writes it."""
    kinds = {type(v) for v in values if v is not None}
    if kinds <= {bool} or kinds <= {str} or kinds <= {int}:
        return values
    if kinds <= {int, float}:
        return [None if v is None else float(v) for v in values]
    return [
        v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False, default=list)
        for v in values
    ]


WRITERS: dict[str, Callable[[Path, list[str], list[tuple[Any, ...]]], None]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}


def forget(folder: Path, keys: frozenset[str]) -> int:
    """Write every file of a target anew without the rows of erased people; how many rows went."""
    gone = 0
    for path in sorted(folder.glob("*.*")) if folder.exists() else ():
        if path.suffix == ".tmp":
            path.unlink()
            continue
        gone += _FORGETTERS[path.suffix[1:]](path, keys)
    return gone


def _forget_lines(path: Path, keep: Callable[[str], Iterator[tuple[bool, str]]]) -> int:
    lines = list(keep(path.read_text("utf-8")))
    beside = path.with_name(path.name + ".tmp")
    beside.touch(mode=0o600)
    with beside.open("w", encoding="utf-8", newline="") as out:
        out.writelines(text for kept, text in lines if kept)
    beside.replace(path)
    return sum(not kept for kept, _ in lines)


def _forget_csv(path: Path, keys: frozenset[str]) -> int:
    def keep(text: str) -> Iterator[tuple[bool, str]]:
        for row in csv.reader(io.StringIO(text)):
            line = io.StringIO()
            csv.writer(line).writerow(row)
            yield not keys & set(row[:2]), line.getvalue()

    return _forget_lines(path, keep)


def _forget_jsonl(path: Path, keys: frozenset[str]) -> int:
    def keep(text: str) -> Iterator[tuple[bool, str]]:
        for line in text.splitlines():
            yield json.loads(line)["patron_id"] not in keys, line + "\n"

    return _forget_lines(path, keep)


def _forget_parquet(path: Path, keys: frozenset[str]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    kept = table.filter(pc.invert(pc.is_in(table["patron_id"], pa.array(sorted(keys), pa.string()))))
    beside = path.with_name(path.name + ".tmp")
    beside.touch(mode=0o600)
    pq.write_table(kept, beside, compression="zstd")
    beside.replace(path)
    return int(table.num_rows - kept.num_rows)


_FORGETTERS: dict[str, Callable[[Path, frozenset[str]], int]] = {
    "csv": _forget_csv,
    "jsonl": _forget_jsonl,
    "parquet": _forget_parquet,
}
