"""Insights against counting in plain Python, on small random worlds."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, groupby
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.insights import Funnel, Insight, Pairs, Paths, Retention, Rfm, Sessions, row_of
from patron.model.clock import DAY, MINUTE
from patron.model.events import Event, event_id
from patron.model.lake import PEOPLE
from patron.rules.calendar import Calendar
from patron.rules.expressions import At, unbound
from tests.property.costly import costly
from tests.property.rules import lake as lakes

pytestmark = pytest.mark.slow

NOW = 1_774_778_400_000
ROME = Calendar("Europe/Rome")
AT = At(NOW, ROME)
NAMES = ("A", "B", "C")
_TIMES = st.integers(0, 40 * 48).map(lambda half: NOW - half * 30 * MINUTE) | st.integers(NOW - 9 * DAY, NOW)
_GOODS = st.lists(st.sampled_from(("p", "q", "r")), max_size=3)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("A", "B", "C", "Order Completed")),
        st.sampled_from(("web", "pos")),
        _TIMES,
        st.integers(1, 3),
        _GOODS,
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def backend() -> Iterator[duckdb.DuckDBPyConnection]:
    held = lakes.session()
    yield held
    held.close()


def put(backend: duckdb.DuckDBPyConnection, told: list[Any]) -> dict[str, list[Event]]:
    """The lake of these events, and every person's events in order. Nodes 1 and 2 are one person."""
    placed = [
        (
            Event(
                i, "s", channel, "track", name, f"m{i}", time, time,
                properties={"revenue": i, "products": [{"product_id": p} for p in goods]},
            ),
            node,
        )
        for i, (name, channel, time, node, goods) in enumerate(told, 1)
    ]  # fmt: skip
    people = [{"node": n, "person": "p1" if n < 3 else "p3", "position": 1, "known": 0} for n in (1, 2, 3)]
    lakes.fill(backend, events=lakes.events_table(placed), people=lakes.table(PEOPLE, people))
    found: dict[str, list[Event]] = {}
    for event, node in sorted(placed, key=lambda p: (p[0].time, event_id(p[0].uid))):
        found.setdefault("p1" if node < 3 else "p3", []).append(event)
    return found


def ask(backend: duckdb.DuckDBPyConnection, question: Insight) -> list[Any]:
    rows = lakes.run(backend, question.expression(unbound(), AT))
    return [row_of(question, row) for row in rows]


def inside(events: list[Event], days: int) -> list[Event]:
    return [e for e in events if ROME.days_ago(e.time, NOW) < days]


def farthest(events: list[Event], steps: tuple[str, ...], limit: int) -> int:
    """Every chain tried."""
    best = 0

    def walk(at: int, step: int, begin: int) -> None:
        nonlocal best
        best = max(best, step)
        if step == len(steps):
            return
        for i in range(at, len(events)):
            e = events[i]
            if e.name == steps[step] and (step == 0 or e.time - begin <= limit):
                walk(i + 1, step + 1, e.time if step == 0 else begin)

    walk(0, 0, 0)
    return best


@costly
@given(told=EVENTS, steps=st.sampled_from((NAMES, NAMES, ("A", "A"), ("A",), ("A", "B", "A", "C"))))
def test_funnel(backend: duckdb.DuckDBPyConnection, told: list[Any], steps: tuple[str, ...]) -> None:
    people = {who: inside(events, 30) for who, events in put(backend, told).items()}
    wanted: Counter[tuple[str, str, int]] = Counter()
    for events in people.values():
        far = farthest(events, steps, 2 * DAY)
        first = min((e.time for e in events if e.name == "A"), default=0)
        entry = min((e.channel for e in events if e.name == "A" and e.time == first), default="")
        for step in range(1, far + 1):
            wanted["across", "*", step] += 1
            wanted["entered", entry, step] += 1
        for channel in ("web", "pos"):
            for step in range(1, farthest([e for e in events if e.channel == channel], steps, 2 * DAY) + 1):
                wanted["within", channel, step] += 1
    found = {(r.scope, r.channel, r.step): r.people for r in ask(backend, Funnel(steps, 2)) if r.people}
    assert found == dict(wanted)


