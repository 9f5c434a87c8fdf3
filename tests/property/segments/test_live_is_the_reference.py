"""The live execution gives the same answers as the reference over plain events, whatever comes in whatever order."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.clock import HOUR
from patron.model.events import ConsentClaim, Event
from patron.model.people import Person
from patron.rules.calendar import Calendar
from patron.rules.consent import lawful
from patron.rules.evaluate import computed, evaluate
from patron.rules.history import consents_of, history_of, traits_of
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Segment,
    Step,
    Where,
    Window,
)
from patron.rules.tree import Sequence as Order
from patron.segments import tally
from patron.segments.execution import Execution
from patron.segments.plan import Plan
from patron.segments.series import segment_series, trait_series
from patron.segments.tally import decode, encode
from patron.testing.tables import MemoryTable

DAWN = 1_774_656_000_000
"""28 March 2026, 00:00 UTC: the day before clocks go forward in Rome."""
NODES = ("user_id:1", "user_id:2", "anonymous_id:a", "anonymous_id:b")
NAMES = ("Order Completed", "Page Viewed", "Store Entered")
OPT_IN = ("ads",)
OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "exists", "missing")


class Town:
    """Nodes, who holds them, and their events: what the runtime gives the execution."""

    def __init__(self) -> None:
        self.people: dict[str, tuple[str, ...]] = {}
        self.events: dict[str, list[Event]] = {}

    def id_of(self, node: str) -> str | None:
        return next((pid for pid, nodes in self.people.items() if node in nodes), None)

    def members_of(self, person: str) -> tuple[str, ...]:
        return self.people.get(person, ())

    def is_blank(self, key: str) -> bool:
        return not self.events.get(key)

    def of(self, members: Sequence[str]) -> list[Event]:
        return [event for key in members for event in self.events.get(key, ())]

    def traits(self, members: Sequence[str], names: Collection[str]) -> Mapping[str, Any]:
        return {name: value for name, value in traits_of(self.of(members)).items() if name in names}

    def consents(self, members: Sequence[str]) -> Any:
        return consents_of(self.of(members))


numbers = st.sampled_from([0, 1, 2, 3, 5, 2.5, -1, "2"])
windows = st.one_of(
    st.none(),
    st.builds(lambda n: Window(days=n), st.sampled_from([1, 2, 3, 10, 400])),
    st.builds(lambda n: Window(hours=n), st.sampled_from([1, 2, 24, 26, 9600])),
)
bounded = windows.map(lambda w: w or Window(days=30))
wheres = st.lists(
    st.one_of(
        st.builds(
            Where,
            st.just("properties.category"),
            st.sampled_from(["=", "!=", "missing"]),
            st.sampled_from(["tea", "milk"]),
        ),
        st.builds(Where, st.just("properties.category"), st.just("in"), st.just(["tea", 1, True])),
        st.builds(Where, st.just("channel"), st.just("="), st.sampled_from(["web", "pos"])),
        st.builds(Where, st.just("weekday"), st.just(">="), st.just(6)),
        st.builds(Where, st.just("hour"), st.just("<"), st.just(12)),
        st.builds(Where, st.just("properties.price"), st.sampled_from([">", "<="]), st.just(5)),
    ),
    max_size=2,
).map(tuple)
names = st.sampled_from((*NAMES, "*"))
counted = st.builds(
    Did, names, st.sampled_from(OPERATORS), numbers, st.just("count"), st.none(), wheres, windows
)
dated = st.builds(
    Did,
    names,
    st.sampled_from(OPERATORS),
    numbers,
    st.sampled_from(["first", "last"]),
    st.none(),
    wheres,
    windows,
)
valued = st.builds(
    Did,
    names,
    st.sampled_from(OPERATORS),
    numbers,
    st.sampled_from(["sum", "average"]),
    st.just("properties.price"),
    wheres,
    windows,
)
listed = st.builds(
    Did,
    names,
    st.sampled_from(OPERATORS),
    st.one_of(numbers, st.sampled_from(["tea", "milk"])),
    st.sampled_from(["distinct", "most_frequent", "min", "max"]),
    st.sampled_from(["properties.price", "properties.category", "products[].sku"]),
    wheres,
    bounded,
)
sequences = st.builds(
    Order,
    st.lists(st.builds(Step, names, wheres), min_size=2, max_size=3).map(tuple),
    st.one_of(st.none(), st.just(Window(hours=3)), st.just(Window(days=2))),
    bounded,
)
facts = st.one_of(
    st.builds(
        Fact,
        st.sampled_from(["traits.city", "traits.home.city"]),
        st.sampled_from(["=", "missing", "!="]),
        st.just("Bari"),
    ),
    st.builds(Fact, st.just("traits.born"), st.sampled_from(["in_last", "in_next"]), st.sampled_from([1, 3])),
    st.builds(Fact, st.just("computed.t"), st.sampled_from(OPERATORS), numbers),
)
others = st.one_of(
    facts,
    st.builds(Consented, st.sampled_from(["ads", "mail"]), st.sampled_from(["*", "email"]), st.booleans()),
    st.builds(Bucket, st.sampled_from(["x", "y"]), st.just(0.25), st.sampled_from([0.5, 0.9])),
    st.builds(Member, st.sampled_from(["s0", "s1", "s2"])),
)
leaves = st.one_of(counted, counted, dated, dated, valued, listed, sequences, others)
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=4,
)
measures = st.one_of(counted, dated, valued, listed)
traits = st.builds(Computed, st.just("t"), st.just("T"), measures, st.one_of(st.none(), measures))


def _layered(found: Sequence[Any]) -> list[Segment]:
    """Segments that name only those before them."""
    segments = []
    for number, rule in enumerate(found):
        purpose = ("personalization", "ads", "mail")[number % 3]
        segments.append(Segment(f"s{number}", f"S{number}", _without(rule, number), purpose))
    return segments


def _without(rule: Any, number: int) -> Any:
    if isinstance(rule, Member) and int(rule.segment[1:]) >= number:
        return Bucket("z", 0.0, 0.5)
    if isinstance(rule, AllOf | AnyOf):
        return type(rule)(tuple(_without(one, number) for one in rule.of))
    return Not(_without(rule.rule, number)) if isinstance(rule, Not) else rule


rulebooks = st.lists(rules, min_size=3, max_size=6).map(_layered)

properties = st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(["tea", "milk", 1, True, None, ["tea"]]),
        "price": st.sampled_from([1, 2.5, "3", 10, -4, "x", True]),
        "products": st.lists(st.fixed_dictionaries({"sku": st.sampled_from(["tea", "milk", 5])}), max_size=3),
    },
)
told = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "city": st.sampled_from(["Bari", "Turin", None]),
            "home": st.sampled_from([{"city": "Bari"}, None]),
            "born": st.sampled_from(["2026-03-29", "2026-03-31T10:00:00Z", "x"]),
        },
    ),
)
claims = st.one_of(
    st.just(()),
    st.just(()),
    st.builds(
        lambda p, c, g: (ConsentClaim(p, g, c),),
        st.sampled_from(["ads", "mail", "personalization"]),
        st.sampled_from(["*", "email"]),
        st.booleans(),
    ),
)
ago = st.one_of(st.integers(0, 3 * HOUR), st.integers(0, 12 * 24 * HOUR), st.integers(0, 410 * 24 * HOUR))
happenings = st.one_of(
    st.tuples(
        st.just("event"), st.sampled_from(NODES), st.sampled_from(NAMES), ago, properties, told, claims
    ),
    st.tuples(
        st.just("event"), st.sampled_from(NODES), st.sampled_from(NAMES), ago, properties, told, claims
    ),
    st.tuples(
        st.just("clock"),
        st.sampled_from([1, HOUR, 5 * HOUR, 24 * HOUR, 30 * 24 * HOUR, 401 * 24 * HOUR]),
        st.booleans(),
    ),
    st.tuples(st.just("merge"), st.sampled_from(NODES), st.sampled_from(NODES)),
    st.tuples(st.just("split"), st.sampled_from(NODES)),
    st.tuples(st.just("chill")),
)


class Trial:
    def __init__(self, segments: list[Segment], trait: Computed, zone: str) -> None:
        self.segments, self.trait, self.calendar = segments, trait, Calendar(zone)
        defined = {trait.id: trait}
        needed = trait_series(trait).union(*(segment_series(one, defined) for one in segments))
        series = {one: number for number, one in enumerate(sorted(needed, key=lambda s: s.id))}
        numbers = {one.id: number for number, one in enumerate(reversed(segments))}
        self.plan = Plan(segments, [trait], series, numbers, self.calendar, OPT_IN)
        self.town = Town()
        self.live = Execution(MemoryTable(), MemoryTable(), self.town, self.plan)
        self.now, self.count = DAWN, 0
        self.live.turn(DAWN, 0)

    def event(self, node: str, name: str, ago: int, properties: Any, told: Any, claims: Any) -> None:
        self.count += 1
        kind = "identify" if told else "track"
        event = Event(
            self.count, "shop", ("web", "pos")[self.count % 2], kind, name, f"m{self.count}", self.now - ago, self.now,
            properties=properties, traits=told, consents=claims,
        )  # fmt: skip
        self.live.turn(self.now, self.count)
        if self.town.id_of(node) is None:
            pid = f"p_{node}"
            self.town.people[pid] = (node,)
            self.live.met((), (Person(pid, node, (node,)),))
        self.town.events.setdefault(node, []).append(event)
        self.live.event(event, node)

    def clock(self, by: int, sweep: bool) -> None:
        self.now += by
        if sweep:
            for _ in self.live.sweep(self.now):
                pass
        else:
            self.live.turn(self.now, self.count)

    def merge(self, a: str, b: str) -> None:
        first, second = self.town.id_of(a), self.town.id_of(b)
        if first is None or second is None or first == second:
            return
        before = tuple(Person(p, p, self.town.people[p]) for p in (first, second))
        members = tuple(sorted(self.town.people.pop(first) + self.town.people.pop(second)))
        pid = f"p_{members[0]}"
        self.town.people[pid] = members
        self.live.met(before, (Person(pid, members[0], members),))

    def split(self, node: str) -> None:
        pid = self.town.id_of(node)
        if pid is None or len(self.town.people[pid]) == 1:
            return
        rest = tuple(key for key in self.town.people.pop(pid) if key != node)
        parts = [f"p_{node}", f"p_{rest[0]}"]
        self.town.people[parts[0]], self.town.people[parts[1]] = (node,), rest
        self.live.regrouped([pid, *parts])
        self.live.settled()

    def chill(self) -> None:
        """Everything decoded is forgotten, as when it did not fit into memory."""
        for key, held in list(self.live.tallies.items()):
            self.live.tallies.put(key, decode(encode(held)))
        for _, row in self.live.standings.items():
            row.slack, row.leaf, row.nodes = 0, 0, ()

    def short(self, node: str) -> int:
        row = self.live.standing(f"p_{node}")
        assert row is not None
        return row.short

    def check(self, *, answers: bool = False) -> None:
        """Everybody stands as the reference says. With `answers` it is asked first of whoever is above a cap."""
        assert {pid for pid, _ in self.live.standings.items()} <= set(self.town.people)
        counts: dict[int, int] = {}
        for pid, members in self.town.people.items():
            events = self.town.of(members)
            held: dict[str, bool] = {}
            value = {"t": None}
            history = history_of(events, pid)
            history = type(history)(
                pid,
                history.events,
                history.traits,
                history.consents,
                {},
                lambda s, held=held: held.get(s, False),
                value.get,
            )
            value["t"] = computed(self.trait, history, self.now, self.calendar)
            row = self.live.standing(pid)
            assert row is not None
            stands = {}
            for segment in self.segments:
                inside = evaluate(segment.rule, history, self.now, self.calendar)
                basis = lawful(segment.purpose, history.consents, OPT_IN)
                held[segment.id] = inside and basis
                stands[segment.id] = inside, basis
            assert not row.short or pid in self.live.over
            if answers:
                bits = [(1 << self.plan.numbers[name], *stood) for name, stood in stands.items()]
                inside_now = sum(bit for bit, inside, basis in bits if inside and basis)
                barred = sum(bit for bit, inside, basis in bits if inside and not basis)
                self.live.answered(pid, inside_now, barred, "event")
                row = self.live.standing(pid)
                assert row is not None
            for segment in self.segments:
                inside, basis = stands[segment.id]
                bit = 1 << self.plan.numbers[segment.id]
                if row.short & bit and not answers:
                    assert basis or not row.bits & bit
                    continue  # as it was when the person's events were last asked
                told = (pid, segment, history.events, self.now)
                assert bool(row.bits & bit) is (inside and basis), told
                assert bool(row.barred & bit) is (inside and not basis)
            for number in self.plan.numbers.values():
                counts[number] = counts.get(number, 0) + (row.bits >> number & 1)
            shown = self.live.values(pid).get("t")
            tallies = [self.live.tallies.get(node) or {} for node in members]
            if any(meter.missing(tallies, self.plan.hours) for meter in self.plan.traits["t"].meters):
                continue
            if self.trait.measure.measure not in ("first", "last") or self.trait.per is not None:
                assert shown == value["t"]
        assert self.live.reach.members.counts() == {n: c for n, c in counts.items() if c}


@given(
    rulebooks,
    traits,
    st.sampled_from(["Europe/Rome", "America/St_Johns", "UTC"]),
    st.lists(happenings, min_size=12, max_size=30),
)
def test_every_answer_is_that_of_the_reference(segments, trait, zone, story) -> None:
    trial = Trial(segments, trait, zone)
    for kind, *told in story:
        getattr(trial, kind)(*told)
        trial.check()


@given(
    rulebooks,
    traits,
    st.sampled_from(["Europe/Rome", "UTC"]),
    st.lists(happenings, min_size=12, max_size=30),
    st.integers(1, 4),
)
def test_above_the_cap_an_answer_is_right_or_flagged(segments, trait, zone, story, cap) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "MOST", cap)
        trial = Trial(segments, trait, zone)
        for kind, *told in story:
            getattr(trial, kind)(*told)
            trial.check()


@given(
    rulebooks,
    traits,
    st.lists(st.tuples(happenings, st.booleans()), min_size=12, max_size=30),
    st.integers(1, 4),
)
def test_above_the_cap_an_answer_of_the_events_stands_and_disturbs_nobody(
    segments, trait, story, cap
) -> None:
    """Answers are given now and then: between them all that is not in doubt is right, after them everything is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "MOST", cap)
        trial = Trial(segments, trait, "Europe/Rome")
        for (kind, *told), answers in story:
            getattr(trial, kind)(*told)
            trial.check(answers=answers)
        trial.check(answers=True)


def test_nobody_is_flagged_below_the_cap() -> None:
    chain = Order((Step("Page Viewed"), Step("Order Completed")), within=Window(days=3))
    kinds = Did("Page Viewed", ">=", 2, "distinct", "properties.category", within=Window(days=3))
    trial = Trial(_layered([chain, kinds, Not(chain)]), Computed("t", "T", Did("Page Viewed")), "UTC")
    for number in range(tally.MOST):
        trial.event(NODES[0], "Page Viewed", number * 1000, {"category": "tea"}, {}, ())
    trial.event(NODES[0], "Order Completed", tally.MOST * 1000 - 1500, {}, {}, ())
    assert trial.short(NODES[0]) == 0
    trial.event(NODES[0], "Page Viewed", 0, {"category": "milk"}, {}, ())
    assert trial.short(NODES[0]) == 0b101, "the view before the order was cut off; the texts were not"
    trial.event(NODES[0], "Order Completed", 0, {}, {}, ())
    assert trial.short(NODES[0]) == 0, "what is left makes one"
    trial.clock(5 * 24 * HOUR, True)
    assert trial.short(NODES[0]) == 0
    trial.check()
