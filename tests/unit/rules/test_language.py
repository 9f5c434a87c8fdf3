"""What `check` says of a condition: every fault named in a sentence that says what to write."""

import pytest

from patron.model.offers import Condition
from patron.rules.language import OPERATORS, check, is_personal, kind_of
from patron.rules.matches import prepare

GOOD = [
    Condition("traits.city", "=", "Turin"),
    Condition("traits.vip", "!=", True),
    Condition("traits.address.city", "in", ["Turin", "Bari"]),
    Condition("traits.likes", "has", "tea"),
    Condition("counters.Product Viewed", ">=", 3),
    Condition("totals.orders", "<", 2.5),
    Condition("totals.revenue.EUR", ">=", "49.90"),
    Condition("totals.revenue.USD", "in", (10, "20.5")),
    Condition("first_seen_days", ">", 30),
    Condition("last_seen_days", "missing"),
    Condition("channels.pos", "exists"),
    Condition("context.weather", "=", "rain"),
]

BAD = [
    (Condition("city", "=", "Turin"), "fields start with one of traits"),
    (Condition("trait.city", "=", "Turin"), "it starts with `traits`, not `trait`"),
    (Condition("traits", "=", "Turin"), "needs a name after it, as in `traits.NAME`"),
    (Condition("traits.", "=", "Turin"), "needs a name after it"),
    (Condition("", "=", 1), "unknown field ``"),
    (Condition("totals.revenue", ">", 1), "`totals.revenue.EUR` (a currency code)"),
    (Condition("totals.revenue.euro", ">", 1), "(a currency code)"),
    (Condition("totals.basket", ">", 1), "totals are `totals.orders`"),
    (Condition("channels.fax", "exists"), "unknown channel `fax`; use one of web app"),
    (Condition("first_seen_days.x", ">", 1), "unknown field `first_seen_days.x`"),
    (Condition("totals.orders", "=>", 2), "unknown operator `=>`; use one of ="),
    (Condition("totals.orders", ">=", "2"), "needs a number, not the text '2'"),
    (Condition("totals.orders", ">=", True), "needs a number, not true"),
    (Condition("totals.orders", ">="), "needs a number, not nothing"),
    (Condition("totals.orders", ">=", float("nan")), "needs a finite number"),
    (Condition("totals.orders", "has", 2), "use = or >="),
    (Condition("totals.revenue.EUR", ">=", "lots"), "needs an amount such as 50"),
    (Condition("traits.city", "exists", "Turin"), "`exists` takes no value"),
    (Condition("traits.city", "in", "Turin"), "`in` needs a list"),
    (Condition("traits.city", "in", []), "at least one value"),
    (Condition("traits.city", "in", ["a"] * 1001), "at most 1000 values"),
    (Condition("traits.city", "in", [["a"]]), "needs a text, a number or true/false"),
    (Condition("traits.city", "=", {"a": 1}), "needs a text, a number or true/false"),
    (Condition("traits.vip", ">", True), "compares numbers or texts, not true"),
    (Condition("traits.city", "=", "x" * 501), "at most 500 characters"),
]


@pytest.mark.parametrize("condition", GOOD, ids=str)
def test_good_conditions_have_no_problem(condition: Condition) -> None:
    assert check(condition) == []


@pytest.mark.parametrize(("condition", "words"), BAD, ids=lambda x: str(x)[:50])
def test_bad_conditions_are_named_and_cannot_be_prepared(condition: Condition, words: str) -> None:
    assert any(words in problem for problem in check(condition)), check(condition)
    with pytest.raises(ValueError, match="condition on"):
        prepare(condition)


def test_both_a_field_and_a_value_can_be_wrong() -> None:
    assert len(check(Condition("city", "exists", 4))) == 2


@pytest.mark.parametrize(
    "hostile", ["\x00", "'; DROP TABLE", "<script>", "\u202egnp", "x" * 10_000, "\ud800"]
)
def test_hostile_fields_and_operators_get_a_short_answer(hostile: str) -> None:
    for problem in check(Condition(hostile, hostile, hostile)):
        assert len(problem) < 300


def test_every_operator_is_usable_on_a_trait() -> None:
    for op in OPERATORS:
        value = None if op in ("exists", "missing") else ["a"] if op == "in" else "a"
        assert check(Condition("traits.x", op, value)) == []


def test_only_the_context_is_not_personal() -> None:
    assert not is_personal("context.weather")
    assert all(
        is_personal(f) for f in ("traits.x", "counters.x", "totals.orders", "channels.web", "first_seen_days")
    )
    assert kind_of("totals.revenue.E1R") is None
