"""The state: tables in memory, checkpointed with a log offset, loaded again at start.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> state = State.open(folder, [TableSpec("people", dict[str, int])])
>>> people = state.table("people")
>>> people.put("ana", {"orders": 1})
>>> state.checkpoint_now(7, {"now": 1700000000000}); state.close()
>>> again = State.open(folder, [TableSpec("people", dict[str, int])])
>>> again.offset, again.meta, again.table("people").get("ana")
(7, {'now': 1700000000000}, {'orders': 1})
>>> again.close()
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from patron.model.errors import DiskFull, StorageError
from patron.storage.embedded.checkpoint import WriterChild
from patron.storage.embedded.files import TEMPORARY, make_private_directory
from patron.storage.embedded.tables import StoredTable, TableSpec
from patron.storage.embedded.writer import META_TABLE, connect, quoted

DATABASE = "state.db"
ROWS_A_STEP = 25
COMES_UP_SECONDS = 60.0
PATIENCE = 5
"""Attempts after which waiting for a checkpoint ends in an error; polling never gives up."""

__all__ = ["DATABASE", "State", "TableSpec"]


class State:
    """All tables of a workspace and their checkpoints.

    A checkpoint is the state exactly as it was at `begin`, however it changes while rows are encoded: a change of a row that
    waits for encoding encodes it first. `step` and `poll` never block.
    """

    def __init__(self, path: Path, specs: Sequence[TableSpec], keep_open: tuple[int, ...] = ()) -> None:
        make_private_directory(path)
        self._database = path / DATABASE
        self._database.with_name(DATABASE + TEMPORARY).unlink(missing_ok=True)
        self._tables: dict[str, StoredTable[Any]] = {spec.name: StoredTable(spec) for spec in specs}
        self.offset = 0
        self.meta: dict[str, Any] = {}
        self._load()
        self._child = WriterChild(self._database, keep_open)
        self._begun: tuple[int, bytes] | None = None
        self._handed_over = True

    @classmethod
    def open(cls, path: Path, specs: Sequence[TableSpec], keep_open: tuple[int, ...] = ()) -> "State":
        """Load the state in directory `path`, empty when there is none.

        `keep_open` are file descriptors that the writer child holds too: with the directory's lock among them nobody else
        can take the directory while a child of a killed process still writes. Raises StorageError when it cannot be read.
        """
        return cls(Path(path), specs, keep_open)

    def table(self, name: str) -> StoredTable[Any]:
        """A table by its name. Raises KeyError when no spec names it."""
        return self._tables[name]

    @property
    def dirty(self) -> int:
        """Rows changed since the last checkpoint began."""
        return sum(len(table.changed) for table in self._tables.values())

    @property
    def writing(self) -> bool:
        """Whether a checkpoint is under way."""
        return self._begun is not None

    @property
    def backlog(self) -> bool:
        """Whether the writer child is behind, so that `step` waits for it."""
        return self._child.backlog

    @property
    def failure(self) -> str | None:
        """Why the writer child does not get on, for health pages; None when it does."""
        return self._child.failure

    @property
    def writer_pid(self) -> int | None:
        """Process id of the writer child, while there is one."""
        return self._child.pid

    def prove_writer(self) -> None:
        """Start the writer child and wait until it answers. Raises StorageError when it does not come up."""
        child, until = self._child, time.monotonic() + COMES_UP_SECONDS
        child.ask("ready")
        while not child.poll():
            if child.restarts > PATIENCE or time.monotonic() > until:
                why = child.failure or f"the state writer (process {child.pid}) does not answer"
                raise StorageError(
                    f"{self._database} cannot be written: {why}. Nothing is lost, the log holds it all; see what the "
                    "writer said above, mend that and start again"
                )
            child.wait(0.05)

    # --- checkpoints ---------------------------------------------------------------------------------------------

    def begin(self, offset: int, meta: dict[str, Any]) -> None:
        """Begin a checkpoint of the state as it is now, at log position `offset`.

        Raises StorageError while another one is under way.
        """
        if self._begun is not None:
            raise StorageError("a checkpoint is under way; wait until poll() says that it is durable")
        self._begun = (offset, msgspec.msgpack.encode(meta))
        self._handed_over = False
        for table in self._tables.values():
            table.begin()

    def step(self, n: int = ROWS_A_STEP) -> bool:
        """Encode at most `n` rows and hand them to the child; True when all are handed over."""
        if self._begun is None or self._handed_over:
            return True
        if self._child.backlog:
            # The child is slower than we are: rows wait here encoded by nobody, instead of in a long queue.
            self._child.pump()
            if self._child.backlog:
                return False
        for table in self._tables.values():
            while n > 0 and (rows := table.take(n)):
                n -= len(rows)
                self._child.send("rows", table.name, rows)
            if n <= 0:
                break
        if any(table.pending or table.frozen for table in self._tables.values()):
            return False
        self._child.ask("commit", *self._begun)
        self._handed_over = True
        return True

    def poll(self) -> bool:
        """Whether the checkpoint begun last is durable. A child that died or failed is replaced and told again."""
        if self._begun is None:
            return True
        if not self._handed_over or not self._child.poll():
            return False
        self.offset, self._begun = self._begun[0], None
        return True

    def checkpoint_now(self, offset: int, meta: dict[str, Any]) -> None:
        """Write a checkpoint and wait until it is durable (one under way is finished first).

        Raises DiskFull or StorageError when it cannot be written; it stays under way and `poll` goes on trying.
        """
        self._finish()
        self.begin(offset, meta)
        self._finish()

    def erase_pages(self) -> None:
        """Leave no old bytes of deleted or changed rows on disk: the database is written anew, its write-ahead log emptied.

        Call it when a checkpoint has taken the deletions in. Raises DiskFull or StorageError.
        """
        self._finish()
        self._child.ask("vacuum")
        self._wait()

    def dump(self) -> Iterator[tuple[str, str, bytes]]:
        """Every row as (table, key, canonical bytes), sorted: equal dumps are equal states."""
        for name in sorted(self._tables):
            table = self._tables[name]
            for key in sorted(table.rows):
                raw = table.encoded(key)
                if raw is not None:
                    yield name, key, raw

    def close(self) -> None:
        """End the writer child; a checkpoint handed over completely is finished, any other is not."""
        self._child.close()

    # --- inside --------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        while self._begun is not None:
            while not self.step(1000):
                self._watch()
            self._wait()
            self.poll()

    def _wait(self) -> None:
        while not self._child.poll():
            self._watch()

    def _watch(self) -> None:
        child = self._child
        if child.restarts > PATIENCE:
            child.restarts = 0
            kind = DiskFull if "disk is full" in (child.failure or "") else StorageError
            raise kind(
                f"the checkpoint cannot be written: {child.failure}. Free some space or repair the disk; nothing is lost, "
                "the log holds it all"
            )
        child.wait(0.05)

    def _load(self) -> None:
        try:
            with contextlib.closing(connect(self._database)) as connection:
                found = {
                    name
                    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                }
                meta = dict(connection.execute(f"SELECT key, value FROM {META_TABLE}").fetchall())
                for table in self._tables.values():
                    if f"t_{table.name}" in found:
                        table.rows.update(connection.execute(f"SELECT key, value FROM {quoted(table.name)}"))
        except sqlite3.Error as error:
            raise StorageError(
                f"{self._database} cannot be read ({error}). Remove it and start again: the state is made anew from the log"
            ) from error
        self.offset = int(meta.get("offset", b"0"))
        self.meta = msgspec.msgpack.decode(meta["meta"]) if "meta" in meta else {}
