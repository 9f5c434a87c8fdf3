"""Copies of a data directory: made while it serves, checked when restored, and told later whom to leave out.

A copy is taken state first, then the memory of ids, the lake, then the log: so the log reaches at least as far as everything
else, and replaying it from the state's offset gives the directory as it was. Sealed log files and id files never change in
place, so on the same file system they are hard links.

A person erased after a backup is still in it. Therefore the directory keeps a list of its backups, every erasure writes its
tombstones (keyed hashes) into each that can be reached, and a restored directory starts with all of them.
"""

import contextlib
import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from patron.model.errors import ConfigError, StorageError
from patron.storage.embedded.files import (
    TEMPORARY,
    create_private,
    make_private_directory,
    storage_error,
    sync_data,
    sync_directory,
    write_all,
    write_durably,
)
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.recovery import recover
from patron.storage.embedded.segments import PLAIN, OpenFiles
from patron.storage.embedded.state import DATABASE

MANIFEST, BACKUPS, TOMBSTONES = "manifest.json", "backups.json", "tombstones"
LAKE, LAKE_LOG = "lake", "_delta_log"
FOLDERS = ("dedup", "log")
"""In this order: the log last, so that it covers the rest."""

_OWN = frozenset({"lock", "run.json", BACKUPS, TOMBSTONES, MANIFEST})
_ATTEMPTS = 20
_CHUNK = 1 << 20


class FileLine(Struct, frozen=True):
    """One file of a backup: its size and what it must hash to."""

    sha256: str
    bytes: int


class Manifest(Struct, frozen=True):
    """What a backup consists of. It is written last: without it there is no backup."""

    position: int
    """Last log position inside."""
    created: int
    """ms since 1970 UTC, by this machine's clock."""
    files: dict[str, FileLine]


class BackupReport(Struct, frozen=True):
    """A backup that was made."""

    path: str
    position: int
    files: int
    bytes: int


class BackupLine(Struct, frozen=True):
    """A line of `backups.json`: where a copy of the directory was put."""

    path: str
    position: int
    created: int


# --- making --------------------------------------------------------------------------------------------------


