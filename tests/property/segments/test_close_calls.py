"""Sequences, averages and lists where they are close: late events, ties, values between and beside the wanted ones."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patron.model.clock import HOUR
from patron.rules.tree import Computed, Did, Segment, Step, Where, Window
from patron.rules.tree import Sequence as Order
from tests.property.segments.test_live_is_the_reference import NODES, Trial

LOOKED, PAID = Step("Page Viewed"), Step("Order Completed")
AT_TILL = Step("Order Completed", (Where("channel", "=", "pos"),))
ago = st.sampled_from([0, 0, 0, 1, HOUR - 1, HOUR, 2 * HOUR, 26 * HOUR, 3 * 24 * HOUR])
windows = st.sampled_from([Window(hours=1), Window(hours=3), Window(days=1), Window(days=2), Window(days=10)])
merges = st.just(("merge", NODES[0], NODES[1]))
clocks = st.tuples(st.just("clock"), st.sampled_from([0, 1, HOUR, 24 * HOUR]), st.booleans())


def events(properties: Any) -> Any:
    """Events of few people, close to one another."""
    names = st.sampled_from(["Page Viewed", "Order Completed"])
    return st.tuples(
        st.just("event"), st.sampled_from(NODES[:2]), names, ago, properties, st.just({}), st.just(())
    )


def told(rules: list[Any], story: list[Any]) -> None:
    """Whatever happens, every answer is that of the reference."""
    segments = [Segment(f"s{number}", f"S{number}", rule) for number, rule in enumerate(rules)]
    trial = Trial(segments, Computed("t", "T", Did("Page Viewed")), "Europe/Rome")
    for kind, *more in story:
        getattr(trial, kind)(*more)
        trial.check()


chains = st.builds(
    Order,
    st.lists(st.sampled_from([LOOKED, PAID, AT_TILL]), min_size=2, max_size=3).map(tuple),
    st.one_of(st.none(), st.sampled_from([Window(hours=1), Window(hours=2), Window(days=1)])),
    windows,
)


@given(
    st.lists(chains, min_size=3, max_size=8),
    st.lists(st.one_of(events(st.just({})), events(st.just({})), merges, clocks), min_size=4, max_size=14),
)
def test_sequences(rules: list[Any], story: list[Any]) -> None:
    told(rules, story)


prices = st.fixed_dictionaries({"price": st.sampled_from([1, 2, 2, 3, -4])})
measures = st.builds(
    Did,
    st.just("Page Viewed"),
    st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "exists", "missing"]),
    st.sampled_from([0, 1, 1.333333, 1.5, 1.666666, 2, 2.333333, 2.5, 3, 5, -4]),
    st.sampled_from(["sum", "average", "average", "distinct", "min", "max"]),
    st.just("properties.price"),
    st.just(()),
    windows,
)


@given(
    st.lists(measures, min_size=4, max_size=12),
    st.lists(st.one_of(events(prices), events(prices), merges, clocks), min_size=4, max_size=14),
)
def test_measures(rules: list[Any], story: list[Any]) -> None:
    told(rules, story)
