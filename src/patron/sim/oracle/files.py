"""Oracle files on disk: written whole or not at all, for their owner only, and read again."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from patron.sim.generation.folder import BadFolder, check_truth
from patron.sim.oracle import needs
from patron.sim.oracle.needs import Needs
from patron.sim.oracle.rows import FORMAT, NAMES, NEEDS, ROWS, Report, Row

REPORT = "oracle.json"
_encode = msgspec.json.Encoder().encode


def file_of(name: str) -> str:
    """The file of an oracle's name.

    >>> file_of("clv"), file_of("needs")
    ('clv.ndjson', 'needs.npz')
    """
    return f"{name}.npz" if name == NEEDS else f"{name}.ndjson"


def write(path: Path, content: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside the old one, then take its place; nobody else may read it. Raises BadFolder."""
    half = path.with_name(path.name + ".part")
    try:
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            content(file)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
        raise BadFolder(
            f"{path} cannot be written: {error.strerror}; what was there before is still there"
        ) from None


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as lines of JSON; how many there were."""
    count = 0

    def lines(file: IO[bytes]) -> None:
        nonlocal count
        for row in rows:
            file.write(_encode(row) + b"\n")
            count += 1

    write(path, lines)
    return count


def write_report(truth: Path, report: Report) -> None:
    """Write `oracle.json`."""
    text = msgspec.json.format(_encode(report), indent=2) + b"\n"

    def whole(file: IO[bytes]) -> None:
        file.write(text)

    write(truth / REPORT, whole)


def read_report(truth: Path) -> Report:
    """How the oracle files of a truth folder were made. Raises BadFolder when there are none, or of a later version."""
    try:
        report = msgspec.json.decode((truth / REPORT).read_bytes(), type=Report)
    except FileNotFoundError:
        raise BadFolder(f"{truth} has no {REPORT}: run `patron sim oracle` on the world first") from None
    except (msgspec.DecodeError, OSError) as error:
        raise BadFolder(f"{truth / REPORT} cannot be read ({error}); run `patron sim oracle` again") from None
    if report.format > FORMAT:
        raise BadFolder(
            f"{truth / REPORT} was made by a later version (format {report.format}); use that one"
        )
    return report


def read(truth: Path, name: str) -> Iterator[Row]:
    """The rows of an oracle file of lines (`truth` is the truth's own folder).

    Raises BadFolder when it was not made, or lies where what is measured could see it; ValueError for a name that is none.
    """
    if name not in ROWS:
        raise ValueError(f"there are no rows named {name!r}; choose one of {', '.join(ROWS)}")
    path = _made(truth, name)
    decode = msgspec.json.Decoder(ROWS[name]).decode
    try:
        with path.open("rb") as lines:
            for line in lines:
                yield decode(line)
    except (OSError, msgspec.DecodeError) as error:
        raise BadFolder(
            f"{path} cannot be read ({error}); run `patron sim oracle --only {name}` again"
        ) from None


def read_needs(truth: Path) -> Needs:
    """The needs of all people on all days told (`truth` is the truth's own folder). Raises BadFolder."""
    path = _made(truth, NEEDS)
    try:
        return needs.load(path)
    except (OSError, ValueError) as error:
        raise BadFolder(
            f"{path} cannot be read ({error}); run `patron sim oracle --only needs` again"
        ) from None


def _made(truth: Path, name: str) -> Path:
    report = read_report(check_truth(truth))
    if name not in report.files:
        raise BadFolder(f"{truth} has no {file_of(name)}: run `patron sim oracle --only {name}` on the world")
    return truth / file_of(name)


__all__ = [
    "NAMES",
    "REPORT",
    "file_of",
    "read",
    "read_needs",
    "read_report",
    "write",
    "write_report",
    "write_rows",
]
