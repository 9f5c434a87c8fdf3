"""Segments, computed traits and conditions as the doors see them (`serve.port.Rules`): one method an operation."""

import asyncio
from typing import Any, get_args

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, NotFound
from patron.rules.check import Form
from patron.rules.schema import schema
from patron.rules.tree import Segment
from patron.runtime.app import App
from patron.runtime.crowd.sample import Crowd
from patron.runtime.segments import subjects
from patron.runtime.segments.agreement import agreement
from patron.runtime.segments.audience import Audience
from patron.runtime.segments.definitions import KINDS, Kind
from patron.runtime.segments.explanation import Explainer
from patron.runtime.segments.ready import Shelf
from patron.runtime.segments.rulebook import Rulebook
from patron.runtime.segments.told import plain


class LocalRules:
    """The definitions of one running workspace and what they say of its people. The doors check keys and scopes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._workspace = app.workspace
        self.book = Rulebook(app)
        self.crowd = Crowd(app.workspace)
        """The sample on which drafts are counted."""
        self.audience = Audience(app.workspace, self.crowd)
        self._shelf = Shelf(app.workspace)

    def listed(self, kind: str, key: ApiKey) -> Any:  # noqa: ARG002 - definitions are no personal data
        """All definitions of a kind in force."""
        rows = self.book.listed(kind_of(kind))
        if kind == "segment":
            rows = [self._standing(row) for row in rows]
        return {"data": rows, "version": self.book.definitions.active().version}

    def show(self, kind: str, name: str, version: int | None, key: ApiKey) -> Any:  # noqa: ARG002
        """One definition."""
        row = self.book.show(kind_of(kind), name, version)
        return self._standing(row) if kind == "segment" else row

    def _standing(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "status": self.audience.live.status(row["id"])}

    def versions(self, kind: str, name: str) -> Any:
        """Every version of one definition."""
        return self.book.versions(kind_of(kind), name)

    async def check(self, kind: str, value: object, key: ApiKey | None = None) -> Any:
        """What saving would say, without saving: every problem, else sentence, cost and reach."""
        try:
            item, active = self.book.tried(kind_of(kind), value, key)
        except BadRequest as error:
            nothing = {"definition": None, "sentence": "", "runs": None, "reach": None}
            return {"ok": False, "problems": list(error.faults), **nothing}
        told = self.book.told(kind_of(kind), item, active)
        reach = None
        if isinstance(item, Segment):
            reach = await self.audience.reach(active.segments[item.id], active)
        return {"ok": True, "problems": [], "definition": plain(item), **told, "reach": reach}

    async def save(self, kind: str, name: str, value: object, by: str, key: ApiKey | None = None) -> Any:
        """Put a definition in force."""
        return await self.book.save(kind_of(kind), name, value, by, key)

    async def apply(self, bundle: dict[str, list[Any]], by: str, key: ApiKey | None, *, dry: bool) -> Any:
        """Save many definitions (kind -> definitions), all or none."""
        return {"changes": await self.book.apply(bundle, by, key, dry=dry), "dry": dry}

    async def remove(self, kind: str, name: str, by: str) -> Any:
        """Take a definition out of force."""
        return await self.book.remove(kind_of(kind), name, by)

    async def members(self, segment: str, cursor: str, limit: int, key: ApiKey) -> Any:
        """A page of members."""
        await self._app.rounds.ready(segment)
        return self.audience.members(segment, cursor, limit, key)

    async def diff(self, segment: str, since: str, until: str, limit: int, key: ApiKey) -> Any:
        """Who came in and who left between two moments."""
        await self._app.rounds.ready(segment)
        return self.audience.diff(segment, since, until, limit, key)

    async def values(self, trait: str, cursor: str, limit: int, key: ApiKey) -> Any:
        """A page of people with their values of a computed trait."""
        await self._app.rounds.ready(trait)
        return await self.audience.values(trait, cursor, limit, key)

    async def explain(self, segment: str, person: str, key: ApiKey | None) -> Any:
        """Why somebody is in a segment, or is not."""
        row, active = self.book.row("segment", segment), self.book.definitions.active()
        found = active.segments.get(segment)
        if found is None:
            raise _unread("segment", segment, active.unread)
        subject = await subjects.find(self._workspace, person, found)
        sentence = self.book.shown(row)["sentence"]
        explainer = Explainer(subject, active, key)
        return await asyncio.to_thread(explainer.segment, found, row.version, sentence)

    async def explain_trait(self, trait: str, person: str, key: ApiKey | None) -> Any:
        """Somebody's value of a computed trait, with its events."""
        row, active = self.book.row("trait", trait), self.book.definitions.active()
        found = active.traits.get(trait)
        if found is None:
            raise _unread("computed trait", trait, active.unread)
        subject = await subjects.find(self._workspace, person, found)
        sentence = self.book.shown(row)["sentence"]
        return await asyncio.to_thread(Explainer(subject, active, key).trait, found, row.version, sentence)

    def schema(self, form: str) -> Any:
        """The JSON Schema of a `segment`, `trait`, `condition` or bare `rule`. Raises BadRequest for another name."""
        found = next((one for one in get_args(Form) if one == form), None)
        if found is None:
            raise BadRequest("bad_query", f"`kind` must be one of {', '.join(get_args(Form))}.")
        return schema(found)

    async def library(self, key: ApiKey | None = None) -> Any:  # noqa: ARG002
        """The ready definitions, each with whether its data is there."""
        return await self._shelf.rows()

    async def compare(self) -> Any:
        """Live beside batch, for all segments and computed traits of people."""
        return await agreement(self._app)

    async def use(self, name: str, other: str, by: str, key: ApiKey | None = None) -> Any:
        """Put a ready definition in force, under its own id or another, with those that it is made of."""
        *below, (kind, value) = self._shelf.taken(name, other)
        for one, content in below:
            await self.book.save(one, content["id"], content, by, key)
        return await self.book.save(kind, value["id"], value, by, key)


def kind_of(name: str) -> Kind:
    """A kind by its name. Raises NotFound."""
    for kind in KINDS:
        if kind == name:
            return kind
    raise NotFound("unknown_kind", f"There are segments, traits and conditions, no {name[:40]}.")


def _unread(what: str, name: str, unread: Any) -> BadRequest:
    why = next((reason for place, reason in unread.items() if place.endswith(f"/{name}")), "")
    return BadRequest("unreadable", f"This version of Patron cannot run the {what} {name[:64]}: {why}")
