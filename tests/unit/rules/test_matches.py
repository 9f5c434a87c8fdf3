"""Conditions on facts: values, missing values, unlike types."""

import pytest

from patron.model.clock import DAY
from patron.model.offers import Condition
from patron.rules.facts import facts_of
from patron.rules.matches import matches

FACTS = {
    "traits.city": "Turin",
    "traits.age": 41,
    "traits.score": 0.5,
    "traits.vip": True,
    "traits.likes": ["tea", "milk", 3],
    "traits.empty": "",
    "counters.Product Viewed": 1,
    "totals.orders": 2,
    "totals.revenue.EUR": 499_000,
    "traits.since": "2024-03-01",
}

ROWS = [
    ("traits.city", "=", "Turin", True),
    ("traits.city", "=", "turin", False),
    ("traits.city", "!=", "Bari", True),
    ("traits.city", "!=", "Turin", False),
    ("traits.city", "!=", 5, True),
    ("traits.city", ">", 5, False),
    ("traits.city", "in", ["Bari", "Turin"], True),
    ("traits.city", "in", ["Bari"], False),
    ("traits.city", "has", "uri", True),
    ("traits.city", "has", "Uri", False),
    ("traits.city", "has", 1, False),
    ("traits.since", ">=", "2024-01-01", True),
    ("traits.since", "<", "2024-01-01", False),
    ("traits.since", ">=", 2024, False),
    ("traits.age", "=", 41.0, True),
    ("traits.age", "=", "41", False),
    ("traits.age", ">", 41, False),
    ("traits.age", ">=", 41, True),
    ("traits.age", "<=", 41, True),
    ("traits.age", "<", 41, False),
    ("traits.age", "in", [40, 41], True),
    ("traits.score", "<", 1, True),
    ("traits.vip", "=", True, True),
    ("traits.vip", "=", 1, False),
    ("traits.vip", "!=", 1, True),
    ("traits.vip", "in", [1], False),
    ("traits.vip", "in", [True], True),
    ("traits.vip", ">", 0, False),
    ("traits.likes", "has", "tea", True),
    ("traits.likes", "has", "te", False),
    ("traits.likes", "has", 3, True),
    ("traits.likes", "has", True, False),
    ("traits.likes", "in", ["milk", "oil"], True),
    ("traits.likes", "in", ["oil"], False),
    ("traits.likes", "=", "tea", False),
    ("traits.empty", "exists", None, True),
    ("traits.empty", "missing", None, False),
    ("totals.revenue.EUR", ">=", "49.90", True),
    ("totals.revenue.EUR", ">", 49.9, False),
    ("totals.revenue.EUR", "in", ["49.90", 3], True),
    ("counters.Product Viewed", "=", 1, True),
]


@pytest.mark.parametrize(("field", "op", "value", "expected"), ROWS, ids=str)
def test_a_condition_holds_or_not(field: str, op: str, value: object, expected: bool) -> None:
    assert matches(Condition(field, op, value), FACTS) is expected


@pytest.mark.parametrize("op", ["=", "!=", ">", ">=", "<", "<=", "in", "has", "exists"])
def test_a_missing_value_matches_nothing(op: str) -> None:
    value = None if op == "exists" else [0, "", False] if op == "in" else "" if op == "has" else 0
    for facts in ({}, {"traits.gone": None}):
        assert matches(Condition("traits.gone", op, value), facts) is False


@pytest.mark.parametrize(
    "field", ["counters.Store Visited", "channels.pos", "totals.revenue.GBP", "totals.orders"]
)
def test_what_never_happened_happened_zero_times(field: str) -> None:
    for facts in ({}, {field: None}, {field: 0}):
        found = [
            op
            for op, value in (
                ("<", 1), ("<=", 0), ("=", 0), (">=", 0), ("!=", 1), ("in", [0, 1]), ("!=", 0), (">", 0), ("=", 1), (">=", 1),
            )
            if matches(Condition(field, op, value), facts)
        ]  # fmt: skip
        assert found == ["<", "<=", "=", ">=", "!=", "in"], facts
    assert matches(Condition(field, "missing"), {})
    assert not matches(Condition(field, "exists"), {})
    assert not matches(Condition(field, "missing"), {field: 0})


def test_missing_matches_only_what_is_missing() -> None:
    assert matches(Condition("traits.gone", "missing"), {})
    assert matches(Condition("traits.gone", "missing"), {"traits.gone": None})
    assert not matches(Condition("traits.gone", "missing"), {"traits.gone": False})


@pytest.mark.parametrize(
    "odd", [{}, [], {"a": 1}, [[1]], float("nan"), 10**400, "x" * 10_000, "\x00", "\ud800"]
)
@pytest.mark.parametrize("op", ["=", "!=", ">", "<=", "in", "has"])
def test_odd_facts_never_raise(odd: object, op: str) -> None:
    for value in (3, "x", 1.5):
        held = matches(Condition("traits.odd", op, [value] if op == "in" else value), {"traits.odd": odd})
        assert held in (True, False)


def test_facts_are_laid_out_by_field_name() -> None:
    facts = facts_of(
        now=100 * DAY + 5,
        traits={"city": "Turin", "address": {"zip": {"code": "10121"}}, "a.b": 1, "a": {"b": 2}},
        counters={"Product Viewed": 4},
        orders=2,
        revenue={"EUR": 413_000},
        channels={"web": 7},
        first_seen=40 * DAY,
        last_seen=101 * DAY,
        context={"weather": "rain"},
    )
    assert facts["traits.address.zip.code"] == "10121"
    assert facts["traits.a.b"] == 1, "a name that holds a dot stands above a nested one"
    assert facts["first_seen_days"] == 60
    assert facts["last_seen_days"] == 0, "an event from the future is seen today, not in -1 days"
    assert facts["context.weather"] == "rain"
    assert (facts["counters.Product Viewed"], facts["channels.web"], facts["totals.revenue.EUR"]) == (
        4,
        7,
        413_000,
    )


def test_the_context_cannot_pose_as_the_person() -> None:
    facts = facts_of(now=0, traits={"vip": False}, context={"traits.vip": True, "traits": {"vip": True}})
    assert facts["traits.vip"] is False


def test_very_deep_traits_are_cut_not_followed() -> None:
    deep: dict[str, object] = {"end": 1}
    for _ in range(60):
        deep = {"x": deep}
    assert max(field.count(".") for field in facts_of(now=0, traits=deep)) == 4
