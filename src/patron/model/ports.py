"""The ports: what floors above may expect from whatever stands behind them. At most a handful of methods each."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from msgspec import Struct

from patron.model.log import Entry

T = TypeVar("T")


class Table(Protocol[T]):
    """A keyed collection of decoded values whose rows are checkpointed together with a log offset.

    `get` returns the live value. Before changing it in place call `touch(key)`: a checkpoint under way then
    encodes the row as it stood at the checkpoint's offset first (copy on write). `peek` is for whoever looks through
    many rows, only to read: what is not live stays encoded, so that what is in use stays at hand, and is not even
    decoded (None) where `holds` says of its bytes that it cannot be what is looked for.
    """

    def get(self, key: str, /) -> T | None: ...
    def peek(self, key: str, holds: Callable[[bytes], bool] | None = None, /) -> T | None: ...
    def touch(self, key: str) -> None: ...
    def put(self, key: str, value: T) -> None: ...
    def delete(self, key: str) -> None: ...
    def keys(self) -> Iterable[str]: ...
    def items(self) -> Iterable[tuple[str, T]]: ...
    def __contains__(self, key: object) -> bool: ...
    def __len__(self) -> int: ...


class IndexRow(Struct, frozen=True, gc=False):
    """One hit of the log's index: an event of a node (or one that merely mentions the identifier)."""

    time: int
    position: int
    is_node: bool


class Log(Protocol):
    """The durable log. Positions count messages, from 1, over all entries."""

    @property
    def last(self) -> int:
        """Position of the last message appended (0 when empty)."""
        ...

    @property
    def durable(self) -> int:
        """Position up to which everything is on disk."""
        ...

    def append(self, entry: Entry, body: bytes, done: Callable[[BaseException | None], None]) -> None:
        """Queue an entry (its base must be `last + 1`); `done` is called once, from the committer thread, when
        the bytes are synced (None) or could not be (the error; nothing after it is taken as durable either)."""
        ...

    def read(self, start: int = 1) -> Iterator[tuple[Entry, bytes]]:
        """Entries in order, from the one that holds position `start`."""
        ...

    def at(self, position: int) -> tuple[Entry, bytes]:
        """The entry that holds `position`. KeyError when there is none."""
        ...

    def note(self, key_hash: int, time: int, position: int, is_node: bool) -> None:
        """Index one event under a 64-bit keyed hash of an identifier; called at apply, in log order."""
        ...

    def note_all(self, position: int, rows: list[int]) -> None:
        """`note` for the events of the entry that holds `position`: key hash, time, position * 2 + is_node, ..., flat."""
        ...

    def find(self, key_hashes: Iterable[int]) -> list[IndexRow]:
        """All index rows of these hashes, sorted by (time, position)."""
        ...
