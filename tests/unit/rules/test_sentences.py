"""Conditions in words."""

import pytest

from patron.model.events import CHANNELS
from patron.model.offers import Condition
from patron.rules.language import OPERATORS
from patron.rules.sentences import clean, sentence, value_text

ROWS = [
    (("totals.orders", ">=", 2), "has bought at least 2 times"),
    (("totals.orders", "=", 1), "has bought exactly 1 time"),
    (("totals.orders", "missing"), "has never bought"),
    (("totals.revenue.EUR", ">", "49.9"), "has spent more than EUR 49.90"),
    (("totals.revenue.EUR", "missing"), "has never spent money in EUR"),
    (("counters.Product Viewed", "<", 3), "has done “Product Viewed” less than 3 times"),
    (("counters.Product Viewed", "missing"), "has never done “Product Viewed”"),
    (("channels.pos", "exists"), "has been seen at a till"),
    (("channels.web", ">", 5), "has been seen on the web more than 5 times"),
    (("first_seen_days", ">=", 30), "was first seen at least 30 days ago"),
    (("last_seen_days", "missing"), "has never been seen"),
    (("traits.city", "=", "Turin"), "has a city that is Turin"),
    (("traits.home_city", "in", ["Turin", "Bari"]), "has a home city that is one of Turin, Bari"),
    (("traits.vip", "=", True), "has a vip that is yes"),
    (("traits.phone", "missing"), "has no known phone"),
    (("traits.likes", "has", "tea"), "has a likes that includes tea"),
    (("context.weather", "=", "rain"), "weather is rain here and now"),
    (("context.weather", "exists"), "weather is known here"),
]


@pytest.mark.parametrize(("parts", "expected"), ROWS, ids=str)
def test_sentences(parts: tuple[object, ...], expected: str) -> None:
    assert sentence(Condition(*parts)) == expected  # type: ignore[arg-type]


def test_every_operator_on_every_kind_of_field_has_a_sentence() -> None:
    fields = ["traits.a", "context.a", "totals.orders", "totals.revenue.EUR", "first_seen_days", "counters.A"]
    for field in [*fields, *(f"channels.{channel}" for channel in CHANNELS)]:
        for op in OPERATORS:
            if op == "has" and not field.startswith(("traits", "context")):
                continue
            value = None if op in ("exists", "missing") else [1, 2] if op == "in" else 1
            said = sentence(Condition(field, op, value))
            assert said
            assert "None" not in said


@pytest.mark.parametrize("hostile", ["\u202ecba", "a\x00b", "a\nb", "\u2066x\u2069", "x" * 10_000])
def test_values_in_sentences_are_one_short_printable_line(hostile: str) -> None:
    for said in (clean(hostile), value_text("", hostile), value_text("", [hostile] * 9)):
        assert said.isprintable()
        assert len(said) <= 80
