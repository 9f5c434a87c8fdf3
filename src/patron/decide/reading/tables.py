"""One table of a catalogue on its way to a struct: what is wrong is noted with its path and left at its default."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from patron.decide.reading.fields import Problems, difference
from patron.model.errors import Fault

Reader = Callable[[Any], tuple[Any, Problems]]


class Table:
    """A table being read.

    Parameters
    ----------
    row : the table as TOML gave it.
    path : where it stands, as in `offer[3]`.
    faults : what is wrong; added to.

    >>> found = []
    >>> table = Table({"limit": 3, "dasy": 1}, "cap[0]", found)
    >>> table.read({"limit": lambda v: (v, [])}, required=("id",))
    {'limit': 3}
    >>> [f"{f.path}: {f.problem}" for f in found]
    ['cap[0].dasy: there is no such key; use limit', 'cap[0].id: is missing; it is always needed']
    """

    def __init__(self, row: dict[str, Any], path: str, faults: list[Fault]) -> None:
        self.row = row
        self.path = path
        self._faults = faults

    def read(
        self, readers: dict[str, Reader], required: Iterable[str] = (), nested: Collection[str] = ()
    ) -> dict[str, Any]:
        """Every key that has a reader, read. A key with none is a fault, unless it is one of `nested`, read apart."""
        known = {*readers, *nested}
        for key in self.row:
            if key not in known:
                self.fault(key, difference(key, known))
        for key in required:
            if key not in self.row:
                self.fault(key, "is missing; it is always needed")
        return {key: self._value(key, reader) for key, reader in readers.items() if key in self.row}

    def _value(self, key: str, reader: Reader) -> Any:
        value, problems = reader(self.row[key])
        for at, problem in problems:
            self.fault(f"{key}{at}", problem)
        return value

    def fault(self, key: str, problem: str) -> None:
        """Note what is wrong with a key."""
        self._faults.append(Fault(f"{self.path}.{key}" if self.path else key, problem))

    def rows(self, key: str, limit: int, heading: str) -> "Iterator[Table]":
        """The tables of a list of tables, at most `limit`; `heading` is how each is written, such as `[[offer]]`."""
        value = self.row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(key, f"needs a list of tables: write {heading} above each")
            return
        if len(value) > limit:
            self.fault(key, f"at most {limit} are held, these are {len(value)}")
        path = f"{self.path}.{key}" if self.path else key
        for at, one in enumerate(value[:limit]):
            yield Table(one, f"{path}[{at}]", self._faults)

    def table(self, key: str) -> "Table | None":
        """A table within this one; None when it is not there."""
        value = self.row.get(key)
        if value is None:
            return None
        path = f"{self.path}.{key}" if self.path else key
        if not isinstance(value, dict):
            self.fault(key, f"needs a table: write [{path}] above its keys")
            return None
        return Table(value, path, self._faults)
