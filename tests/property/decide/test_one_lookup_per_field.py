"""One rule, two executions: the index over many conditions says what `matches` says of each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.offers import Condition
from patron.rules.index import FieldIndex
from patron.rules.language import check
from patron.rules.matches import matches
from patron.rules.sentences import sentence

# A small space of values: ties, neighbours and values of another kind must be common.
NUMBERS = st.one_of(st.integers(-2, 3), st.sampled_from([0.5, 1.0, -0.0, 2**53, 2**53 + 1, 1e300]))
TEXTS = st.sampled_from(["", "a", "ab", "b", "B", "1", "true", "é", "\x00"])
SCALARS = st.one_of(NUMBERS, TEXTS, st.booleans())
FACTS = st.one_of(
    SCALARS,
    st.none(),
    st.just(float("nan")),
    st.lists(SCALARS, max_size=3),
    st.just({"a": 1}),
    st.integers(),
    st.text(),
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    op = draw(st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "in", "has", "exists", "missing"]))
    if op in ("exists", "missing"):
        return Condition("traits.x", op)
    if op == "in":
        return Condition("traits.x", op, draw(st.lists(SCALARS, min_size=1, max_size=4)))
    return Condition(
        "traits.x", op, draw(st.one_of(NUMBERS, TEXTS) if op in (">", ">=", "<", "<=") else SCALARS)
    )


@given(st.lists(conditions(), min_size=1, max_size=8), FACTS)
def test_the_index_fails_exactly_what_does_not_match(rules: list[Condition], fact: Any) -> None:
    index = FieldIndex("traits.x", [(rule, 1 << i) for i, rule in enumerate(rules)])
    facts = {"traits.x": fact}
    expected = sum(1 << i for i, rule in enumerate(rules) if not matches(rule, facts))
    assert index.failing(facts) == expected
    assert index.every == (1 << len(rules)) - 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["=", "!=", ">", ">=", "<", "<="]), st.sampled_from([0, 1, "1.00", "0.0001", 2.5])
        ),
        min_size=1,
        max_size=6,
    ),
    st.one_of(st.none(), st.sampled_from([0, 1, 10_000, 9_999, 25_000, -1])),
)
def test_money_is_compared_in_exact_units(rows: list[tuple[str, Any]], units: int | None) -> None:
    rules = [Condition("totals.revenue.EUR", op, value) for op, value in rows]
    index = FieldIndex("totals.revenue.EUR", [(rule, 1 << i) for i, rule in enumerate(rules)])
    facts = {"totals.revenue.EUR": units}
    assert index.failing(facts) == sum(1 << i for i, rule in enumerate(rules) if not matches(rule, facts))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "missing", "exists"]),
            st.sampled_from([-1, 0, 0.5, 1, 2]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.one_of(st.none(), st.integers(0, 2)),
)
def test_a_missing_count_compares_as_zero_in_both(rows: list[tuple[str, Any]], count: int | None) -> None:
    field = "counters.Product Viewed"
    rules = [Condition(field, op, None if op in ("missing", "exists") else value) for op, value in rows]
    index = FieldIndex(field, [(rule, 1 << i) for i, rule in enumerate(rules)])
    for facts in ({field: count}, {} if count is None else {field: count}):
        expected = sum(1 << i for i, rule in enumerate(rules) if not matches(rule, facts))
        assert index.failing(facts) == expected
    if count is None:
        compared = sum(1 << i for i, (op, _) in enumerate(rows) if op not in ("missing", "exists"))
        assert index.failing({}) & compared == index.failing({field: 0}) & compared


@given(conditions())
def test_what_is_checked_good_can_be_said_and_matched(rule: Condition) -> None:
    assert check(rule) == []
    assert "None" not in sentence(rule)


def test_an_index_is_about_one_field() -> None:
    with pytest.raises(ValueError, match="must be on"):
        FieldIndex("traits.x", [(Condition("traits.y", "exists"), 1)])
