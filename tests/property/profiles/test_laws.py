"""A profile is a function of the set of events: any order, any slicing, any division into nodes, exact money."""

import itertools
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

import patron
from patron.model.events import ConsentClaim, Event
from patron.model.money import UNIT
from patron.profiles.fold import fold
from patron.profiles.merge import Profile, merge
from patron.profiles.partial import Partial, decode, encode
from patron.profiles.rules import ProfileRules
from tests.property.profiles import oracle
from tests.property.profiles.histories import (
    CHANGED,
    MIXED,
    MONEY,
    NAMES,
    REFUNDS,
    RETURNS,
    RULES,
    TRAITS,
    histories,
)


def folded(events: list[Event], rules: ProfileRules) -> Partial:
    partial = Partial()
    for event in events:
        fold(partial, event, rules)
    return partial


def person(events: list[Event], rules: ProfileRules) -> Profile:
    return merge([("n", folded(events, rules))], rules)


def scattered(events: list[Event], rules: ProfileRules) -> Profile:
    """The same person, with a node for each channel."""
    channels = sorted({e.channel for e in events})
    return merge([(c, folded([e for e in events if e.channel == c], rules)) for c in channels], rules)


def without_days(profile: Profile) -> Profile:
    """All but what the law says depends on the division into nodes."""
    return msgspec.structs.replace(profile, nodes=(), days={})


@given(histories(), RULES, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_bytes(events, rules, rng):
    before = encode(folded(events, rules))
    rng.shuffle(events)
    assert encode(folded(events, rules)) == before


def test_another_process_writes_the_same_bytes():
    """Sets and dicts of text are ordered by a seed of the process; no byte may depend on it."""
    script = """
from patron.model.events import ConsentClaim, Event
from patron.profiles.fold import fold
from patron.profiles.partial import Partial, encode
from patron.profiles.rules import ProfileRules
partial = Partial()
for at in range(20):
    fold(partial, Event(at, f"s{at % 3}", f"c{at % 4}", "track", f"e{at % 7}", f"m{at}", at % 5, 0,
        properties={"order_id": str(at), "revenue": at}, traits={f"t{at}": {"b": 1, "a": at}},
        consents=(ConsentClaim(f"p{at}", True, explicit=True),)), ProfileRules())
print(encode(partial).hex())
"""
    written = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(patron.__file__).parents[1])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(written) == 1


@given(histories(), RULES, st.integers(1, 6))
def test_writing_and_reading_between_any_slices_changes_nothing(events, rules, size):
    partial = Partial()
    for start in range(0, len(events), size):
        for event in events[start : start + size]:
            fold(partial, event, rules)
        data = encode(partial)
        read = decode(data)
        assert read == partial
        assert encode(read) == data
        partial = read
    assert partial == folded(events, rules)


@given(histories(), RULES, st.data())
def test_any_division_into_nodes_merges_to_the_fold_of_all(events, rules, data):
    nodes: dict[str, Partial] = {}
    for event in events:
        fold(nodes.setdefault(data.draw(st.sampled_from("abc")), Partial()), event, rules)
    parts = data.draw(st.permutations(list(nodes.items())))
    merged = merge(parts, rules)
    assert without_days(merged) == without_days(person(events, rules))
    assert merged.nodes == tuple(sorted(nodes))
    assert merge([(k, decode(encode(p))) for k, p in parts], rules) == merged


@given(histories(NAMES, MIXED), RULES)
def test_counts_are_those_of_the_plain_reading(events, rules):
    profile = person(events, rules)
    assert (profile.counters, profile.other) == oracle.counters(events, rules)
    assert profile.days == oracle.days(events, rules)
    assert profile.events == len(events)
    assert (profile.first, profile.last) == (min(e.time for e in events), max(e.time for e in events))
    for channel, seen in profile.channels.items():
        times = [e.time for e in events if e.channel == channel]
        assert (seen.first, seen.last, seen.events) == (min(times), max(times), len(times))
    assert profile.events == sum(seen.events for seen in profile.channels.values())


