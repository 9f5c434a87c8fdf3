"""A rule into which the feed of stores was read answers as it did with the feed beside it."""

import pytest

from patron.model.events import Event
from patron.rules.calendar import Calendar
from patron.rules.filters import passes
from patron.rules.places import located_segment, located_trait, reads_stores, unknown_stores
from patron.rules.tree import AllOf, AnyOf, Computed, Did, Not, Rule, Segment, Sequence, Step, Where

STORES = {"S1": (44.4938, 11.3387), "S2": (44.4958, 11.3387), "S3": (45.07, 7.6869)}
UTC = Calendar("UTC")


def near(**value: object) -> Where:
    return Where("place", "near", value)


def event(store: str | None = None, **properties: object) -> Event:
    return Event(1, "till", "pos", "track", "Order Completed", "m", 5, 5, store=store, properties=properties)


@pytest.mark.parametrize(
    "where",
    [
        near(store="S1", km=0.1),
        near(store="S1", km=0.5),
        near(store="S3", km=300),
        near(store="S9", km=500),
        near(lat=44.49, lon=11.34, km=2),
    ],
)
@pytest.mark.parametrize(
    "one",
    [event("S1"), event("S2"), event("S3"), event("S9"), event(), event("S3", latitude=44.4939, longitude=11.3388)],
)  # fmt: skip
def test_located_and_not_say_the_same(where: Where, one: Event) -> None:
    rule = located_segment(Segment("a", "A", Did("*", where=(where,))), STORES).rule
    assert isinstance(rule, Did)
    assert passes(one, "*", rule.where, UTC, {}) == passes(one, "*", (where,), UTC, STORES)


def test_nothing_is_near_an_unknown_store_until_the_feed_tells_of_it() -> None:
    where = near(store="S9", km=500)
    assert not passes(event("S9", latitude=44.5, longitude=11.3), "*", (where,), UTC, STORES)
    assert passes(event("S9"), "*", (where,), UTC, {**STORES, "S9": (0.0, 0.0)})


def test_every_part_of_a_rule_is_located() -> None:
    place = near(store="S1", km=0.5)
    did = Did("Order Completed", where=(Where("channel", "=", "pos"), place))
    whole: Rule = AllOf(
        (AnyOf((did, Not(did))), Sequence((Step("Store Entered", (place,)), Step("Order Completed"))))
    )
    segment = Segment("a", "A", whole)
    assert reads_stores([segment])
    rule = located_segment(segment, STORES).rule
    assert str(rule).count("'inside': ['S1', 'S2']") == 3
    trait = Computed("t", "T", did, did)
    assert str(located_trait(trait, STORES)).count("'inside': ['S1', 'S2']") == 2
    plain = Segment("b", "B", Did("Order Completed"))
    assert located_segment(plain, STORES) is plain
    assert not reads_stores([plain])
    assert unknown_stores(segment, STORES) == ()
    assert unknown_stores(segment, {}) == unknown_stores(trait, {}) == ("S1",)
