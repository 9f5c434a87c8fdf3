"""Wanted numbers beyond 10^9: refused where a measure is compared exactly, and one answer everywhere else."""

from collections.abc import Iterator

import duckdb
import msgspec
import pytest

from patron.model.errors import BadRequest
from patron.model.events import Event
from patron.model.lake import PEOPLE
from patron.rules import evaluate as reference
from patron.rules.calendar import Calendar
from patron.rules.check import problems
from patron.rules.expressions import IN, SUBJECT, At, standings, unbound
from patron.rules.history import history_of
from patron.rules.resolve import resolve
from patron.rules.tree import Computed, Condition, Did, Fact, Rule, Segment, Use, Where
from tests.property.rules import lake as lakes

NOW = 1_774_778_400_000
BEYOND = 10**9 + 1
MEASURES = ("count", "sum", "average", "min", "max", "distinct", "first", "last")


def _faults(rule: Rule) -> list[str]:
    return [fault.path for fault in problems(msgspec.json.encode(Segment("s", "S", rule)))]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("op", "value"), [(">", BEYOND), ("=", -BEYOND), ("in", [1, BEYOND]), ("<", 1e9 + 0.5)]
)
def test_a_measure_is_compared_with_no_number_beyond_a_thousand_million(
    measure: str, op: str, value: object
) -> None:
    field = None if measure in ("count", "first", "last") else "properties.big"
    (path,) = _faults(Did("Ordered", op, value, measure, field))
    assert path.startswith("$.rule.value")
    assert not _faults(Did("Ordered", ">", 10**9, measure, field))


def test_a_score_is_compared_with_none_either() -> None:
    assert _faults(Fact("scores.churn", ">", BEYOND)) == ["$.rule.value"]


def test_nor_through_the_parameter_of_a_condition() -> None:
    spent = Condition(
        "spent", "Spent", Did("Ordered", ">", {"param": "n"}, "sum", "properties.big"), {"n": None}
    )
    with pytest.raises(BadRequest) as refused:
        resolve(Use("spent", {"n": BEYOND}), {"spent": spent}, hat="any")
    assert "1000000000" in str(refused.value.faults)


@pytest.fixture(scope="module")
def backend() -> Iterator[duckdb.DuckDBPyConnection]:
    held = lakes.session()
    yield held
    held.close()


@pytest.mark.slow
def test_facts_and_filters_agree_with_the_lake(backend: duckdb.DuckDBPyConnection) -> None:
    values = (3 * 10**9, 2**53 - 1, BEYOND, "3000000000", 2_000_000_000.5)
    events = [
        Event(
            n,
            "s",
            "web",
            "track",
            "Ordered",
            f"m{n}",
            NOW - 100 + n,
            NOW,
            properties={"big": v, "paid": 10**9},
        )
        for n, v in enumerate(values, 1)
    ]
    events.append(Event(9, "s", "web", "identify", "", "m9", NOW - 1, NOW, traits={"big": 3 * 10**9}))
    total = Computed("total", "Total", Did("*", measure="sum", property="properties.paid"))
    wanted = (BEYOND, 3 * 10**9)
    rules: list[Rule] = [Fact("computed.total", op, n) for n in wanted for op in ("=", ">=")]
    rules += [Fact("traits.big", op, n) for n in wanted for op in ("=", "<")]
    rules += [Did("Ordered", "=", 1, where=(Where("properties.big", "=", n),)) for n in wanted]
    rules += [Did("Ordered", ">=", 3, where=(Where("properties.big", ">", n),)) for n in wanted]
    assert not [rule for rule in rules if _faults(rule)]
    lakes.fill(
        backend,
        events=lakes.events_table([(event, 1) for event in events]),
        people=lakes.table(PEOPLE, [{"node": 1, "person": "p1", "position": 1, "known": 0}]),
    )
    calendar = Calendar("UTC")
    held = history_of(events, "p1", now=NOW)
    sums = {"total": reference.computed(total, held, NOW, calendar)}
    held = msgspec.structs.replace(held, computed=sums.get)
    segments = [Segment(f"r{n}", "R", rule) for n, rule in enumerate(rules)]
    (row,) = lakes.run(backend, standings(segments, unbound(), At(NOW, calendar, (), {}, {"total": total})))
    assert row.pop(SUBJECT) == "p1"
    expected = {one.id: reference.evaluate(one.rule, held, NOW, calendar) for one in segments}
    assert {name: standing == IN for name, standing in row.items()} == expected
    assert set(expected.values()) == {True, False}
