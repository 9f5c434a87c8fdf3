"""Laws of the language, on random rules and histories: what is written comes back, order does not matter, time turns answers on the hour."""

import jsonschema_rs
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from patron.model.clock import DAY, HOUR
from patron.rules.calendar import Calendar
from patron.rules.check import parse_rule, problems
from patron.rules.classify import classify
from patron.rules.describe import describe_rule
from patron.rules.evaluate import evaluate
from patron.rules.explain import explain
from patron.rules.history import history_of
from patron.rules.resolve import resolve
from patron.rules.schema import schema
from patron.rules.turning import turns
from tests.property.rules.random_rules import ZONES, histories, rules

CALENDARS = {zone: Calendar(zone) for zone in ZONES}
calendars = st.sampled_from(ZONES).map(CALENDARS.get)
SCHEMA = jsonschema_rs.validator_for(schema("rule"))
HORIZON = 7 * DAY
"""All windows and thresholds of the random rules are past by then."""


@given(rules)
def test_a_good_rule_passes_the_check_and_comes_back(rule):
    written = msgspec.json.encode(rule)
    assert problems(written, "rule") == ()
    assert SCHEMA.is_valid(msgspec.json.decode(written))
    again = parse_rule(written)
    assert msgspec.json.encode(again) == written
    assert resolve(resolve(again, {}), {}) == resolve(again, {})


@given(rules, histories(), calendars)
def test_the_order_of_arrival_does_not_matter(rule, history, calendar):
    events, now = history
    outcomes = {evaluate(rule, history_of(some, "p_1"), now, calendar) for some in (events, events[::-1])}
    assert len(outcomes) == 1


@given(rules, histories(), calendars)
def test_resolving_changes_no_answer(rule, history, calendar):
    events, now = history
    one = history_of(events, "p_1")
    assert evaluate(resolve(rule, {}), one, now, calendar) == evaluate(rule, one, now, calendar)


@given(rules, histories(), calendars)
def test_an_answer_stands_until_it_turns(rule, history, calendar):
    events, now = history
    one = history_of(events, "p_1")
    before, turn = evaluate(rule, one, now, calendar), turns(rule, one, now, calendar)
    last = now + HORIZON if turn is None else turn - 1
    for at in range(now, last + 1, HOUR):
        assert evaluate(rule, one, at, calendar) is before
    assert evaluate(rule, one, last, calendar) is before
    if turn is not None:
        assert turn % HOUR == 0
        assert evaluate(rule, one, turn, calendar) is not before


@given(rules, histories(), calendars)
def test_an_explanation_agrees(rule, history, calendar):
    events, now = history
    one = history_of(events, "p_1")
    why = explain(rule, one, now, calendar)
    assert why.held is evaluate(rule, one, now, calendar)
    assert why.until == turns(rule, one, now, calendar)
    parts = [why]
    while parts:
        part = parts.pop()
        assert part.sentence.endswith(".")
        assert len(part.events) <= 5
        assert {e.position for e in part.events} <= {e.position for e in events}
        parts += part.of


@given(rules)
def test_every_rule_has_a_sentence_and_a_class(rule):
    text = describe_rule(rule).text
    assert text.startswith("People ")
    assert text.endswith(".")
    assert text.isprintable()
    execution = classify(rule)
    assert execution.live is (not execution.reasons)
    assert 0 <= execution.bytes <= execution.most
