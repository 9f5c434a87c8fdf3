"""The rule of a form: read, changed by buttons and fields, written again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.console import drafts, fields
from patron.rules.check import problems

LEAVES = st.one_of(
    st.builds(
        lambda event, n, days: {"kind": "did", "event": event, "op": ">=", "value": n, "within": {"days": days}},
        st.sampled_from(["Order Completed", "Store Entered"]), st.integers(1, 9), st.integers(1, 400),
    ),
    st.builds(lambda city: {"kind": "fact", "field": "traits.city", "op": "=", "value": city}, st.text('abc" ,7', min_size=1, max_size=6)),
    st.just({"kind": "segment", "segment": "vip"}),
)  # fmt: skip
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda of: {"kind": "all", "of": of}, st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda of: {"kind": "any", "of": of}, st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda one: {"kind": "not", "rule": one}, inner),
    ),
    max_leaves=8,
)


def holds(rule: dict, truth: dict[str, bool]) -> bool:
    """What a rule of leaves says when each leaf has a truth."""
    if rule["kind"] == "all":
        return all(holds(one, truth) for one in rule["of"])
    if rule["kind"] == "any":
        return any(holds(one, truth) for one in rule["of"])
    if rule["kind"] == "not":
        return not holds(rule["rule"], truth)
    return truth[json.dumps(rule, sort_keys=True)]


def canonical(rule: dict) -> dict:
    """A rule without what is usual."""
    if rule["kind"] in ("all", "any"):
        return {**rule, "of": [canonical(one) for one in rule["of"]]}
    if rule["kind"] == "not":
        return {**rule, "rule": canonical(rule["rule"])}
    usual = {"op": ">=", "value": 1, "measure": "count"} if rule["kind"] == "did" else {}
    return {name: value for name, value in rule.items() if name not in usual or value != usual[name]}


@given(RULES.map(canonical), st.randoms(use_true_random=False))
def test_a_rule_that_passes_through_the_form_means_the_same(rule: dict, chance) -> None:
    again = drafts.rule_of(drafts.read(rule))
    leaves = {json.dumps(row | {}, sort_keys=True) for row in _plain_leaves(rule)}
    for _ in range(8):
        truth = {leaf: chance.random() < 0.5 for leaf in leaves}
        assert holds(again, truth) == holds(rule, truth)
    assert drafts.rule_of(drafts.read(again)) == again


def _plain_leaves(rule: dict) -> list[dict]:
    if rule["kind"] in ("all", "any"):
        return [leaf for one in rule["of"] for leaf in _plain_leaves(one)]
    return _plain_leaves(rule["rule"]) if rule["kind"] == "not" else [rule]


def at_path(rule: dict, path: str) -> dict:
    """What stands at a JSON path such as `$.rule.of[0].rule`."""
    found: object = {"rule": rule}
    for part in path.removeprefix("$.").replace("[", ".").replace("]", "").split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]
    return found  # type: ignore[return-value]


@given(RULES)
def test_every_place_has_the_path_of_its_rule(rule: dict) -> None:
    tree = drafts.read(rule)
    written = drafts.rule_of(tree)
    for path, place in drafts.places(tree):
        part = drafts.at(tree, place)
        assert part is not None
        if "mode" not in part:
            plain = {name: value for name, value in part.items() if name != "not"}
            assert canonical(at_path(written, path)) == canonical(plain)
            assert drafts.place_of(tree, f"{path}.within.days") == (place, "within.days")


@given(RULES, st.lists(st.sampled_from(["add:", "group:", "except", "remove:0", "up:1", "down:0", "wrap:0", "where:0", "unwhere:0/0", "add:0", "remove:0.0", "nonsense", "remove:", "up:9", "wrap:x", "step:0"]), max_size=6))  # fmt: skip
def test_no_button_breaks_the_tree(rule: dict, buttons: list[str]) -> None:
    tree = drafts.read(rule)
    for button in buttons:
        before = json.dumps(tree)
        new, focus = drafts.act(tree, button)
        assert json.dumps(tree) == before, "the tree that was given is not changed"
        assert new["of"], "there is always a row to fill"
        assert drafts.at(new, focus) is not None
        tree = new
    assert drafts.read(drafts.rule_of(tree)) is not None


@given(LEAVES)
def test_what_the_fields_show_is_what_the_rule_holds(rule: dict) -> None:
    """A form that is sent unchanged changes nothing."""
    tree = drafts.read(rule)
    row = tree["of"][0]
    sent = {"r.0.kind": fields.kind_of(row)}
    for name in ("event", "op", "field", "segment"):
        if name in row:
            sent[f"r.0.{name}"] = str(row[name])
    if "value" in row:
        sent["r.0.value"] = fields.written(row["value"])
    if "within" in row:
        sent |= {"r.0.within.n": str(row["within"]["days"]), "r.0.within.unit": "days"}
    assert drafts.rule_of(fields.merge(tree, sent)) == canonical(rule)


@pytest.mark.parametrize(
    ("sent", "made"),
    [
        ({"r.0.kind": "not:did"}, {"kind": "not", "rule": {"kind": "did", "event": "A"}}),
        ({"r.0.within.unit": "hours", "r.0.within.n": "6"}, {"kind": "did", "event": "A", "within": {"hours": 6}}),
        ({"r.0.measure": "sum", "r.0.property": "properties.revenue"}, {"kind": "did", "event": "A", "measure": "sum", "property": "properties.revenue"}),
        ({"r.0.op": "in", "r.0.value": "1, 2"}, {"kind": "did", "event": "A", "op": "in", "value": [1, 2]}),
        ({"r.0.value": "soon"}, {"kind": "did", "event": "A", "value": "soon"}),
        ({"r.7.event": "B", "r.0.0.event": "C", "r..event": "D"}, {"kind": "did", "event": "A"}),
    ],
)  # fmt: skip
def test_fields_become_the_rule(sent: dict[str, str], made: dict) -> None:
    rule = drafts.rule_of(fields.merge(drafts.read({"kind": "did", "event": "A"}), sent))
    assert canonical(rule) == canonical(made)


def test_a_window_of_minus_three_days_is_refused_at_its_row() -> None:
    tree = drafts.read({"kind": "all", "of": [{"kind": "did", "event": "A"}, {"kind": "did", "event": "B"}]})
    tree = fields.merge(tree, {"r.1.within.n": "-3", "r.1.within.unit": "days"})
    (fault,) = problems({"id": "x", "name": "X", "rule": drafts.rule_of(tree)})
    assert drafts.place_of(tree, fault.path) == ("1", "within.days")


def test_blank_rows_are_left_out_and_the_others_keep_their_place() -> None:
    tree = drafts.read({"kind": "all", "of": [{"kind": "did", "event": ""}, {"kind": "any", "of": [{"kind": "fact", "field": ""}, {"kind": "segment", "segment": "vip"}]}]})  # fmt: skip
    left, stood = drafts.filled(tree)
    assert left is not None
    assert drafts.rule_of(left) == {"kind": "segment", "segment": "vip"}
    assert stood == {"": "", "0": "1", "0.0": "1.1"}
