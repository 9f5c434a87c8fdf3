"""Facts read only where a rule asks are the facts of the whole profile, whatever the bounds and the division into nodes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.events import Event
from patron.profiles.fold import fold
from patron.profiles.merge import merge
from patron.profiles.partial import Partial
from patron.profiles.rules import ProfileRules
from patron.rules.facts import facts_of
from patron.runtime.decisions.known import LazyFacts, consents_of
from tests.property.profiles.histories import ALL, MIXED, MONEY, NAMES, RULES, START, TRAITS, histories

NOW = START + 900 * 86_400_000
CONTEXTS = st.sampled_from(
    [{}, {"w": "rain", "a": {"b": 1, "c": {"d": [2]}}, "a.b": 3, "n": None}, {"a": {"b.c": 1, "b": {"c": 2}}}]
)
MISSING = (
    "totals.orders", "totals.revenue.EUR", "totals.revenue.GBP", "counters.Nothing", "counters.a", "counters.b",
    "counters.c", "channels.web", "channels.crm", "traits.a", "traits.b", "traits.c", "traits.d", "traits.b.a", "traits.b.a.c", "traits.zz", "context.zz", "context.a.b.c",
    "first_seen_days", "last_seen_days", "traits", "context", "totals", "nothing", "first_seen_days.x",
)  # fmt: skip
"""Fields that may or may not be there, and names of none."""


def parts_of(events: list[Event], rules: ProfileRules) -> list[tuple[str, Partial]]:
    """A node for each channel, and one that never had an event."""
    nodes: dict[str, Partial] = {"silent": Partial()}
    for event in events:
        fold(nodes.setdefault(event.channel, Partial()), event, rules)
    return list(nodes.items())


def whole(parts: list[tuple[str, Partial]], context: dict[str, Any], rules: ProfileRules) -> dict[str, Any]:
    profile = merge(parts, rules)
    return facts_of(
        now=NOW,
        traits={name: trait.value for name, trait in profile.traits.items()},
        counters=profile.counters,
        orders=profile.totals.orders,
        revenue=profile.totals.net,
        channels={channel: seen.events for channel, seen in profile.channels.items()},
        first_seen=profile.first,
        last_seen=profile.last,
        context=context,
    )


@pytest.mark.parametrize("about", [MONEY, NAMES, TRAITS, MIXED], ids=["money", "names", "traits", "mixed"])
@given(data=st.data(), rules=RULES, context=CONTEXTS, alone=st.booleans())
def test_every_field_is_that_of_the_whole_profile(
    about: Any, data: Any, rules: ProfileRules, context: dict[str, Any], alone: bool
) -> None:
    events = data.draw(histories(about, most=16))
    parts = parts_of(events, rules)[: 2 if alone else None]
    expected = whole(parts, context, rules)
    lazy = LazyFacts(parts, context, NOW, rules)
    for field in (*expected, *MISSING):
        assert lazy.get(field) == expected.get(field), field
        assert lazy.get(field) == expected.get(field), "the second time"


@given(histories(*ALL, most=16), RULES, st.booleans())
def test_consents_are_those_of_the_whole_profile(
    events: list[Event], rules: ProfileRules, alone: bool
) -> None:
    parts = parts_of(events, rules)[: 2 if alone else None]
    said = {key: (c.granted, c.stamp[0]) for key, c in merge(parts, rules).consents.items()}
    assert consents_of(parts, rules) == said


def test_nobody_has_no_facts() -> None:
    assert [LazyFacts([], {}, NOW, ProfileRules()).get(f) for f in ("totals.orders", "last_seen_days")] == [
        0,
        None,
    ]
    assert consents_of([], ProfileRules()) == {}
