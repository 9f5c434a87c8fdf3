"""One Delta table of the lake. Files are written first, then one commit adds them, removes others and notes the position.

A crash before the commit leaves files that nobody names (`sweep` removes them); after it everything is there. The position
stands in the same commit as the rows (an application transaction of the Delta protocol), so every row is in exactly once.

>>> import tempfile
>>> from patron.storage.lake.schema import SCHEMAS
>>> table = LakeTable.open(tempfile.mkdtemp(), "members")
>>> rows = pa.table([["acme"], [7], [4], [None]], schema=SCHEMAS["members"])
>>> table.append(rows, 9); table.append(rows.slice(0, 0), 12)
>>> table.position, [(file.rows, file.first, file.last) for file in table.files()]
(12, [(1, 4, 4)])
"""

import contextlib
import datetime as dt
import json
import os
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake import Field as DeltaField
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction
from msgspec import Struct

from patron.model.errors import StorageError
from patron.storage.embedded.files import PRIVATE_FILE, sync_directory
from patron.storage.lake.places import files_of, said
from patron.storage.lake.schema import SCHEMAS, measured, repeated, skipping

APP = "patron"
"""Application under which the log position stands in the table."""
LOG = "_delta_log"
ROW_GROUP = 65_536
CHECKPOINT_EVERY = 50
"""Commits after which the table's log is summed up in one file; without it a reader would open each commit."""
_DELTA_FAULTS = (DeltaError, OSError, pa.ArrowException)


class DataFile(Struct, frozen=True):
    """A Parquet file of the table: its path inside, bytes, rows, and the spans that its rows lie in."""

    path: str
    bytes: int
    rows: int
    first: int
    """Smallest log position inside."""
    last: int
    buckets: tuple[int, int] = (0, 0)
    days: tuple[dt.date, dt.date] | None = None


