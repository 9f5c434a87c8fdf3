"""Insights: funnels, cohorts, sessions, paths, pairs and RFM as Ibis expressions over the lake. Pure: it runs nothing.

Each question is a frozen value with an `expression`; `answer_type` is what one row of its answer is.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from patron.insights.baskets import Pair, Pairs, Rfm, Scored
from patron.insights.funnels import Funnel, Reached
from patron.insights.retention import Kept, Retention
from patron.insights.sessions import Path, Paths, SessionDay, Sessions

Insight = Funnel | Retention | Sessions | Paths | Pairs | Rfm
Row = Reached | Kept | SessionDay | Path | Pair | Scored
ROWS: dict[type[Insight], type[Row]] = {
    Funnel: Reached,
    Retention: Kept,
    Sessions: SessionDay,
    Paths: Path,
    Pairs: Pair,
    Rfm: Scored,
}
"""What one row of an answer is."""


def row_of(question: Insight, values: Mapping[str, Any]) -> Row:
    """One row of an answer, from what an engine gave. Engines give sums wider than they are: here they are whole numbers again.

    >>> row_of(Pairs(), {"a": "p", "b": "q", "orders": 2, "a_orders": 3, "b_orders": Decimal(4)}).b_orders
    4
    """
    plain = {name: int(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    return msgspec.convert(plain, ROWS[type(question)])


__all__ = [
    "ROWS", "Funnel", "Insight", "Kept", "Pair", "Pairs", "Path", "Paths", "Reached", "Retention", "Rfm", "Row", "Scored",
    "SessionDay", "Sessions",
]  # fmt: skip
