"""What people are interested in, live: folded from each event, read when something is decided."""

from collections.abc import Iterable

from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.interests import (
    BOUGHT,
    MESSAGES,
    TOLD,
    Interests,
    Signs,
    crowded,
    fold,
    intervals,
    merged,
    names_of,
)

_COUNTED = frozenset({"Order Completed", *MESSAGES})
"""Events after which the counts of all people are others."""


class LiveInterests:
    """Interests by node; of people in general, how long they go between two purchases of a category, and how many messages of a
    channel were sent and answered.

    An interval counts where one node tells of both purchases; whoever is known by several nodes adds fewer. The counts of all
    people are the sum of what the rows say, so they follow every split and erasure.
    """

    def __init__(self, rows: Table[Interests], cycles: Table[list[int]]) -> None:
        self._rows = rows
        self._cycles = cycles

    def event(self, event: Event, node: Key) -> None:
        """Take in one event; nothing, unless it is one of `profiles.interests.TOLD`."""
        if event.name not in TOLD:
            return
        row = self._rows.get(node)
        if row is None:
            row = {}
            self._rows.put(node, row)
        else:
            self._rows.touch(node)
        size = len(row)
        if event.name not in _COUNTED:
            fold(row, event)
        else:
            before = {key: _adds(key, row[key]) for key in names_of(event) if key in row}
            for key in fold(row, event):
                was, now = before.get(key, (0, 0)), _adds(key, row[key])
                self._count(key, now[0] - was[0], now[1] - was[1])
        # without a new name nothing is in the way of another
        for key in crowded(row) if len(row) > size else ():
            first, second = _adds(key, row.pop(key))
            self._count(key, -first, -second)

    def _count(self, key: str, first: int, second: int) -> None:
        if not (first or second):
            return
        if key[0] != "c":
            key = f"m:{key[2:]}"
        held = self._cycles.get(key) or [0, 0]
        now = [held[0] + first, held[1] + second]
        if any(now):
            self._cycles.put(key, now)
        else:
            self._cycles.delete(key)

    def drop(self, node: Key) -> None:
        """A node's events are taken out."""
        for key, signs in (self._rows.get(node) or {}).items():
            first, second = _adds(key, signs)
            self._count(key, -first, -second)
        self._rows.delete(node)

    def of(self, nodes: Iterable[Key]) -> Interests:
        """The interests of somebody over all nodes; not to be changed."""
        return merged(row for node in nodes if (row := self._rows.get(node)) is not None)

    def cycle(self, key: str, /) -> list[int] | None:
        """Of all people: hours between two purchases of a category, added up, and how many intervals."""
        return self._cycles.get(key)

    def answered(self, channel: str) -> tuple[int, int]:
        """Of all people: how many messages of a channel were answered, and how many sent."""
        held = self._cycles.get(f"m:{channel}")
        return (held[0], held[1]) if held else (0, 0)


def _adds(key: str, signs: Signs) -> tuple[int, int]:
    """What a row's entry adds to the counts of all people.

    >>> _adds("c:tea", [3, 10, 50, 0, 0, 0]), _adds("s:email", [4, 1, 9, 0, 0, 0]), _adds("p:A", [3, 10, 50, 0, 0, 0])
    ((40, 2), (0, 4), (0, 0))
    """
    if key[0] == "c":
        return intervals(signs)
    if key[0] == "s":
        return 0, signs[BOUGHT]
    return (signs[BOUGHT], 0) if key[0] == "a" else (0, 0)
