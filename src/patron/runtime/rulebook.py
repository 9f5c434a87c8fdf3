"""Defining segments, computed traits and reusable conditions: check, save, remove, list; each change is a fact in the log."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, Conflict, Forbidden, NotFound
from patron.profiles.public import iso
from patron.rules.references import Item
from patron.rules.tree import Segment
from patron.runtime import checking, told
from patron.runtime.app import App
from patron.runtime.definitions import KINDS, NAMES, REMOVED, SAVED, Active, Definitions, Kind, Saved
from patron.runtime.readable import may_read, may_read_segment, may_read_trait
from patron.runtime.tables import DefinitionRow

MOST = 1_000
"""Definitions of one kind that may be in force."""
ORDER: tuple[Kind, ...] = ("condition", "trait", "segment")
"""Each after those that it may refer to; segments among themselves are saved in the order of the rule room."""


class Rulebook:
    """The definitions of one running workspace."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._saving = asyncio.Lock()
        self._told: tuple[int, dict[tuple[Kind, str], dict[str, Any]]] = (-1, {})

    @property
    def definitions(self) -> Definitions:
        """Every version of every definition."""
        return self._app.workspace.definitions

    def listed(self, kind: Kind) -> list[dict[str, Any]]:
        """All definitions of a kind in force, by id."""
        return [self.shown(row) for row in self.definitions.rows(kind)]

    def show(self, kind: Kind, name: str, version: int | None = None) -> dict[str, Any]:
        """One definition: the version in force, or another one that ever was. Raises NotFound."""
        if version is None:
            return self.shown(self.row(kind, name))
        for row in self.definitions.versions(kind, name):
            if row.version == version and row.definition is not None:
                active = self.definitions.active()
                return {**_plain(row), **told.of_plain(kind, row.definition, active)}
        raise NotFound("unknown_version", f"The {NAMES[kind]} {name[:64]} has no version {version} to show.")

    def row(self, kind: Kind, name: str) -> DefinitionRow:
        """The version in force. Raises NotFound."""
        row = self.definitions.row(kind, name)
        if row is None:
            raise NotFound(f"unknown_{kind}", f"There is no {NAMES[kind]} {name[:64]}.")
        return row

    def shown(self, row: DefinitionRow) -> dict[str, Any]:
        """A definition with its sentence and how it is run; worked out once for each change of the definitions."""
        active, kind = self.definitions.active(), _kind(row)
        if self._told[0] != active.version:
            self._told = (active.version, {})
        said = self._told[1].get((kind, row.id))
        if said is None:
            item = checking.item_of(kind, row.id, active.written)
            said = self._told[1][kind, row.id] = told.of(kind, item, active)
        return {**_plain(row), **said}

    def versions(self, kind: Kind, name: str) -> list[dict[str, Any]]:
        """Every version of one definition, newest first, removals too. Raises NotFound when there never was one."""
        rows = self.definitions.versions(kind, name)
        if not rows:
            raise NotFound(f"unknown_{kind}", f"There never was a {NAMES[kind]} {name[:64]}.")
        return [{**_plain(row), "removed": row.definition is None} for row in reversed(rows)]

    def tried(self, kind: Kind, value: object, key: ApiKey | None = None) -> tuple[Item, Active]:
        """A definition that could be saved, and what would be in force then. Raises as `save`."""
        item = checking.read(kind, value)
        return item, self._checked([(kind, item)], key)

    async def save(
        self, kind: Kind, name: str, value: object, by: str, key: ApiKey | None = None
    ) -> dict[str, Any]:
        """Put a definition in force. The same content again makes no new version (`changed` is False).

        Raises
        ------
        BadRequest : code `bad_rule`, with every fault by its path.
        Conflict : other definitions could not be run with it, or there are too many.
        Forbidden : the key may not read a field that the rule reads.
        """
        async with self._saving:
            item = checking.read(kind, value, name)
            self._checked([(kind, item)], key)
            changed = self._change(kind, item) != "same"
            if changed:
                await self._record(kind, item, by)
            return {**self.shown(self.row(kind, name)), "changed": changed}

    async def apply(
        self, values: Mapping[str, list[Any]], by: str, key: ApiKey | None = None, *, dry: bool
    ) -> list[dict[str, Any]]:
        """Save many definitions (kind -> definitions): all of them, or none when one has a fault. `dry`: only say what would change."""
        async with self._saving:
            changes = [(kind, checking.read(kind, value)) for kind in ORDER for value in values.get(kind, ())]
            _check_once(changes)
            after = self._checked(changes, key)
            changes.sort(key=lambda one: checking.rank(*one, after))
            rows = [self._row_of(kind, item) for kind, item in changes]
            for row, (kind, item) in zip(rows, changes, strict=True):
                if not dry and row["change"] != "same":
                    await self._record(kind, item, by)
            return rows

    async def remove(self, kind: Kind, name: str, by: str) -> dict[str, Any]:
        """Take a definition out of force; its versions stay. Raises NotFound, or Conflict when others use it."""
        async with self._saving:
            row = self.row(kind, name)
            users = checking.users(kind, name, self.definitions.active().written)
            if users:
                more = f" and {len(users) - 5} more" if len(users) > 5 else ""
                verb = "use" if len(users) > 1 else "uses"
                raise Conflict("in_use", f"The {', '.join(users[:5])}{more} {verb} it; change that first.")
            await self._app.record(REMOVED[kind], Saved(name, row.version + 1, by))
            return {"id": name, "version": row.version + 1, "removed": True}

    async def _record(self, kind: Kind, item: Item, by: str) -> None:
        version = self.definitions.latest_version(kind, item.id) + 1
        await self._app.record(SAVED[kind], Saved(item.id, version, by, msgspec.to_builtins(item)))

    def _change(self, kind: Kind, item: Item) -> str:
        held = self.definitions.row(kind, item.id)
        if held is None:
            return "new"
        return "same" if held.definition == msgspec.to_builtins(item) else "changed"

    def _row_of(self, kind: Kind, item: Item) -> dict[str, Any]:
        change, held = self._change(kind, item), self.definitions.row(kind, item.id)
        version = self.definitions.latest_version(kind, item.id) + (change != "same")
        before = held.definition if held else None
        after = msgspec.to_builtins(item)
        return {
            "kind": kind, "id": item.id, "change": change, "version": version, "before": before, "after": after,
        }  # fmt: skip

    def _checked(self, changes: checking.Changes, key: ApiKey | None) -> Active:
        """What would be in force with these saved. Raises what stands against it."""
        before = self.definitions.active()
        after = checking.with_all(before, changes)
        broken = checking.broken(before, after)
        if broken:
            message = f"With this, {broken[0].path} could not be run: {broken[0].problem}"
            raise Conflict("breaks_others", message, broken)
        for kind, many in ((kind, checking.count(kind, after.written)) for kind in KINDS):
            if many > MOST and many > checking.count(kind, before.written):
                raise Conflict("too_many", f"At most {MOST} {NAMES[kind]}s; remove some that nobody needs.")
        if not all(_readable(item, key, after) for _, item in changes):
            raise Forbidden(
                "narrow_key",
                "This rule reads fields that the key may not read. Use a key without fields and masks.",
            )
        return after


def _check_once(changes: checking.Changes) -> None:
    seen: set[tuple[Kind, str]] = set()
    for kind, item in changes:
        if (kind, item.id) in seen:
            raise BadRequest("bad_rule", f"The {NAMES[kind]} {item.id} stands there twice; ids are unique.")
        seen.add((kind, item.id))


def _readable(item: Item, key: ApiKey | None, active: Active) -> bool:
    """Whether a key may define this. What was granted by name is not asked: a new rule must not take over an old grant."""
    bare = key if key is None else msgspec.structs.replace(key, fields=told.field_patterns(key))
    if isinstance(item, Segment):
        return may_read_segment(bare, item.id, active)
    if item.id in active.traits and item is active.written.computed.get(item.id):
        return may_read_trait(bare, item.id, active)
    return may_read(bare, active.conditions[item.id].rule, active)


def _kind(row: DefinitionRow) -> Kind:
    return next(kind for kind in KINDS if kind == row.kind)


def _plain(row: DefinitionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "saved": iso(row.time),
        "by": row.by,
        "definition": row.definition,
    }