class LakeTable:
    """A table for its one writer. `open` it, `append`, `replace`, `sweep`; readers need only the address."""

    def __init__(self, address: str, name: str, options: Mapping[str, str]) -> None:
        self.name = name
        self.address = address
        self.schema = SCHEMAS[name]
        self._options = dict(options)
        self._local = None if "://" in address else Path(address)
        self._table = self._opened()
        self.files_system = files_of(address, options)

    @classmethod
    def open(cls, folder: str, name: str, options: Mapping[str, str] | None = None) -> "LakeTable":
        """Open a table below `folder` (a path, or an address such as s3://bucket/lake), making it when there is none.

        Columns that this version knows and the table does not are added. Raises StorageError with what to do.
        """
        address = f"{folder.rstrip('/')}/{name}"
        try:
            return cls(address, name, options or {})
        except _DELTA_FAULTS as error:
            raise fault(address, error) from error

    def _opened(self) -> DeltaTable:
        if self._local is not None:
            self._local.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._drop_torn_commit(self._local / LOG)
        table = DeltaTable.create(
            self.address,
            self.schema,
            mode="ignore",
            configuration={
                "delta.dataSkippingStatsColumns": ",".join(skipping(self.name)),
                "delta.logRetentionDuration": "interval 1 hours",
                "delta.deletedFileRetentionDuration": "interval 1 hours",
                "delta.checkpointInterval": str(CHECKPOINT_EVERY),
            },
            storage_options=self._options or None,
        )
        self._add_columns(table)
        return table

    def _add_columns(self, table: DeltaTable) -> None:
        held = {field.name for field in table.schema().fields}
        known = DeltaSchema.from_arrow(self.schema).fields
        fresh = [DeltaField(f.name, f.type, nullable=True) for f in known if f.name not in held]
        if fresh:
            table.alter.add_columns(fresh)
            table.update_incremental()

    @staticmethod
    def _drop_torn_commit(log: Path) -> None:
        """A power cut can leave the newest commit without its bytes: it was never reported, so it was never made."""
        commits = sorted(p for p in log.glob("*.json") if p.stem.isdigit()) if log.exists() else []
        for path in reversed(commits[1:]):
            try:
                lines = [json.loads(line) for line in path.read_bytes().splitlines()]
            except ValueError:
                lines = []
            if lines:
                return
            path.unlink()

    # --- reading -----------------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Log position up to which the rows are in the table."""
        return self._table.transaction_version(APP) or 0

    def note(self, name: str) -> int | None:
        """A number that was noted with rows; None when it never was."""
        found: int | None = self._table.transaction_version(f"{APP}-{name}")
        return found

    @property
    def version(self) -> int:
        """Version of the table."""
        return int(self._table.version())

    def files(self) -> list[DataFile]:
        """The files that make up the table now, by their first position."""
        return data_files(self._table)

    def read(
        self, file: DataFile, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """Rows of one file, with the columns of this version (null where the file is older)."""
        held = set(pq.read_schema(file.path, filesystem=self.files_system).names)
        wanted = [name for name in (columns or self.schema.names) if name in self.schema.names]
        found = pq.read_table(
            file.path,
            columns=[name for name in wanted if name in held],
            filters=where,
            filesystem=self.files_system,
            partitioning=None,
        )
        arrays = [
            found[name].cast(self.schema.field(name).type)
            if name in held
            else pa.nulls(len(found), self.schema.field(name).type)
            for name in wanted
        ]
        return pa.table(arrays, schema=pa.schema([self.schema.field(name) for name in wanted]))

    # --- writing -----------------------------------------------------------------------------------------------------

    def append(self, rows: pa.Table, position: int, notes: Mapping[str, int] | None = None) -> None:
        """Add rows and note the position up to which they reach, at once. Raises StorageError: then neither was done.

        `notes` are numbers that stand in the same commit and are kept until they are told anew (`note`).
        """
        self.replace((), [rows] if len(rows) else [], position, notes)

    def replace(
        self,
        removed: Iterable[DataFile],
        added: Iterable[pa.Table],
        position: int | None = None,
        notes: Mapping[str, int] | None = None,
    ) -> list[str]:
        """Put new files in the place of others, in one commit; gives the new paths.

        Raises StorageError: then nothing is changed but that files may lie there which nobody names.
        """
        now = time.time_ns() // 1_000_000
        grows = position is not None
        try:
            actions: list[Any] = [self._write(rows, now, grows=grows) for rows in added if len(rows)]
            written = [action.path for action in actions]
            actions += [RemoveAction(f.path, grows, now, f.bytes) for f in removed]
            if actions or grows:
                self._commit(actions, position, notes)
        except _DELTA_FAULTS as error:
            raise fault(self.address, error) from error
        return written

    def _write(self, rows: pa.Table, now: int, *, grows: bool) -> AddAction:
        path = f"{uuid.uuid4().hex}.parquet"
        if self._local is not None:
            size = self._write_local(rows, self._local / path)
        else:
            with self.files_system.open_output_stream(path) as out:
                self._encode(rows, out)
                size = out.tell()
        return AddAction(path, size, {}, now, grows, json.dumps(_statistics(rows, skipping(self.name))))

    def _write_local(self, rows: pa.Table, path: Path) -> int:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        with os.fdopen(fd, "wb") as out:
            self._encode(rows, out)
            out.flush()
            os.fsync(fd)
            return os.fstat(fd).st_size

    def _encode(self, rows: pa.Table, out: Any) -> None:
        pq.write_table(
            rows,
            out,
            compression="zstd",
            row_group_size=ROW_GROUP,
            use_dictionary=repeated(self.name),
            write_statistics=measured(self.name),
            coerce_timestamps="us",
        )

    def _commit(
        self, actions: list[Any], position: int | None, notes: Mapping[str, int] | None = None
    ) -> None:
        if self._local is not None:
            sync_directory(self._local)
        told = {} if position is None else {APP: position}
        told |= {f"{APP}-{name}": value for name, value in (notes or {}).items()}
        self._table.create_write_transaction(
            actions,
            "append",
            self._table.schema(),
            commit_properties=CommitProperties(
                app_transactions=[Transaction(*note) for note in told.items()] or None, max_commit_retries=0
            ),
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )
        self._table.update_incremental()
        if self._local is not None:
            _sync(self._local / LOG / f"{self.version:020d}.json")
        if self.version % CHECKPOINT_EVERY == 0:
            self._table.create_checkpoint()
            self._table.cleanup_metadata()
            self._reread()

    def sweep(self, hours: int = 1) -> int:
        """Remove files that are no part of the table, when they ceased to be at least so long ago; gives their number.

        With 0 hours, for an erasure, the table's log before now goes too: nothing tells of them then.
        """
        try:
            if hours <= 0:
                self._forget_log()
                return self._remove_unnamed()
            gone = self._table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
            self._table.update_incremental()
        except _DELTA_FAULTS as error:
            raise fault(self.address, error) from error
        return len(gone)

    def _forget_log(self) -> None:
        # An empty commit first: a checkpoint then stands behind the commit that named the files which go.
        self._commit([], self.position)
        self._table.create_checkpoint()
        here = f"{self.version:020d}"
        for info in self.files_system.get_file_info(pafs.FileSelector(LOG)):
            name = info.path.rpartition("/")[2]
            if name[:20].isdigit() and name[:20] < here:
                self.files_system.delete_file(f"{LOG}/{name}")
        self._reread()

    def _reread(self) -> None:
        """Stand on the checkpoint: what was read before leans on commits that are gone, and is read lazily."""
        self._table = DeltaTable(self.address, storage_options=self._options or None)

    def _remove_unnamed(self) -> int:
        named = {file.path for file in self.files()}
        gone = 0
        for info in self.files_system.get_file_info(pafs.FileSelector("", allow_not_found=True)):
            name = info.path.rpartition("/")[2]
            if info.is_file and name.endswith(".parquet") and name not in named:
                self.files_system.delete_file(name)
                gone += 1
        return gone


def data_files(table: DeltaTable) -> list[DataFile]:
    """The files of a table that is open, with their spans, by first position."""
    rows = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    found = [
        DataFile(
            row["path"],
            row["size_bytes"],
            row["num_records"] or 0,
            row.get("min.position") or 0,
            row.get("max.position") or 0,
            (row.get("min.bucket") or 0, row.get("max.bucket") or 0),
            (row["min.day"], row["max.day"]) if row.get("min.day") else None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda file: (file.first, file.buckets, file.path))


def fault(address: str, error: BaseException) -> StorageError:
    """A storage engine's error as ours, with what to do."""
    return StorageError(
        f"the lake at {address} cannot be used ({type(error).__name__}: {said(error)}). Look at its disk, or at "
        "`[lake]` in patron.toml; nothing is lost, the log holds it all"
    )


def _statistics(rows: pa.Table, columns: Sequence[str]) -> dict[str, Any]:
    low, high = dict[str, Any](), dict[str, Any]()
    for name in columns:
        least, most = (v.as_py() for v in pc.min_max(rows[name]).values())
        if least is not None:
            low[name], high[name] = _plain(least), _plain(most)
    return {"numRecords": len(rows), "minValues": low, "maxValues": high}


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return value.isoformat() if isinstance(value, dt.date) else value


def _sync(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    sync_directory(path.parent)
