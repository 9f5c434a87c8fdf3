"""Which rules nobody without events can pass: said of the rule, and held against what the reference says of silence."""

from typing import Any

import pytest
from hypothesis import given

from patron.rules import evaluate as reference
from patron.rules.calendar import Calendar
from patron.rules.expressions.silence import may_hold_without_events
from patron.rules.history import history_of
from patron.rules.tree import AllOf, AnyOf, Bucket, Consented, Did, Fact, Member, Not, Sequence, Step
from tests.property.rules.worlds import RULES

NOW = 1_774_778_400_000
BOUGHT, NEVER = Did("A"), Did("A", "=", 0)


@pytest.mark.parametrize(
    ("rule", "may"),
    [
        (BOUGHT, False),
        (NEVER, True),
        (Did("A", ">=", 0), True),
        (Did("A", ">", 0), False),
        (Did("A", ">", -1), True),
        (Did("A", ">=", 0.0000001), True),
        (Did("A", "<", 3), True),
        (Did("A", ">=", "3"), True),
        (Did("A", "missing", None, "average", "revenue"), True),
        (Did("A", "<", 3, "average", "revenue"), False),
        (Did("A", ">=", 5, "last"), False),
        (Did("A", ">=", 5, "sum", "revenue"), False),
        (AllOf((NEVER, BOUGHT)), False),
        (AllOf((NEVER, NEVER)), True),
        (AllOf(()), True),
        (AnyOf((NEVER, BOUGHT)), True),
        (AnyOf((BOUGHT, BOUGHT)), False),
        (AnyOf(()), False),
        (Not(BOUGHT), True),
        (Sequence((Step("A"), Step("B"))), False),
        (Consented("news"), False),
        (Fact("traits.plan", "=", "gold"), False),
        (Fact("traits.plan", "missing", None), True),
        (Fact("computed.orders", "=", 0), True),
        (Member("others"), True),
        (Bucket("salt", 0.0, 0.5), True),
    ],
)
def test_what_silence_may_pass(rule: Any, may: bool) -> None:
    assert may_hold_without_events(rule) is may


@given(rule=RULES)
def test_the_reference_agrees(rule: Any) -> None:
    silent = history_of([], "p1", now=NOW, stores={})
    if not may_hold_without_events(rule):
        assert not reference.evaluate(rule, silent, NOW, Calendar("Europe/Rome"))
