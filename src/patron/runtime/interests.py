"""What people are interested in, live: folded from each event, read when something is decided."""

from collections.abc import Iterable

from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.interests import TOLD, Interests, crowded, fold, intervals, merged, names_of


class LiveInterests:
    """Interests by node, and how long people in general go between two purchases of a category.

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
        if event.name != "Order Completed":
            fold(row, event)
        else:
            before = {key: intervals(row[key]) for key in names_of(event) if key in row}
            for key in fold(row, event):
                hours, count = before.get(key, (0, 0))
                now = intervals(row[key])
                self._count(key, now[0] - hours, now[1] - count)
        for key in crowded(row):
            hours, count = intervals(row.pop(key))
            self._count(key, -hours, -count)

    def _count(self, key: str, hours: int, count: int) -> None:
        if key[0] != "c" or not (hours or count):
            return
        held = self._cycles.get(key) or [0, 0]
        now = [held[0] + hours, held[1] + count]
        if now[1]:
            self._cycles.put(key, now)
        else:
            self._cycles.delete(key)

    def drop(self, node: Key) -> None:
        """A node's events are taken out."""
        for key, signs in (self._rows.get(node) or {}).items():
            hours, count = intervals(signs)
            self._count(key, -hours, -count)
        self._rows.delete(node)

    def of(self, nodes: Iterable[Key]) -> Interests:
        """The interests of somebody over all nodes; not to be changed."""
        return merged(row for node in nodes if (row := self._rows.get(node)) is not None)

    def cycle(self, key: str, /) -> list[int] | None:
        """Of all people: hours between two purchases of a category, added up, and how many intervals."""
        return self._cycles.get(key)
