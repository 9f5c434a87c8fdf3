"""Whose a node is, as it changes: rows for the lake's table `people`, gathered while events are applied.

The jobs process can read everything else from the log by itself; who is one person only the graph knows. Rows wait here until
the lake has them, so the death of either process loses none; when too many wait, or some were never seen, a snapshot of
everybody closes the gap.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping

from patron.identity.change import Change
from patron.model.people import Key, Person
from patron.model.ports import Table
from patron.runtime.flow import uncut

LIMIT = 200_000
"""Rows that may wait for the lake."""
Row = tuple[int, int | None, int | None, str, int, int]
"""Node hash, since, until (ms or None), person, log position, its time."""


class Links:
    """Gathers changes of people and says whose each node is since when.

    `since` is the position after which no change is missing here.
    """

    def __init__(
        self,
        person_of: Callable[[Key], Person | None],
        cuts: Table[list[int]],
        hashes: Mapping[Key, int],
        since: int,
    ) -> None:
        self._person_of = person_of
        self._cuts = cuts
        self._hashes = hashes
        self.since = since
        self.told = since
        """Rows up to this position were handed to the jobs process."""
        self.lost = False
        """Rows were dropped that nobody was told: only a snapshot closes the gap."""
        self.fresh: list[Change] = []
        self.waiting: deque[Row] = deque()

    def settle(self, position: int, known: int) -> None:
        """What changed belongs to the entry at this position, received at `known`."""
        moved: dict[Key, str] = {}
        for change in self.fresh:
            _take(change, moved)
        self.fresh.clear()
        self.waiting += self.rows(moved, position, known)
        if len(self.waiting) > LIMIT:
            self._make_room(position)

    def _make_room(self, position: int) -> None:
        """Let go of what was told: should the jobs process die before the lake has it, a snapshot follows. Else of all."""
        while self.waiting and self.waiting[0][4] <= self.told:
            self.since = max(self.since, self.waiting.popleft()[4])
        if len(self.waiting) > LIMIT:
            self.waiting.clear()
            self.since, self.lost = position, True

    def rows(self, moved: Mapping[Key, str], position: int, known: int) -> Iterator[Row]:
        """Rows of these identifiers, each with its person now ("" for one that is gone)."""
        cuts, whole = self._cuts, set[Key]()
        split = len(cuts) > 0
        for key, person in moved.items():
            base = uncut(key, cuts) if split else key
            if split and base in cuts:
                whole.add(base)
            elif person:
                yield self._hashes[key], None, None, person, position, known
        for base in whole:
            yield from self._parts(base, position, known)

    def _parts(self, key: Key, position: int, known: int) -> Iterator[Row]:
        """An identifier that was cut: who had it in each of its times."""
        times = self._cuts.get(key) or []
        for since, until in zip([None, *times], [*times, None], strict=True):
            held = self._person_of(key if since is None else f"{key}~{since}")
            if held is not None:
                yield self._hashes[key], since, until, held.id, position, known

    def stored(self, position: int) -> None:
        """The lake has everything up to this position."""
        while self.waiting and self.waiting[0][4] <= position:
            self.waiting.popleft()
        self.since = max(self.since, position)


def _take(change: Change, moved: dict[Key, str]) -> None:
    before = {key: person.id for person in change.before for key in person.members}
    for person in change.after:
        for key in person.members:
            if before.pop(key, "") != person.id:
                moved[key] = person.id
    for key in before:
        moved[key] = ""
