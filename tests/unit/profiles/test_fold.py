"""What one event leaves in its node, and what hostile or refused ones do not."""

import msgspec
import pytest

from patron.model.clock import DAY
from patron.model.errors import NewerSchema
from patron.model.events import ConsentClaim, Event
from patron.profiles.fold import fold
from patron.profiles.merge import merge
from patron.profiles.partial import Partial, decode, encode
from patron.profiles.rules import STANDARD_NAMES, ProfileRules

RULES = ProfileRules()


def event(at: int = 0, **fields: object) -> Event:
    given = {"type": "track", "name": "Product Viewed", "channel": "web", "time": at, "source": "shop"}
    return Event(**{"position": at, "message_id": f"m-{at}", "received": at, **given, **fields})


def folded(*events: Event, rules: ProfileRules = RULES) -> Partial:
    partial = Partial()
    for one in events:
        fold(partial, one, rules)
    return partial


def read(*events: Event, rules: ProfileRules = RULES):
    return merge([("n", folded(*events, rules=rules))], rules)


def test_a_null_trait_deletes_and_an_older_value_that_comes_late_does_not_bring_it_back():
    gone = event(9, type="identify", traits={"city": None, "tier": "gold"})
    late = event(5, type="identify", traits={"city": "Bologna"})
    profile = read(gone, late)
    assert {name: t.value for name, t in profile.traits.items()} == {"tier": "gold"}


def test_traits_of_a_context_count_and_the_calls_own_win_over_them():
    profile = read(
        event(1, context={"traits": {"city": "Rome", "tier": "gold"}}, traits={"city": "Bari"}),
        event(2, context={"traits": "not an object"}),
    )
    assert {name: t.value for name, t in profile.traits.items()} == {"city": "Bari", "tier": "gold"}
    assert profile.traits["city"].source == "shop"
    assert profile.traits["city"].message_id == "m-1"


def test_traits_of_a_group_are_the_accounts():
    profile = read(event(1, type="group", name="Grouped", group_id="acme", traits={"name": "Acme"}))
    assert profile.traits == {}
    assert profile.counters == {"Grouped": 1}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("x" * 2000, True),
        ("x" * 2100, False),
        ("é" * 1100, False),
        (list(range(500)), True),
        (list(range(1000)), False),
        ({"a": {"b": [1, {"c": None}]}}, True),
        (2**63, True),
        (2**64, False),
        (-(2**63) - 1, False),
        ([2**64], False),
        ("\ud800" * 600, False),
        (1.5, True),
    ],
)
def test_values_that_are_large_or_no_json_are_not_kept_and_never_break_the_writing(value, kept):
    partial = folded(event(1, type="identify", traits={"x": value, "y": 1}))
    assert decode(encode(partial)) == partial
    assert set(partial.traits or {}) == ({"x", "y"} if kept else {"y"})


def test_same_instant_the_denial_wins_whichever_comes_first():
    yes = event(5, message_id="z", consents=(ConsentClaim("email", True),))
    no = event(5, message_id="a", consents=(ConsentClaim("email", False),))
    for events in ((yes, no), (no, yes)):
        assert read(*events).consents["email", "*"].granted is False


def test_a_state_repeated_in_a_context_keeps_the_proof_of_the_change_it_repeats():
    change = ConsentClaim("email", True, text_version="v7", place="kiosk-1", explicit=True)
    told = event(1, source="kiosk", name="Consent Changed", consents=(change,))
    repeated = event(9, consents=(ConsentClaim("email", True),))
    standing = read(repeated, told).consents["email", "*"]
    assert (standing.time, standing.source, standing.text_version, standing.place) == (
        1,
        "kiosk",
        "v7",
        "kiosk-1",
    )
    assert standing.stamp == (9, "shop/m-9")
    withdrawn = read(repeated, told, event(10, consents=(ConsentClaim("email", False),))).consents[
        "email", "*"
    ]
    assert (withdrawn.granted, withdrawn.time, withdrawn.text_version) == (False, 10, "")


def test_every_explicit_change_is_in_the_history():
    claims = [ConsentClaim("email", at % 2 == 0, text_version=f"v{at}", explicit=True) for at in range(4)]
    profile = read(*(event(at, consents=(claim,)) for at, claim in enumerate(claims)))
    assert [(c.text_version, c.granted) for c in profile.history] == [
        ("v0", True),
        ("v1", False),
        ("v2", True),
        ("v3", False),
    ]


