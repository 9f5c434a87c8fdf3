"""A lake in memory for tests: rows from events, as the flush writes them, and a DuckDB that has them as tables."""

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from patron.identity.households import HouseholdIds
from patron.model.events import Event
from patron.profiles.rules import ProfileRules
from patron.rules.expressions import definitions, sql_of
from patron.runtime.lake.rows import EventRows

HOUSEHOLDS = HouseholdIds(b"0123456789abcdef")


def table(columns: dict[str, str], rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as Arrow, with the types of `model.lake`; times in microseconds."""
    schema = ibis.schema(columns).to_pyarrow()
    held = list(rows)
    return pa.table(
        [pa.array([one.get(field.name) for one in held], field.type) for field in schema], schema=schema
    )


def events_table(placed: Sequence[tuple[Event, int]]) -> pa.Table:
    """The table `events` of events with their nodes, by the code of the flush."""
    rows = EventRows(ProfileRules(), int, HOUSEHOLDS.stated)
    for event, node in placed:
        rows.add(event, str(node), event.received, 0)
    return rows.table()


def session() -> duckdb.DuckDBPyConnection:
    """A DuckDB that is ready for the expressions."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for statement in definitions("duckdb"):
        connection.execute(statement)
    return connection


def fill(connection: duckdb.DuckDBPyConnection, **tables: pa.Table) -> None:
    """Have the tables, replaced if they are there."""
    for name, rows in tables.items():  # noqa: B007 (DuckDB finds `rows` by its name)
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM rows")


def run(connection: duckdb.DuckDBPyConnection, expression: Any) -> list[dict[str, Any]]:
    """The rows of an expression."""
    return connection.sql(sql_of(expression)).to_arrow_table().to_pylist()  # type: ignore[no-any-return]
