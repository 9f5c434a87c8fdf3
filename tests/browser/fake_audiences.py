"""A double of segments, traits, analyses and the lake: definitions in memory, run by the reference execution over a few people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import msgspec

from patron.console.audience_port import RowAsk
from patron.model.audiences import (
    AnyKind,
    BasketRow,
    Baskets,
    Belongs,
    Checked,
    Cohort,
    Cohorts,
    ConditionRow,
    Door,
    Funnel,
    FunnelStep,
    Held,
    Kind,
    LakeTable,
    LakeView,
    Named,
    Overlap,
    Part,
    PathRow,
    Paths,
    PersonAudiences,
    Reach,
    ReadyRow,
    Rfm,
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
from patron.model.errors import BadRequest, Conflict, NotFound
from patron.model.events import ConsentClaim, Event
from patron.rules.calendar import Calendar
from patron.rules.check import parse, problems
from patron.rules.classify import classify
from patron.rules.consent import lawful
from patron.rules.describe import Names, describe, describe_rule
from patron.rules.evaluate import computed, evaluate
from patron.rules.history import History, history_of
from patron.rules.references import Definitions, reference_problems
from patron.rules.resolve import resolve, resolved, resolved_trait
from patron.rules.tree import Computed, Condition, Did, Rule, Segment
from patron.runtime.crowd.tally import Tally

NOW = 1_795_254_127_000
DAY = 86_400_000
ROME = Calendar("Europe/Rome")
WHO = ("Anna Bianchi", "Jonas Weber", "Lucía Ortega", "Noor Haddad", "Émile Laurent", "Siobhán Ní Dhúill")
COFFEE = {
    "id": "store-coffee", "name": "Store coffee lovers, not online",
    "rule": {"kind": "all", "of": [
        {"kind": "did", "event": "Store Entered", "op": ">=", "value": 2, "within": {"days": 30}},
        {"kind": "not", "rule": {"kind": "did", "event": "Order Completed", "where": [{"field": "channel", "op": "in", "value": ["web", "app"]}], "within": {"days": 90}}},
        {"kind": "fact", "field": "computed.favourite", "op": "=", "value": "coffee"},
        {"kind": "not", "rule": {"kind": "segment", "segment": "complaint"}},
    ]},
}  # fmt: skip
COMPLAINT = {"id": "complaint", "name": "Open complaint", "rule": {"kind": "did", "event": "Complaint Opened", "within": {"days": 30}}}  # fmt: skip
LATE = {
    "id": "many-pages", "name": "Many different pages", "description": "Readers",
    "rule": {"kind": "any", "of": [
        {"kind": "did", "event": "Page Viewed", "measure": "distinct", "property": "properties.path", "op": ">=", "value": 9},
        {"kind": "all", "of": [{"kind": "fact", "field": "traits.city", "op": "in", "value": ["Bologna", "Turin"]}, {"kind": "sequence", "steps": [{"event": "Product Viewed"}, {"event": "Order Completed"}], "limit": {"days": 7}}]},
    ]},
}  # fmt: skip
FAVOURITE = {"id": "favourite", "name": "Favourite category, 90 days", "measure": {"kind": "did", "event": "Order Completed", "measure": "most_frequent", "property": "properties.category", "within": {"days": 90}}}  # fmt: skip
SPENT = {"id": "spent", "name": "Spent in a year", "unit": "€", "measure": {"kind": "did", "event": "Order Completed", "measure": "sum", "property": "properties.revenue", "within": {"days": 365}}}  # fmt: skip
OFTEN = {"id": "often", "name": "Comes often", "parameters": {"times": 3}, "rule": {"kind": "did", "event": "Store Entered", "op": ">=", "value": {"param": "times"}, "within": {"days": 30}}}  # fmt: skip
ANY_ORDER = {"id": "ordered", "name": "Ordered at all", "rule": {"kind": "did", "event": "Order Completed"}}
READY = {
    "weekend": ("Weekend shoppers", {"kind": "did", "event": "Order Completed", "op": ">=", "value": 2, "where": [{"field": "weekday", "op": ">=", "value": 6}], "within": {"days": 60}}, ()),
    "lapsing": ("Lapsing", {"kind": "all", "of": [{"kind": "did", "event": "Order Completed"}, {"kind": "not", "rule": {"kind": "did", "event": "Order Completed", "within": {"days": 60}}}]}, ()),
    "coupons": ("Coupon lovers", {"kind": "did", "event": "Coupon Redeemed", "op": ">=", "value": 3, "within": {"days": 90}}, ("event Coupon Redeemed",)),
}  # fmt: skip


@lru_cache
def events_of(number: int) -> list[Event]:
    """What one of the people did."""
    found: list[tuple[int, str, str, dict[str, Any]]] = []
    for visit in range(number % 4):
        found.append((visit * 7 + number % 5, "Store Entered", "pos", {}))
    if number % 3:
        found.append(
            (
                5 + number % 40,
                "Order Completed",
                "pos",
                {"category": "coffee" if number % 2 else "tea", "revenue": 10 + number},
            )
        )
    if number % 7 == 1:
        found.append((11, "Order Completed", "web", {"category": "coffee", "revenue": 24.5}))
    if number % 11 == 5:
        found.append((3, "Complaint Opened", "call_centre", {}))
    for page in range(number % 12):
        found.append((page + 1, "Page Viewed", "web", {"path": f"/p{page}"}))
    rows = [
        Event(n, ch, ch, "track", name, f"{number}-{n}", NOW - ago * DAY, NOW - ago * DAY, properties=props)
        for n, (ago, name, ch, props) in enumerate(found)
    ]
    consent = (ConsentClaim("personalization", number % 9 != 4),)
    said = Event(99, "crm", "crm", "identify", "Identified", f"{number}-i", NOW - 400 * DAY, NOW, traits={"city": ("Bologna", "Turin", "Bari")[number % 3]}, consents=consent)  # fmt: skip
    return [said, *rows]


@lru_cache
def plain_history(number: int) -> History:
    """What they did, as rules read it."""
    return history_of(events_of(number), "", now=NOW)


class Somebody:
    """One of the people."""

    def __init__(self, number: int, owner: "FakeAudiences") -> None:
        self.id = ("p_7F3K2Q", "p_9WD04M", "p_5MX9RD")[number] if number < 3 else f"p_X{number:05d}"
        self.name = f"{WHO[number % 6]}" + (f" {number // 6 + 1}" if number > 5 else "")
        self.owner = owner
        self.now = NOW
        plain = plain_history(number)
        self.history = History(
            self.id, plain.events, plain.traits, plain.consents, {}, self.member, self.value
        )

    def member(self, name: str) -> bool:
        segment = self.owner.known().segments.get(name)
        return segment is not None and self.has_basis(segment.purpose) and self.holds(segment.rule)

    def value(self, name: str) -> Any:
        trait = self.owner.known().computed.get(name)
        return None if trait is None else computed(resolved_trait(trait), self.history, self.now, ROME)

    def has_basis(self, purpose: str) -> bool:
        return lawful(purpose, self.history.consents, ())

    def holds(self, rule: Rule) -> bool:
        return evaluate(rule, self.history, self.now, ROME)


@dataclass
class FakeAudiences:
    """Segments and traits that answer for sixty people."""

    saved: dict[tuple[str, str], Held] = field(default_factory=dict)
    people: list[Somebody] = field(default_factory=list)
    with_lake: bool = True
    sampled: bool = False
    """Whether it answers as from a sample of a hundred times as many."""
    empty: bool = False
    read: tuple[Any, Definitions] | None = None

    def __post_init__(self) -> None:
        if self.empty:
            return
        for definition in (COMPLAINT, COFFEE, LATE):
            self._hold("segment", definition, "giulia")
        for definition in (FAVOURITE, SPENT):
            self._hold("trait", definition, "giulia")
        for definition in (OFTEN, ANY_ORDER):
            self._hold("condition", definition, "giulia")
        self.people = [Somebody(number, self) for number in range(60)]

    def _hold(self, kind: str, definition: dict[str, Any], by: str) -> Held:
        before = self.saved.get((kind, definition["id"]))
        held = Held(definition["id"], before.version + 1 if before else 1, NOW, by, definition)
        self.saved[kind, definition["id"]] = held
        return held

    def known(self) -> Definitions:
        mark = tuple((kind, held.id, held.version) for (kind, _), held in self.saved.items())
        if self.read is None or self.read[0] != mark:
            self.read = (mark, self._known())
        return self.read[1]

    def _known(self) -> Definitions:
        segments = {h.id: parse(h.definition, Segment) for (k, _), h in self.saved.items() if k == "segment"}
        traits = {h.id: parse(h.definition, Computed) for (k, _), h in self.saved.items() if k == "trait"}
        conditions = {
            h.id: parse(h.definition, Condition) for (k, _), h in self.saved.items() if k == "condition"
        }
        return Definitions(segments, traits, conditions)

    def _names(self) -> Names:
        known = self.known()
        return Names(
            {n: s.name for n, s in known.segments.items()}, {n: t.name for n, t in known.computed.items()}
        )

    def segments(self) -> list[SegmentRow]:
        rows = []
        for (kind, name), held in self.saved.items():
            if kind == "segment":
                segment = parse(held.definition, Segment)
                members = sum(one.member(name) for one in self.people)
                state: Any = "lake" if name == "many-pages" else "live"
                rows.append(SegmentRow(name, segment.name, describe(segment, self._names()).text, held.saved, held.by, held.version, members, state, 2, 7))  # fmt: skip
        return rows

    def traits(self) -> list[TraitRow]:
        found = [parse(h.definition, Computed) for (k, _), h in self.saved.items() if k == "trait"]
        return [TraitRow(t.id, t.name, describe(t).text, NOW - DAY, "giulia", 1, t.unit) for t in found]

    def conditions(self) -> list[ConditionRow]:
        return [
            ConditionRow(h.id, h.definition["name"], describe_rule(msgspec.convert(h.definition["rule"], Rule)).text, h.saved, h.by, h.version, tuple(h.definition.get("parameters", {}).items()), tuple(self.users("condition", h.id)))
            for (k, _), h in self.saved.items() if k == "condition"
        ]  # fmt: skip

    async def ready(self, kind: Kind) -> list[ReadyRow]:
        if kind != "segment":
            return []
        return [
            ReadyRow(name, "segment", title, describe(Segment(name, title, msgspec.convert(rule, Rule))).text, not missing, missing)
            for name, (title, rule, missing) in READY.items()
        ]  # fmt: skip

    def starting(self, kind: Kind, ready: str) -> dict[str, Any] | None:
        found = READY.get(ready) if kind == "segment" else None
        return None if found is None else {"id": ready, "name": found[0], "rule": found[1]}

    def held(self, kind: AnyKind, name: str) -> Held | None:
        return self.saved.get((kind, name))

    def vocabulary(self) -> Vocabulary:
        return Vocabulary(
            events=tuple(Named(n, n, c) for n, c in (("Page Viewed", 610), ("Product Viewed", 412), ("Store Entered", 90), ("Order Completed", 61), ("Complaint Opened", 5))),
            properties={"Order Completed": ("properties.category", "properties.revenue"), "Page Viewed": ("properties.path",)},
            traits=(Named("city", "City"), Named("email", "E-mail"), Named("language", "Language")),
            computed=tuple(Named(t.id, t.name) for t in self.traits()),
            segments=tuple(Named(s.id, s.name) for s in self.known().segments.values()),
            conditions=tuple(Named(c.id, c.name) for c in self.known().conditions.values()),
            purposes=("personalization", "email_marketing", "analytics"),
            channels=("web", "app", "pos", "kiosk", "email", "sms"),
            values={"traits.city": ("Bologna", "Turin", "Bari"), "channel": ("web", "app", "pos")},
        )  # fmt: skip

    def check(self, kind: Kind, definition: dict[str, Any]) -> Checked:
        faults = problems(definition, kind)
        if faults:
            return Checked(faults)
        item = parse(definition, Segment if kind == "segment" else Computed)
        faults = reference_problems(item, self.known().including(item))
        if faults:
            return Checked(faults)
        rules = [resolve(item.rule, self.known().conditions)] if isinstance(item, Segment) else [item.measure]
        run = classify(*rules)
        parts = tuple(Part(slot.text, slot.path) for slot in describe(item, self._names()).slots)
        return Checked((), parts, run.live, 0 if run.live else 2, run.bytes, " ".join(run.reasons))

    def users(self, kind: AnyKind, name: str) -> list[User]:
        return [User("Segment", "Store coffee lovers, not online", "/console/people/segments/store-coffee")] if name == "complaint" else []  # fmt: skip

    def _rule(self, definition: dict[str, Any]) -> Segment:
        if faults := problems(definition):
            raise BadRequest("bad_rule", faults[0].problem, faults)
        return resolved(parse(definition, Segment), self.known().conditions)

    async def reach(
        self, definition: dict[str, Any], rows: Sequence[RowAsk], mode: Literal["all", "any"]
    ) -> Reach | None:
        if not self.people or definition.get("subject", "person") != "person":
            return None
        segment = self._rule(definition)
        asked = [
            (one.place, resolve(msgspec.convert(one.rule, Rule), self.known().conditions), one.step)
            for one in rows
        ]
        tally = Tally(segment.purpose, segment.rule, asked, mode)
        inside = [one for one in self.people if tally.add(one)]
        times = 100 if self.sampled else 1
        n = len(inside)
        doors = tuple(Door(c, round(n * share) * times, "") for c, share in (("email", 0.74), ("push", 0.33), ("sms", 0.16), ("pos", 1.0)))  # fmt: skip
        return Reach(
            n * times, 60 * times, 60, NOW - 1000, round(n * 0.7) * times, round(n * 1.3) * times,
            "sample" if self.sampled else "people", tally.without * times, tally.rows(times), doors, 2 * times,
            tuple(Sampled(one.id, one.name, f"{len(one.history.events)} events") for one in inside[:5]),
        )  # fmt: skip

    async def trials(self, definition: dict[str, Any], people: Sequence[str], by: str) -> list[Trial]:
        segment, found = self._rule(definition), []
        for name in people or [one.id for one in self.people[:3]]:
            one = next(
                (p for p in self.people if name in (p.id, p.name, f"email:{p.id}@x.it", f"{p.id}@x.it")), None
            )
            if one is None:
                found.append(Trial("", name, False, "", problem="Nobody has this identifier."))
                continue
            inside = one.has_basis(segment.purpose) and one.holds(segment.rule)
            found.append(Trial(one.id, one.name, inside, "3 store visits, last online order 204 days ago." if inside else "1 store visit in 30 days.", "" if inside else "A second visit brings them in.", NOW + 9 * DAY if inside else None))  # fmt: skip
        return found

    async def weeks(self, definition: dict[str, Any]) -> Weeks | None:
        return Weeks(tuple(Week(NOW - (11 - n) * 7 * DAY, 40 + n + n % 3) for n in range(12)), 60, 60)

    async def overlap(self, first: str, second: str) -> Overlap:
        known = self.known().segments
        if first not in known or second not in known:
            raise NotFound("unknown_segment", "There is no such segment.")
        a, b = ({p.id for p in self.people if p.member(name)} for name in (first, second))
        return Overlap(Named(first, known[first].name), Named(second, known[second].name), len(a - b), len(a & b), len(b - a), 60, 60, NOW)  # fmt: skip

    async def values(self, definition: dict[str, Any]) -> Values | None:
        if not self.people:
            return None
        trait = resolved_trait(parse(definition, Computed))
        found = [(p, v) for p in self.people if (v := computed(trait, p.history, NOW, ROME)) is not None]
        numbers = sorted(v for _, v in found if isinstance(v, int | float))
        tenth = (numbers[len(numbers) // 10], numbers[len(numbers) // 2], numbers[len(numbers) * 9 // 10]) if numbers else (None, None, None)  # fmt: skip
        texts = [v for _, v in found if isinstance(v, str)]
        common = tuple((t, texts.count(t)) for t in sorted(set(texts)))
        return Values(
            tuple(Value(p.id, p.name, v) for p, v in found[:8]), len(found), 60, 60, NOW, *tenth, common
        )

    def speaks_sql(self) -> bool:
        return self.with_lake

    async def sql(self, kind: Kind, definition: dict[str, Any]) -> str | None:
        return "SELECT person\nFROM events\nWHERE name = 'Store Entered' AND day > 20750\nGROUP BY 1\nHAVING COUNT(*) >= 2"

    async def save(self, kind: Kind, definition: dict[str, Any], by: str) -> Held:
        checked = self.check(kind, definition)
        if checked.faults:
            raise BadRequest("bad_rule", checked.faults[0].problem, checked.faults)
        return self._hold(kind, definition, by)

    async def remove(self, kind: AnyKind, name: str, by: str) -> None:
        if self.users(kind, name):
            raise Conflict("in_use", "The segment store-coffee uses it; change that first.")
        self.saved.pop((kind, name), None)

    async def of_person(self, person_id: str) -> PersonAudiences:
        if self.empty:
            return PersonAudiences()
        return PersonAudiences(
            (Belongs("store-coffee", "Store coffee lovers, not online", NOW - 20 * DAY, NOW + 9 * DAY), Belongs("complaint", "Open complaint")),
            (Worth("favourite", "Favourite category, 90 days", "coffee"), Worth("spent", "Spent in a year", 684.2, "€")),
        )  # fmt: skip


class FakeInsights:
    """Analyses of invented figures that add up."""

    async def funnel(self, steps: Sequence[str], days: int, within_days: int) -> Funnel:
        people = [4000 // (n + 1) ** 2 for n in range(len(steps))]
        web, pos = [n * 6 // 10 for n in people], [n - n * 6 // 10 for n in people]
        return Funnel(tuple(FunnelStep(s, n) for s, n in zip(steps, people, strict=True)), (("web", tuple(web)), ("pos", tuple(pos))), NOW - 4000)  # fmt: skip

    async def cohorts(
        self, event: str, again: str, period: Literal["week", "month"], periods: int
    ) -> Cohorts:
        rows = tuple(Cohort(f"2026-{9 + n // 4:02d}-{1 + n % 4 * 7:02d}", 40 + n, tuple(20 - k for k in range(7 - n))) for n in range(7))  # fmt: skip
        return Cohorts(rows, period, NOW - 4000)

    async def paths(self, days: int, length: int, limit: int) -> Paths:
        return Paths((PathRow(("Page Viewed", "Product Viewed", "Product Added"), 812), PathRow(("Store Entered", "Order Completed"), 400)), 3120, NOW)  # fmt: skip

    async def baskets(self, days: int, limit: int) -> Baskets:
        return Baskets((BasketRow("Espresso beans 1 kg", "Oat drink 1 l", 312, 900, 410), BasketRow("Filter papers no. 4", "Espresso beans 1 kg", 118, 240, 900)))  # fmt: skip

    async def rfm(self, days: int) -> Rfm:
        rows = tuple(tuple(40 + 25 * abs(r - w) * (r + w) % 190 for w in range(5)) for r in range(5))
        return Rfm(rows, sum(map(sum, rows)))


def lake() -> LakeView:
    """A lake that is well."""
    return LakeView(
        1_204_300, 31, NOW - 4000,
        (LakeTable("events", 214, 1_180_221, 96_400_000, 881), LakeTable("people", 16, 2_571, 900_000, 412)),
        NOW - 3_600_000, (("Events", "1,100 days"),), ((NOW - DAY, "The disk was full for 4 s; nothing was lost."),), "/data/lake",
    )  # fmt: skip


__all__ = ["Did", "FakeAudiences", "FakeInsights", "lake"]
