"""The definitions in force: segments, computed traits and reusable conditions, each with every version it ever had.

A definition is saved and removed by a fact in the log, so a replay has the same ones; the state keeps a row a version.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from patron.model.errors import BadRequest, Fault
from patron.model.ports import Table
from patron.rules.tree import Computed, Condition, Segment
from patron.runtime.tables import DefinitionRow

Kind = Literal["segment", "trait", "condition"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Definition = Segment | Computed | Condition
TYPES: dict[Kind, type[Definition]] = {"segment": Segment, "trait": Computed, "condition": Condition}
SAVED: dict[Kind, str] = {kind: f"{kind.title()} Saved" for kind in KINDS}
REMOVED: dict[Kind, str] = {kind: f"{kind.title()} Removed" for kind in KINDS}
"""Names of the facts in the log; body `{id, version, definition, by}`, without `definition` for a removal."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Saved(Struct, frozen=True):
    """Data of the fact that saves or removes (`definition` None) one definition."""

    id: str
    version: int
    by: str = ""
    definition: dict[str, Any] | None = None


class Active(Struct, frozen=True):
    """The definitions in force at one version of the registry, by id."""

    version: int = 0
    """Rises with every definition that is saved or removed; 0 = none ever was."""
    segments: Mapping[str, Segment] = {}
    traits: Mapping[str, Computed] = {}
    conditions: Mapping[str, Condition] = {}
    unread: Mapping[str, str] = {}
    """`kind/id` of definitions that this version of Patron cannot read -> why; they are in none of the others."""


class Definitions:
    """Every version of every definition, over a table of the state.

    >>> from patron.testing.tables import MemoryTable
    >>> held = Definitions(MemoryTable())
    >>> rule = {"kind": "did", "event": "Order Completed"}
    >>> held.apply("segment", Saved("buyers", 1, "anna", {"id": "buyers", "name": "Buyers", "rule": rule}), 9)
    >>> held.active().segments["buyers"].name, held.active().version
    ('Buyers', 1)
    """

    def __init__(self, table: Table[DefinitionRow]) -> None:
        self._table = table
        self._versions: dict[Kind, dict[str, list[DefinitionRow]]] = {kind: {} for kind in KINDS}
        self._listeners: list[Callable[[Active], None]] = []
        self._count = 0
        self._active: Active | None = None
        for row in sorted((row for _, row in table.items()), key=lambda row: row.version):
            self._add(row)

    def _add(self, row: DefinitionRow) -> None:
        if row.kind in KINDS:
            versions = self._versions[row.kind].setdefault(row.id, [])
            versions.append(row)
            self._count += 1

    def apply(self, kind: Kind, saved: Saved, time: int) -> None:
        """Take up a fact of the log, and tell whoever listens. The same version again changes nothing."""
        if saved.version <= self.latest_version(kind, saved.id):
            return
        row = DefinitionRow(kind, saved.id, saved.version, time, saved.by, saved.definition)
        self._table.put(f"{kind}/{saved.id}/{saved.version:06d}", row)
        self._add(row)
        self._active = None
        for listener in self._listeners:
            listener(self.active())

    def on_change(self, listener: Callable[[Active], None]) -> None:
        """Call `listener` with the definitions in force after each change; not now."""
        self._listeners.append(listener)

    def active(self) -> Active:
        """What is in force, reusable conditions filled in; made again after a change only."""
        if self._active is None:
            self._active = self._resolved()
        return self._active

    def _resolved(self) -> Active:
        good: dict[Kind, dict[str, Any]] = {kind: {} for kind in KINDS}
        unread: dict[str, str] = {}
        for kind in KINDS:
            for row in self.rows(kind):
                try:
                    good[kind][row.id] = msgspec.convert(row.definition, TYPES[kind])
                except (msgspec.ValidationError, RecursionError) as error:
                    unread[f"{kind}/{row.id}"] = str(error)
        return Active(self._count, good["segment"], good["trait"], good["condition"], unread)

    def rows(self, kind: Kind) -> Iterator[DefinitionRow]:
        """The newest version of each definition of a kind that is not removed, by id."""
        for _, versions in sorted(self._versions[kind].items()):
            if versions[-1].definition is not None:
                yield versions[-1]

    def row(self, kind: Kind, name: str) -> DefinitionRow | None:
        """The version of a definition that is in force; None when there is none or it was removed."""
        versions = self._versions[kind].get(name, ())
        return versions[-1] if versions and versions[-1].definition is not None else None

    def versions(self, kind: Kind, name: str) -> tuple[DefinitionRow, ...]:
        """Every version, oldest first; a removal is one."""
        return tuple(self._versions[kind].get(name, ()))

    def latest_version(self, kind: Kind, name: str) -> int:
        """Number of the newest version; 0 when there never was one."""
        versions = self._versions[kind].get(name)
        return versions[-1].version if versions else 0


def decode(kind: Kind, value: object) -> Definition:
    """Read a definition from plain data.

    Raises
    ------
    BadRequest : code `bad_definition`, with the path of what is wrong.

    >>> decode("condition", {"id": "x", "name": "X", "rule": {"kind": "did"}})
    Traceback (most recent call last):
    patron.model.errors.BadRequest: rule: Object missing required field `event`
    """
    try:
        found: Definition = msgspec.convert(value, TYPES[kind])
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `")
        raise refused((Fault(path.rstrip("`").removeprefix("$").lstrip("."), problem),)) from error
    except RecursionError as error:
        raise refused((Fault("rule", "is nested too deep"),)) from error
    if not _ID.fullmatch(found.id):
        problem = "an id is 1 to 64 of a-z 0-9 _ - and starts with a letter or digit"
        raise refused((Fault("id", problem),))
    return found


def refused(faults: tuple[Fault, ...]) -> BadRequest:
    """The error for a definition with these faults."""
    first = f"{faults[0].path}: {faults[0].problem}" if faults[0].path else faults[0].problem
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    return BadRequest("bad_definition", f"{first}{more}", faults)
