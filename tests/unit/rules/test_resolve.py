"""Reusable conditions are filled in, hats become filters, and circles and missing names are refused by name."""

import pytest

from patron.model.errors import BadRequest
from patron.rules.references import Definitions, dependants, order, reference_problems
from patron.rules.resolve import resolve, resolved
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Computed,
    Condition,
    Did,
    Fact,
    Member,
    Not,
    Param,
    Segment,
    Sequence,
    Step,
    Use,
    Where,
    Window,
)

RECENT = Condition(
    "recent", "Bought lately", Did("Order Completed", within=Window(days=Param("days"))), {"days": 30}
)
SURE = Condition("sure", "Buys and comes", AllOf((Use("recent", {"days": {"param": "n"}}), Did("Store Entered"))), {"n": None})  # fmt: skip
KNOWN = {"recent": RECENT, "sure": SURE}


def refusal(rule, conditions=KNOWN):
    with pytest.raises(BadRequest) as refused:
        resolve(rule, conditions)
    return refused.value.faults[0]


def segment(name, rule, **more):
    return Segment(name, name.upper(), rule, **more)


class TestFilling:
    def test_defaults_and_given_values(self):
        assert resolve(Use("recent"), KNOWN).within == Window(days=30)
        assert resolve(Not(Use("recent", {"days": 7})), KNOWN).rule.within == Window(days=7)

    def test_parameters_reach_through(self):
        assert resolve(Use("sure", {"n": 5}), KNOWN).of[0].within == Window(days=5)

    def test_a_bad_value_is_told_at_the_use(self):
        fault = refusal(AllOf((Did("A"), Use("recent", {"days": -3}))))
        assert fault.path == "$.rule.of[1]"
        assert "condition `recent` at $.rule.within.days" in fault.problem

    def test_what_is_missing_or_unknown(self):
        assert "did you mean `recent`?" in refusal(Use("recnet")).problem
        assert refusal(Use("recent", {"dais": 3})).path == "$.rule.given.dais"
        assert "has no default" in refusal(Use("sure")).problem

    def test_circles_are_named(self):
        ring = {"a": Condition("a", "A", Use("b")), "b": Condition("b", "B", Not(Use("a")))}
        assert "`a` uses `b` uses `a`" in refusal(Use("a"), ring).problem

    def test_doubling_conditions_stop(self):
        many = {
            f"c{i}": Condition(f"c{i}", "C", AllOf((Use(f"c{i + 1}"), Use(f"c{i + 1}")))) for i in range(25)
        }
        many["c11"] = Condition("c11", "C", Did("A"))
        assert "more than 500 parts" in refusal(Use("c0"), many).problem

    def test_a_long_way_through_conditions_is_too_deep(self):
        many = {f"c{i}": Condition(f"c{i}", "C", Not(Use(f"c{i + 1}"))) for i in range(40)}
        many["c40"] = Condition("c40", "C", Did("A"))
        assert "nested deeper than 30" in refusal(Use("c0"), many).problem

    def test_hats_are_filters(self):
        rule = AllOf(
            (
                Did("A", where=(Where("channel", "=", "web"),)),
                Sequence((Step("B"), Step("C"))),
                Fact("traits.x", "exists"),
            )
        )
        worn = resolved(segment("s", rule, hat="consumer"), {})
        hat = Where("account", "missing")
        assert worn.rule.of[0].where[1] == hat
        assert [step.where for step in worn.rule.of[1].steps] == [(hat,), (hat,)]
        assert resolved(worn, {}) == worn

    def test_resolving_twice_changes_nothing(self):
        once = resolve(AnyOf((Use("sure", {"n": 1}), Did("A", "=", 3, "sum", "x"))), KNOWN)
        assert once.of[1].property == "properties.x"
        assert resolve(once, {}) == once


class TestReferences:
    def test_names_that_are_not_there(self):
        there = Definitions(
            {"buyers": segment("buyers", Did("A"))},
            {"orders": Computed("orders", "O", Did("A"))},
            scores=["churn"],
        )
        rule = AllOf(
            (
                Member("buyer"),
                Fact("computed.order", ">", 1),
                Use("x"),
                Fact("scores.chrun", ">", 0.5),
                Fact("traits.a", "exists"),
            )
        )
        found = {f.path: f.problem for f in reference_problems(segment("s", rule), there)}
        assert list(found) == [
            "$.rule.of[0].segment",
            "$.rule.of[1].field",
            "$.rule.of[2].condition",
            "$.rule.of[3].field",
        ]
        hinted = [problem for problem in found.values() if "did you mean" in problem]
        assert len(hinted) == 3

    def test_circles_of_segments_even_through_conditions(self):
        there = Definitions(
            {"b": segment("b", Use("in_c")), "c": segment("c", Not(Member("a")))},
            conditions={"in_c": Condition("in_c", "In C", Member("c"))},
        )
        (fault,) = reference_problems(segment("a", Member("b")), there)
        assert fault.problem == "goes round in a circle: `a` is made of `b`, `b` of `c`, `c` of `a`"
        assert reference_problems(segment("a", Member("a")), there)[0].problem.endswith("`a` is made of `a`")

    def test_circles_of_conditions(self):
        there = Definitions(conditions={"b": Condition("b", "B", Use("a"))})
        (fault,) = reference_problems(Condition("a", "A", Use("b")), there)
        assert "`a` is made of `b`, `b` of `a`" in fault.problem

    def test_a_circle_elsewhere_is_not_this_ones_fault(self):
        there = Definitions({"x": segment("x", Member("y")), "y": segment("y", Member("x"))})
        assert reference_problems(segment("a", Member("x")), there) == ()

    def test_subjects_do_not_mix(self):
        there = Definitions({"firms": segment("firms", Did("A"), subject="account")})
        assert "of the subject account" in reference_problems(segment("a", Member("firms")), there)[0].problem

    def test_order_and_dependants(self):
        chain = {f"s{i:04}": segment(f"s{i:04}", Member(f"s{i + 1:04}")) for i in range(2000)}
        chain["s2000"] = segment("s2000", Did("A"))
        there = Definitions(chain)
        assert order(there)[:2] == ("s2000", "s1999")
        assert reference_problems(segment("s2000", Member("s0000")), there)
        assert dependants(chain["s2000"], there) == ("segment s1999",)
