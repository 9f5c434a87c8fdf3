"""The shapes that other systems rely on, and what a scoped key does not see."""

import json

from patron.model.events import ConsentClaim, Event
from patron.model.people import Person
from patron.profiles import public
from patron.profiles.fold import fold
from patron.profiles.merge import Profile, merge
from patron.profiles.partial import Partial
from patron.profiles.rules import ProfileRules

T = 1_772_471_051_120
ANNA = Person("p_7F3K2Q", "user_id:88213", ("user_id:88213", "email:anna@x.it", "anonymous_id:c17:0"))


def profile() -> Profile:
    partial = Partial()
    kiosk = ConsentClaim("email_marketing", False, text_version="it-3", place="kiosk-12-1", explicit=True)
    sms = ConsentClaim("email_marketing", True, channel="sms")
    given = {"source": "shop", "channel": "web", "received": T}
    for event in (
        Event(position=1, type="identify", name="Identified", message_id="m-1", time=T, **given,
              traits={"email": "anna@x.it", "city": "Bologna", "tier": None, "age": 36}, consents=(kiosk, sms)),
        Event(position=2, type="track", name="Order Completed", message_id="m-2", time=T + 60_000, **given,
              properties={"order_id": "O1", "revenue": 41.3},
              context={"campaign": {"name": "spring", "source": "ads_a"}}),
        Event(position=3, type="track", name="Order Refunded", message_id="m-3", time=T + 61_000, **given,
              properties={"order_id": "O1", "revenue": 18}),
        Event(position=4, type="track", name="other", message_id="m-4", time=T + 62_000, **given,
              properties={"revenue": 1, "currency": "GBP"}),
        Event(position=5, type="track", name="zzz", message_id="m-5", time=T + 62_000, **given),
    ):  # fmt: skip
        fold(partial, event, ProfileRules(names=1))
    return merge([("user_id:88213", partial)], ProfileRules(names=1))


def test_a_profile_as_the_api_gives_it():
    proof = {"time": "2026-03-02T17:04:11.120Z", "source": "shop"}
    assert json.loads(json.dumps(public.to_json(ANNA, profile()))) == {
        "id": "p_7F3K2Q",
        "identifiers": [
            {"type": "user_id", "value": "88213"},
            {"type": "email", "value": "anna@x.it"},
            {"type": "anonymous_id", "value": "c17:0"},
        ],
        "traits": {"age": 36, "city": "Bologna", "email": "anna@x.it"},
        "consents": {
            "email_marketing": {
                "granted": False,
                "text_version": "it-3",
                "place": "kiosk-12-1",
                **proof,
                "channels": {"sms": {"granted": True, "text_version": "", "place": "", **proof}},
            }
        },
        "first_seen": "2026-03-02T17:04:11.120Z",
        "last_seen": "2026-03-02T17:05:13.120Z",
        "events": 5,
        "counters": {"Identified": 1, "Order Completed": 1, "Order Refunded": 1, "other": 2},
        "totals": {
            "orders": 1,
            "revenue": {"EUR": "23.30"},
            "gross": {"EUR": "41.30"},
            "refunded": {"EUR": "18.00"},
        },
        "other_revenue": {"other": {"GBP": "1.00"}},
        "channels": {
            "web": {
                "first_seen": "2026-03-02T17:04:11.120Z",
                "last_seen": "2026-03-02T17:05:13.120Z",
                "events": 5,
            }
        },
        "first_campaign": {"name": "spring", "source": "ads_a", "time": "2026-03-02T17:05:11.120Z"},
        "last_campaign": {"name": "spring", "source": "ads_a", "time": "2026-03-02T17:05:11.120Z"},
        "orders": [
            {
                "order_id": "O1",
                "time": "2026-03-02T17:05:11.120Z",
                "channel": "web",
                "currency": "EUR",
                "revenue": "23.30",
                "gross": "41.30",
                "refunded": "18.00",
                "cancelled": False,
            }
        ],
    }


def test_an_empty_profile_has_every_field():
    shown = public.to_json(Person("p_1", "email:a", ()), Profile())
    assert set(shown) == set(public.to_json(ANNA, profile()))
    assert (shown["first_seen"], shown["totals"]["orders"], shown["traits"]) == (None, 0, {})


def test_a_purpose_spoken_of_on_one_channel_only_says_nothing_for_all():
    partial = Partial()
    claim = ConsentClaim("ads", True, channel="sms")
    fold(partial, Event(1, "s", "web", "track", "x", "m", 0, 0, consents=(claim,)), ProfileRules())
    shown = public.to_json(ANNA, merge([("n", partial)], ProfileRules()))["consents"]["ads"]
    assert shown["granted"] is None
    assert shown["channels"]["sms"]["granted"] is True


def test_traits_tell_which_message_said_them():
    rows = public.traits(profile())
    assert rows[1] == {
        "name": "city",
        "value": "Bologna",
        "time": "2026-03-02T17:04:11.120Z",
        "source": "shop",
        "messageId": "m-1",
    }
    assert [row["name"] for row in rows] == ["age", "city", "email"]


def test_consents_with_proof_and_history():
    shown = public.consents(profile())
    assert [(row["purpose"], row["channel"], row["granted"]) for row in shown["data"]] == [
        ("email_marketing", "*", False),
        ("email_marketing", "sms", True),
    ]
    assert shown["history"][0]["place"] == "kiosk-12-1"
    assert shown["history"][0]["messageId"] == "m-1"


def test_a_till_key_reads_its_fields_only_and_masked_ones_as_masks_everywhere():
    whole = public.to_json(ANNA, profile())
    before = json.dumps(whole)
    seen = public.mask(whole, ["city", "EMAIL", "age"], ["em*", "age"])
    assert seen["traits"] == {"age": "•••", "city": "Bologna", "email": "a•••"}
    assert seen["identifiers"] == [{"type": "email", "value": "a•••"}]
    assert "anna@x.it" not in json.dumps(seen)
    assert seen["totals"] == whole["totals"]
    assert json.dumps(whole) == before
    rows = public.mask_traits(public.traits(profile()), ["email"], ["email"])
    assert [(row["name"], row["value"]) for row in rows] == [("email", "a•••")]


def test_a_key_with_all_fields_sees_all_but_masks():
    seen = public.mask(public.to_json(ANNA, profile()), ["*"], ["age"])
    assert seen["traits"] == {"age": "•••", "city": "Bologna", "email": "anna@x.it"}
    assert len(seen["identifiers"]) == 3


def test_masks_of_every_kind_of_value_hide_it():
    values = ["secret", "s", "", 7, 2.5, True, ["secret"], {"a": "secret"}, "\U0001f600x"]
    shown = [public.masked_value(value) for value in values]
    assert shown == ["s•••", "•••", "•••", "•••", "•••", "•••", "•••", "•••", "\U0001f600•••"]


def test_times_before_and_beyond_the_calendar_are_still_written():
    assert public.iso(-(2**62)) == "0001-01-01T00:00:00.000Z"
    assert public.iso(2**62) == "9999-12-31T23:59:59.999Z"
    assert public.iso(-1) == "1969-12-31T23:59:59.999Z"
