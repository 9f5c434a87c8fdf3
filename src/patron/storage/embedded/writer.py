"""The child process that writes `state.db`, so that the event loop never waits for a page.

It reads frames from its standard input (4 bytes length, then MessagePack) and answers on its standard output:

========  =======================================  ==================================================
frame     fields                                   what it does
========  =======================================  ==================================================
rows      table, [[key, value or None], ...]       upserts and deletes, inside one transaction
commit    number, offset, meta                     commits them with the offset, moves everything from the write-ahead
                                                   log into the database and empties it; answers
vacuum    number                                   writes the database anew without a trace of what was deleted; answers
ready     number                                   nothing; answers, so that it is known that the child came up
========  =======================================  ==================================================

An answer is `[number, error]`, error None when it is durable. A transaction that failed is rolled back and the rest of
it skipped up to its commit; the parent sends it again. At end of input an unfinished transaction is rolled back.

Run as ``python -m patron.storage.embedded.writer PATH``.
"""

import contextlib
import os
import sqlite3
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from patron.storage.embedded.files import PRIVATE_FILE, TEMPORARY, create_private, sync_data, sync_directory

LENGTH = struct.Struct("<I")
NICENESS = 10
META_TABLE = "patron_meta"


def connect(path: Path) -> sqlite3.Connection:
    """Open `state.db` for writing, private to its owner, with deleted bytes overwritten.

    Rows are found by key through a unique index on an ordinary table: rows of a `WITHOUT ROWID` table over 1 kB spill
    to overflow pages at 4 KiB pages, which doubled the file in our measurement.
    """
    if not path.exists():
        os.close(create_private(path))
    connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    path.chmod(PRIVATE_FILE)
    for pragma in (
        "page_size = 4096",
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 0",
        "cache_size = -16384",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute(f"CREATE TABLE IF NOT EXISTS {META_TABLE} (key TEXT PRIMARY KEY, value BLOB)")
    return connection


def quoted(table: str) -> str:
    """A table's name inside SQL, whatever characters it has.

    >>> quoted('people')
    '"t_people"'
    """
    return '"t_' + table.replace('"', '""') + '"'


class Writer:
    """Carries out frames on one database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._tables: set[str] = set()
        self._failed: str | None = None

    def rows(self, table: str, changes: list[tuple[str, bytes | None]]) -> None:
        """Upsert and delete rows inside the transaction, which begins here if it has not."""
        if self._failed is not None:
            return
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._change(table, changes)
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def commit(self, offset: int, meta: bytes) -> str | None:
        """Make the transaction durable with its offset; gives the error if it could not."""
        if self._failed is None:
            try:
                if not self._connection.in_transaction:
                    self._connection.execute("BEGIN IMMEDIATE")
                pairs = [("offset", str(offset).encode()), ("meta", meta)]
                self._connection.executemany(f"INSERT OR REPLACE INTO {META_TABLE} VALUES (?, ?)", pairs)
                self._connection.execute("COMMIT")
                self._empty_wal()
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
        failed, self._failed = self._failed, None
        return failed

    def vacuum(self) -> str | None:
        """Write the database anew. `secure_delete` zeroes a deleted row where it stands, but not the copies that page
        splits left of it in the gaps of other pages: only a new file is free of them."""
        fresh = self._path.with_name(self._path.name + TEMPORARY)
        try:
            self._need_empty_wal()
            fresh.unlink(missing_ok=True)
            os.close(create_private(fresh))
            self._connection.execute("VACUUM INTO ?", (str(fresh),))
            self._sync(fresh)
            self._need_empty_wal()
            self._connection.close()
            fresh.replace(self._path)
            sync_directory(self._path.parent)
            self._connection = connect(self._path)
            self._empty_wal()
        except (sqlite3.Error, OSError) as error:
            fresh.unlink(missing_ok=True)
            return _sentence(error)
        return None

    def close(self) -> None:
        """Roll back what is unfinished and close."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._connection.close()

    def _change(self, table: str, changes: list[tuple[str, bytes | None]]) -> None:
        name, execute = quoted(table), self._connection.executemany
        if table not in self._tables:
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {name} (key TEXT PRIMARY KEY, value BLOB)")
            self._tables.add(table)
        puts = [change for change in changes if change[1] is not None]
        execute(
            f"INSERT INTO {name} VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", puts
        )
        execute(f"DELETE FROM {name} WHERE key = ?", [(key,) for key, value in changes if value is None])

    def _empty_wal(self) -> bool:
        ((busy, _, _),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy

    def _need_empty_wal(self) -> None:
        # A write-ahead log that outlived its database would be played into the new one.
        if not self._empty_wal():
            raise sqlite3.OperationalError("someone else is reading the database; trying again")

    def _fail(self, error: Exception) -> None:
        self._failed = _sentence(error)
        self._tables.clear()
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @staticmethod
    def _sync(path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            sync_data(fd)
        finally:
            os.close(fd)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _frames(stream: BinaryIO) -> Iterator[list[Any]]:
    decoder = msgspec.msgpack.Decoder(list)
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        (length,) = LENGTH.unpack(head)
        data = stream.read(length)
        if len(data) < length:
            return
        yield decoder.decode(data)


def main(path: Path, source: BinaryIO, answers: BinaryIO) -> None:
    """Carry out frames until the input ends."""
    writer = Writer(path)
    try:
        for name, *fields in _frames(source):
            if name == "rows":
                writer.rows(*fields)
                continue
            number, *rest = fields
            error = None
            if name != "ready":
                error = writer.commit(*rest) if name == "commit" else writer.vacuum()
            answer = msgspec.msgpack.encode([number, error])
            answers.write(LENGTH.pack(len(answer)) + answer)
            answers.flush()
    finally:
        writer.close()


def stand_back() -> None:
    """Let the event loop go first: niced, also where the system gives every session an equal share, and woken in its turn."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS))
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


if __name__ == "__main__":
    stand_back()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
