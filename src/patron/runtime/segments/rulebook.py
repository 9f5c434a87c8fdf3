"""Defining segments, computed traits and reusable conditions: check, save, remove, list; each change is a fact in the log."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, Conflict, Forbidden, NotFound
from patron.profiles.public import iso
from patron.rules.faults import near
from patron.rules.places import unknown_stores
from patron.rules.references import Item
from patron.runtime.app import App
from patron.runtime.decisions.catalogues import offers_about
from patron.runtime.exports.exported import using
from patron.runtime.segments import checking
from patron.runtime.segments.definitions import (
    KINDS,
    NAMES,
    REMOVED,
    SAVED,
    TYPES,
    Active,
    Definitions,
    Kind,
    Saved,
)
from patron.runtime.segments.readable import may_define
from patron.runtime.segments.told import Teller, plain
from patron.runtime.tables import DefinitionRow

MOST = 1_000
"""Definitions of one kind that may be in force."""


class Rulebook:
    """The definitions of one running workspace."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._saving = asyncio.Lock()
        self._teller = Teller(Active())

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
                return {**_plain(row), **self.teller.old(_read(kind, row))}
        raise NotFound("unknown_version", f"The {NAMES[kind]} {name[:64]} has no version {version} to show.")

    def row(self, kind: Kind, name: str) -> DefinitionRow:
        """The version in force. Raises NotFound."""
        row = self.definitions.row(kind, name)
        if row is None:
            meant = near(name, [one.id for one in self.definitions.rows(kind)])
            raise NotFound(f"unknown_{kind}", f"There is no {NAMES[kind]} {name[:64]}{meant or '.'}")
        return row

    @property
    def teller(self) -> Teller:
        """Sentences and classes of what is in force."""
        active = self.definitions.active()
        if self._teller.active is not active:
            self._teller = Teller(active)
        return self._teller

    def shown(self, row: DefinitionRow) -> dict[str, Any]:
        """A definition with its sentence and how it is run."""
        kind = _kind(row)
        item = checking.all_of(kind, self.definitions.active().written).get(row.id)
        active = self.definitions.active()
        return {**_plain(row), **self._noted(row.id, active, self.teller.of(kind, item))}

    def versions(self, kind: Kind, name: str) -> list[dict[str, Any]]:
        """Every version of one definition, newest first, removals too. Raises NotFound when there never was one."""
        rows = self.definitions.versions(kind, name)
        if not rows:
            raise NotFound(f"unknown_{kind}", f"There never was a {NAMES[kind]} {name[:64]}.")
        return [{**_plain(row), "removed": row.definition is None} for row in reversed(rows)]

    def told(self, kind: Kind, item: Item, active: Active) -> dict[str, Any]:
        """Sentence and way of running of a definition that is in `active`, which need not be in force."""
        return self._noted(item.id, active, Teller(active).of(kind, item))

    def _noted(self, name: str, active: Active, said: dict[str, Any]) -> dict[str, Any]:
        """What is said of a definition, with what the feeds do not tell and it would have to know."""
        item = active.segments.get(name) or active.traits.get(name)
        if said["runs"] is None or item is None:
            return said
        missing = unknown_stores(item, self._app.workspace.feeds.locations())
        notes = [
            f"Store {store[:64]} is not in the feed of stores, so nothing counts as near it. "
            "Load it with `patron feed load FILE --kind stores`."
            for store in missing
        ]
        return {**said, "runs": {**said["runs"], "notes": notes}}

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
            changes = [(kind, checking.read(kind, value)) for kind in KINDS for value in values.get(kind, ())]
            _check_once(changes)
            after = self._checked(changes, key)
            changes = checking.in_order(changes, after.written)
            rows = [self._row_of(kind, item) for kind, item in changes]
            for row, (kind, item) in zip(rows, changes, strict=True):
                if not dry and row["change"] != "same":
                    await self._record(kind, item, by)
            return rows

    async def remove(self, kind: Kind, name: str, by: str) -> dict[str, Any]:
        """Take a definition out of force; its versions stay. Raises NotFound, or Conflict when others use it."""
        async with self._saving:
            row = self.row(kind, name)
            rules = checking.users(kind, name, self.definitions.active().written)
            exports = using(self._app.workspace, kind, name)
            users = [*rules, *(f"export {export.id}" for export in exports)]
            if kind == "segment":
                users += [f"offer {offer}" for offer, _ in offers_about(self._app.workspace, name)]
            if users:
                more = f" and {len(users) - 5} more" if len(users) > 5 else ""
                verb = "use" if len(users) > 1 else "uses"
                raise Conflict("in_use", f"The {', '.join(users[:5])}{more} {verb} it; change that first.")
            await self._app.record(REMOVED[kind], Saved(name, row.version + 1, by))
            return {"id": name, "version": row.version + 1, "removed": True}

    async def _record(self, kind: Kind, item: Item, by: str) -> None:
        version = self.definitions.latest_version(kind, item.id) + 1
        await self._app.record(SAVED[kind], Saved(item.id, version, by, plain(item)))

    def _change(self, kind: Kind, item: Item) -> str:
        held = self.definitions.row(kind, item.id)
        if held is None:
            return "new"
        return "same" if held.definition == plain(item) else "changed"

    def _row_of(self, kind: Kind, item: Item) -> dict[str, Any]:
        change, held = self._change(kind, item), self.definitions.row(kind, item.id)
        version = self.definitions.latest_version(kind, item.id) + (change != "same")
        before = held.definition if held else None
        after = plain(item)
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
        for kind in KINDS:
            if len(checking.all_of(kind, after.written)) > max(
                MOST, len(checking.all_of(kind, before.written))
            ):
                raise Conflict("too_many", f"At most {MOST} {NAMES[kind]}s; remove some that nobody needs.")
        if not all(may_define(key, item, after) for _, item in changes):
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


def _kind(row: DefinitionRow) -> Kind:
    return next(kind for kind in KINDS if kind == row.kind)


def _read(kind: Kind, row: DefinitionRow) -> Item | None:
    try:
        found: Item = msgspec.convert(row.definition, TYPES[kind])
    except (msgspec.ValidationError, RecursionError):
        return None
    return found


def _plain(row: DefinitionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "saved": iso(row.time),
        "by": row.by,
        "definition": row.definition,
    }
