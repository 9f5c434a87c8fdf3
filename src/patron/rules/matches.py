"""Whether a condition holds for the facts of one person. Prepared once, then called for every ask."""

import operator
from collections.abc import Callable
from typing import Any

from patron.model.money import to_units
from patron.model.offers import Condition
from patron.rules.facts import Facts
from patron.rules.language import check, counts, kind_of

Predicate = Callable[[Facts], bool]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def prepare(condition: Condition) -> Predicate:
    """Turn a condition into a function of facts, so that types are looked at once and not per person.

    Raises
    ------
    ValueError : the condition does not pass `check`; the message holds its sentences.

    >>> often = prepare(Condition("totals.orders", ">=", 2))
    >>> often({"totals.orders": 3}), often({})
    (True, False)
    """
    problems = check(condition)
    if problems:
        raise ValueError(f"condition on `{condition.field}`: " + "; ".join(problems))
    field, op = condition.field, condition.op
    if op == "missing":
        return lambda facts: facts.get(field) is None
    if op == "exists":
        return lambda facts: facts.get(field) is not None
    values = constants(condition)
    holds = _ordering(field, _ORDER[op], values[0]) if op in _ORDER else _membership(field, op, values)
    return _or_zero(field, holds) if counts(field) else holds


def _or_zero(field: str, holds: Predicate) -> Predicate:
    """The same for a count, which is 0 when it is not there."""
    nothing = holds({field: 0})
    return lambda facts: nothing if facts.get(field) is None else holds(facts)


def matches(condition: Condition, facts: Facts) -> bool:
    """Whether a condition holds. A missing count is 0, any other missing value matches nothing but `missing`; unlike
    types never match.

    >>> matches(Condition("traits.city", "in", ["Bologna", "Turin"]), {"traits.city": "Turin"})
    True
    >>> matches(Condition("traits.city", "!=", "Turin"), {}), matches(Condition("counters.Store Visited", "<", 1), {})
    (False, True)
    """
    return prepare(condition)(facts)


def constants(condition: Condition) -> list[Any]:
    """The values a condition compares with: one, several for `in`, none for `exists`; money in exact units.

    >>> constants(Condition("totals.revenue.EUR", ">=", "49.90")), constants(Condition("traits.city", "exists"))
    ([499000], [])
    """
    if condition.op in ("exists", "missing"):
        return []
    values = list(condition.value) if condition.op == "in" else [condition.value]
    return [to_units(v) for v in values] if kind_of(condition.field) == "money" else values


def _ordering(field: str, compare: Callable[[Any, Any], bool], value: Any) -> Predicate:
    if isinstance(value, str):

        def holds_text(facts: Facts) -> bool:
            fact = facts.get(field)
            return isinstance(fact, str) and compare(fact, value)

        return holds_text

    def holds(facts: Facts) -> bool:
        fact = facts.get(field)
        return (
            isinstance(fact, int | float) and fact is not True and fact is not False and compare(fact, value)
        )

    return holds


def _membership(field: str, op: str, values: list[Any]) -> Predicate:
    if op == "in":
        wanted = frozenset((isinstance(v, bool), v) for v in values)
        return lambda facts: _any_in(facts.get(field), wanted)
    value = values[0]
    if op == "has":
        return lambda facts: _has(facts.get(field), value)
    truth = isinstance(value, bool)
    if op == "=":

        def equals(facts: Facts) -> bool:
            fact = facts.get(field)
            return fact == value and isinstance(fact, bool) is truth

        return equals

    def differs(facts: Facts) -> bool:
        fact = facts.get(field)
        return fact is not None and (fact != value or isinstance(fact, bool) is not truth)

    return differs


def _same(a: Any, b: Any) -> bool:
    """Equality in which true is not 1."""
    return bool(a == b) and isinstance(a, bool) is isinstance(b, bool)


def _has(fact: Any, value: Any) -> bool:
    if isinstance(fact, str):
        return isinstance(value, str) and value in fact
    return isinstance(fact, list | tuple) and any(_same(item, value) for item in fact)


def _any_in(fact: Any, wanted: frozenset[tuple[bool, Any]]) -> bool:
    """A single value that is wanted, or a list one item of which is."""
    items = fact if isinstance(fact, list | tuple) else (fact,)
    return any(
        isinstance(item, str | int | float) and (isinstance(item, bool), item) in wanted for item in items
    )
