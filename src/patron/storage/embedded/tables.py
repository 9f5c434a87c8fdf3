"""A table of the state: every row encoded, the busy ones decoded too, and copy on write while a checkpoint is taken."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from patron.model.errors import StorageError

T = TypeVar("T")
RESIDENT = 100_000


class TableSpec(Struct, frozen=True):
    """A table's name, the type of its values, and how many of them stay decoded (at least so many, at most twice)."""

    name: str
    type: Any
    resident_decoded: int = RESIDENT
    encode: Callable[[Any], bytes] | None = None
    """Canonical bytes of a value; deterministic MessagePack when left out."""
    decode: Callable[[bytes], Any] | None = None


class _Young(dict[str, T]):
    """The values asked for lately. Looking one up is a step of the interpreter, without a call: events do it ten times
    each. One that is not here is asked for elsewhere (None: there is none)."""

    __slots__ = ("_older", "_rows")

    def __init__(self, rows: Mapping[str, bytes | None], older: Callable[[str], T | None]) -> None:
        super().__init__()
        self._rows = rows
        self._older = older

    def __missing__(self, key: str) -> T | None:
        return self._older(key) if key in self._rows else None


class StoredTable(Generic[T]):
    """`patron.model.ports.Table` whose rows go into checkpoints.

    A value that `get` gave stays the live one at least until `resident_decoded` other keys were asked for; change it only
    after `touch(key)`, before a checkpoint may begin again.
    """

    def __init__(self, spec: TableSpec) -> None:
        self.name = spec.name
        self._resident = max(1, spec.resident_decoded)
        self._encode = spec.encode or msgspec.msgpack.Encoder(order="deterministic").encode
        self._decode = spec.decode or msgspec.msgpack.Decoder(spec.type).decode
        self.rows: dict[str, bytes | None] = {}
        """Every key; None while only the live value exists."""
        # Live values by age. Asking for one that is not young makes it young; when there are enough young ones, all
        # grow older by one, and the oldest leave one by one. So a hit is one look-up and writes nothing.
        self._young: _Young[T] = _Young(self.rows, self._older)
        self.get: Callable[[str], T | None] = self._young.__getitem__
        """The live value, or None. Raises StorageError when its bytes no longer fit its type."""
        self._old: dict[str, T] = {}
        self._leaving: dict[str, T] = {}
        self.changed: set[str] = set()
        """Changed since the last checkpoint began."""
        self.touch: Callable[[str], None] = self.changed.add
        """Say that the value is about to change in place. (While no checkpoint is under way, no more than a note.)"""
        self.pending: set[str] = set()
        """In the checkpoint under way, not encoded yet: as it stands is as it stood when that began."""
        self.frozen: list[tuple[str, bytes | None]] = []
        """Encoded early because a change was coming."""

    # --- the port --------------------------------------------------------------------------------------------------

    def _touch(self, key: str) -> None:
        if key in self.pending:
            self._freeze(key)
        self.changed.add(key)

    def put(self, key: str, value: T) -> None:
        """Set the value."""
        if key in self.pending:
            self._freeze(key)
        self.changed.add(key)
        if key in self._young:
            self._young[key] = value
            return
        if key in self.rows:
            self._old.pop(key, None)
            self._leaving.pop(key, None)
        else:
            self.rows[key] = None
        self._admit(key, value)

    def delete(self, key: str) -> None:
        """Remove the row if it is there."""
        if key not in self.rows:
            return
        if key in self.pending:
            self._freeze(key)
        self.changed.add(key)
        del self.rows[key]
        for values in (self._young, self._old, self._leaving):
            values.pop(key, None)

    def keys(self) -> Iterable[str]:
        """All keys."""
        return self.rows.keys()

    def items(self) -> Iterator[tuple[str, T]]:
        """All rows, to read only: what is not live is decoded for this once."""
        for key in list(self.rows):
            value = self.peek(key)
            if value is not None:
                yield key, value

    def peek(self, key: str, holds: Callable[[bytes], bool] | None = None) -> T | None:
        """A value to read only: what is not live is decoded for this once, and nothing else leaves for it.

        Parameters
        ----------
        holds : of its bytes, whether it need be decoded at all; None else. What is live is given in any case.
        """
        value = self._live(key)
        if value is not None:
            return value
        raw = self.rows.get(key)
        return None if raw is None or (holds is not None and not holds(raw)) else self._decoded(key, raw)

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __len__(self) -> int:
        return len(self.rows)

    # --- checkpoints ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """What changed up to now belongs to the checkpoint."""
        self.pending, self.changed, self.frozen = self.changed, set(), []
        self.touch = self._touch if self.pending else self.changed.add

    def take(self, limit: int) -> list[tuple[str, bytes | None]]:
        """At most `limit` rows of the checkpoint, encoded as they stood when it began; None for a deleted one."""
        taken, self.frozen = self.frozen[:limit], self.frozen[limit:]
        while self.pending and len(taken) < limit:
            key = self.pending.pop()
            taken.append((key, self._current(key)))
        if not self.pending:
            self.touch = self.changed.add
        return taken

    def encoded(self, key: str) -> bytes | None:
        """The row as it stands now, canonical; None when there is none."""
        value = self._live(key)
        return self.rows.get(key) if value is None else self._encode(value)

    def _current(self, key: str) -> bytes | None:
        raw = self.encoded(key)
        if raw is not None:
            self.rows[key] = raw
        return raw

    def _freeze(self, key: str) -> None:
        self.pending.discard(key)
        self.frozen.append((key, self._current(key)))

    # --- live values ---------------------------------------------------------------------------------------------

    def _live(self, key: str) -> T | None:
        """The live value, whatever its age, left as old as it is."""
        for values in (self._young, self._old, self._leaving):
            value = values.get(key)
            if value is not None:
                return value
        return None

    def _older(self, key: str) -> T | None:
        """The value of a row that is not young, made young."""
        value = self._old.pop(key, None)
        if value is None:
            value = self._leaving.pop(key, None)
        if value is None:
            raw = self.rows.get(key)
            if raw is None:
                return None
            value = self._decoded(key, raw)
        self._admit(key, value)
        return value

    def _admit(self, key: str, value: T) -> None:
        self._young[key] = value
        if self._leaving:
            self._let_go()
        if len(self._young) > self._resident:
            while self._leaving:
                self._let_go()
            self._old, self._leaving = dict(self._young), self._old
            self._young.clear()

    def _let_go(self) -> None:
        key, value = self._leaving.popitem()
        if key in self.changed or key in self.pending:
            self.rows[key] = self._encode(value)

    def _decoded(self, key: str, raw: bytes) -> T:
        try:
            value: T = self._decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise StorageError(
                f"row {key!r} of table {self.name!r} in state.db cannot be read ({error}). Stop Patron, remove state.db and "
                "start again: the state is made anew from the log"
            ) from error
        return value
