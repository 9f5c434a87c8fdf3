"""Dead letters with what is open at hand: every page of the console asks, and there may be many thousands."""

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Any

from patron.model.ports import Table
from patron.runtime.tables import DeadRow

UNKNOWN = "unknown_channel"
OPEN = "open"
_Places = dict[int, None]


class DeadLetters:
    """The table of dead letters by the position (as text) of their message, and what is open by reason and source.

    >>> from patron.testing.tables import MemoryTable
    >>> letters = DeadLetters(MemoryTable())
    >>> letters.put("7", DeadRow(7, 0, "till", "pos", "bad_time", "It is of tomorrow.", "$.timestamp"))
    >>> letters.counts(), list(letters.newest("bad_time"))
    ({'bad_time': 1}, [7])
    """

    def __init__(self, rows: Table[DeadRow]) -> None:
        self._rows = rows
        self._open: dict[tuple[str, str], _Places] = {}
        self._unknown: dict[str, _Places] = {}
        for place in sorted(map(int, rows.keys())):
            if (row := rows.peek(str(place))) is not None:
                self._note(row)

    # --- the table ---------------------------------------------------------------------------------------------------

    def get(self, key: str) -> DeadRow | None:
        """One letter, open or not."""
        return self._rows.get(key)

    def items(self) -> Iterable[tuple[str, DeadRow]]:
        """All letters."""
        return self._rows.items()

    def put(self, key: str, row: DeadRow) -> None:
        """A new letter, or one whose status is another now."""
        self._forget(self._rows.get(key))
        self._rows.put(key, row)
        self._note(row)

    def delete(self, key: str) -> None:
        """Drop a letter."""
        self._forget(self._rows.get(key))
        self._rows.delete(key)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    # --- what is open ------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many are open, by reason."""
        found = Counter[str]()
        for (code, _), places in self._open.items():
            found[code] += len(places)
        return {code: found[code] for code in sorted(found)}

    def newest(
        self, code: str = "", source: str = "", apart: str = "", before: int | None = None
    ) -> Iterator[int]:
        """Positions of open letters, the newest first: of one reason, or of all but `apart`; of one source; below `before`."""
        lists = [
            reversed(places)
            for (reason, of), places in self._open.items()
            if (reason == code if code else reason != apart) and (not source or of == source)
        ]
        return (place for place in merge(*lists, reverse=True) if before is None or place < before)

    def unknown(self) -> dict[int, int]:
        """Of each channel that nobody knows the newest open letter, and how many there are."""
        return {next(reversed(places)): len(places) for places in self._unknown.values()}

    def _note(self, row: DeadRow) -> None:
        if row.status != OPEN:
            return
        _insert(self._open.setdefault((row.code, row.source), {}), row.position)
        if row.code == UNKNOWN:  # its text names the channel
            _insert(self._unknown.setdefault(row.message, {}), row.position)

    def _forget(self, row: DeadRow | None) -> None:
        if row is not None and row.status == OPEN:
            _remove(self._open, (row.code, row.source), row.position)
            if row.code == UNKNOWN:
                _remove(self._unknown, row.message, row.position)


def _insert(places: _Places, position: int) -> None:
    """Positions stand in order; nearly always the newest comes last."""
    late = position < next(reversed(places), -1)
    places[position] = None
    if late:
        ordered = sorted(places)
        places.clear()
        places.update(dict.fromkeys(ordered))


def _remove(of: dict[Any, _Places], key: Any, position: int) -> None:
    places = of.get(key)
    if places is not None:
        places.pop(position, None)
        if not places:
            del of[key]