def sessions_of(events: list[Event]) -> list[list[Event]]:
    found: list[list[Event]] = []
    for event in events:
        if found and event.time - found[-1][-1].time <= 30 * MINUTE:
            found[-1].append(event)
        else:
            found.append([event])
    return found


@costly
@given(told=EVENTS)
def test_sessions_and_paths(backend: duckdb.DuckDBPyConnection, told: list[Any]) -> None:
    people = {who: sessions_of(inside(events, 30)) for who, events in put(backend, told).items()}
    days: dict[int, list[Any]] = {}
    paths: dict[str, list[str]] = {}
    for who, sessions in people.items():
        for s in sessions:
            days.setdefault(ROME.day(s[0].time), []).append((who, s))
            path = " > ".join([name for name, _ in groupby(e.name for e in s)][:2])
            paths.setdefault(path, []).append(who)
    found = {r.day: (r.sessions, r.people, r.events, r.milliseconds) for r in ask(backend, Sessions())}
    assert found == {
        day: (
            len(held),
            len({w for w, _ in held}),
            sum(len(s) for _, s in held),
            sum(s[-1].time - s[0].time for _, s in held),
        )
        for day, held in days.items()
    }
    walked = [(r.path, r.sessions, r.people) for r in ask(backend, Paths(steps=2, top=3))]
    assert (
        walked
        == sorted(((p, len(w), len(set(w))) for p, w in paths.items()), key=lambda r: (-r[1], r[0]))[:3]
    )


@costly
@given(told=EVENTS)
def test_retention(backend: duckdb.DuckDBPyConnection, told: list[Any]) -> None:
    def week(event: Event) -> int:
        return (ROME.day(event.time) - 4) // 7

    wanted: Counter[tuple[int, int]] = Counter()
    for events in put(backend, told).values():
        first = min((week(e) for e in events if e.name == "A"), default=None)
        if first is not None and first > (ROME.day(NOW) - 4) // 7 - 4:
            wanted[first, 0] += 1
            wanted.update((first, w - first) for w in {week(e) for e in events if e.name == "B"} if w > first)
    found = {((r.cohort - 4) // 7, r.period): r.people for r in ask(backend, Retention("A", "B", periods=4))}
    assert found == dict(wanted)


@costly
@given(told=EVENTS)
def test_pairs_and_rfm(backend: duckdb.DuckDBPyConnection, told: list[Any]) -> None:
    people = put(backend, told)
    orders = [e for events in people.values() for e in inside(events, 20) if e.name == "Order Completed"]
    baskets = [{p["product_id"] for p in e.properties["products"]} for e in orders]
    pairs = Counter(pair for basket in baskets for pair in combinations(sorted(basket), 2))
    alone = Counter(product for basket in baskets for product in basket)
    wanted = sorted(
        ((a, b, n, alone[a], alone[b]) for (a, b), n in pairs.items()), key=lambda r: (-r[2], *r[:2])
    )
    assert [(r.a, r.b, r.orders, r.a_orders, r.b_orders) for r in ask(backend, Pairs(days=20))] == wanted
    buyers = {who: [e for e in events if e.name == "Order Completed"] for who, events in people.items()}
    buyers = {who: events for who, events in buyers.items() if events}
    ranks = [
        sorted(buyers, key=lambda who: (key(buyers[who]), who))
        for key in (lambda o: o[-1].time, len, lambda o: sum(e.properties["revenue"] for e in o))
    ]
    scored = Counter(
        tuple(rank.index(who) + 1 for rank in ranks) for who in buyers
    )  # fewer than five: one a tile
    assert {(r.recency, r.frequency, r.monetary): r.people for r in ask(backend, Rfm())} == dict(scored)
