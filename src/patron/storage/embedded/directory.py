"""A data directory: who holds it, which schema it has, its secret, and where its server answers.

patron.toml  catalogue.toml   configuration
schema       secret  lock     what this Patron may touch, the key of all its hashes, who holds it
log/         dedup/  state.db  the record, the duplicate filter, the state
run.json                      the server that serves it now (0600)
backups.json tombstones       where its copies are, and who must stay out of them (`backup`)
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from patron.model.errors import Busy, ConfigError, DirectoryLocked, NewerSchema
from patron.storage.embedded.files import (
    PRIVATE_FILE,
    TEMPORARY,
    make_private_directory,
    sync_directory,
    write_durably,
)
from patron.storage.embedded.state import DATABASE
from patron.storage.embedded.writer import META_TABLE

SCHEMA = 1
"""Version of the directory's layout that this Patron writes."""
MIGRATIONS: dict[int, Callable[[Path], None]] = {}
"""Step n brings a directory from version n to n + 1. A crash between the step and the note that it was taken runs it once
more, so each must be safe to repeat."""
SCHEMA_FILE, SECRET_FILE, LOCK_FILE, RUN_FILE = "schema", "secret", "lock", "run.json"
SECRET_BYTES = 32
LOCK_SECONDS = 0.5
"""How long `hold` tries again while its holder lives: a look by `running` passes by then."""
LEFT_SECONDS = 30.0
"""How long it does when the holder is dead: its writer child finishes what it was told, and a machine may be busy."""
_MB = 1 << 20


class Running(Struct, frozen=True):
    """The server that holds a directory: where it answers administration, and the key of this process."""

    pid: int
    url: str
    token: str


class Hold:
    """The exclusive lock on a directory, for as long as this process lives."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd
        self._next_look = 0
        self._free = 1 << 60

    def fileno(self) -> int:
        """The lock's descriptor: a child process that inherits it holds the directory as long as it lives."""
        return self._fd

    def release(self) -> None:
        """Let go; harmless when done twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def check_space(self, min_free_mb: int) -> None:
        """Refuse new bytes when the disk is nearly full. Raises Busy (503): nothing was taken.

        The disk is looked at once in 256 calls.
        """
        if self._next_look <= 0:
            self._free = shutil.disk_usage(self.path).free
            self._next_look = 256
        self._next_look -= 1
        if self._free < min_free_mb * _MB:
            self._next_look = 0
            raise Busy(
                "disk_full",
                f"Less than {min_free_mb} MB of disk is free: nothing was kept. Free some, send again.",
                retry_after=5,
            )


def exists(path: Path) -> bool:
    """Whether a folder is a data directory.

    >>> exists(Path("/nowhere"))
    False
    """
    return (path / SCHEMA_FILE).is_file()


def create(path: Path) -> None:
    """Make a data directory: private, with its secret and schema version. The schema file comes last, so that a folder
    whose making was cut short is none yet. Raises ConfigError when there is one already.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "shop"; create(folder)
    >>> exists(folder), len(secret(folder)), version(folder)
    (True, 32, 1)
    """
    if exists(path):
        raise ConfigError(f"{path} is a Patron directory already. Choose another folder.")
    make_private_directory(path)
    if not (path / SECRET_FILE).exists():
        write_durably(path / SECRET_FILE, secrets.token_bytes(SECRET_BYTES))
    write_durably(path / SCHEMA_FILE, f"{SCHEMA}\n".encode())


def hold(path: Path) -> Hold:
    """Take a directory for this process alone, and bring it up to this schema.

    Raises
    ------
    ConfigError
        It is no data directory.
    DirectoryLocked
        Another process holds it; names its process id.
    NewerSchema
        A newer Patron wrote it; nothing was touched.
    """
    if not exists(path):
        raise ConfigError(f"{path} is no Patron directory. Make one: patron init {path}")
    fd = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        _lock(fd, path)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        migrate(path)
    except BaseException:
        os.close(fd)
        raise
    return Hold(path, fd)


def _lock(fd: int, path: Path) -> None:
    begin = time.monotonic()
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "(unknown)"
            if time.monotonic() < begin + (LEFT_SECONDS if _is_dead(owner) else LOCK_SECONDS):
                time.sleep(0.02)
                continue
            raise DirectoryLocked(
                f"{path} is held by process {owner}. Stop it first (kill {owner}), or use another directory. "
                "Administrative commands need no stop: they talk to the server that holds it"
            ) from error
        return


def _is_dead(owner: str) -> bool:
    if owner.isdecimal():
        with contextlib.suppress(PermissionError):  # it lives, and is somebody else's
            try:
                os.kill(int(owner), 0)
            except (ProcessLookupError, OverflowError):
                return True
    return False


def version(path: Path) -> int:
    """Schema version of a directory. Raises ConfigError when its file is damaged."""
    text = (path / SCHEMA_FILE).read_text("ascii", "replace").strip()
    if not text.isdigit():
        raise ConfigError(
            f"{path / SCHEMA_FILE} is damaged: it should hold a number. Restore it from a backup."
        )
    return int(text)


def migrate(
    path: Path, steps: Mapping[int, Callable[[Path], None]] | None = None, target: int = SCHEMA
) -> int:
    """Bring a directory to schema `target`, one step at a time, each noted durably; gives the number of steps taken.

    The caller holds the directory. Raises NewerSchema when it is beyond `target`.
    """
    ladder = MIGRATIONS if steps is None else steps
    found, taken = version(path), 0
    if found > target:
        raise NewerSchema(
            f"{path} has schema {found}, this Patron knows {target}. Start the newer Patron that wrote it, or restore a "
            "backup made by this one; nothing was touched"
        )
    while found < target:
        ladder[found](path)
        found, taken = found + 1, taken + 1
        write_durably(path / SCHEMA_FILE, f"{found}\n".encode())
    return taken


def secret(path: Path) -> bytes:
    """The workspace's secret: keys person ids, index hashes, draws and tombstones. Raises ConfigError when damaged."""
    data = (path / SECRET_FILE).read_bytes()
    if len(data) != SECRET_BYTES:
        raise ConfigError(
            f"{path / SECRET_FILE} is damaged: it should hold 32 bytes. Restore it from a backup."
        )
    return data


