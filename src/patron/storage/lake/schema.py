"""The lake's columns as Arrow types, and which of them may have statistics in files and in the table's log."""

import re

import pyarrow as pa

from patron.model.lake import PERSONAL, TABLES

SKIPPING = ("position", "bucket", "day", "time", "received", "known", "taken")
"""Columns whose smallest and largest value stand in the table's log, so that engines pass over whole files."""
_REPEATED = (
    *("type", "name", "channel", "source", "store", "touchpoint", "product_id", "category", "coupon"),
    *("currency", "day", "bucket", "placement", "action", "would", "catalogue", "user_id", "anonymous_id"),
    *("person", "account", "received", "known", "taken", "consents"),
)
_TOKEN = re.compile(r"\s*([a-z0-9_]+|'[^']*'|[<>(),:])")
_PLAIN = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
    "date": pa.date32(),
}


def arrow_type(text: str) -> pa.DataType:
    """The Arrow type of a type as `model.lake` writes it. Raises ValueError at anything else.

    >>> arrow_type("array<struct<a: string, b: decimal(18, 6)>>")
    ListType(list<element: struct<a: string, b: decimal128(18, 6)>>)
    """
    tokens = _TOKEN.findall(text)
    found = _parse(tokens)
    if tokens or found is None:
        raise ValueError(f"{text!r} is no type of the lake")
    return found


def _parse(tokens: list[str]) -> pa.DataType | None:
    name = tokens.pop(0)
    if name in _PLAIN:
        return _PLAIN[name]
    if name == "timestamp":
        _between(tokens, "(", ")")
        return pa.timestamp("us", "UTC")
    if name == "decimal":
        digits, _, scale = _between(tokens, "(", ")")
        return pa.decimal128(int(digits), int(scale))
    if name == "array":
        tokens.pop(0)
        inner = _parse(tokens)
        tokens.pop(0)
        return pa.list_(pa.field("element", inner))
    if name == "struct":
        return _struct(tokens)
    return None


def _struct(tokens: list[str]) -> pa.DataType:
    fields = []
    while tokens.pop(0) != ">":
        name, _ = tokens.pop(0), tokens.pop(0)
        fields.append(pa.field(name, _parse(tokens)))
    return pa.struct(fields)


def _between(tokens: list[str], start: str, end: str) -> list[str]:
    assert tokens.pop(0) == start
    inside = tokens[: tokens.index(end)]
    del tokens[: len(inside) + 1]
    return inside


def arrow_schema(table: str) -> pa.Schema:
    """The columns of a table, in order.

    >>> arrow_schema("people").names
    ['node', 'since', 'until', 'person', 'position', 'known']
    """
    return pa.schema([pa.field(name, arrow_type(text)) for name, text in TABLES[table].items()])


def measured(table: str) -> list[str]:
    """Columns of a table that may have statistics in its Parquet files: those that tell of nobody.

    >>> "user_id" in measured("events"), "position" in measured("events")
    (False, True)
    """
    return [name for name in TABLES[table] if name not in PERSONAL]


def skipping(table: str) -> list[str]:
    """Columns of a table that have statistics in the table's own log."""
    return [name for name in SKIPPING if name in TABLES[table] and name not in PERSONAL]


def repeated(table: str) -> list[str]:
    """Columns of a table whose values repeat, so that a dictionary of them is worth its work."""
    return [name for name in _REPEATED if name in TABLES[table]]


SCHEMAS: dict[str, pa.Schema] = {table: arrow_schema(table) for table in TABLES}
