"""The definitions in force: segments, computed traits and reusable conditions, each with every version it ever had.

A definition is saved and removed by a fact in the log, so a replay has the same ones; the state keeps a row a version.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from patron.model.errors import BadRequest
from patron.model.ports import Table
from patron.rules.references import Definitions as Written
from patron.rules.resolve import resolved, resolved_trait
from patron.rules.tree import Computed, Condition, Segment
from patron.runtime.tables import DefinitionRow

Kind = Literal["segment", "trait", "condition"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Definition = Segment | Computed | Condition
TYPES: dict[Kind, type[Definition]] = {"segment": Segment, "trait": Computed, "condition": Condition}
NAMES: dict[Kind, str] = {"segment": "segment", "trait": "computed trait", "condition": "condition"}
SAVED: dict[Kind, str] = {kind: f"{kind.title()} Saved" for kind in KINDS}
REMOVED: dict[Kind, str] = {kind: f"{kind.title()} Removed" for kind in KINDS}
"""Names of the facts in the log; body `{id, version, definition, by}`, without `definition` for a removal."""


class Saved(Struct, frozen=True):
    """Data of the fact that saves or removes (`definition` None) one definition."""

    id: str
    version: int
    by: str = ""
    definition: dict[str, Any] | None = None


class Active(Struct, frozen=True):
    """The definitions in force at one version of the registry, by id, resolved: no `use`, no parameter, no hat."""

    version: int = 0
    """Rises with every definition that is saved or removed; 0 = none ever was."""
    segments: Mapping[str, Segment] = {}
    traits: Mapping[str, Computed] = {}
    conditions: Mapping[str, Condition] = {}
    unread: Mapping[str, str] = {}
    """`kind/id` of definitions that this version of Patron cannot run -> why; they are in none of the others."""
    written: Written = Written()
    """The same as they were saved: for people, and for checks of what refers to what."""


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
        """What is in force, as executions run it; made again after a change only."""
        if self._active is None:
            written, unread = self._written()
            self._active = in_force(written, self._count, unread)
        return self._active

    def _written(self) -> tuple[Written, dict[str, str]]:
        good: dict[Kind, dict[str, Any]] = {kind: {} for kind in KINDS}
        unread: dict[str, str] = {}
        for kind in KINDS:
            for row in self.rows(kind):
                try:
                    good[kind][row.id] = msgspec.convert(row.definition, TYPES[kind])
                except (msgspec.ValidationError, RecursionError) as error:
                    unread[f"{kind}/{row.id}"] = str(error)
        return Written(good["segment"], good["trait"], good["condition"]), unread

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


def in_force(written: Written, version: int = 0, unread: Mapping[str, str] | None = None) -> Active:
    """Definitions as executions run them: conditions filled in, hats worn, field names in full.

    What cannot be run is left out and told in `unread`.
    """
    segments: dict[str, Segment] = {}
    bad = dict(unread or {})
    for name, segment in sorted(written.segments.items()):
        try:
            segments[name] = resolved(segment, written.conditions)
        except BadRequest as error:
            bad[f"segment/{name}"] = error.message
    traits = {name: resolved_trait(trait) for name, trait in sorted(written.computed.items())}
    return Active(version, segments, traits, written.conditions, bad, written)
