"""A data directory: who holds it, which schema it has, its secret, and where its server answers.

patron.toml  catalogue.toml   configuration
schema       secret  lock     what this Patron may touch, the key of all its hashes, who holds it
log/         dedup/  state.db  the record, the duplicate filter, the state
run.json                      the server that serves it now (0600)
"""

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from patron.model.errors import Busy, ConfigError, DirectoryLocked, NewerSchema
from patron.storage.embedded.files import PRIVATE_FILE, make_private_directory, write_durably

SCHEMA = 1
"""Version of the directory's layout that this Patron writes."""
MIGRATIONS: dict[int, Callable[[Path], None]] = {}
"""Step n brings a directory from version n to n + 1; each must be safe to repeat after a crash."""
SCHEMA_FILE, SECRET_FILE, LOCK_FILE, RUN_FILE = "schema", "secret", "lock", "run.json"
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
    """Make a data directory: private, with its secret and schema version. The schema file comes last."""
    make_private_directory(path)
    write_durably(path / SECRET_FILE, secrets.token_bytes(32))
    write_durably(path / SCHEMA_FILE, f"{SCHEMA}\n".encode())


def hold(path: Path) -> Hold:
    """Take a directory for this process alone, and bring it up to this schema.

    Raises
    ------
    ConfigError : it is no data directory.
    DirectoryLocked : another process holds it.
    NewerSchema : a newer Patron wrote it.
    """
    if not exists(path):
        raise ConfigError(f"{path} is no Patron directory. Make one: patron init {path}")
    fd = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.read(fd, 32).decode("ascii", "replace").strip() or "another process"
        os.close(fd)
        raise DirectoryLocked(
            f"{path} is held by process {owner}. Stop it first (kill {owner}), or use another directory."
        ) from error
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        _migrate(path)
    except BaseException:
        os.close(fd)
        raise
    return Hold(path, fd)


def version(path: Path) -> int:
    """Schema version of a directory. Raises ConfigError when its file is damaged."""
    text = (path / SCHEMA_FILE).read_text("ascii", "replace").strip()
    if not text.isdigit():
        raise ConfigError(
            f"{path / SCHEMA_FILE} is damaged: it should hold a number. Restore it from a backup."
        )
    return int(text)


def _migrate(path: Path) -> None:
    found = version(path)
    if found > SCHEMA:
        raise NewerSchema(
            f"{path} has schema {found}, this Patron knows {SCHEMA}. Start the newer Patron; nothing was touched."
        )
    while found < SCHEMA:
        MIGRATIONS[found](path)
        found += 1
        write_durably(path / SCHEMA_FILE, f"{found}\n".encode())


def secret(path: Path) -> bytes:
    """The workspace's secret: keys person ids, index hashes, draws and tombstones. Raises ConfigError when damaged."""
    data = (path / SECRET_FILE).read_bytes()
    if len(data) != 32:
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
    except (OSError, msgspec.DecodeError, json.JSONDecodeError):
        return None
    return found if _held(path) and _answers(found.url) else None


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
