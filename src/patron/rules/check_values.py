"""Which values an operator takes, for facts, filters and measures."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from patron.model.events import CHANNELS
from patron.rules.faults import number_text, one_of, show, text_problem
from patron.rules.filters import PLACE, TIME_FIELDS
from patron.rules.values import MOST, OPERATORS, SCALE, number_of

MAX_TEXT = 500
MAX_LIST = 1000
MAX_DAYS = 36_500
_LARGEST = 2**53
ORDERINGS = (">", ">=", "<", "<=")
COMPARISONS = ("=", "!=", *ORDERINGS, "in", "not_in")
"""What compares numbers."""
DATES = ("in_last", "in_next")
EXISTENCE = ("exists", "missing")
NEAR = "near"
WHOLE_MEASURES = ("count", "distinct", "first", "last")
ALWAYS_THERE = ("count", "sum", "distinct")
"""Measures that are 0 of nothing, and so never missing."""

_Problem = Callable[[Any], str | None]


def fact_problem(field: str, op: str, value: Any) -> tuple[str, str] | None:
    """What is wrong with the operator (`op`) or value (`value`) of a trait, computed trait or score; where, and a sentence.

    >>> fact_problem("traits.age", ">=", [18])
    ('value', '`>=` needs a text or a number, not a list')
    >>> fact_problem("scores.churn", "=", "high")
    ('value', 'needs a number, not the text `high`')
    """
    root = field.partition(".")[0]
    if root == "traits":
        return _problem(op, value, (*OPERATORS, *DATES), None)
    if root == "scores":
        return _problem(op, value, (*COMPARISONS, *EXISTENCE), number_problem)
    return _problem(op, value, OPERATORS, None)


def where_problem(field: str, op: str, value: Any) -> tuple[str, str] | None:
    """What is wrong with the operator or value of a filter.

    >>> where_problem("channel", "=", "wep")[1]
    '`wep` is not one of web app pos kiosk associate_tablet call_centre email sms push signage paid_media crm backend; did you mean `web`?'
    >>> where_problem("weekday", "=", 8)[1]
    'needs a whole number from 1 to 7 (1 is Monday), not the number 8'
    """
    if field == PLACE:
        if op != NEAR:
            return "op", "`place` only knows `near`"
        problem = _place_problem(value)
        return ("value", problem) if problem else None
    if op == NEAR:
        return "op", "`near` is only for the field `place`"
    if field in TIME_FIELDS:
        return _problem(op, value, COMPARISONS, _weekday if field == "weekday" else _hour)
    if field.startswith("properties."):
        return _problem(op, value, OPERATORS, None)
    exact = op in ("=", "!=", "in", "not_in") and field == "channel"
    return _problem(op, value, OPERATORS, _channel if exact else _text)


def did_problem(measure: str, op: str, value: Any) -> tuple[str, str] | None:
    """What is wrong with the operator or value of a measure.

    >>> did_problem("count", ">=", 1.5)[1]
    'needs a whole number from 0 to 1000000000, not the number 1.5'
    >>> did_problem("most_frequent", "=", 3)[1]
    'needs a text, not the number 3'
    """
    if measure == "most_frequent":
        return _problem(op, value, OPERATORS, _text)
    if measure in ALWAYS_THERE and op in EXISTENCE:
        return "op", f"`{measure}` of nothing is 0, so `{op}` says nothing; compare with `=` 0 or `>` 0"
    operators = COMPARISONS if measure in ALWAYS_THERE else (*COMPARISONS, *EXISTENCE)
    return _problem(op, value, operators, _whole if measure in WHOLE_MEASURES else number_problem)


def number_problem(value: Any) -> str | None:
    """What is wrong with a number that is compared exactly.

    >>> number_problem(49.9), number_problem(0.0000001)
    (None, 'at most 6 decimal places, not the number 1e-07')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"needs a number, not {show(value)}"
    if not -MOST <= value <= MOST:
        return f"needs a number of at most {MOST} in size, not {number_text(value)}"
    exact = number_of(value)
    if exact is None or exact / SCALE != value:
        return f"at most 6 decimal places, not {show(value)}"
    return None


def scalar_problem(value: Any) -> str | None:
    """What is wrong with a value that is compared as it is: a text, a number or true/false.

    >>> scalar_problem("tea"), scalar_problem({})
    (None, 'needs a text, a number or true/false, not an object')
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return text_problem(value, MAX_TEXT, blank=True)
    if not isinstance(value, int | float):
        return f"needs a text, a number or true/false, not {show(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"needs a finite number, not {value}"
    if abs(value) > _LARGEST:
        return f"needs a number of at most 2^53 in size, not {number_text(value)}"
    return None


def _problem(
    op: str, value: Any, operators: tuple[str, ...], each: _Problem | None
) -> tuple[str, str] | None:
    if op not in operators:
        return "op", one_of(op, operators)
    problem = _value_problem(op, value, each or scalar_problem)
    return ("value", problem) if problem else None


def _value_problem(op: str, value: Any, each: _Problem) -> str | None:
    if op in EXISTENCE:
        return None if value is None else f"`{op}` takes no value; leave it out"
    if op in ("in", "not_in"):
        return _list_problem(op, value, each)
    if op in DATES:
        return _between(1, MAX_DAYS, "days")(value)
    if op in ("starts_with", "ends_with"):
        return text_problem(value, MAX_TEXT)
    if op in ORDERINGS and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        return f"`{op}` needs a text or a number, not {show(value)}"
    return each(value)


def _list_problem(op: str, value: Any, each: _Problem) -> str | None:
    if not isinstance(value, list | tuple) or not value:
        return f"`{op}` needs a list with at least one value, as [1, 2], not {show(value)}"
    if len(value) > MAX_LIST:
        return f"`{op}` takes at most {MAX_LIST} values, this has {len(value)}; send them as a trait and compare that"
    return next((f"value {at}: {p}" for at, one in enumerate(value) if (p := each(one))), None)


def _between(low: int, high: int, unit: str = "") -> _Problem:
    """A check for whole numbers."""
    what = f"a whole number from {low} to {high}{f' {unit}' if unit else ''}"

    def problem(value: Any) -> str | None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        whole = number and low <= value <= high and value == int(value)
        return None if whole else f"needs {what}, not {show(value)}"

    return problem


def _text(value: Any) -> str | None:
    return text_problem(value, MAX_TEXT)


def _channel(value: Any) -> str | None:
    return None if value in CHANNELS else one_of(value, CHANNELS)


def _place_problem(value: Any) -> str | None:
    example = 'write {"lat": 44.49, "lon": 11.34, "km": 5} or {"store": "S1", "km": 0.5}'
    if not isinstance(value, Mapping) or set(value) not in ({"lat", "lon", "km"}, {"store", "km"}):
        return f"`near` needs lat, lon and km, or store and km, not {show(value)}; {example}"
    if "store" in value and (problem := text_problem(value["store"], MAX_TEXT)):
        return f"`store` {problem}; {example}"
    for name, low, high in (("lat", -90, 90), ("lon", -180, 180), ("km", 0, 20_038)):
        number = value.get(name, 0)
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            return f"`{name}` needs a number from {low} to {high}, not {show(number)}; {example}"
    return None if value["km"] > 0 else f"`km` needs to be above 0; {example}"


_whole = _between(0, MOST)
_hour = _between(0, 23)


def _weekday(value: Any) -> str | None:
    return (
        None
        if _between(1, 7)(value) is None
        else f"needs a whole number from 1 to 7 (1 is Monday), not {show(value)}"
    )
