"""Values of the rule language: what is a number, what is a text, and when an operator holds. The lake's SQL says the same."""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

SCALE = 1_000_000
"""Numbers that are summed are integers of 1e-6."""
MOST = 10**9
MAX_TEXT = 200
_PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,30})?")

OPERATORS = (
    "=", "!=", ">", ">=", "<", "<=", "in", "not_in", "has", "exists", "missing", "starts_with", "ends_with",
)  # fmt: skip
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def number_of(value: object) -> int | None:
    """The exact number of a property in units of 1e-6, rounded half to even; None where it has none.

    >>> number_of(2), number_of("41.30"), number_of("1e3"), number_of(True), number_of(0.0000005)
    (2000000, 41300000, None, None, 0)
    """
    if type(value) is int:
        return value * SCALE if -MOST <= value <= MOST else None
    if type(value) is float:
        if not -MOST <= value <= MOST:
            return None
        return int((Decimal(repr(value)) * SCALE).to_integral_value(ROUND_HALF_EVEN))
    if type(value) is str and _PLAIN.fullmatch(value):
        exact = Decimal(value)
        return int((exact * SCALE).to_integral_value(ROUND_HALF_EVEN)) if -MOST <= exact <= MOST else None
    return None


def text_of(value: object) -> str | None:
    """A property as `distinct` and `most_frequent` see it; None where it is no plain value.

    >>> text_of("tea"), text_of(7), text_of(7.0), text_of(True), text_of([1])
    ('tea', '7', '7', 'true', None)
    """
    if type(value) is str:
        return value if len(value) <= MAX_TEXT else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        number = number_of(value)
        return None if number is None else plain(number)
    return None


def plain(number: int) -> str:
    """A number of 1e-6 as the shortest decimal.

    >>> plain(7_000_000), plain(-41_300_000)
    ('7', '-41.3')
    """
    text = f"{Decimal(number).scaleb(-6):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(exact: int | Fraction | str) -> int | float | str:
    """An exact value as profiles show it and facts compare it: rounded half to even to 6 places, whole numbers as integers.

    >>> shown(Fraction(2, 3)), shown(Fraction(14, 2)), shown("tea")
    (0.666667, 7, 'tea')
    """
    if isinstance(exact, str):
        return exact
    units = round(exact * SCALE)
    return units // SCALE if units % SCALE == 0 else units / SCALE


def holds(op: str, wanted: Any, value: Any) -> bool:
    """Whether a value stands in a relation to the wanted one. Missing (None) matches nothing but `missing`.

    A number and a text are never equal and never in order. Lists only know `has`, `exists` and `missing`.

    >>> holds("=", 2, 2.0), holds("=", "2", 2), holds("!=", "2", 2), holds("has", "tea", ["tea", "milk"])
    (True, False, True, True)
    >>> holds("!=", 1, None), holds("missing", None, None), holds("in", ["a", "b"], "b")
    (False, True, True)
    """
    if value is None:
        return op == "missing"
    if op in ("exists", "missing"):
        return op == "exists"
    if op == "has":
        if isinstance(value, list | tuple):
            return any(_equal(wanted, item) for item in value)
        return isinstance(value, str) and isinstance(wanted, str) and wanted in value
    if isinstance(value, list | tuple | dict):
        return False
    if op in ("=", "!="):
        return _equal(wanted, value) == (op == "=")
    if op in ("in", "not_in"):
        return any(_equal(one, value) for one in wanted) == (op == "in")
    if op in ("starts_with", "ends_with"):
        return isinstance(value, str) and (
            value.startswith(wanted) if op == "starts_with" else value.endswith(wanted)
        )
    return _is_ordered(wanted, value) and _ORDERINGS[op](value, wanted)


def field_of(tree: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; a name that itself holds a dot wins.

    >>> field_of({"a": {"b": 1}, "a.b": 2}, "a.b"), field_of({"a": {"b": 1}}, "a.b"), field_of({}, "a.b")
    (2, 1, None)
    """
    if path in tree:
        return tree[path]
    head, dot, rest = path.partition(".")
    below = tree.get(head) if dot else None
    return field_of(below, rest) if isinstance(below, Mapping) else None


def _equal(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, str) or isinstance(value, str):
        return isinstance(wanted, str) and isinstance(value, str) and wanted == value
    return isinstance(value, int | float) and isinstance(wanted, int | float) and wanted == value


def _is_ordered(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return False
    if isinstance(wanted, str):
        return isinstance(value, str)
    return isinstance(value, int | float)
