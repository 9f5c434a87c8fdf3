"""Segments and computed traits as the console shows them: definitions, live numbers, people tried, weeks gone by.

Numbers of what is saved and live come from the live execution; those of a draft from the crowd (`crowd.Crowd`), which is
everybody in a small workspace and a sample with its interval in a large one.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from patron.model.audiences import (
    Belongs,
    Checked,
    Door,
    Held,
    Kind,
    Named,
    Overlap,
    Part,
    PersonAudiences,
    Reach,
    ReadyRow,
    RowCount,
    Sampled,
    SegmentRow,
    TraitRow,
    Trial,
    User,
    Value,
    Values,
    Vocabulary,
    Week,
    Weeks,
    Worth,
)  # fmt: skip
from patron.model.clock import DAY
from patron.model.errors import BadRequest, Fault, NotFound, RequestError
from patron.model.events import CHANNELS
from patron.rules.consent import standing
from patron.rules.describe import describe
from patron.rules.explain import Explained, explain
from patron.rules.resolve import resolve
from patron.rules.tree import Computed, Condition, Did, Not, Rule, Segment
from patron.runtime import checking, people, subjects
from patron.runtime.audience import wilson
from patron.runtime.backend import LocalBackend
from patron.runtime.counting import Tally
from patron.runtime.crowd import Crowd, Past, Sighted, name_of
from patron.runtime.definitions import Active
from patron.runtime.subjects import Subject
from patron.runtime.tables import DefinitionRow
from patron.runtime.told import names_of, plain
from patron.runtime.turning import moments, turn
from patron.segments import library

_NAMED = {"name", "first_name", "firstName"}
WEEKS = 12
WEEK_PEOPLE = 200
"""People of whom the past is worked out."""
SOME = 6
BREATH = 25
"""People between two breaths, so that others are served."""
ADDRESSES = {"email": "email", "sms": "phone", "push": "push_token", "pos": "card", "call_centre": "phone"}
"""channel -> the kind of identifier by which somebody is met in it."""
MARKETING = {"email": "email_marketing", "sms": "sms_marketing", "push": "push_marketing"}
"""Purposes of a channel's own; a no to one closes the channel."""


