"""Every operator on every kind of value, and every edge, by hand: SQL over a lake says what the reference says.

Random worlds meet most of these rarely; here each meets each. One person holds one value, so that an answer names what differs.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pytest

from patron.model.clock import DAY, HOUR
from patron.model.events import ConsentClaim, Event
from patron.rules import evaluate as reference
from patron.rules.calendar import Calendar
from patron.rules.expressions import IN, At, measures_of, standings
from patron.rules.history import history_of
from patron.rules.tree import Bucket, Computed, Consented, Did, Fact, Rule, Segment, Step, Where, Window
from patron.rules.tree import Sequence as Steps
from tests.property.rules import lake as lakes
from tests.property.rules.test_lake_equals_reference import OPT_IN, answers, build, owners, stands
from tests.property.rules.worlds import DATES, DECIMALS, NUMBERS, STORES, TEXTS, World

pytestmark = pytest.mark.slow

ROME = Calendar("Europe/Rome")
NOW = 1_774_778_400_000 + 13 * HOUR + 7  # on the day on which the clocks go forward
VALUES: tuple[Any, ...] = (
    *TEXTS, *DECIMALS, *NUMBERS, "teas", "steam", "milkte", "tea,milk", True, False, None, 9007199254740994, 999_999_999.9999995, -(10**9), -(10**9) - 1, 100, 10, 0.25,
    [], ["tea"], ["teas"], [1, "1"], [True], [None], ["true"], [2.5, 7], {"b": "tea"}, {"b": None}, {"tea": 1}, [["tea"]],
)  # fmt: skip
WANTED: tuple[Any, ...] = (
    "tea", "te", "", "a%_b", "1.50", "7", "true", "null", "é'\\\"", 0, 1, 7, 2.5, -1, 0.1, 10**9, 2**53, 2**53 + 1, 10**25, 0.0000005, True, False,
)  # fmt: skip
ORDERED = (">", ">=", "<", "<=")


@pytest.fixture(scope="module")
def backend() -> Iterator[duckdb.DuckDBPyConnection]:
    held = lakes.session()
    yield held
    held.close()


def event(position: int, time: int = NOW - HOUR, name: str = "E", **fields: Any) -> Event:
    """One event of the shop."""
    received = fields.pop("received", time)
    kind = "identify" if "traits" in fields else "track"
    return Event(position, "shop", "web", kind, name, f"m{position}", time, received, **fields)


def owner(node: int, person: str = "", **fields: Any) -> dict[str, Any]:
    """A row of `people`."""
    plain = {"since": None, "until": None, "position": node, "known": 0}
    return {"node": node, "person": person or f"p{node}", **plain, **fields}


def world(
    events: Sequence[tuple[Event, int]], people: Sequence[dict[str, Any]] = (), as_of: int | None = None
) -> World:
    """Events of nodes; each node a person of its own where nothing else is said."""
    nodes = sorted({node for _, node in events})
    return World(ROME, NOW, as_of, list(events), list(people) or [owner(node) for node in nodes], [])


def agree(
    backend: duckdb.DuckDBPyConnection, one: World, rules: Sequence[Rule], purpose: str = "news"
) -> int:
    """Ask both executions; gives how many answers were yes, so that a test shows it asked something."""
    at = At(one.now, one.calendar, OPT_IN, stores=STORES, as_of=one.as_of)
    segments = [Segment(f"r{n}", "R", rule, purpose) for n, rule in enumerate(rules)]
    lake, held = build(backend, one), owners(one)
    histories = {name: history_of(events, name, now=one.now, stores=STORES) for name, events in held.items()}
    yes = 0
    for start in range(0, len(segments), 60):
        some = segments[start : start + 60]
        found = answers(backend, standings(some, lake, at))
        assert found.keys() == histories.keys()
        for name, history in histories.items():
            for segment in some:
                wanted = stands(segment, history, one)
                assert found[name][segment.id] == wanted, (segment.rule, held[name])
                yes += wanted == IN
    assert 0 < yes < len(segments) * len(histories)
    return yes


def show(backend: duckdb.DuckDBPyConnection, one: World, traits: Sequence[Computed]) -> None:
    """Ask both for values."""
    found = answers(
        backend, measures_of(list(traits), build(backend, one), At(one.now, one.calendar, stores=STORES))
    )
    for name, events in owners(one).items():
        held = history_of(events, name, now=one.now, stores=STORES)
        for trait in traits:
            value = found[name][trait.id]
            shown = value if value is None or isinstance(value, str | int) else float(value)
            assert shown == reference.computed(trait, held, one.now, one.calendar), (trait, events)


def pairs() -> Iterator[tuple[str, Any]]:
    """Every operator with every value that it may have."""
    for wanted in WANTED:
        yield from ((op, wanted) for op in ("=", "!=", "has"))
        yield from ((op, [wanted]) for op in ("in", "not_in"))
        if not isinstance(wanted, bool):
            yield from ((op, wanted) for op in ORDERED)
    yield from ((op, [1, "tea", True]) for op in ("in", "not_in"))
    yield from (
        (op, text) for op in ("starts_with", "ends_with") for text in ("te", "t", "a", "", "%", '\\"')
    )
    yield from (("exists", None), ("missing", None))


@pytest.mark.parametrize("field", ["x", "category"])
def test_operators_of_properties(backend: duckdb.DuckDBPyConnection, field: str) -> None:
    events = [(event(n, properties={field: value}), n) for n, value in enumerate(VALUES, 1)]
    events.append((event(len(VALUES) + 1), len(VALUES) + 1))
    rules = [Did("E", where=(Where(f"properties.{field}", op, wanted),)) for op, wanted in pairs()]
    assert agree(backend, world(events), rules) > 1_000


def test_operators_of_texts_that_may_be_missing(backend: duckdb.DuckDBPyConnection) -> None:
    told: list[dict[str, Any]] = [
        {},
        {"store": "s1"},
        {"touchpoint": "tea"},
        {"store": "te", "touchpoint": "steam"},
    ]
    events = [(event(n, **one), n) for n, one in enumerate(told, 1)]
    rules = [
        Did("E", where=(Where(field, op, wanted),))
        for field in ("store", "touchpoint")
        for op, wanted in pairs()
    ]
    agree(backend, world(events), rules)


def test_operators_of_traits(backend: duckdb.DuckDBPyConnection) -> None:
    kept = [v for v in VALUES if not isinstance(v, int) or abs(v) < 2**63]  # profiles take no longer ones
    values = [
        *kept,
        *DATES,
        *((dt.date(2026, 3, 29) + dt.timedelta(days=n)).isoformat() for n in range(-4, 5)),
    ]
    events = [(event(n, traits={"x": value}), n) for n, value in enumerate(values, 1)]
    rules: list[Rule] = [Fact("traits.x", op, wanted) for op, wanted in pairs()]
    rules += [Fact("traits.x", op, n) for op in ("in_last", "in_next") for n in range(1, 5)]
    assert agree(backend, world(events), rules) > 1_000


def test_a_trait_within_a_trait(backend: duckdb.DuckDBPyConnection) -> None:
    told: list[dict[str, Any]] = [
        {"a": {"b": "tea"}}, {"a.b": "milk"}, {"a": {"b": "tea"}, "a.b": "milk"}, {"a": {"b": "tea"}, "a.b": None}, {"a": 1, "a.b": None}, {"a": None},
    ]  # fmt: skip
    events = [(event(n, traits=one), n) for n, one in enumerate(told, 1)]
    events += [
        (event(10, traits={"a.b": "old"}), 7),
        (event(11, NOW - 1, traits={"a": {"b": "tea"}, "a.b": None}), 7),
    ]
    agree(backend, world(events), [Fact("traits.a.b", op, "tea") for op in ("=", "!=", "exists", "missing")])
    inner = [(event(n, properties=one), n) for n, one in enumerate(told, 1)]
    where = [Where("properties.a.b", op, "tea") for op in ("=", "!=", "exists", "missing")]
    agree(backend, world(inner), [Did("E", where=(one,)) for one in where])


MEASURES = ("sum", "average", "min", "max", "distinct", "most_frequent")
LISTS: tuple[tuple[Any, ...], ...] = (
    *((value,) for value in VALUES), (1, 2), (2, 1, 2), ("tea", "milk", "tea"), ("tea", "milk"), (0.000001, 0), (0.000003, 0), (-0.000001, 0), (1, 1, 2), (0.1, 0.2), (5, -5),
    (1, 0, 0), (2, 0, 0), (10**9, 10**9), (2.5, "2.5", 2.50), ("7", 7), (100, 200), ("z", "a", "m"),
)  # fmt: skip


def test_measures_as_they_are_shown(backend: duckdb.DuckDBPyConnection) -> None:
    events = _lists()
    known = MEASURES
    traits = [Computed(name, "C", Did("E", measure=name, property="properties.x")) for name in known]
    per = [
        Did("E", measure="sum", property="properties.x"),
        Did("E"),
        Did("E", measure="min", property="properties.x"),
    ]
    tops = [Did("E", measure=name, property="properties.x") for name in ("sum", "average")]
    traits += [
        Computed(f"q{n}{m}", "C", top, below) for n, top in enumerate(tops) for m, below in enumerate(per)
    ]
    traits += [Computed(name, "C", Did("E", measure=name)) for name in ("first", "last")]
    show(backend, world(events), traits)


def _lists() -> list[tuple[Event, int]]:
    events, position = [], 0
    for node, values in enumerate(LISTS, 1):
        for back, value in enumerate(values):
            position += 1
            events.append((event(position, NOW - HOUR - back * DAY, properties={"x": value}), node))
    return events


def test_measures_compared(backend: duckdb.DuckDBPyConnection) -> None:
    wanted = (0, 1, 2, 3, 2.5, 0.5, 1.5, 0.3, 7, -1, 0.000001, 0.0000005, 10**9, "tea", True)
    rules: list[Rule] = []
    for measure in ("count", "sum", "average", "min", "max", "distinct"):
        field = None if measure == "count" else "properties.x"
        for value in wanted:
            ops = ("=", "!=", *ORDERED) if type(value) in (int, float) else ("=", "!=")
            rules += [Did("E", op, value, measure, field) for op in ops]
        rules += [Did("E", op, [1, "tea", 2.5], measure, field) for op in ("in", "not_in")]
        rules += [Did("E", op, None, measure, field) for op in ("exists", "missing")]
    rules += [
        Did("E", op, text, "most_frequent", "properties.x")
        for op in ("=", "!=", ">")
        for text in ("tea", "milk", "1")
    ]
    agree(backend, world(_lists()), rules)


def test_edges_of_windows_days_and_hours(backend: duckdb.DuckDBPyConnection) -> None:
    day = ROME.day(NOW)
    edges = (
        [ROME.begins(day - back) for back in range(9)]
        + [NOW // HOUR * HOUR - back * HOUR for back in range(-1, 6)]
        + [NOW]
    )
    times = sorted({edge + step for edge in edges for step in (-1, 0, 1)})
    events = [(event(n, time), n) for n, time in enumerate(times, 1)]
    windows = [Window(days=n) for n in range(1, 8)] + [Window(hours=n) for n in range(1, 6)]
    rules: list[Rule] = [Did("E", within=window) for window in windows]
    rules += [Did("E", where=(Where("weekday", "=", n),)) for n in range(8)]
    rules += [Did("E", where=(Where("hour", "=", n),)) for n in range(24)]
    for measure in ("first", "last"):
        rules += [Did("E", op, value, measure) for op in ("=", *ORDERED) for value in (0, 1, 2, 2.5, 7)]
    agree(backend, world(events), rules)
    twice = [
        pair
        for n, time in enumerate(times, 1)
        for pair in ((event(2 * n, time), n), (event(2 * n + 1, NOW - 3 * DAY), n))
    ]
    show(backend, world(twice), [Computed(name, "C", Did("E", measure=name)) for name in ("first", "last")])


def test_edges_of_sequences(backend: duckdb.DuckDBPyConnection) -> None:
    events, position = [], 0
    starts = [(NOW - DAY, after) for after in (-1, 0, 1, HOUR - 1, HOUR, HOUR + 1, DAY - 1, DAY, DAY + 1)]
    since = ROME.since(Window(days=2), NOW)
    assert since is not None
    starts += [(since + step, after) for step in (-1, 0, 1) for after in (1, HOUR)]
    for node, (start, after) in enumerate(starts, 1):
        for name, time in (("A", start), ("B", start + after)):
            position += 1
            events.append((event(position, min(time, NOW), name), node))
    for node, names in enumerate(("AAB", "ABA", "BA", "A", "AABB", "ABAB"), 101):
        for step, name in enumerate(names):
            position += 1
            events.append((event(position, NOW - DAY + step * 40 * 60_000, name), node))
    for node, times in enumerate(((0, 0, 30), (0, 70, 90), (0, 0, 0), (0, 30, 100), (50, 0, 100)), 201):
        for name, minutes in zip("ABA", times, strict=True):
            position += 1
            events.append((event(position, NOW - DAY + minutes * 60_000, name), node))
    chains = [tuple(map(Step, names)) for names in ("AB", "BA", "AA", "ABA", "AAB", "ABB")]
    limits = (None, Window(hours=1), Window(days=1))
    agree(
        backend,
        world(events),
        [
            Steps(chain, limit, within)
            for chain in chains
            for limit in limits
            for within in (None, Window(days=2))
        ],
    )


def test_edges_of_who_had_a_node_and_of_what_was_known(backend: duckdb.DuckDBPyConnection) -> None:
    cut, asked = NOW - 5 * HOUR, NOW - 2 * HOUR
    events = [
        (event(n, cut + step, properties={"n": n}, received=NOW - 4 * HOUR), 1)
        for n, step in enumerate((-1, 0, 1), 1)
    ]
    events += [
        (event(n, NOW - 3 * HOUR, properties={"n": n}, received=asked + step), 2)
        for n, step in enumerate((-1, 0, 1), 4)
    ]
    people = [
        owner(1, "old", position=1), owner(1, "a", position=2, until=cut * 1000), owner(1, "b", position=2, since=cut * 1000),
        owner(2, "c", position=3), owner(2, "d", position=4, known=asked * 1000), owner(2, "e", position=5, known=(asked + 1) * 1000),
    ]  # fmt: skip
    rules: list[Rule] = [Did("E", where=(Where("properties.n", "=", n),)) for n in range(1, 7)]
    for as_of in (None, asked - 1, asked, asked + 1):
        agree(backend, world(events, people, as_of), rules)


def test_what_was_said_last_and_everywhere(backend: duckdb.DuckDBPyConnection) -> None:
    yes, no = [
        [ConsentClaim("ads", granted, where) for where in ("*", "email", "web")] for granted in (True, False)
    ]
    stories: list[list[tuple[ConsentClaim, ...]]] = [
        [], *([one] for one in (*[(c,) for c in yes], *[(c,) for c in no])), [(yes[0],), (no[0],)], [(no[0],), (yes[0],)], [(yes[0], no[0])], [(yes[1], no[1])],
        [(yes[0],), (no[1],)], [(no[0],), (yes[1],)], [(no[2],), (yes[0],)],
    ]  # fmt: skip
    events, position = [], 0
    for node, story in enumerate(stories, 1):
        for step, claims in enumerate(story or [()]):
            position += 1
            events.append((event(position, NOW - DAY + step, consents=claims), node))
    same = len(stories) + 1
    events += [
        (event(position + 1, consents=(yes[0],)), same),
        (event(position + 2, consents=(no[0],)), same),
    ]
    rules: list[Rule] = [
        Consented("ads", where, granted)
        for where in ("*", "email", "web", "sms")
        for granted in (True, False)
    ]
    agree(backend, world(events), rules)
    for purpose in ("ads", "news"):  # the first needs a yes (OPT_IN), the other the absence of a no
        agree(backend, world(events), [Did("E"), Did("F")], purpose)


def test_edges_of_buckets(backend: duckdb.DuckDBPyConnection) -> None:
    events = [(event(n), n) for n in range(1, 40)]
    shares = [int(hashlib.md5(f"s:p{n}".encode()).hexdigest()[:8], 16) / 2**32 for n in range(1, 40)]
    step = 2.0**-32
    rules: list[Rule] = [Bucket("s", 0.0, share) for share in shares] + [
        Bucket("s", share, 1.0) for share in shares
    ]
    rules += [Bucket("s", share, share + step) for share in shares] + [
        Bucket("s", share + step, 1.0) for share in shares
    ]
    agree(backend, world(events), rules)
