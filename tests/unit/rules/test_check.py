"""Bad definitions are refused with the path and what to write instead; good ones come back as values."""

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.errors import BadRequest
from patron.rules import check
from patron.rules.check import parse, parse_rule, problems
from patron.rules.tree import AllOf, Computed, Condition, Did, Param, Segment, Where, Window

DID = {"kind": "did", "event": "Order Completed"}


def faults(rule, form="rule"):
    return {fault.path: fault.problem for fault in problems(rule, form)}


def did(**fields):
    return {**DID, **fields}


def where(**fields):
    return did(where=[fields])


class TestGoodOnes:
    def test_the_example_of_the_page(self):
        rule = parse_rule(
            b"""{"kind": "all", "of": [
              {"kind": "did", "event": "Store Entered", "op": ">=", "value": 2, "within": {"days": 30}},
              {"kind": "not", "rule": {"kind": "did", "event": "Order Completed",
                "where": [{"field": "channel", "op": "in", "value": ["web", "app"]}], "within": {"days": 90}}}]}"""
        )
        assert isinstance(rule, AllOf)
        assert rule.of[0] == Did("Store Entered", ">=", 2, within=Window(days=30))
        assert rule.of[1].rule.where == (Where("channel", "in", ["web", "app"]),)

    def test_a_trait_needs_no_kind_in_its_measures(self):
        trait = parse({"id": "r", "name": "R", "measure": DID, "per": {"event": "Order Refunded"}}, Computed)
        assert trait.per == Did("Order Refunded")

    def test_a_condition_keeps_its_holes(self):
        data = {
            "id": "c",
            "name": "C",
            "rule": did(within={"days": {"param": "days"}}),
            "parameters": {"days": 30},
        }
        assert parse(data, Condition).rule.within == Window(days=Param("days"))

    @pytest.mark.parametrize(
        "rule",
        [
            {"kind": "fact", "field": "traits.city", "op": "has", "value": "x"},
            {"kind": "fact", "field": "traits.birthday", "op": "in_next", "value": 7},
            {"kind": "fact", "field": "scores.churn", "op": ">", "value": 0.25},
            {"kind": "fact", "field": "computed.orders_90d", "op": "missing"},
            {"kind": "consent", "purpose": "ads"},
            {"kind": "bucket", "salt": "s", "start": 0, "end": 0.5},
            {"kind": "sequence", "steps": [{"event": "A"}, {"event": "B"}], "limit": {"hours": 2}},
            did(measure="most_frequent", property="products[].category", op="=", value="tea"),
            did(measure="average", property="revenue", op="missing"),
            did(within={"days": 3650}),
            where(field="weekday", op="in", value=[6, 7]),
            where(field="place", op="near", value={"lat": 44.5, "lon": 11, "km": 5}),
        ],
    )
    def test_each_kind(self, rule):
        assert problems(rule, "rule") == ()
        assert parse_rule(msgspec.json.encode(rule)) == parse_rule(rule)


