"""Bounds that keep the laws: what is dropped can never belong to what is kept again, in any order of arrival.

Two kinds hold that promise. The latest n of values that are only ever replaced by later ones (a rank only rises).
And the n smallest of a set that only grows. Both are also exact over nodes: whatever is among the n of a union is
among the n of each part that has it.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from patron.profiles.rules import STANDARD_NAMES, ProfileRules

K = TypeVar("K", str, tuple[str, str])
V = TypeVar("V")


def keep_latest(values: dict[K, V], most: int, rank: Callable[[V], Any]) -> None:
    """Drop, in place, all but the `most` greatest by (rank, key). The rank must be what decides who replaces whom.

    >>> d = {"a": (1, "s/1"), "b": (3, "s/2"), "c": (2, "s/3")}
    >>> keep_latest(d, 2, lambda stamp: stamp); sorted(d)
    ['b', 'c']
    """
    surplus = len(values) - most
    if surplus == 1:
        del values[min(values, key=lambda k: (rank(values[k]), k))]
    elif surplus > 0:
        for key in sorted(values, key=lambda k: (rank(values[k]), k))[:surplus]:
            del values[key]


def beyond(names: Iterable[str], rules: ProfileRules) -> list[str]:
    """The event names that are counted under `other`: all but the declared and the smallest `rules.names`.

    >>> beyond(["c", "a", "b", "Order Completed"], ProfileRules(names=2))
    ['c']
    """
    return sorted(set(names).difference(STANDARD_NAMES, rules.declared))[rules.names :]


def drop_days(series: list[int], floor: int) -> None:
    """Drop, in place, the days of [day, count, ...] that are not newer than `floor`.

    >>> s = [10, 1, 20, 5]; drop_days(s, 10); s
    [20, 5]
    """
    cut = 0
    while cut < len(series) and series[cut] <= floor:
        cut += 2
    del series[:cut]
