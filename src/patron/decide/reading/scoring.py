"""Reading how offers are ranked: the formula, what goes into it, and weights."""

from typing import Any

from patron.decide.formula import LONGEST, formula_problem
from patron.decide.reading.conditions import situation_of
from patron.decide.reading.fields import Problems
from patron.decide.reading.offers import MOST
from patron.decide.reading.scalars import ids_of, number_of, text_of
from patron.decide.reading.tables import Reader, Table
from patron.model.offers import Scoring, Weight

MAX_WEIGHTS = 200
MAX_FACTOR = 100
LEAST_MESSAGES, MOST_MESSAGES = 0.1, 1000


def scoring_of(table: Table) -> Scoring:
    """How offers are ranked; what is wrong is noted and left at its default."""
    good = table.read(_SCORING, nested=("weight",))
    weights = tuple(_weight(one) for one in table.rows("weight", MAX_WEIGHTS, "[[scoring.weight]]"))
    return Scoring(**{**good, "weights": weights})


def _weight(table: Table) -> Weight:
    return Weight(**{"factor": 1.0, **table.read(_WEIGHT, required=("factor",))})


def _formula(value: Any) -> tuple[str, Problems]:
    text, problems = text_of(value, LONGEST)
    problem = None if problems else formula_problem(text)
    return text, [("", problem)] if problem else problems


_SCORING: dict[str, Reader] = {
    "formula": _formula,
    "unsubscribe_cost": lambda v: number_of(v, 0, MOST),
    "nothing": lambda v: number_of(v, -MOST, MOST),
    "messages_a_month": lambda v: number_of(v, LEAST_MESSAGES, MOST_MESSAGES),
}
_WEIGHT: dict[str, Reader] = {
    "factor": lambda v: number_of(v, 0, MAX_FACTOR),
    "conditions": situation_of,
    "offers": ids_of,
    "families": ids_of,
}
