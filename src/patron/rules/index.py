"""Many conditions at once: one look-up per field gives every condition that fails, as a bit mask.

A condition on a plain value depends only on where the value lies among the constants it is compared with. So the
constants of a field are sorted once, the outcome is worked out for each constant and each gap between two, and an ask
costs a binary search instead of one evaluation per condition. `failing` and `matches` always agree: the table is
made by `prepare` itself, on positions in place of values.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from patron.model.offers import Condition
from patron.rules.facts import Facts
from patron.rules.matches import constants, prepare

_Table = tuple[list[Any], list[int]]
_STAND_IN = "traits.position"


class FieldIndex:
    """All conditions on one field, each with the mask it stands for.

    Raises
    ------
    ValueError : a condition does not pass `check`, or is on another field.

    >>> index = FieldIndex("totals.orders", [(Condition("totals.orders", ">=", 2), 0b01), (Condition("totals.orders", "<", 9), 0b10)])
    >>> [bin(index.failing({"totals.orders": orders})) for orders in (1, 2, 9)], bin(index.failing({}))
    (['0b1', '0b0', '0b10'], '0b1')
    """

    def __init__(self, field: str, rows: Sequence[tuple[Condition, int]]) -> None:
        if any(condition.field != field for condition, _ in rows):
            raise ValueError(f"every condition must be on `{field}`")
        self.field = field
        self.every = 0
        for _, mask in rows:
            self.every |= mask
        self._rows = [(prepare(condition), mask) for condition, mask in rows]
        self._missing = self._one_by_one({})
        self._truths = {truth: self._one_by_one({field: truth}) for truth in (True, False)}
        plain = all(condition.op != "has" for condition, _ in rows)
        self._numbers = _table(rows, _is_number) if plain else None
        self._texts = _table(rows, _is_text) if plain else None

    def failing(self, facts: Facts) -> int:
        """The masks, together, of all conditions that do not hold."""
        fact = facts.get(self.field)
        if fact is None:
            return self._missing
        kind = type(fact)
        table = self._texts if kind is str else self._numbers if kind is int or kind is float else None
        if table is None or fact != fact:  # noqa: PLR0124 (NaN has no place among numbers)
            return self._truths[fact] if kind is bool else self._one_by_one(facts)
        cuts, masks = table
        return masks[bisect_left(cuts, fact) + bisect_right(cuts, fact)]

    def _one_by_one(self, facts: Facts) -> int:
        failing = 0
        for holds, mask in self._rows:
            if not holds(facts):
                failing |= mask
        return failing


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _table(rows: Sequence[tuple[Condition, int]], of_kind: Callable[[Any], bool]) -> _Table:
    """The sorted constants of a kind, and what fails below the first, at it, between it and the second, ...

    Constant j is replaced by the odd number 2 j + 1, and a value by the number of its place; constants of another kind by
    something that no number equals.
    """
    cuts = sorted({value for condition, _ in rows for value in constants(condition) if of_kind(value)})
    place = {value: 2 * j + 1 for j, value in enumerate(cuts)}

    def placed(value: Any) -> Any:
        if of_kind(value):
            return place[value]
        return value if isinstance(value, bool) else "another kind"

    masks = [0] * (2 * len(cuts) + 1)
    for condition, mask in rows:
        values = [placed(value) for value in constants(condition)]
        wanted = values if condition.op == "in" else values[0] if values else None
        holds = prepare(Condition(_STAND_IN, condition.op, wanted))
        for position in range(len(masks)):
            if not holds({_STAND_IN: position}):
                masks[position] |= mask
    return cuts, masks