@given(histories(NAMES, MIXED), RULES, st.data())
def test_days_are_kept_by_each_node_for_itself(events, rules, data):
    nodes: dict[str, list[Event]] = {}
    for event in events:
        nodes.setdefault(data.draw(st.sampled_from("ab")), []).append(event)
    merged = merge([(k, folded(some, rules)) for k, some in nodes.items()], rules)
    kept, _ = oracle.counters(events, rules)
    expected: dict[str, dict[int, int]] = {}
    for some in nodes.values():
        for name, series in oracle.days(some, rules).items():
            for day, count in series.items():
                if name in kept:
                    into = expected.setdefault(name, {})
                    into[day] = into.get(day, 0) + count
    assert merged.days == expected


def check_money(events: list[Event], rules: ProfileRules) -> None:
    totals = scattered(events, rules).totals
    count, gross, net = oracle.money(events, rules)
    assert totals.orders == count
    assert {c: Decimal(u) / UNIT for c, u in totals.gross.items()} == gross
    assert {c: Decimal(u) / UNIT for c, u in totals.net.items()} == net
    assert {c: u - totals.refunded[c] for c, u in totals.gross.items()} == totals.net
    assert all(units >= 0 for units in totals.net.values())


@given(histories(MONEY), RULES)
def test_money_is_exact(events, rules):
    check_money(events, rules)


@given(histories(REFUNDS), RULES)
def test_refunds_are_exact(events, rules):
    check_money(events, rules)


@given(histories(RETURNS), RULES)
def test_products_that_come_back_are_exact(events, rules):
    check_money(events, rules)


@given(histories(TRAITS), RULES)
def test_traits_are_the_last_writes(events, rules):
    found = scattered(events, rules).traits
    assert {name: (t.value, t.stamp) for name, t in found.items()} == oracle.traits(events, rules)


@given(histories(TRAITS, CHANGED), RULES)
def test_consents_are_the_last_words_and_a_no_wins_a_tie(events, rules):
    profile = scattered(events, rules)
    assert {k: (c.granted, c.stamp[0]) for k, c in profile.consents.items()} == oracle.consents(events, rules)
    assert [msgspec.structs.astuple(change) for change in profile.history] == oracle.history(events, rules)


def test_where_consents_are_bounded_a_denial_outlasts_what_was_granted_at_the_same_instant():
    """By hand: chance seldom finds a bound, an instant and two ids that disagree."""
    rules = ProfileRules(consents=2)
    said = [("ads", False, "a"), ("email", True, "z"), ("sms", True, "m")]
    events = [
        Event(1, "s", "web", "track", "x", uid, 5, 5, consents=(ConsentClaim(purpose, granted),))
        for purpose, granted, uid in said
    ]
    for order in itertools.permutations(events):
        parts = [(e.message_id, folded([e], rules)) for e in order]
        assert set(merge(parts, rules).consents) == {("ads", "*"), ("email", "*")}
        assert set(folded(list(order), rules).consents or ()) == {("ads", "*"), ("email", "*")}


@given(histories(NAMES, MIXED), RULES)
def test_sums_are_exact_recents_and_campaigns_the_latest(events, rules):
    profile = scattered(events, rules)
    exact = {n: {c: Decimal(u) / UNIT for c, u in money.items()} for n, money in profile.sums.items()}
    assert exact == oracle.sums(events, rules)
    assert profile.recents == oracle.recents(events, rules)
    found = [(c[0], c[1]["name"]) for c in (profile.first_campaign, profile.last_campaign) if c]
    assert found == oracle.campaigns(events, rules)


@given(histories(), RULES)
def test_a_profile_is_not_changed_by_later_folds(events, rules):
    half = len(events) // 2
    partial = folded(events[:half], rules)
    profile = merge([("n", partial)], rules)
    frozen = msgspec.msgpack.encode(_plain(profile))
    for event in events[half:]:
        fold(partial, event, rules)
    assert msgspec.msgpack.encode(_plain(profile)) == frozen


def _plain(profile: Profile) -> object:
    return [
        *msgspec.structs.astuple(msgspec.structs.replace(profile, consents={})),
        sorted(profile.consents.items()),
    ]
