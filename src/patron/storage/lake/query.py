"""One query over the lake, in a process of its own: it reads the tables and nothing else, within memory and time.

The process gets a request as JSON on its standard input and answers on its standard output: one line of JSON, then the
content. DuckDB is locked before the query is looked at: no files but the tables' own, no settings, no extensions; only a single
SELECT is run, so nothing can be written. The process has no secret and no credentials but those of the lake's storage.

Run as ``python -m patron.storage.lake.query``.
"""

import contextlib
import io
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterable
from typing import BinaryIO

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from patron.model.errors import StorageError
from patron.model.lake import TABLES
from patron.storage.lake.asking import Head, Query, too_slow
from patron.storage.lake.duck import create_views, held, lake_files

LINE = 1_000
"""Rows of a line, for whoever reads an answer in parts."""


class Refused(Exception):
    """A query that is not run, or failed: a code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def connect(query: Query) -> duckdb.DuckDBPyConnection:
    """A connection that can read the tables, and can do nothing else."""
    connection = duckdb.connect(
        config={
            "threads": query.threads,
            "memory_limit": f"{query.memory_mb}MB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": query.spill,
            "python_enable_replacements": False,
        }
    )
    files = lake_files(query.url, query.options)
    create_views(connection, files, query.options)
    allowed = [path for paths in files.values() for path in paths if "://" not in path]
    connection.execute(
        "SET allowed_paths = " + "[" + ",".join("'" + p.replace("'", "''") + "'" for p in allowed) + "]"
    )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise Refused unless `sql` is one SELECT."""
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise Refused("bad_sql", f"The query cannot be read: {_sentence(error)}") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise Refused(
            "not_select",
            "Give one SELECT (or WITH, FROM, DESCRIBE, SUMMARIZE, SHOW TABLES). The lake is read-only here: to write "
            "elsewhere, take the answer as CSV or Parquet, or read the files themselves (`patron lake files`).",
        )
    if statements[0].named_parameters:
        raise Refused("bad_sql", "The query has parameters ($1, ?): write the values into it.")


def run(query: Query, prepare: Iterable[str] = ()) -> tuple[Head, bytes]:
    """Run a query, after the statements of `prepare` (macros that it calls). Raises Refused."""
    connection = connect(query)
    for statement in prepare:
        connection.execute(statement)
    check(connection, query.sql)
    overdue = threading.Event()

    def stop() -> None:
        overdue.set()
        connection.interrupt()  # some operators do not hear it: whoever started this process ends it then

    timer = threading.Timer(query.seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        table, truncated = _fetch(connection, query)
    except (duckdb.Error, pa.ArrowException) as error:
        raise (
            Refused("too_slow", too_slow(query.seconds)) if overdue.is_set() else _refused(error, query)
        ) from error
    finally:
        timer.cancel()
    head = Head([(f.name, str(f.type)) for f in table.schema], len(table), truncated)
    return head, content(table, query.format)


def _fetch(connection: duckdb.DuckDBPyConnection, query: Query) -> tuple[pa.Table, bool]:
    reader = connection.sql(query.sql).to_arrow_reader(10_000)
    batches, rows = [], 0
    for batch in reader:
        batches.append(batch)
        rows += len(batch)
        if rows > query.rows:
            break
    table = pa.Table.from_batches(batches, schema=reader.schema)
    return table.slice(0, query.rows), rows > query.rows


def _refused(error: Exception, query: Query) -> Refused:
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in str(error):
        return Refused(
            "too_large",
            f"The query needs more than {query.memory_mb} MB. Aggregate in smaller steps, or raise `lake.query_memory_mb`.",
        )
    if isinstance(error, duckdb.PermissionException) or "disabled by configuration" in str(error):
        return Refused(
            "not_allowed",
            "Queries read the lake's tables and nothing else: no files, no network, no settings.",
        )
    said = _sentence(error)
    if isinstance(error, duckdb.CatalogException) and said.startswith("Catalog Error: Table"):
        first = said.partition("\n")[0].removeprefix("Catalog Error: ").rstrip("!.")
        return Refused("bad_sql", f"{first}. The lake has {', '.join(TABLES)}.")
    return Refused("bad_sql", said)


def _sentence(error: BaseException) -> str:
    return str(error).strip()[:2000]


def content(table: pa.Table, form: str) -> bytes:
    """An answer as JSON rows, as lines of `LINE` JSON rows each, as CSV with a head, or as Parquet.

    >>> content(pa.table({"a": [1, None]}), "json")
    b'[[1],[null]]'
    """
    if form == "parquet":
        out = io.BytesIO()
        pq.write_table(table, out, compression="zstd")
        return out.getvalue()
    if form == "csv":
        out = io.BytesIO()
        pacsv.write_csv(_flat(table), out)
        return out.getvalue()
    if form == "lines":
        starts = range(0, len(table), LINE)
        return b"".join(content(table.slice(start, LINE), "json") + b"\n" for start in starts)
    columns = [column.to_pylist() for column in table.columns]
    return msgspec.json.encode(list(zip(*columns, strict=True)) if columns else [])


def _flat(table: pa.Table) -> pa.Table:
    """Nested columns as JSON text, for CSV."""
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [
                None if v is None else msgspec.json.encode(v).decode() for v in table[field.name].to_pylist()
            ]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


def reply(answer: BinaryIO, work: Callable[[], tuple[Head, bytes]]) -> None:
    """Write what `work` gives, or why it is refused."""
    data = b""
    try:
        head, data = work()
    except Refused as error:
        head = Head(code=error.code, message=str(error))
    except (duckdb.Error, StorageError) as error:
        head = Head(code="bad_lake", message=f"The lake cannot be read: {_sentence(error)}")
    answer.write(msgspec.json.encode(head) + b"\n")
    answer.write(data)
    answer.flush()


def main(source: BinaryIO, answer: BinaryIO) -> None:
    """Run the query that stands in the input; without one, say what the lake holds."""
    query = msgspec.json.decode(source.read(), type=Query)

    def work() -> tuple[Head, bytes]:
        if query.sql:
            return run(query)
        return Head(), msgspec.json.encode(held(query.url, query.options))

    reply(answer, work)


def lower() -> None:
    """Stand back behind the server, and leave no core file with people's data."""
    with contextlib.suppress(OSError):
        os.nice(5)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    lower()
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # the process is done; its libraries need not be taken down one by one