def test_a_reduced_event_feeds_only_what_operations_need():
    properties = {"order_id": "O1", "revenue": 5, "product_id": "P1"}
    profile = read(
        event(
            1,
            name="Order Completed",
            properties=properties,
            reduced=True,
            context={"campaign": {"name": "x"}},
        )
    )
    assert (profile.totals.orders, profile.counters, profile.recents) == (1, {"Order Completed": 1}, [])
    assert profile.first_campaign is None


def test_a_refusal_that_the_reader_passed_on_is_honoured_too():
    refusal = (ConsentClaim("profiling", False),)
    profile = read(event(1, type="identify", traits={"city": "Rome"}, consents=refusal))
    assert (profile.traits, profile.recents, profile.events) == ({}, [], 1)
    assert profile.consents["profiling", "*"].granted is False


def test_other_revenue_is_summed_by_event_and_currency_and_stops_at_its_ceiling():
    some = [
        event(at, name="Donation", properties={"revenue": 10**12, "currency": "eur"}) for at in range(600)
    ]
    partial = folded(*some, event(700, name="Donation", properties={"revenue": "2.50", "currency": "GBP"}))
    assert partial.sums == {"Donation": {"EUR": 2**62, "GBP": 25_000}}
    assert decode(encode(partial)) == partial
    merged = merge([("a", partial), ("b", partial)], RULES)
    assert merged.sums["Donation"]["EUR"] == 2**62


def test_no_flood_of_names_pushes_out_the_standard_ones():
    flood = [event(at, name=f"!{at:05d}") for at in range(1000)]
    partial = folded(event(0, name="Order Completed", properties={"revenue": 1}), *flood)
    assert partial.counters["Order Completed"] == 1
    assert len(partial.counters) == 257
    assert partial.other == 1000 - 256
    assert {name for name in partial.counters if name not in STANDARD_NAMES} == {
        f"!{at:05d}" for at in range(256)
    }


def test_a_flood_of_everything_leaves_a_node_of_bounded_size():
    partial = Partial()
    for at in range(3000):
        fold(
            partial,
            event(
                at * DAY // 2,
                name=f"{at}" * 100,
                type="track",
                properties={"product_id": "p" * 900, "category": "c" * 900},
                traits={f"{at}-{k}": "v" * 100 for k in range(3)},
                consents=(ConsentClaim(f"{at}" * 90, True, text_version="t" * 900, explicit=True),),
                context={"campaign": {"name": "n" * 900, "source": ["no"]}},
            ),
            RULES,
        )
    assert len(encode(partial)) < 400_000


def test_days_are_dropped_by_the_nodes_own_newest_event():
    old, edge, new = event(0), event(DAY), event(400 * DAY)
    assert folded(old, edge, new).days == {"Product Viewed": [1, 1, 400, 1]}
    assert folded(new, edge, old).days == {"Product Viewed": [1, 1, 400, 1]}
    woken = merge([("a", folded(old)), ("b", folded(new))], RULES)
    assert woken.days == {"Product Viewed": {0: 1, 400: 1}}


def test_of_nobody_and_of_empty_nodes_there_is_an_empty_profile():
    assert merge([], RULES).first is None
    assert merge([("a", Partial())], RULES).nodes == ("a",)
    assert merge([("a", Partial()), ("b", folded(event(3)))], RULES).first == 3


def test_bytes_of_a_later_version_are_refused_with_a_sentence():
    later = msgspec.msgpack.encode([2, "whatever", {"new": 1}])
    with pytest.raises(NewerSchema, match="start the newer version"):
        decode(later)
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode([1, "x"]))
    with pytest.raises(msgspec.DecodeError):
        decode(b"")


def test_every_cut_of_the_bytes_is_noticed():
    data = encode(folded(event(1, properties={"product_id": "P1"}, traits={"a": 1})))
    for end in range(len(data)):
        with pytest.raises(msgspec.DecodeError):
            decode(data[:end])


def test_a_typical_node_takes_some_hundred_bytes():
    views = [event(1_700_000_000_000 + at * 60_000, properties={"product_id": f"P{at}"}) for at in range(12)]
    assert len(encode(folded(*views))) < 330