def announce(path: Path, url: str, token: str) -> None:
    """Say where this process serves the directory, readable by its owner only."""
    write_durably(path / RUN_FILE, msgspec.json.encode(Running(os.getpid(), url, token)))


def withdraw(path: Path) -> None:
    """Take the announcement back."""
    (path / RUN_FILE).unlink(missing_ok=True)


def running(path: Path) -> Running | None:
    """The live server of a directory; None when there is none (an announcement of a dead one does not count)."""
    try:
        found = msgspec.json.decode((path / RUN_FILE).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
    return found if _held(path) and _answers(found.url) else None


def dump_state(path: Path) -> dict[tuple[str, str], bytes]:
    """Every row of a directory's last checkpoint: (table, key) -> canonical bytes. Nobody may hold the directory."""
    if not (path / DATABASE).exists():
        return {}
    with contextlib.closing(sqlite3.connect(path / DATABASE)) as connection:
        names = [
            n
            for (n,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name != ?", (META_TABLE,)
            )
        ]
        return {
            (name.removeprefix("t_"), key): value
            for name in names
            for key, value in connection.execute('SELECT key, value FROM "' + name.replace('"', '""') + '"')
        }


def drop_state(path: Path) -> None:
    """Remove the state: the next start makes it anew from the log. Nobody may hold the directory."""
    for suffix in ("", "-wal", "-shm", "-journal", TEMPORARY):
        (path / (DATABASE + suffix)).unlink(missing_ok=True)
    sync_directory(path)


def _held(path: Path) -> bool:
    try:
        fd = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _answers(url: str) -> bool:
    host, _, port = url.rpartition("/")[2].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            return True
    except (OSError, ValueError):
        return False
