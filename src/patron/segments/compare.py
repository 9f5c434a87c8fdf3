"""A rule's comparison, prepared: the same answers as `rules.evaluate.compares`, without fractions."""

from collections.abc import Callable
from math import ceil, floor
from typing import Any

from patron.rules.values import SCALE, holds, number_of

Exact = tuple[int, int] | str
"""A number as (units of 1e-6, divisor), or a text."""


def comparison(op: str, wanted: Any) -> Callable[[Exact | None], bool]:
    """A function that says whether a measure stands in a relation to a rule's value.

    >>> at_least = comparison(">=", 2.5)
    >>> at_least((5_000_000, 2)), at_least((4_999_999, 2)), at_least(None), at_least("tea")
    (True, False, False, False)
    """
    many = isinstance(wanted, list | tuple)
    units = [units_of(one) for one in wanted] if many else units_of(wanted)

    def compare(value: Exact | None) -> bool:
        if value is None or isinstance(value, str):
            return holds(op, wanted, value)
        number, by = value
        if by == 1:
            return holds(op, units, number)
        scaled = [_times(one, by) for one in units] if many else _times(units, by)
        return holds(op, scaled, number)

    return compare


def cuts_of(wanted: Any) -> set[int]:
    """The whole numbers, from 0 on, at which the answer for a whole number may change; 0 is always one.

    >>> sorted(cuts_of(3)), sorted(cuts_of(2.5)), sorted(cuts_of([1, 4]))
    ([0, 3, 4], [0, 3], [0, 1, 2, 4, 5])
    """
    found = {0}
    for one in wanted if isinstance(wanted, list | tuple) else [wanted]:
        units = units_of(one)
        if isinstance(units, int | float) and not isinstance(units, bool):
            found |= {ceil(units / SCALE), floor(units / SCALE) + 1}
    return {cut for cut in found if cut >= 0}


def units_of(wanted: Any) -> Any:
    """A number of the rule in units of 1e-6; anything else as it is."""
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return wanted
    exact = number_of(wanted)
    return wanted if exact is None else exact


def _times(wanted: Any, by: int) -> Any:
    return wanted * by if isinstance(wanted, int) and not isinstance(wanted, bool) else wanted
