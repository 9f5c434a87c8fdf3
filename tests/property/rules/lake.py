"""A lake in memory for tests: rows from events, as the flush writes them, and a DuckDB that has them as tables."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import msgspec
import pyarrow as pa

from patron.model.clock import DAY
from patron.model.events import Event, event_id
from patron.model.lake import EVENTS
from patron.rules.expressions import definitions, sql_of
from patron.rules.history import COLLECTION, _told
from patron.rules.values import number_of

NUMBERS = ("revenue", "total", "value", "price", "quantity", "discount")
TEXTS = ("product_id", "category", "order_id", "coupon", "currency")
_json = msgspec.json.Encoder().encode


def row(event: Event, node: int) -> dict[str, Any]:
    """The row of the table `events` of one event."""
    get = event.properties.get
    told = _told(event, COLLECTION, account=False)
    plain = {name: getattr(event, name) for name in EVENTS if hasattr(event, name)}
    numbers = {name: number_of(get(name)) for name in NUMBERS}
    return plain | {
        "event_id": event_id(event.uid),
        "node": node,
        "bucket": node & 1023,
        "day": event.received // DAY,
        "time": event.time * 1000,
        "received": event.received * 1000,
        **{name: get(name) if isinstance(get(name), str) else None for name in TEXTS},
        **{name: None if n is None else Decimal(n).scaleb(-6) for name, n in numbers.items()},
        "latitude": _degrees(get("latitude")),
        "longitude": _degrees(get("longitude")),
        "products": None,
        "properties": _json(event.properties).decode(),
        "traits": _json(told).decode() if told else None,
        "consents": _json([[c.purpose, c.channel, c.granted] for c in event.consents]).decode()
        if event.consents
        else None,
    }


def table(columns: dict[str, str], rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Rows as Arrow, with the types of `model.lake`; times in microseconds."""
    schema = ibis.schema(columns).to_pyarrow()
    held = list(rows)
    return pa.table(
        [pa.array([one.get(field.name) for one in held], field.type) for field in schema], schema=schema
    )


def events_table(placed: Sequence[tuple[Event, int]]) -> pa.Table:
    """The table `events` of events with their nodes."""
    return table(EVENTS, [row(event, node) for event, node in placed])


def session() -> duckdb.DuckDBPyConnection:
    """A DuckDB that is ready for the expressions."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    for statement in definitions("duckdb"):
        connection.execute(statement)
    return connection


def fill(connection: duckdb.DuckDBPyConnection, **tables: pa.Table) -> None:
    """Have the tables, replaced if they are there."""
    for name, rows in tables.items():
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM rows")


def run(connection: duckdb.DuckDBPyConnection, expression: Any) -> list[dict[str, Any]]:
    """The rows of an expression."""
    return connection.sql(sql_of(expression)).to_arrow_table().to_pylist()  # type: ignore[no-any-return]


def _degrees(value: object) -> float | None:
    return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]