class TestBadOnes:
    @pytest.mark.parametrize(
        ("rule", "path", "said"),
        [
            ({"kind": "and", "of": [DID]}, "$.kind", "write `all`"),
            ({"kind": "dit", "event": "x"}, "$.kind", "did you mean `did`?"),
            ({"kind": 7}, "$.kind", "the number 7 is not one of"),
            ({"event": "x"}, "$.kind", "is missing"),
            ([], "$", "not a list"),
            ({"kind": "all", "of": []}, "$.of", "is empty"),
            ({"kind": "all", "of": {"a": 1}}, "$.of", "needs a list of rules, not an object"),
            ({"kind": "all", "of": [DID, DID, did(within={"days": -3})]}, "$.of[2].within.days", "so write 3"),
            ({"kind": "not", "rule": did(within={"hours": 0})}, "$.rule.within.hours", "from 1 to 87600"),
            (did(within={"days": 1, "hours": 2}), "$.within", "has both"),
            (did(within={}), "$.within", "has neither"),
            (did(within=30), "$.within", 'needs {"days": 30}'),
            (did(within={"days": True}), "$.within.days", "not true"),
            (did(within={"days": 4000}), "$.within.days", "leave `within` out for all time"),
            (did(within={"days": {"param": "d"}}), "$.within.days", "only a reusable condition"),
            (did(evnet="x"), "$.evnet", "did you mean `event`?"),
            ({"kind": "did"}, "$.event", "is missing"),
            (did(event=" "), "$.event", "not empty"),
            (did(event="x" * 201), "$.event", "at most 200"),
            (did(event="a\x00"), "$.event", "NUL"),
            (did(event="\ud800"), "$.event", "half of a pair"),
            (did(op="=>"), "$.op", "is not one of"),
            (did(op="has"), "$.op", "is not one of"),
            (did(op="exists"), "$.op", "says nothing"),
            (did(value="2"), "$.value", "needs a whole number"),
            (did(value=-1), "$.value", "from 0 to"),
            (did(value=True), "$.value", "not true"),
            (did(measure="sun"), "$.measure", "did you mean `sum`?"),
            (did(measure="sum"), "$.property", "`sum` of what?"),
            (did(property="revenue"), "$.property", "leave `property` out"),
            (did(measure="sum", property="place", value=1), "$.property", "filter by it"),
            (did(measure="sum", property="a..b", value=1), "$.property", "empty name"),
            (did(measure="sum", property="a[].b[].c", value=1), "$.property", "once"),
            (did(measure="sum", property="a", value=1e-7), "$.value", "6 decimal places"),
            (did(measure="sum", property="a", value=1e10), "$.value", "at most 1000000000"),
            (did(measure="sum", property="a", value=float("nan")), "$.value", "needs a number"),
            (did(measure="most_frequent", property="a"), "$.value", "not the number 1"),
            (did(where={}), "$.where", "needs a list"),
            (did(where=[7]), "$.where[0]", "needs an object"),
            (where(field="chanel", op="=", value="web"), "$.where[0].field", "did you mean `channel`?"),
            (where(field="category", op="=", value="x"), "$.where[0].field", "`properties.category`"),
            (where(field="traits.city", op="=", value="x"), "$.where[0].field", "in a `fact`"),
            (where(field="channel", op="in", value=["web", "ap"]), "$.where[0].value", "value 1: `ap` is not one of"),
            (where(field="store", op="=", value=7), "$.where[0].value", "needs a text"),
            (where(field="weekday", op="=", value=0), "$.where[0].value", "1 is Monday"),
            (where(field="hour", op=">", value=24), "$.where[0].value", "from 0 to 23"),
            (where(field="place", op="=", value="Bari"), "$.where[0].op", "only knows `near`"),
            (where(field="place", op="near", value={"lat": 91, "lon": 0, "km": 1}), "$.where[0].value", "from -90 to 90"),
            (where(field="place", op="near", value={"lat": 9}), "$.where[0].value", "write {"),
            (where(field="channel", op="near", value=1), "$.where[0].op", "only for the field `place`"),
            (where(field="properties.a", op="in", value="x"), "$.where[0].value", "needs a list"),
            (where(field="properties.a", op="in", value=[]), "$.where[0].value", "at least one"),
            (where(field="properties.a", op="in", value=[1] * 1001), "$.where[0].value", "at most 1000"),
            (where(field="properties.a", op="=", value={"x": 1}), "$.where[0].value", "not an object"),
            (where(field="properties.a", op="=", value="x" * 501), "$.where[0].value", "at most 500"),
            (where(field="properties.a", op="=", value=2**60), "$.where[0].value", "2^53"),
            (where(field="properties.a", op="=", value=10**5000), "$.where[0].value", "beyond 10^40"),
            (where(field="properties.a", op="=", value=float("inf")), "$.where[0].value", "finite"),
            (where(field="properties.a", op="=", value=None), "$.where[0].value", "not nothing"),
            (where(field="properties.a", op=">", value=True), "$.where[0].value", "not true"),
            (where(field="properties.a", op="exists", value=1), "$.where[0].value", "leave it out"),
            (where(field="properties.a", op="starts_with", value=""), "$.where[0].value", "not empty"),
            (where(field="properties.a", op="in_last", value=3), "$.where[0].op", "is not one of"),
            (where(field="properties.a"), "$.where[0].op", "is missing"),
            ({"kind": "fact", "field": "trait.city", "op": "exists"}, "$.field", "did you mean `traits`?"),
            ({"kind": "fact", "field": "traits", "op": "exists"}, "$.field", "`traits.NAME`"),
            ({"kind": "fact", "field": "channel", "op": "exists"}, "$.field", "of one event"),
            ({"kind": "fact", "field": "scores.x", "op": "=", "value": "high"}, "$.value", "needs a number"),
            ({"kind": "fact", "field": "traits.x", "op": "in_last", "value": -1}, "$.value", "from 1 to"),
            ({"kind": "sequence", "steps": [{"event": "A"}]}, "$.steps", "2 to 20"),
            ({"kind": "sequence", "steps": [{"event": "A"}, "B"]}, "$.steps[1]", "needs an object"),
            ({"kind": "sequence", "steps": [{"event": "A"}, {"event": "B"}], "limit": {"days": "1"}}, "$.limit.days", "not the text"),
            ({"kind": "bucket", "salt": "s", "start": 0.5, "end": 0.5}, "$.end", "above `start`"),
            ({"kind": "bucket", "salt": "s", "start": 0, "end": 5}, "$.end", "from 0 to 1"),
            ({"kind": "consent", "purpose": "", "channel": "*"}, "$.purpose", "not empty"),
            ({"kind": "consent", "purpose": "ads", "granted": "no"}, "$.granted", "true or false"),
            ({"kind": "use", "condition": "c", "given": [1]}, "$.given", "needs an object"),
        ],
    )  # fmt: skip
    def test_path_and_hint(self, rule, path, said):
        found = faults(rule)
        assert path in found, found
        assert said in found[path]

    def test_all_faults_at_once(self):
        assert len(faults({"kind": "all", "of": [did(op="x"), did(value="y"), did(z=1)]})) == 3

    @pytest.mark.parametrize(
        ("change", "path", "said"),
        [
            ({"id": "Tea Lovers"}, "$.id", "starts with a letter"),
            ({"id": "subject"}, "$.id", "column of the lake"),
            ({"name": ""}, "$.name", "not empty"),
            ({"subject": "family"}, "$.subject", "one of person account household"),
            ({"subject": "persn"}, "$.subject", "did you mean `person`?"),
            ({"hat": "top"}, "$.hat", "consumer"),
            ({"purpose": 7}, "$.purpose", "needs a text"),
            ({"tags": "a"}, "$.tags", "list"),
            ({"tags": [""]}, "$.tags[0]", "not empty"),
            ({"ruel": DID}, "$.ruel", "did you mean `rule`?"),
        ],
    )
    def test_around_the_rule(self, change, path, said):
        found = faults({"id": "a", "name": "A", "rule": DID, **change}, "segment")
        assert said in found[path]

    def test_parameters(self):
        rule = did(within={"days": {"param": "dayz"}})
        found = faults({"id": "c", "name": "C", "rule": rule, "parameters": {"days": 30}}, "condition")
        assert "not among the condition's `parameters` (days)" in found["$.rule.within.days"]
        found = faults({"id": "c", "name": "C", "rule": DID, "parameters": {"days": 30}}, "condition")
        assert "nothing in the rule uses it" in found["$.parameters.days"]

    def test_ratios_are_of_numbers(self):
        data = {"id": "r", "name": "R", "measure": did(measure="most_frequent", property="a"), "per": DID}
        assert "$.per" in faults(data, "trait")

    @pytest.mark.parametrize("data", [b"{", b"\xff", b"7", "null", b'{"a": NaN}'])
    def test_what_is_no_object(self, data):
        with pytest.raises(BadRequest) as refused:
            parse(data, Segment)
        assert refused.value.code == "bad_rule"
        assert refused.value.faults[0].path == "$"


