"""Insights: funnels, cohorts, sessions, paths, pairs and RFM as Ibis expressions over the lake. Pure: it runs nothing.

Each question is a frozen value with an `expression`; `answer_type` is what one row of its answer is.
"""

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

__all__ = [
    "ROWS", "Funnel", "Insight", "Kept", "Pair", "Pairs", "Path", "Paths", "Reached", "Retention", "Rfm", "Row", "Scored",
    "SessionDay", "Sessions",
]  # fmt: skip