class LocalAudiences:
    """`console.audience_port.Audiences` over one running workspace."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        self._workspace = backend.workspace
        self._book = backend.rules.book
        self._crowd = Crowd(backend.workspace)
        self._seen: tuple[int, Vocabulary] = (-1, Vocabulary())

    # --- what is in force -------------------------------------------------------------------------------------------

    def segments(self) -> list[SegmentRow]:
        """All segments with their members, as far as these are known."""
        found = []
        unread = self._book.definitions.active().unread
        for row in self._book.definitions.rows("segment"):
            told = self._book.shown(row)
            status = self._workspace.live.status(row.id)
            counted = status.state == "live"
            found.append(
                SegmentRow(
                    row.id, _name(row), told["sentence"], row.time, row.by, row.version,
                    status.members if counted else None, status.state, status.minutes,
                    status.without_basis if counted else 0, status.progress, unread.get(f"segment/{row.id}", ""),
                )
            )  # fmt: skip
        return found

    def traits(self) -> list[TraitRow]:
        """All computed traits."""
        unread = self._book.definitions.active().unread
        return [
            TraitRow(
                row.id, _name(row), self._book.shown(row)["sentence"], row.time, row.by, row.version,
                str((row.definition or {}).get("unit", "")), unread.get(f"trait/{row.id}", ""),
            )
            for row in self._book.definitions.rows("trait")
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

    def held(self, kind: Kind, name: str) -> Held | None:
        """A definition in force."""
        row = self._book.definitions.row(kind, name)
        if row is None or row.definition is None:
            return None
        return Held(row.id, row.version, row.time, row.by, row.definition)

    def users(self, kind: Kind, name: str) -> list[User]:
        """What uses a definition."""
        written = self._book.definitions.active().written
        found = []
        for told in checking.users(kind, name, written):
            what, _, other = told.partition(" ")
            row = self._book.definitions.row("segment" if what == "segment" else "trait", other)
            place = {"segment": "segments", "trait": "traits"}.get(what)
            href = f"/console/people/{place}/{other}" if place else ""
            found.append(User(what.capitalize(), _name(row) if row else other, href))
        return found

    async def save(self, kind: Kind, definition: dict[str, Any], by: str) -> Held:
        """Put a definition in force."""
        name = str(definition.get("id", ""))
        await self._book.save(kind, name, definition, by)
        held = self.held(kind, name)
        assert held is not None
        return held

    async def remove(self, kind: Kind, name: str, by: str) -> None:
        """Take a definition out of force."""
        await self._book.remove(kind, name, by)

    # --- what may be built -------------------------------------------------------------------------------------------

    def vocabulary(self) -> Vocabulary:
        """Names that were seen; worked out once for each look at the crowd and each change of definitions."""
        active = self._book.definitions.active()
        mark = hash((self._crowd.at, active.version))
        if self._seen[0] != mark:
            self._seen = (mark, self._vocabulary(active))
        return self._seen[1]

    def _vocabulary(self, active: Active) -> Vocabulary:
        crowd, written = self._crowd, active.written
        properties, values = crowd.properties()
        traits, known = crowd.traits()
        purposes = {"personalization", *self._workspace.settings.decide.opt_in, *crowd.purposes()}
        purposes |= {segment.purpose for segment in written.segments.values()}
        return Vocabulary(
            crowd.events(),
            properties,
            tuple(Named(name, _readable(name)) for name in traits),
            tuple(Named(one.id, one.name) for one in written.computed.values()),
            tuple(Named(one.id, one.name) for one in written.segments.values()),
            tuple(Named(one.id, one.name) for one in written.conditions.values()),
            tuple(sorted(purposes)),
            tuple(CHANNELS),
            {**values, **known},
        )

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
            0 if live else max(1, math.ceil(self._workspace.settings.lake.flush_seconds / 60)),
            int(runs.get("bytes_per_person", 0)),
            " ".join([*runs.get("reasons", ()), *runs.get("costs", ())]),
        )

    def _tried(self, definition: dict[str, Any]) -> tuple[Segment, Active]:
        item, active = self._book.tried("segment", definition)
        return active.segments[item.id], active

    # --- whom it reaches ---------------------------------------------------------------------------------------------

    async def reach(
        self, definition: dict[str, Any], rows: Sequence[Any], mode: Literal["all", "any"]
    ) -> Reach | None:
        """How many a segment would hold."""
        segment, active = self._tried(definition)
        crowd = await self._crowd.look() if segment.subject == "person" else []
        if not crowd:
            return None
        hat, conditions = definition.get("hat", "any"), active.written.conditions
        asked = [
            (one.place, resolve(msgspec.convert(one.rule, Rule), conditions, hat=hat), one.step)
            for one in rows
        ]
        tally = Tally(segment.purpose, segment.rule, asked, mode)
        inside = await self._members(crowd, active, tally)
        total = self._crowd.total
        times = 1.0 if self._crowd.whole else total / len(crowd)
        low, high = (0.0, 0.0) if self._crowd.whole else wilson(len(inside), len(crowd))
        doors, nowhere = self._doors(inside, segment.purpose, times)
        found = Reach(
            round(len(inside) * times),
            total,
            total if self._crowd.whole else len(crowd),
            self._crowd.at,
            math.floor(low * total),
            math.ceil(high * total),
            "people" if self._crowd.whole else "sample",
            round(tally.without * times),
            tally.rows(times),
            doors,
            nowhere,
            tuple(self._sampled(one) for one in inside[:SOME]),
        )
        return self._counted_live(definition, found)

    def _counted_live(self, definition: dict[str, Any], found: Reach) -> Reach:
        """The live count, where the draft is what is in force."""
        held = self.held("segment", str(definition.get("id", "")))
        if held is None or held.definition != definition:
            return found
        status = self._workspace.live.status(held.id)
        if status.state != "live":
            return found
        last = found.rows[-1:] if not found.exact else ()
        rows = (
            *found.rows[: len(found.rows) - len(last)],
            *(RowCount(r.path, r.alone, r.left) for r in last),
        )
        return msgspec.structs.replace(
            found, members=status.members, seen=found.of, at=self._workspace.clock.now(), source="live",
            without_basis=status.without_basis, rows=rows,
        )  # fmt: skip

    async def _members(self, crowd: list[Sighted], active: Active, tally: Tally) -> list[Sighted]:
        now, inside = self._workspace.clock.now(), []
        for at, one in enumerate(crowd, 1):
            one.ready(active, now)
            if tally.add(one):
                inside.append(one)
            if at % BREATH == 0:
                await asyncio.sleep(0)
        return inside

    def _doors(self, inside: list[Sighted], purpose: str, times: float) -> tuple[tuple[Door, ...], int]:
        met: Counter[str] = Counter()
        nowhere = 0
        for one in inside:
            person = self._workspace.graph.person_by_id(one.subject.name)
            kinds = {key.partition(":")[0] for key in person.members} if person is not None else set()
            consents = one.subject.history.consents
            opened = [
                channel
                for channel, kind in ADDRESSES.items()
                if kind in kinds
                and standing(consents, purpose, channel) is not False
                and standing(consents, MARKETING.get(channel, purpose), channel) is not False
            ]
            met.update(opened)
            nowhere += not opened
        doors = tuple(
            Door(channel, round(met[channel] * times), f"{kind}, and no refusal")
            for channel, kind in ADDRESSES.items()
            if met[channel]
        )
        return doors, round(nowhere * times)

    def _sampled(self, one: Sighted) -> Sampled:
        person = self._workspace.graph.person_by_id(one.subject.name)
        events = one.subject.history.events
        detail = f"{len(events):,} events, the last one {events[-1].name}" if events else "no events"
        return Sampled(
            one.subject.name, name_of(self._workspace, person) if person else one.subject.name, detail
        )

    # --- people one knows --------------------------------------------------------------------------------------------

    async def trials(self, definition: dict[str, Any], named: Sequence[str], by: str) -> list[Trial]:
        """The definition tried on people."""
        segment, active = self._tried(definition)
        if segment.subject != "person":
            return []
        found = []
        for name in named or self._lately(by):
            try:
                person = people.find(self._workspace, name)
            except RequestError as error:
                found.append(Trial("", name, inside=False, because="", problem=error.message))
                continue
            subject = await subjects.of_person(self._workspace, person)
            subject.use(active)
            found.append(await self._trial(segment, active, subject, name_of(self._workspace, person)))
        return found

    def _lately(self, by: str) -> list[str]:
        """Whom an account looked at last, then some of the crowd."""
        rows = self._workspace.audit
        seen = [row.object for key in sorted(rows.keys())[-2000:] if (row := rows.get(key)) and row.user == by and row.verb == "view"]  # fmt: skip
        names = list(dict.fromkeys([*reversed(seen), *self._named()]))
        graph = self._workspace.graph
        return [name for name in names[:20] if graph.person_by_id(name) is not None][:3]

    def _named(self) -> list[str]:
        """A few of the crowd whose names are known."""
        crowd = self._crowd.people[:200]
        found = [one.subject.name for one in crowd if _NAMED & one.subject.history.traits.keys()]
        return found[:3]

    async def _trial(self, segment: Segment, active: Active, subject: Subject, name: str) -> Trial:
        if not subject.has_basis(segment.purpose):
            because = f"There is no lawful basis for the purpose {segment.purpose}."
            return Trial(subject.name, name, inside=False, because=because)
        told = explain(segment.rule, subject.history, subject.now, subject.calendar, names_of(active))
        when = turn(subject, lambda: subject.matches(segment), moments(segment.rule, subject, active))
        parts = list(told.of) if told.kind == "all" else [told]
        shown = [part for part in parts if part.held == told.held] or parts
        because = " ".join(_said(part) for part in shown[:3])
        return Trial(
            subject.name, name, told.held, because, "" if told.held else _missing(segment.rule, told), when
        )

    # --- weeks, overlap, values --------------------------------------------------------------------------------------

    async def weeks(self, definition: dict[str, Any]) -> Weeks | None:
        """The members at the end of each of the last weeks, by the rule of today."""
        segment, active = self._tried(definition)
        crowd = (await self._crowd.look())[:WEEK_PEOPLE] if segment.subject == "person" else []
        firsts = [one.subject.history.events[0].time for one in crowd if one.subject.history.events]
        if not firsts:
            return None
        now, opt_in = self._workspace.clock.now(), self._workspace.settings.decide.opt_in
        moments_ = [t for n in reversed(range(WEEKS)) if (t := now - n * 7 * DAY) >= min(firsts)]
        counts = [0] * len(moments_)
        for at, one in enumerate(crowd, 1):
            for number, moment in enumerate(moments_):
                counts[number] += Past(one.subject, active, moment, opt_in).is_in(segment.id)
            if at % 5 == 0:
                await asyncio.sleep(0)
        total = self._crowd.total
        times = total / len(crowd)
        weeks = tuple(Week(t, round(n * times)) for t, n in zip(moments_, counts, strict=True))
        return Weeks(weeks, min(total, len(crowd)), total)

    async def overlap(self, first: str, second: str) -> Overlap:
        """Two segments in force."""
        rows = []
        for name in (first, second):
            held = self.held("segment", name)
            if held is None:
                raise NotFound("unknown_segment", f"There is no segment {name[:64]}.")
            rows.append(Named(name, str(held.definition.get("name", name))))
        live = self._workspace.live
        total, now = self._crowd.total, self._workspace.clock.now()
        if all(live.status(row.id).state == "live" for row in rows):
            a, b = (set(live.members(row.id, "", 10**9)) for row in rows)
            return Overlap(rows[0], rows[1], len(a - b), len(a & b), len(b - a), total, total, now)
        crowd, active = await self._crowd.look(), self._book.definitions.active()
        counts: Counter[tuple[bool, bool]] = Counter()
        for at, one in enumerate(crowd, 1):
            one.ready(active, now)
            counts[one.subject.is_in(first), one.subject.is_in(second)] += 1
            if at % BREATH == 0:
                await asyncio.sleep(0)
        times = total / len(crowd) if crowd else 1.0
        only, both, other = (
            round(counts[pair] * times) for pair in ((True, False), (True, True), (False, True))
        )
        return Overlap(
            rows[0],
            rows[1],
            only,
            both,
            other,
            total if self._crowd.whole else len(crowd),
            total,
            self._crowd.at,
        )

    async def values(self, definition: dict[str, Any]) -> Values | None:
        """What a computed trait gives the people of the crowd."""
        item, active = self._book.tried("trait", definition)
        crowd = await self._crowd.look() if isinstance(item, Computed) and item.subject == "person" else []
        if not crowd:
            return None
        now, found = self._workspace.clock.now(), []
        for at, one in enumerate(crowd, 1):
            one.ready(active, now)
            value = one.subject.computed(item.id)
            if value is not None:
                found.append((one, value))
            if at % BREATH == 0:
                await asyncio.sleep(0)
        numbers = sorted(value for _, value in found if isinstance(value, int | float))
        low, middle, high = (numbers[len(numbers) * n // 10] if numbers else None for n in (1, 5, 9))
        texts = Counter(value for _, value in found if isinstance(value, str))
        some = [
            Value(one.subject.name, self._sampled(one).name, value)
            for one, value in sorted(found, key=lambda pair: not pair[1])[:SOME]
        ]
        seen = self._crowd.total if self._crowd.whole else len(crowd)
        return Values(
            tuple(some),
            len(found),
            seen,
            self._crowd.total,
            self._crowd.at,
            low,
            middle,
            high,
            tuple(texts.most_common(6)),
        )

    # --- the lake's words --------------------------------------------------------------------------------------------

    def speaks_sql(self) -> bool:
        """Whether there is a lake."""
        return self._workspace.settings.lake.enabled

    async def sql(self, kind: Kind, definition: dict[str, Any]) -> str | None:
        """The query over the lake that finds the same people."""
        if not self.speaks_sql():
            return None
        item, active = self._book.tried(kind, definition)
        now, calendar = self._workspace.clock.now(), subjects.calendar_of(self._workspace)
        opt_in = self._workspace.settings.decide.opt_in

        def write() -> str:
            from patron.rules.expressions import At, measure, members, sql_of, unbound

            at = At(now, calendar, opt_in, active.segments, active.traits)
            if kind == "segment":
                return _lines(sql_of(members(active.segments[item.id], unbound(), at)))
            return _lines(sql_of(measure(active.traits[item.id], unbound(), at)))

        try:
            return await asyncio.to_thread(write)
        except (ValueError, NotImplementedError) as error:
            raise BadRequest("no_sql", f"This rule cannot be said in SQL: {error}") from error

    # --- one person ------------------------------------------------------------------------------------------------

    def of_person(self, person_id: str) -> PersonAudiences:
        """The segments and computed traits of a person, as the live execution has them."""
        try:
            person = people.find(self._workspace, person_id)
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


def _lines(sql: str) -> str:
    """A statement over several lines."""
    import sqlglot

    return sqlglot.parse_one(sql, dialect="duckdb").sql(dialect="duckdb", pretty=True)


def _name(row: DefinitionRow) -> str:
    return str((row.definition or {}).get("name", row.id))


def _readable(trait: str) -> str:
    """A trait's name for people.

    >>> _readable("favourite_store")
    'Favourite store'
    """
    words = trait.replace("_", " ").replace(".", ", ")
    return words[:1].upper() + words[1:]


def _said(part: Explained) -> str:
    """What a part says of somebody; of a group and a negation what is inside."""
    inner = part
    while inner.kind == "not" and inner.of:
        inner = inner.of[0]
    if inner.of:
        return " ".join(_said(one) for one in inner.of[:2])
    return inner.sentence


def _missing(rule: Rule, told: Explained) -> str:
    """What would bring somebody in, when one count alone stands in the way."""
    parts = rule.of if told.kind == "all" and hasattr(rule, "of") else (rule,)
    shown = told.of if told.kind == "all" else (told,)
    failing = [(part, one) for part, one in zip(parts, shown, strict=False) if not one.held]
    if len(failing) != 1:
        return ""
    part, one = failing[0]
    if (
        isinstance(part, Did)
        and part.measure == "count"
        and part.op in (">=", ">")
        and _is_number(part.value)
    ):
        value = one.value if isinstance(one.value, int) else 0
        short = math.ceil(part.value + (part.op == ">")) - value
        return f"{short} more {'brings' if short == 1 else 'bring'} them in."
    if isinstance(part, Not):
        return "All else holds."
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
