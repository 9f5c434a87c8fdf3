"""What the two engines write differently: a handful of functions of one name, defined in each by `definitions`.

Everything else in an expression is plain Ibis. A connection that runs these expressions keeps its time zone at UTC and has run
the definitions of its engine first; they are temporary and hold for the session.
"""

import inspect
from collections.abc import Callable
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

Engine = Literal["duckdb", "pyspark"]
"""As Ibis names its backends."""

_DUCKDB = (
    "SET TimeZone = 'UTC'",
    # `$."*"` would be every key, and `$.""` is refused: these two are asked for as JSON pointers
    r"""CREATE OR REPLACE TEMP MACRO patron_json_key(value, key) AS CAST(json_extract(value,
        CASE WHEN key IN ('', '*') THEN '/' || key
        ELSE '$."' || replace(replace(key, '\', '\\'), '"', '\"') || '"' END) AS VARCHAR)""",
    "CREATE OR REPLACE TEMP MACRO patron_json_text(value) AS (value ->> '$')",
    "CREATE OR REPLACE TEMP MACRO patron_json_items(value) AS CAST(json_extract(value, '$[*]') AS VARCHAR[])",
    "CREATE OR REPLACE TEMP MACRO patron_milliseconds(value) AS epoch_ms(value)",
)
_SPARK = (
    "SET TIME ZONE 'UTC'",
    """CREATE OR REPLACE TEMPORARY FUNCTION patron_json_key(value STRING, key STRING) RETURNS STRING
        RETURN to_json(try_element_at(from_json(value, 'map<string,variant>'), key))""",
    """CREATE OR REPLACE TEMPORARY FUNCTION patron_json_text(value STRING) RETURNS STRING
        RETURN CAST(try_parse_json(value) AS STRING)""",
    """CREATE OR REPLACE TEMPORARY FUNCTION patron_json_items(value STRING) RETURNS ARRAY<STRING>
        RETURN transform(from_json(value, 'array<variant>'), one -> to_json(one))""",
    """CREATE OR REPLACE TEMPORARY FUNCTION patron_milliseconds(value TIMESTAMP) RETURNS BIGINT
        RETURN unix_millis(value)""",
)


def definitions(engine: Engine) -> tuple[str, ...]:
    """SQL statements that make a session of this engine ready.

    Raises
    ------
    ValueError : there is no such engine here.

    >>> definitions("duckdb")[0]
    "SET TimeZone = 'UTC'"
    """
    if engine not in ("duckdb", "pyspark"):
        raise ValueError(f"the lake's expressions run on duckdb and pyspark, not on {engine}")
    return _DUCKDB if engine == "duckdb" else _SPARK


def sql_of(expression: ir.Table, engine: Engine = "duckdb") -> str:
    """An expression as one statement of SQL, for a session that `definitions` made ready.

    >>> sql_of(ibis.table({"x": "int64"}, name="t").x.sum().as_table())
    'SELECT SUM("t0"."x") AS "Sum(x)" FROM "t" AS "t0"'
    """
    getattr(ibis, engine)  # loads the backend: its options must be there before it compiles
    return str(ibis.to_sql(expression, dialect=engine, pretty=False))


def _builtin(name: str, takes: tuple[str, ...], gives: str) -> Callable[..., Any]:
    """A function that the session has under this name."""

    def stub(*_: Any) -> Any:
        """Ibis reads the signature; the engine has the body."""

    names = ("value", "key")[: len(takes)]
    stub.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(one, inspect.Parameter.POSITIONAL_OR_KEYWORD) for one in names]
    )
    made: Callable[..., Any] = ibis.udf.scalar.builtin(stub, name=name, signature=(takes, gives))
    return made


json_key = _builtin("patron_json_key", ("string", "string"), "string")
"""The JSON text of a member of a JSON object; null when there is no such member or no object."""
json_text = _builtin("patron_json_text", ("string",), "string")
"""The text that a JSON string holds (of other JSON: as it is written)."""
json_items = _builtin("patron_json_items", ("string",), "array<string>")
"""The JSON texts of the items of a JSON array."""
milliseconds = _builtin("patron_milliseconds", ("timestamp('UTC', 6)",), "int64")
"""A moment as milliseconds since 1970 UTC, cut off."""


def json_path(value: ir.StringValue, path: str) -> ir.StringValue:
    """The JSON text at a dotted path, as `rules.values.field_of` walks it: a name that itself holds a dot wins.

    A member that is there and null stands in the way of the longer walk, as it does there.
    """
    found: ir.StringValue = json_key(value, path)
    head, dot, rest = path.partition(".")
    return ibis.coalesce(found, json_path(json_key(value, head), rest)) if dot else found