def backup(src: Path, dest: Path, *, log: SegmentLog | None = None, record: bool = True) -> BackupReport:
    """Copy the directory `src`, which may be serving, to the new folder `dest`.

    Call it inside the process that holds `src`, after a checkpoint. With its `log` the copy ends exactly at a durable
    position; without, what was being written may be in it too. `record` notes the copy in `backups.json`.

    Raises ConfigError when `dest` holds something or lies inside `src`; DiskFull or StorageError when it cannot be written.
    """
    src, dest = src.resolve(), dest.resolve()
    if dest.is_relative_to(src) or src.is_relative_to(dest):
        raise ConfigError(f"{dest} and {src} lie inside each other. Put the backup in another folder.")
    _need_empty(dest)
    try:
        make_private_directory(dest)
        _copy_state(src, dest)
        _copy_top(src, dest)
        for name in FOLDERS:
            make_private_directory(dest / name)
        _copy_settled(src / "dedup", dest / "dedup")
        _copy_lake(src / LAKE, dest / LAKE)
        _copy_log(src / "log", dest / "log", log)
        write_durably(dest / TOMBSTONES, _text(tombstones(src)))
        manifest = Manifest(
            recover(dest / "log", OpenFiles()).tail.last, time.time_ns() // 1_000_000, _lines(dest)
        )
        write_durably(dest / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as error:
        raise storage_error(error, dest) from error
    if record:
        _record(src, BackupLine(str(dest), manifest.position, manifest.created))
    return BackupReport(
        str(dest), manifest.position, len(manifest.files), sum(line.bytes for line in manifest.files.values())
    )


def _need_empty(dest: Path) -> None:
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise ConfigError(f"{dest} is not empty. Choose another folder, or remove that one.")


def _copy_state(src: Path, dest: Path) -> None:
    """Copy the last checkpoint through SQLite, which gives one committed moment however busy the writer is."""
    if not (src / DATABASE).exists():
        return
    os.close(create_private(dest / DATABASE))
    try:
        with (
            contextlib.closing(sqlite3.connect(src / DATABASE, timeout=30)) as source,
            contextlib.closing(sqlite3.connect(dest / DATABASE)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            ((found,),) = copy.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        raise StorageError(f"the state of {src} cannot be copied ({error}). Try again") from error
    if found != "ok":
        raise StorageError(
            f"the copy of {src / DATABASE} is damaged ({found}). Check the disk, then try again"
        )
    _sync(dest / DATABASE)


def _copy_top(src: Path, dest: Path) -> None:
    for path in sorted(src.iterdir()):
        if path.is_file() and path.name not in _OWN and not _passing(path):
            _copy(path, dest / path.name)


def _passing(path: Path) -> bool:
    return path.name.startswith(DATABASE) or path.name.endswith(TEMPORARY)


def _copy_log(src: Path, dest: Path, log: SegmentLog | None) -> None:
    if log is None:
        _copy_settled(src, dest)
        return
    with log.snapshot() as held:
        for path in held.sealed:
            _link(path, dest / path.name)
        _copy(held.tail, dest / held.tail.name, held.tail_bytes)
        for path in src.iterdir():
            if path.suffix == "" and path.is_file():
                _copy(path, dest / path.name)
    sync_directory(dest)


def _copy_lake(src: Path, dest: Path) -> None:
    """Copy the lake: of each table its log first, then every data file, which stays for an hour after it was replaced."""
    if not src.is_dir():
        return
    make_private_directory(dest)  # a lake that was just made has an owner and no table yet
    for table in sorted(path for path in src.iterdir() if (path / LAKE_LOG).is_dir()):
        make_private_directory(dest / table.name / LAKE_LOG)
        _copy_settled(table / LAKE_LOG, dest / table.name / LAKE_LOG)
        for path in sorted(table.glob("*.parquet")):
            with contextlib.suppress(FileNotFoundError):
                _link(path, dest / table.name / path.name)
        sync_directory(dest / table.name)
    for path in src.iterdir():
        if path.is_file() and not path.name.endswith(TEMPORARY):
            _copy(path, dest / path.name)


def _copy_settled(src: Path, dest: Path) -> None:
    """Copy a folder whose files are replaced now and then: when one goes away in the middle, begin anew."""
    for _ in range(_ATTEMPTS):
        names = (
            sorted(path.name for path in src.iterdir() if not path.name.endswith(TEMPORARY))
            if src.exists()
            else []
        )
        try:
            for name in names:
                _link_or_copy(src / name, dest / name, growing=name == _growing(names))
        except FileNotFoundError:
            for path in dest.iterdir():
                path.unlink()
            continue
        sync_directory(dest)
        return
    raise StorageError(f"{src} changes faster than it can be copied. Try again when less is going on")


def _growing(names: list[str]) -> str | None:
    return max((name for name in names if name.endswith(PLAIN)), default=None)


def _link_or_copy(src: Path, dest: Path, *, growing: bool) -> None:
    if growing or src.suffix == "":
        _copy(src, dest)
    else:
        _link(src, dest)


def _link(src: Path, dest: Path) -> None:
    try:
        os.link(src, dest)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without hard links
        _copy(src, dest)


def _copy(src: Path, dest: Path, length: int | None = None) -> None:
    fd = create_private(dest)
    try:
        with src.open("rb") as source:
            left = os.fstat(source.fileno()).st_size if length is None else length
            while left > 0 and (data := source.read(min(_CHUNK, left))):
                write_all(fd, data)
                left -= len(data)
        sync_data(fd)
    finally:
        os.close(fd)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        sync_data(fd)
    finally:
        os.close(fd)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in (MANIFEST, TOMBSTONES):
            yield path


def _lines(folder: Path) -> dict[str, FileLine]:
    return {path.relative_to(folder).as_posix(): _line(path) for path in _files(folder)}


def _line(path: Path) -> FileLine:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return FileLine(digest.hexdigest(), os.fstat(stream.fileno()).st_size)


# --- restoring ------------------------------------------------------------------------------------------------


def manifest(src: Path) -> Manifest:
    """The manifest of a backup. Raises StorageError when the folder is none."""
    try:
        return msgspec.json.decode((src / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise StorageError(
            f"{src} is no finished backup: it has no {MANIFEST}. Choose another one"
        ) from error
    except msgspec.DecodeError as error:
        raise StorageError(f"{src / MANIFEST} cannot be read ({error}). Choose another backup") from error


def verify(src: Path) -> Manifest:
    """Check every file of a backup against its manifest. Raises StorageError naming the first that differs."""
    found = manifest(src)
    for name, line in found.files.items():
        path = src / name
        if name.startswith("/") or ".." in Path(name).parts:
            raise StorageError(
                f"the manifest of {src} names {name}, which lies outside it. Choose another backup"
            )
        if not path.is_file():
            raise StorageError(f"the backup {src} lacks its file {name}. Choose another backup")
        if _line(path) != line:
            raise StorageError(
                f"the file {name} of the backup {src} is not what it was. Choose another backup"
            )
    return found


def restore(src: Path, dest: Path, lines: Sequence[str] = ()) -> int:
    """Make the data directory `dest` from a backup; gives the number of tombstones it starts with.

    The tombstones are the backup's own and `lines` (from a directory that knows later erasures). They must be applied before
    anything is served. The folder appears whole or not at all.

    Raises ConfigError when `dest` holds something; StorageError when the backup is damaged; DiskFull.
    """
    src, dest = src.resolve(), dest.resolve()
    _need_empty(dest)
    found = verify(src)
    union = list(dict.fromkeys([*tombstones(src), *_checked(lines)]))
    making = dest.with_name(f".{dest.name}.restoring")
    try:
        shutil.rmtree(making, ignore_errors=True)
        make_private_directory(making)
        for name in FOLDERS:
            make_private_directory(making / name)
        for name in found.files:
            make_private_directory((making / name).parent)
            _copy(src / name, making / name)
        write_durably(making / TOMBSTONES, _text(union))
        for folder in (*(making / name for name in FOLDERS), making):
            sync_directory(folder)
        making.replace(dest)
        sync_directory(dest.parent)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise storage_error(error, dest) from error
    return len(union)


# --- tombstones -----------------------------------------------------------------------------------------------


def tombstones(path: Path) -> list[str]:
    """The tombstone lines of a directory, a backup, or a tombstones file; a last line cut off by a crash is not counted."""
    file = path / TOMBSTONES if path.is_dir() else path
    if not file.exists():
        return []
    whole, _, _ = file.read_bytes().rpartition(b"\n")
    return list(dict.fromkeys(line for line in whole.decode("ascii", "replace").split("\n") if line))


def add_tombstones(path: Path, lines: Sequence[str]) -> list[str]:
    """Note durably who was erased, in the directory and in each of its backups; gives the backups that were reached.

    Raises DiskFull or StorageError when the directory's own file cannot be written.
    """
    checked = _checked(lines)
    _add(path, checked)
    reached = []
    for line in backups(path):
        if (Path(line.path) / MANIFEST).exists():
            with contextlib.suppress(OSError, StorageError):
                _add(Path(line.path), checked)
                reached.append(line.path)
    return reached


def backups(path: Path) -> list[BackupLine]:
    """The copies that were made of a directory, oldest first. Raises StorageError when the list cannot be read."""
    file = path / BACKUPS
    if not file.exists():
        return []
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[BackupLine])
    except msgspec.DecodeError as error:
        raise StorageError(
            f"{file} cannot be read ({error}). Repair it, or erasures do not reach your backups"
        ) from error


def _add(path: Path, lines: list[str]) -> None:
    write_durably(path / TOMBSTONES, _text(dict.fromkeys([*tombstones(path), *lines])))


def _record(src: Path, line: BackupLine) -> None:
    kept = [known for known in backups(src) if known.path != line.path]
    write_durably(src / BACKUPS, msgspec.json.format(msgspec.json.encode([*kept, line])))


def _checked(lines: Iterable[str]) -> list[str]:
    checked = list(lines)
    for line in checked:
        if not line or not line.isascii() or not line.isprintable():
            raise ValueError(f"a tombstone is one line of hexadecimal digits and a time, not {line!r}")
    return checked


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