class TestHostileOnes:
    @staticmethod
    def nested(depth):
        rule = dict(DID)
        for _ in range(depth):
            rule = {"kind": "all", "of": [rule]}
        return rule

    def test_thirty_levels_and_no_more(self):
        assert problems(self.nested(29), "rule") == ()
        path = "$" + ".of[0]" * 30
        assert "deeper than 30" in faults(self.nested(30))[path]

    def test_ten_thousand_groups(self):
        raw = b'{"id":"a","name":"A","rule":' + b'{"kind":"not","rule":' * 10_000 + b"{}" + b"}" * 10_001
        begun = time.thread_time()
        assert "deeper" in problems(raw)[0].problem
        assert "deeper" in problems({"id": "a", "name": "A", "rule": self.nested(10_000)})[0].problem
        assert time.thread_time() - begun < 0.5

    def test_five_hundred_parts_and_no_more(self):
        assert problems({"kind": "all", "of": [DID] * 499}, "rule") == ()
        found = problems({"kind": "all", "of": [DID] * 100_000}, "rule")
        assert [fault.path for fault in found] == ["$.of[499]"]

    def test_a_long_body_is_not_read(self):
        assert "KiB" in problems(b" " * (check.MAX_BYTES + 1))[0].problem

    def test_long_and_odd_names_do_not_come_back_whole(self):
        odd = "x\u202e\n" * 10_000
        written = [
            {"kind": odd},
            did(**{odd: 1}),
            where(field=odd, op=odd, value=1),
            {"kind": "use", "condition": odd},
            {"kind": "fact", "field": odd, "op": odd},
        ]
        for fault in problems({"kind": "all", "of": written}, "rule"):
            assert len(fault.path) + len(fault.problem) < 500
            assert (fault.path + fault.problem).isprintable()

    def test_not_more_faults_than_anybody_reads(self):
        assert len(problems({"kind": "all", "of": [{}] * 400}, "rule")) == 100


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
names = st.sampled_from(
    [
        "kind",
        "of",
        "rule",
        "event",
        "op",
        "value",
        "measure",
        "property",
        "where",
        "within",
        "days",
        "hours",
        "field",
        "steps",
        "limit",
        "segment",
        "purpose",
        "channel",
        "granted",
        "salt",
        "start",
        "end",
        "condition",
        "given",
        "id",
        "name",
        "subject",
        "hat",
        "tags",
        "param",
        "parameters",
        "all",
        "any",
        "not",
        "did",
        "fact",
        "sequence",
        "consent",
        "bucket",
        "use",
        "traits.x",
        "scores.x",
        "computed.x",
        "properties.x",
        "channel",
        "place",
        "weekday",
        "hour",
        "near",
        "in",
        "has",
        "exists",
        "count",
        "sum",
        "distinct",
    ]
)
anything = st.recursive(
    scalars | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner | names, max_size=6),
    max_leaves=20,
)


@given(anything, st.sampled_from(["segment", "trait", "condition", "rule"]))
def test_whatever_is_sent_is_judged_and_what_passes_converts(data, form):
    if problems(data, form):
        return
    if form == "rule":
        parse_rule(data)
    else:
        parse(data, {"segment": Segment, "trait": Computed, "condition": Condition}[form])
