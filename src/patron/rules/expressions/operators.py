"""When an operator holds, in SQL: `rules.values.holds` for texts, numbers and JSON values. Never null: true or false."""

import operator
from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from patron.rules.expressions.functions import json_items, json_text

ORDERINGS: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_EXACT = 2**53
"""Up to here a double tells whole numbers apart."""
_WIDEST = 10**37
"""Beyond that no decimal holds a number, and it is compared as a double."""


def never() -> ir.BooleanScalar:
    """False."""
    return ibis.literal(False)


def truth(value: ir.BooleanValue) -> ir.BooleanValue:
    """False where it is null: rules have two values."""
    return ibis.coalesce(value, never())


def any_of(values: list[ir.BooleanValue]) -> ir.BooleanValue:
    """Whether one of them holds."""
    found: ir.BooleanValue = never()
    for one in values:
        found = found | one
    return found


def text_holds(op: str, wanted: Any, value: ir.StringValue) -> ir.BooleanValue:
    """An operator on a value that is a text or missing."""
    if op in ("exists", "missing"):
        return value.isnull() if op == "missing" else value.notnull()
    return truth(_text(op, wanted, value))


def json_holds(op: str, wanted: Any, value: ir.StringValue) -> ir.BooleanValue:
    """An operator on a value that is JSON or missing; a JSON null is missing."""
    there = value.notnull() & (value != "null")
    if op in ("exists", "missing"):
        return truth(there) if op == "exists" else ~truth(there)
    if op == "has":
        return truth(there & _has(wanted, value))
    plain = there & ~value.re_search(r"^[\[{]")
    if op in ("!=", "not_in"):
        same = any_of([equal(one, value) for one in (wanted if op == "not_in" else [wanted])])
        return truth(plain) & ~truth(same)
    if op in ("=", "in"):
        return truth(plain & any_of([equal(one, value) for one in (wanted if op == "in" else [wanted])]))
    if isinstance(wanted, str):
        return truth(_is_text(value) & _text(op, wanted, json_text(value)))
    if op in ORDERINGS and not isinstance(wanted, bool):
        return truth(_number_compares(op, wanted, value))
    return never()


def number_holds(op: str, wanted: Any, value: ir.NumericValue) -> ir.BooleanValue:
    """An operator on a small whole number, or a missing one."""
    if op in ("exists", "missing"):
        return value.isnull() if op == "missing" else value.notnull()
    if op in ("=", "in"):
        return truth(any_of([value == one for one in _numbers(wanted)]))
    if op in ("!=", "not_in"):
        return truth(value.notnull() & ~any_of([value == one for one in _numbers(wanted)]))
    ordered = op in ORDERINGS and bool(_numbers(wanted))
    return truth(ORDERINGS[op](value, wanted)) if ordered else never()


def typed_holds(op: str, wanted: Any, text: ir.StringValue, value: ir.StringValue) -> ir.BooleanValue:
    """An operator on a property that stands in its typed column when it is a text, else only in the JSON."""
    texts = wanted if op == "in" else [wanted]
    if op in ("=", "in", "starts_with", "ends_with", *ORDERINGS) and all(
        isinstance(one, str) for one in texts
    ):
        return text_holds(op, wanted, text)
    return ibis.ifelse(text.notnull(), text_holds(op, wanted, text), json_holds(op, wanted, value))


def _text(op: str, wanted: Any, value: ir.StringValue) -> ir.BooleanValue:
    if op in ("in", "not_in"):
        texts = [one for one in wanted if isinstance(one, str)]
        found = value.isin(texts) if texts else never()
        return found if op == "in" else value.notnull() & ~found
    if not isinstance(wanted, str):
        return value.notnull() if op == "!=" else never()
    match op:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case "has":
            return value.contains(wanted)
        case "starts_with":
            return value.startswith(wanted)
        case "ends_with":
            return value.endswith(wanted)
        case _:
            return ORDERINGS[op](value, wanted)


def _is_text(value: ir.StringValue) -> ir.BooleanValue:
    return value.startswith('"')


def _is_number(value: ir.StringValue) -> ir.BooleanValue:
    return value.re_search("^[-0-9]")


def equal(wanted: Any, value: ir.StringValue) -> ir.BooleanValue:
    """Whether a JSON value is the wanted one: texts, numbers, and true or false are never equal to each other."""
    if isinstance(wanted, bool):
        return value == ("true" if wanted else "false")
    if isinstance(wanted, str):
        return _is_text(value) & (json_text(value) == wanted)
    return _number_compares("=", wanted, value) if isinstance(wanted, int | float) else never()


def _number_compares(op: str, wanted: float, value: ir.StringValue) -> ir.BooleanValue:
    """Numbers compare as they are, not rounded: as doubles, which is exact while the wanted one is below 2^53."""
    compare: Callable[[Any, Any], Any] = ORDERINGS.get(op, operator.eq)
    near = compare(value.try_cast("float64"), ibis.literal(float(wanted), "float64"))
    if not _EXACT <= abs(wanted) < _WIDEST:
        return _is_number(value) & near
    whole = ibis.coalesce(
        ibis.ifelse(
            value.re_search(r"^-?[0-9]{1,37}\z"),
            value.try_cast("decimal(38, 0)"),
            ibis.null("decimal(38, 0)"),
        ),
        value.try_cast("float64").try_cast("decimal(38, 0)"),
    )
    exact = compare(whole, ibis.literal(int(wanted), "decimal(38, 0)"))
    return _is_number(value) & ibis.ifelse(whole.isnull(), near, exact)  # null: farther off than any decimal


def _has(wanted: Any, value: ir.StringValue) -> ir.BooleanValue:
    """A list that holds the value, or a text that holds the text."""
    inside = json_items(value).filter(lambda item: equal(wanted, item)).length() > 0
    listed = ibis.ifelse(value.startswith("["), inside, never())
    if not isinstance(wanted, str):
        return listed
    return ibis.ifelse(_is_text(value), json_text(value).contains(wanted), listed)


def _numbers(wanted: Any) -> list[int | float]:
    many = wanted if isinstance(wanted, list | tuple) else [wanted]
    numbers = [one for one in many if isinstance(one, int | float) and not isinstance(one, bool)]
    return [max(-_EXACT, min(_EXACT, one)) for one in numbers]  # the column holds small numbers only
