"""A `Table` in a dict: what rooms are tested on, with the same contract as the stored one."""

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class MemoryTable(Generic[T]):
    """A `patron.model.ports.Table` that lives in memory and remembers what was touched.

    >>> table = MemoryTable[int](); table.put("a", 1); table.get("a"), table.get("b"), len(table)
    (1, None, 1)
    """

    def __init__(self) -> None:
        self.rows: dict[str, T] = {}
        self.touched: set[str] = set()

    def get(self, key: str) -> T | None:
        """The live value, or None."""
        return self.rows.get(key)

    def peek(self, key: str, _holds: object = None) -> T | None:
        """The value to read only, or None."""
        return self.rows.get(key)

    def touch(self, key: str) -> None:
        """Say that the value is about to change in place."""
        self.touched.add(key)

    def put(self, key: str, value: T) -> None:
        """Set the value."""
        self.touched.add(key)
        self.rows[key] = value

    def delete(self, key: str) -> None:
        """Remove the row if it is there."""
        self.touched.add(key)
        self.rows.pop(key, None)

    def keys(self) -> Iterable[str]:
        """All keys."""
        return self.rows.keys()

    def items(self) -> Iterable[tuple[str, T]]:
        """All rows."""
        return self.rows.items()

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __len__(self) -> int:
        return len(self.rows)
