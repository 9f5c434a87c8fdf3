"""No key learns by a rule what it may not read, however deep the rule hides it."""

import pytest

from patron.model.access import ApiKey
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Rule,
    Segment,
    Sequence,
    Step,
    Where,
)
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.readable import may_read, may_read_segment, may_read_trait

IBAN = Fact("traits.iban", "starts_with", "IT60")
CITY = Fact("traits.city", "=", "Bari")
SPENT = Computed("spent", "Spent", Did("Order Completed", measure="sum", property="revenue"))
ACTIVE = Active(
    1,
    {
        "secret": Segment("secret", "S", IBAN),
        "local": Segment("local", "L", CITY),
        "inside": Segment("inside", "I", AllOf((CITY, Not(Member("secret"))))),
        "round": Segment("round", "R", AnyOf((Member("round"), CITY))),
    },
    {"spent": SPENT},
)


def key(*fields: str, masked: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> ApiKey:
    """A key that reads these fields."""
    return ApiKey("k", "", "", ("profiles:read",), fields or ("*",), masked, sources)


@pytest.mark.parametrize(
    ("rule", "readable"),
    [
        (CITY, True),
        (IBAN, False),
        (AllOf((CITY, AnyOf((Not(IBAN),)))), False),
        (Member("local"), True),
        (Member("secret"), False),
        (Member("inside"), False),
        (Member("round"), True),
        (Member("gone"), True),
        (Did("Order Completed"), True),
        (Did("Order Completed", where=(Where("properties.iban", "exists"),)), False),
        (Did("Order Completed", measure="sum", property="revenue"), False),
        (Did("Order Completed", measure="distinct", property="properties.city"), True),
        (Did("Order Completed", measure="distinct", property="channel"), True),
        (Did("Store Entered", where=(Where("place", "near", {}),)), False),
        (Sequence((Step("A"), Step("B", (Where("properties.iban", "=", 1),)))), False),
        (Fact("computed.spent", ">", 1), False),
        (Fact("traits.city.iban", "=", 1), False),
        (Fact("scores.churn", ">", 0.5), False),
        (Consented("ads"), True),
        (Bucket("a", 0, 0.5), True),
    ],
)
def test_a_narrow_key_reads_rules_over_its_own_fields(rule: Rule, readable: bool) -> None:
    assert may_read(key("city"), rule, ACTIVE) is readable
    assert may_read(key(), rule, ACTIVE)
    assert may_read(None, rule, ACTIVE)


def test_a_masked_field_is_not_read() -> None:
    assert not may_read(key("*", masked=("iban",)), IBAN, ACTIVE)
    assert may_read(key("*", masked=("iban",)), CITY, ACTIVE)
    assert not may_read_segment(key("*", masked=("segments.local",)), "local", ACTIVE)


def test_an_answer_is_granted_by_its_name() -> None:
    assert may_read_segment(key("segments.sec*"), "secret", ACTIVE)
    assert may_read(key("segments.secret", "city"), Member("inside"), ACTIVE)
    assert not may_read_segment(key("segments.local"), "secret", ACTIVE)
    assert may_read_trait(key("computed.spent"), "spent", ACTIVE)
    assert not may_read_trait(key("city"), "spent", ACTIVE)


def test_a_key_of_few_sources_is_not_told_what_events_of_others_say() -> None:
    narrow = key("*", sources=("web",))
    assert may_read(narrow, Did("Order Completed"), ACTIVE)
    assert not may_read(narrow, Did("Order Completed", measure="sum", property="revenue"), ACTIVE)


def test_many_roads_to_one_segment_are_walked_once() -> None:
    ladder = {"s0": Segment("s0", "0", CITY)}
    for n in range(1, 60):
        ladder[f"s{n}"] = Segment(f"s{n}", "n", AnyOf((Member(f"s{n - 1}"), Member(f"s{n - 1}"))))
    assert may_read_segment(key("city"), "s59", Active(1, ladder))
