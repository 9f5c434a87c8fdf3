"""The lake's tables as views of a DuckDB connection, read from their Parquet files: no extension is needed.

Views: one for each table of `model.lake`, and `people_now`, the rows of `people` that stand.

>>> import tempfile
>>> connection = duckdb.connect(); create_views(connection, {"members": []})
>>> connection.sql("SELECT account, known FROM members").fetchall()
[]
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable

from patron.model.errors import StorageError
from patron.model.lake import TABLES
from patron.storage.lake.asking import Held
from patron.storage.lake.places import files_of, said
from patron.storage.lake.schema import SCHEMAS, arrow_type
from patron.storage.lake.table import APP, data_files, fault

PEOPLE_NOW = "SELECT * FROM people QUALIFY position = max(position) OVER (PARTITION BY node)"
Files = Mapping[str, Sequence[str]]
"""Table -> paths of its Parquet files."""


def lake_files(url: str, options: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """The files that make up each table now, absolute: what an engine without Delta reads. Tables not made yet are empty.

    Raises StorageError when the lake cannot be read.
    """
    found = dict[str, list[str]]()
    for name in TABLES:
        address = f"{url.rstrip('/')}/{name}"
        try:
            options_ = dict(options or {}) or None
            found[name] = (
                DeltaTable(address, storage_options=options_).file_uris()
                if DeltaTable.is_deltatable(address, options_)
                else []
            )
        except Exception as error:
            raise fault(address, error) from error
    return found


def held(url: str, options: Mapping[str, str] | None = None) -> list[Held]:
    """What each table holds: position, files, rows, bytes, days. Raises StorageError when the lake cannot be read."""
    found = []
    for name in TABLES:
        address = f"{url.rstrip('/')}/{name}"
        try:
            options_ = dict(options or {}) or None
            if not DeltaTable.is_deltatable(address, options_):
                found.append(Held(name, 0, 0, [], 0, 0))
                continue
            table = DeltaTable(address, storage_options=options_)
            files = data_files(table)
        except Exception as error:
            raise fault(address, error) from error
        days = [day for file in files if file.days for day in file.days]
        found.append(
            Held(
                name,
                int(table.version()),
                table.transaction_version(APP) or 0,
                table.file_uris(),
                sum(file.rows for file in files),
                sum(file.bytes for file in files),
                min(days).isoformat() if days else None,
                max(days).isoformat() if days else None,
            )
        )
    return found


def create_views(
    connection: duckdb.DuckDBPyConnection, files: Files, options: Mapping[str, str] | None = None
) -> None:
    """Make the views on a connection; columns that older files lack are null."""
    connection.execute("SET TimeZone = 'UTC'")
    for name in TABLES:
        paths = list(files.get(name, ()))
        if paths and "://" in paths[0]:
            source = _registered(connection, name, paths, options or {})
        else:
            source = f"read_parquet({_list(paths)}, union_by_name = true)" if paths else ""
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {_select(connection, name, source)}")
    connection.execute(f"CREATE OR REPLACE VIEW people_now AS {PEOPLE_NOW}")


def _select(connection: duckdb.DuckDBPyConnection, name: str, source: str) -> str:
    held = (
        {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
        if source
        else set[str]()
    )
    columns = [
        f'"{column}"' if column in held else f'CAST(NULL AS {sql_type(text)}) AS "{column}"'
        for column, text in TABLES[name].items()
    ]
    return f"SELECT {', '.join(columns)}" + (f" FROM {source}" if source else " WHERE false")


def sql_type(text: str) -> str:
    """DuckDB's name of a type of `model.lake`.

    >>> sql_type("timestamp('UTC', 6)"), sql_type("array<struct<a: string, b: decimal(18, 6)>>")
    ('TIMESTAMP WITH TIME ZONE', 'STRUCT("a" VARCHAR, "b" DECIMAL(18,6))[]')
    """
    return _sql(arrow_type(text))


def _sql(kind: Any) -> str:
    if pa.types.is_list(kind):
        return f"{_sql(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{chr(34)}{f.name}{chr(34)} {_sql(f.type)}' for f in kind)})"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _PLAIN[str(kind)]


_PLAIN = {
    "int64": "BIGINT",
    "int32": "INTEGER",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
    "date32[day]": "DATE",
    "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
}


def _list(paths: Iterable[str]) -> str:
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def _registered(
    connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[str], options: Mapping[str, str]
) -> str:
    """Files of an object storage through Arrow: DuckDB's own reader of those is an extension."""
    address = paths[0].rpartition("/")[0]
    try:
        data = ds.dataset(
            [path.rpartition("/")[2] for path in paths],
            schema=SCHEMAS[name],
            format="parquet",
            filesystem=files_of(address, options),
        )
    except (OSError, ValueError) as error:
        raise StorageError(
            f"the lake at {address} cannot be read ({said(error)}). Check `[lake]` in patron.toml"
        ) from error
    connection.register(f"{name}_files", data)
    return f"{name}_files"
