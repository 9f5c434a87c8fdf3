"""Segments and computed traits as the console shows them: definitions, live numbers, and what is counted of drafts.

Numbers of what is saved and live come from the live execution; those of a draft from the crowd (`runtime.crowd`), which is
everybody in a small workspace and a sample with its interval in a large one.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from patron.model.audiences import (
    AnyKind,
    Belongs,
    Checked,
    ConditionRow,
    Held,
    Kind,
    Named,
    Overlap,
    Part,
    PersonAudiences,
    Reach,
    ReadyRow,
    Sampled,
    SegmentRow,
    TraitRow,
    Trial,
    User,
    Values,
    Vocabulary,
    Weeks,
    Worth,
)  # fmt: skip
from patron.model.errors import BadRequest, Fault, NotFound, RequestError
from patron.rules.describe import describe
from patron.rules.resolve import resolve
from patron.rules.tree import Computed, Condition, Rule, Segment
from patron.runtime.analysis import Analyst
from patron.runtime.backend import LocalBackend
from patron.runtime.crowd.doors import doors
from patron.runtime.crowd.overlaps import overlap
from patron.runtime.crowd.reach import count, reach_of
from patron.runtime.crowd.sample import Sighted
from patron.runtime.crowd.seen import Seen
from patron.runtime.crowd.trials import lately, trials
from patron.runtime.crowd.values import values
from patron.runtime.crowd.weeks import weeks
from patron.runtime.decisions.catalogues import offers_about
from patron.runtime.exports.exported import using
from patron.runtime.lake.processes import bounds_of
from patron.runtime.people import people
from patron.runtime.people.views import name_of
from patron.runtime.segments import checking
from patron.runtime.segments.asking import moment_of
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.from_lake import minutes_behind
from patron.runtime.segments.rules import kind_of
from patron.runtime.segments.told import names_of, plain
from patron.runtime.tables import DefinitionRow
from patron.segments import library

SOME = 6
EXACT = 5_000
"""Members up to which the channels of a live segment are counted one by one."""


class LocalAudiences:
    """`console.audience_port.Audiences` over one running workspace."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        self._workspace = backend.workspace
        self._book = backend.rules.book
        self._crowd = backend.rules.crowd
        self._seen = Seen(backend.workspace, self._crowd)
        self._analyst = Analyst(backend.app.lake, bounds_of(backend.workspace))

    # --- what is in force -------------------------------------------------------------------------------------------

    def segments(self) -> list[SegmentRow]:
        """All segments with their members, as far as these are known."""
        found = []
        unread, problems = self._book.definitions.active().unread, self._workspace.from_lake.problems
        for row in self._book.definitions.rows("segment"):
            told = self._book.shown(row)
            status = self._workspace.live.status(row.id)
            counted = status.state in ("live", "lake")
            found.append(
                SegmentRow(
                    row.id, _name(row), told["sentence"], row.time, row.by, row.version,
                    status.members if counted else None, status.state, status.minutes,
                    status.without_basis if counted else 0, status.progress, unread.get(f"segment/{row.id}") or problems.get(f"segment/{row.id}", ""),
                )
            )  # fmt: skip
        return found

    def traits(self) -> list[TraitRow]:
        """All computed traits."""
        unread, problems = self._book.definitions.active().unread, self._workspace.from_lake.problems
        return [
            TraitRow(
                row.id, _name(row), self._book.shown(row)["sentence"], row.time, row.by, row.version,
                str((row.definition or {}).get("unit", "")), unread.get(f"trait/{row.id}") or problems.get(f"trait/{row.id}", ""),
            )
            for row in self._book.definitions.rows("trait")
        ]  # fmt: skip

    def conditions(self) -> list[ConditionRow]:
        """All named conditions with what uses each."""
        unread = self._book.definitions.active().unread
        return [
            ConditionRow(
                row.id, _name(row), self._book.shown(row)["sentence"], row.time, row.by, row.version,
                tuple((row.definition or {}).get("parameters", {}).items()),
                tuple(self.users("condition", row.id)), unread.get(f"condition/{row.id}", ""),
            )
            for row in self._book.definitions.rows("condition")
        ]  # fmt: skip

    async def ready(self, kind: Kind) -> list[ReadyRow]:
        """The library, each with the events it cannot do without and that were not seen."""
        rows = await self._backend.rules.library()
        return [
            ReadyRow(
                one["id"],
                kind,
                one["name"],
                one["sentence"],
                one["ready"],
                tuple(one["missing"]),
                one["saved"],
            )
            for one in (rows["data"] if isinstance(rows, dict) else rows)
            if one["kind"] == kind
        ]

    def starting(self, kind: Kind, ready: str) -> dict[str, Any] | None:
        """The definition of a ready one."""
        items: Sequence[Segment | Computed] = library.segments() if kind == "segment" else library.traits()
        item = next((one for one in items if one.id == ready), None)
        return None if item is None else plain(item)

    def held(self, kind: AnyKind, name: str) -> Held | None:
        """A definition in force."""
        row = self._book.definitions.row(kind, name)
        if row is None or row.definition is None:
            return None
        return Held(row.id, row.version, row.time, row.by, row.definition)

    def users(self, kind: AnyKind, name: str) -> list[User]:
        """What uses a definition."""
        written = self._book.definitions.active().written
        found = []
        for told in checking.users(kind, name, written):
            what, _, other = told.partition(" ")
            row = self._book.definitions.row(kind_of(what), other)
            place = {"segment": "segments/", "trait": "traits/", "condition": "conditions#"}[what]
            href = f"/console/people/{place}{other}"
            found.append(User(what.capitalize(), _name(row) if row else other, href))
        exports = using(self._workspace, kind, name)
        found += [User("Export", one.name, f"/console/data/exports/{one.id}") for one in exports]
        offers = offers_about(self._workspace, name) if kind == "segment" else ()
        return found + [
            User("Offer", named, f"/console/decisions/catalogue/offers/{one}") for one, named in offers
        ]

    async def save(self, kind: Kind, definition: dict[str, Any], by: str) -> Held:
        """Put a definition in force."""
        name = str(definition.get("id", ""))
        await self._book.save(kind, name, definition, by)
        held = self.held(kind, name)
        assert held is not None
        return held

    async def remove(self, kind: AnyKind, name: str, by: str) -> None:
        """Take a definition out of force."""
        await self._book.remove(kind, name, by)

    # --- what may be built -------------------------------------------------------------------------------------------

    def vocabulary(self) -> Vocabulary:
        """Names that were seen."""
        return self._seen.vocabulary()

    def check(self, kind: Kind, definition: dict[str, Any]) -> Checked:
        """Every fault, else the sentence and how it would be run."""
        try:
            item, active = self._book.tried(kind, definition)
        except RequestError as error:
            return Checked(error.faults or (Fault("$", error.message),))
        runs = self._book.told(kind, item, active)["runs"] or {}
        slots = describe(item, names_of(active)).slots if not isinstance(item, Condition) else ()
        live = runs.get("way", "live") == "live"
        return Checked(
            (),
            tuple(Part(slot.text, slot.path) for slot in slots),
            live,
            0 if live else minutes_behind(self._workspace.settings.lake.flush_seconds),
            int(runs.get("bytes_per_person", 0)),
            " ".join([*runs.get("reasons", ()), *runs.get("costs", ()), *runs.get("notes", ())]),
        )

    def _tried(self, definition: dict[str, Any]) -> tuple[Segment, Active]:
        item, active = self._book.tried("segment", definition)
        return active.segments[item.id], active

    # --- whom it finds -----------------------------------------------------------------------------------------------

    async def reach(
        self, definition: dict[str, Any], rows: Sequence[Any], mode: Literal["all", "any"]
    ) -> Reach | None:
        """How many a segment would hold."""
        segment, active = self._tried(definition)
        hat, conditions = definition.get("hat", "any"), active.written.conditions
        asked = [
            (one.place, resolve(msgspec.convert(one.rule, Rule), conditions, hat=hat), one.step)
            for one in rows
        ]
        counted = await count(self._crowd, segment, active, asked, mode)
        if counted is None:
            return None
        names = [one.subject.name for one in counted.inside]
        opened, nowhere = await doors(self._workspace, names, segment.purpose, counted.times)
        some = tuple(self._sampled(one) for one in counted.inside[:SOME])
        found = reach_of(counted, opened, nowhere, some)
        return await self._counted_live(definition, segment.purpose, found)

    async def _counted_live(self, definition: dict[str, Any], purpose: str, found: Reach) -> Reach:
        """The live count, where the draft is what is in force; channels exactly too while members are not very many."""
        held = self.held("segment", str(definition.get("id", "")))
        if held is None or held.definition != definition:
            return found
        status = self._workspace.live.status(held.id)
        if status.state != "live":
            return found
        opened, nowhere = found.doors, found.nowhere
        if status.members <= EXACT:
            members = self._workspace.live.members(held.id, "", EXACT)
            opened, nowhere = await doors(self._workspace, members, purpose)
        elif found.members:
            times = status.members / found.members
            opened = tuple(msgspec.structs.replace(d, people=round(d.people * times)) for d in opened)
            nowhere = round(nowhere * times)
        return msgspec.structs.replace(
            found, members=status.members, seen=found.of, at=self._workspace.clock.now(), source="live",
            without_basis=status.without_basis, doors=opened, nowhere=nowhere,
        )  # fmt: skip

    def _sampled(self, one: Sighted) -> Sampled:
        person = self._workspace.graph.person_by_id(one.subject.name)
        events = one.subject.history.events
        detail = f"{len(events):,} events, the last one {events[-1].name}" if events else "no events"
        name = name_of(self._workspace, person) if person else one.subject.name
        return Sampled(one.subject.name, name, detail)

    async def trials(self, definition: dict[str, Any], named: Sequence[str], by: str) -> list[Trial]:
        """The definition tried on people."""
        segment, active = self._tried(definition)
        names = named or lately(self._workspace, self._crowd, by)
        return await trials(self._workspace, segment, active, names)

    async def weeks(self, definition: dict[str, Any]) -> Weeks | None:
        """The members at the end of each of the last weeks, by the rule of today; None for accounts and households."""
        segment, active = self._tried(definition)
        if segment.subject != "person":
            return None
        opt_in = self._workspace.settings.decide.opt_in
        return await weeks(self._crowd, segment, active, self._workspace.clock.now(), opt_in)

    async def overlap(self, first: str, second: str) -> Overlap:
        """Two segments in force."""
        rows = []
        for name in (first, second):
            held = self.held("segment", name)
            if held is None:
                raise NotFound("unknown_segment", f"There is no segment {name[:64]}.")
            if held.definition.get("subject", "person") != "person":
                raise BadRequest("not_of_people", "Only segments of people can be compared here.")
            rows.append(Named(name, str(held.definition.get("name", name))))
        return await overlap(self._workspace, self._crowd, *rows)

    async def values(self, definition: dict[str, Any]) -> Values | None:
        """What a computed trait gives the people of the crowd."""
        item, active = self._book.tried("trait", definition)
        return await values(self._workspace, self._crowd, active.traits[item.id], active)

    # --- the lake's words --------------------------------------------------------------------------------------------

    def speaks_sql(self) -> bool:
        """Whether there is a lake."""
        return self._workspace.settings.lake.enabled

    async def sql(self, kind: Kind, definition: dict[str, Any]) -> str | None:
        """The query over the lake that finds the same people."""
        if not self.speaks_sql():
            return None
        item, active = self._book.tried(kind, definition)
        found = active.segments[item.id] if kind == "segment" else active.traits[item.id]
        return await self._analyst.sql(found, moment_of(self._workspace, active))

    # --- one person ------------------------------------------------------------------------------------------------

    async def of_person(self, person_id: str) -> PersonAudiences:
        """The segments and computed traits of a person, as the live execution has them.

        Of somebody with very many events they are worked out beside what else the loop does.
        """
        try:
            await self._workspace.above.ready(people.find(self._workspace, person_id))
            person = people.find(self._workspace, person_id)  # they may be another one by now, or erased
        except RequestError:
            return PersonAudiences()
        written, live = self._book.definitions.active().written, self._workspace.live
        values = live.computed(person)
        return PersonAudiences(
            tuple(
                Belongs(one.segment, written.segments[one.segment].name, one.since, one.until)
                for one in live.of(person)
                if one.segment in written.segments
            ),
            tuple(
                Worth(name, trait.name, values[name], trait.unit)
                for name, trait in written.computed.items()
                if values.get(name) is not None
            ),
        )


def _name(row: DefinitionRow) -> str:
    return str((row.definition or {}).get("name", row.id))
