"""Rules as Ibis expressions over the lake: the execution in batch, on DuckDB and on Spark. Pure: it runs nothing."""

from patron.rules.expressions.functions import Engine, definitions, sql_of
from patron.rules.expressions.members import IN, OUT, WITHOUT_BASIS, measure, measures_of, members, standings
from patron.rules.expressions.tables import SUBJECT, At, Lake, unbound

__all__ = [
    "IN",
    "OUT",
    "SUBJECT",
    "WITHOUT_BASIS",
    "At",
    "Engine",
    "Lake",
    "definitions",
    "measure",
    "measures_of",
    "members",
    "sql_of",
    "standings",
    "unbound",
]
