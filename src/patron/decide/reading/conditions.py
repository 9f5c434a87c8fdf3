"""Reading conditions: on a person for an offer, on the ask alone for a weight."""

from typing import Any

from patron.decide.reading.fields import Problems, difference
from patron.model.offers import Condition
from patron.rules.language import check, is_personal

MAX_CONDITIONS = 50
_KEYS = frozenset(Condition.__struct_fields__)


def conditions_of(value: Any) -> tuple[tuple[Condition, ...], Problems]:
    """A list of conditions, each checked by the rule language.

    >>> conditions_of([{"field": "totals.orders", "op": ">=", "value": 2}])[0][0].op
    '>='
    """
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        return (), [("", 'needs a list such as [{field = "totals.orders", op = ">=", value = 2}]')]
    if len(value) > MAX_CONDITIONS:
        return (), [("", f"at most {MAX_CONDITIONS} conditions, this has {len(value)}")]
    conditions: list[Condition] = []
    problems: Problems = []
    for at, row in enumerate(value):
        unknown = [(f"[{at}].{key}", difference(key, _KEYS)) for key in row if key not in _KEYS]
        if not isinstance(row.get("field"), str) or not isinstance(row.get("op"), str):
            problems += [*unknown, (f"[{at}]", "needs `field` and `op` as texts")]
            continue
        wanted = row.get("value")
        condition = Condition(row["field"], row["op"], tuple(wanted) if isinstance(wanted, list) else wanted)
        problems += unknown + [(f"[{at}]", problem) for problem in check(condition)]
        conditions.append(condition)
    return tuple(conditions), problems


def situation_of(value: Any) -> tuple[tuple[Condition, ...], Problems]:
    """The same for a weight: it looks at the ask, never at the person, whom the chance already stands for.

    >>> situation_of([{"field": "totals.orders", "op": ">=", "value": 2}])[1][0][0]
    '[0].field'
    """
    conditions, problems = conditions_of(value)
    if not problems:
        problems = [
            (f"[{at}].field", f"a weight looks at the ask alone: use context.NAME instead of `{one.field}`")
            for at, one in enumerate(conditions)
            if is_personal(one.field)
        ]
    return conditions, problems
