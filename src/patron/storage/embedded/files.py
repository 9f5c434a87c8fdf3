"""Durable and private files: what must hold about every byte that Patron writes to its directory.

Files are 0600 and directories 0700, whatever the umask. A file that replaces another is written beside it,
synced, renamed, and the directory synced, so that a crash leaves the old or the new one and never a mixture.
"""

import errno
import os
import sys
import weakref
from pathlib import Path

from patron.model.errors import DiskFull, StorageError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
TEMPORARY = ".tmp"
"""Suffix of a file that is not finished. Whoever opens a directory removes these."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def make_private_directory(path: Path) -> None:
    """Make `path` (and its parents) readable by its owner only; one that exists is tightened.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "log"; make_private_directory(folder)
    >>> oct(folder.stat().st_mode & 0o777)
    '0o700'
    """
    path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(PRIVATE_DIRECTORY)


def create_private(path: Path, *, append: bool = False) -> int:
    """Create (or empty) a file with mode 0600 and give its descriptor, open for writing."""
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | (os.O_APPEND if append else 0)
    fd = os.open(path, flags, PRIVATE_FILE)
    os.fchmod(fd, PRIVATE_FILE)
    return fd


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte, however many calls it takes. Raises OSError when the disk takes no more."""
    view = memoryview(data)
    while view:
        written = os.write(fd, view)
        if written <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        view = view[written:]


def sync_data(fd: int) -> None:
    """Return when the bytes of `fd` and its length are on the disk itself (`fdatasync`; F_FULLFSYNC on macOS)."""
    if sys.platform == "darwin":  # pragma: no cover - fsync there stops at the drive's cache
        import fcntl

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        return
    os.fdatasync(fd)


def sync_directory(path: Path) -> None:
    """Make the names in `path` durable: a created, renamed or removed file is not until its directory is synced."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_durably(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, or leave it as it was: nothing in between, also after a crash.

    Raises DiskFull or StorageError, with the old file untouched.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "schema"; write_durably(file, b"1"); file.read_bytes()
    b'1'
    """
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        fd = create_private(temporary)
        try:
            write_all(fd, data)
            sync_data(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def remove_durably(path: Path) -> None:
    """Remove a file if it is there, and make that durable."""
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


def remove_unfinished(directory: Path) -> list[Path]:
    """Delete the unfinished files that a crash left in `directory`; gives those it found."""
    found = sorted(p for p in directory.iterdir() if p.name.endswith(TEMPORARY) and p.is_file())
    for path in found:
        path.unlink()
    if found:
        sync_directory(directory)
    return found


def storage_error(error: OSError, path: Path) -> StorageError:
    """Translate an operating system's error into ours, with what to do.

    >>> type(storage_error(OSError(errno.ENOSPC, "No space left"), Path("d"))).__name__
    'DiskFull'
    """
    if error.errno in _FULL:
        return DiskFull(
            f"no space left for {path} ({error.strerror}); nothing was acknowledged. "
            "Free some space on this disk (or raise the quota) and send again"
        )
    return StorageError(
        f"cannot write {path}: {error.strerror or error}. Check the disk (`dmesg`), then restart Patron"
    )


class ReadOnlyFile:
    """A file to read from by offset; it is closed when nobody uses it any more.

    Readers of other threads may still hold a segment that was just replaced, so nobody closes it by hand.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._closing = weakref.finalize(self, os.close, self.fd)

    def read(self, length: int, offset: int) -> bytes:
        """`length` bytes from `offset`; fewer at the end of the file."""
        data = os.pread(self.fd, length, offset)
        if len(data) == length or not data:
            return data
        parts = [data]
        got = len(data)
        while got < length and (more := os.pread(self.fd, length - got, offset + got)):
            parts.append(more)
            got += len(more)
        return b"".join(parts)

    def size(self) -> int:
        """Bytes in the file now."""
        return os.fstat(self.fd).st_size
