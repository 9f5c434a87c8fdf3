"""What a message becomes: kinds, names, identifiers, channel, consents, assurance, payload hash."""

import json

import msgspec
import pytest

from patron.collect.proof import user_hash
from patron.collect.segment_api import Origin, ReadRules
from patron.model.errors import BadRequest, TooLarge
from patron.model.events import CHANNELS, ConsentClaim, Event, ExternalId
from tests.unit.collect.intake import one, read, refused, replay


@pytest.mark.parametrize(
    ("message", "route", "kind", "name"),
    [
        ({"event": "Product Viewed"}, "track", "track", "Product Viewed"),
        ({"type": "track", "event": "Product Viewed"}, "batch", "track", "Product Viewed"),
        ({"type": "page", "name": "Home"}, "track", "page", "Page Viewed"),
        ({"name": "Home"}, "page", "page", "Page Viewed"),
        ({}, "screen", "screen", "Screen Viewed"),
        ({}, "identify", "identify", "Identified"),
        ({"groupId": "g"}, "group", "group", "Grouped"),
        ({"previousId": "c"}, "alias", "alias", "Aliased"),
        ({"type": None, "event": "X"}, "track", "track", "X"),
        ({"type": "", "event": "X"}, "track", "track", "X"),
    ],
)
def test_the_kind_comes_from_type_else_from_the_route(message, route, kind, name):
    message = {"userId": "u", "messageId": "m", **message}
    batch = read([message] if route == "batch" else message, route)
    assert [(e.type, e.name) for e in batch.events] == [(kind, name)]


@pytest.mark.parametrize(
    ("message", "code", "path"),
    [
        ({"userId": "u"}, "bad_type", "$.type"),
        ({"type": "merge", "userId": "u"}, "bad_type", "$.type"),
        ({"type": "Track", "event": "E"}, "bad_type", "$.type"),
        ({"type": 5}, "bad_type", "$.type"),
        ({"type": "track"}, "no_event_name", "$.event"),
        ({"type": "track", "event": ""}, "no_event_name", "$.event"),
        ({"type": "track", "event": " \t"}, "no_event_name", "$.event"),
        ({"type": "track", "event": None}, "no_event_name", "$.event"),
        ({"type": "track", "event": {"x": 1}}, "bad_name", "$.event"),
        ({"type": "page", "name": ["x"]}, "bad_name", "$.name"),
        ({"type": "track", "event": "E", "userId": True}, "bad_id", "$.userId"),
        ({"type": "track", "event": "E", "userId": {"id": 1}}, "bad_id", "$.userId"),
        ({"type": "track", "event": "E", "anonymousId": ["a"]}, "bad_id", "$.anonymousId"),
        ({"type": "track", "event": "E", "messageId": False}, "bad_id", "$.messageId"),
        ({"type": "track", "event": "E", "properties": 5}, "not_an_object", "$.properties"),
        ({"type": "track", "event": "E", "properties": [1]}, "not_an_object", "$.properties"),
        ({"type": "identify", "userId": "u", "traits": "x"}, "not_an_object", "$.traits"),
        ({"type": "track", "event": "E", "context": "x"}, "not_an_object", "$.context"),
        (
            {"type": "identify", "userId": "u", "context": {"traits": "x"}},
            "not_an_object",
            "$.context.traits",
        ),
        ({"type": "page", "context": {"channel": "smoke"}}, "unknown_channel", "$.context.channel"),
        ({"type": "page", "context": {"channel": 5}}, "unknown_channel", "$.context.channel"),
        ({"type": "page", "context": {"externalIds": {"a": 1}}}, "bad_id", "$.context.externalIds"),
        ({"type": "page", "context": {"externalIds": ["a"]}}, "bad_id", "$.context.externalIds[0]"),
        (
            {"type": "page", "context": {"externalIds": [{"id": "1"}]}},
            "bad_id",
            "$.context.externalIds[0].type",
        ),
        (
            {"type": "page", "context": {"externalIds": [{"id": True, "type": "card"}]}},
            "bad_id",
            "$.context.externalIds[0].id",
        ),
        (
            {
                "type": "page",
                "context": {"externalIds": [{"id": "MQ==", "type": "card", "encoding": "base64"}]},
            },
            "bad_id",
            "$.context.externalIds[0].encoding",
        ),
        ({"type": "page", "context": {"touchpoint": {"id": []}}}, "bad_id", "$.context.touchpoint.id"),
        (7, "bad_message", "$"),
        ("text", "bad_message", "$"),
        ([], "bad_message", "$"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(message, code, path):
    reject = refused(message)
    assert (reject.index, reject.code, reject.path) == (0, code, path)
    assert reject.message.endswith(".")


def test_one_bad_message_never_fails_its_batch():
    good = {"type": "track", "event": "E", "userId": "u"}
    batch = read([{**good, "messageId": "1"}, {"type": "track"}, {**good, "messageId": "2"}, 5])
    assert (batch.count, batch.indexes, [r.index for r in batch.rejects]) == (4, [0, 2], [1, 3])
    assert [(e.position, e.message_id) for e in batch.events] == [(1, "1"), (3, "2")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("u-1", "u-1"), (17, "17"), (17.0, "17"), (1.5, "1.5"), (10**30, str(10**30)), ("", None), (None, None)],
)  # fmt: skip
def test_identifiers_become_text_and_empty_ones_are_absent(given, kept):
    event = one({"userId": given, "anonymousId": given, "previousId": given, "groupId": given})
    assert (event.user_id, event.anonymous_id, event.previous_id, event.group_id) == (kept,) * 4


def test_external_ids_of_both_spellings_and_of_devices():
    context = {
        "externalIds": [
            {"id": 77, "type": "card", "collection": "users", "encoding": "none"},
            {"id": "77", "type": "card"},
            {"id": "acme", "type": "account", "collection": "accounts"},
            {"id": None, "type": "card"},
            {"id": "", "type": "card"},
        ],
        "device": {"id": "d-1", "token": "t-1", "type": "ios"},
    }
    event = one({"context": context, "integrations": {"Google Analytics": {"clientId": "1.2"}}})
    assert event.external_ids == (
        ExternalId("card", "77"),
        ExternalId("device_id", "d-1"),
        ExternalId("push_token", "t-1"),
        ExternalId("ga_client_id", "1.2"),
    )
    assert one({"context": {"externalId": [{"id": "9", "type": "card"}]}}).external_ids == (
        ExternalId("card", "9"),
    )


def test_what_integrations_say_for_other_tools_never_costs_the_event():
    assert one({"integrations": {"Google Analytics": {"clientId": True}}}).external_ids == ()
    assert one({"integrations": {"Google Analytics": {"clientId": {}}}}).external_ids == ()


def test_identify_reads_traits_from_both_places_and_the_nearer_wins():
    event = one(
        {
            "type": "identify",
            "traits": {"email": "a@x.it"},
            "context": {"traits": {"email": "b@x.it", "city": "Rome"}},
        }
    )
    assert event.traits == {"email": "a@x.it", "city": "Rome"}
    only = one({"type": "identify", "context": {"traits": {"email": "b@x.it"}}})
    assert only.traits == {"email": "b@x.it"}
    group = one(
        {
            "type": "group",
            "groupId": "g",
            "traits": {"plan": "gold"},
            "context": {"traits": {"email": "b@x.it"}},
        }
    )
    assert group.traits == {"plan": "gold"}, "a group's traits are the account's"
    track = one({"context": {"traits": {"email": "b@x.it"}}})
    assert (track.traits, track.context["traits"]) == ({}, {"email": "b@x.it"})


def test_pages_keep_their_name_and_category_as_properties():
    page = one({"type": "page", "name": "Home", "category": "Shop", "properties": {"category": "own"}})
    assert page.properties == {"name": "Home", "category": "own"}
    track = one({"name": "not mine", "properties": {"a": 1}})
    assert track.properties == {"a": 1}


@pytest.mark.parametrize("empty", [None, {}, []])
def test_php_sends_an_empty_array_for_an_empty_map(empty):
    event = one(
        {"type": "identify", "properties": empty, "traits": empty, "context": empty, "integrations": empty}
    )
    assert (event.properties, event.traits, event.context) == ({}, {}, {})


# ---- channel and place


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_context_overrides_the_channel_of_the_source(channel):
    assert one({"context": {"channel": channel}}).channel == channel


def test_the_channel_of_rudderstack_is_not_ours():
    assert one({"channel": "server"}).channel == "web"
    assert one({"channel": "mobile", "context": {"channel": None}}).channel == "web"


def test_an_unknown_channel_is_quarantined_until_it_is_mapped():
    message = {"type": "page", "userId": "u", "messageId": "m", "context": {"channel": "smart_mirror"}}
    reject = refused(message)
    assert reject.code == "unknown_channel"
    assert "smart_mirror" in reject.message
    assert one(message, rules=ReadRules(channel_map={"smart_mirror": "kiosk"})).channel == "kiosk"
    assert (
        refused(message, rules=ReadRules(channel_map={"smart_mirror": "nowhere"})).code == "unknown_channel"
    )


def test_touchpoint_and_store():
    event = one({"context": {"touchpoint": {"id": "till-2", "kind": "pos", "store_id": 12}}})
    assert (event.touchpoint, event.store) == ("till-2", "12")
    assert event.context["touchpoint"]["kind"] == "pos"
    assert one({"context": {"touchpoint": "till-2"}}).touchpoint == "till-2"


def test_the_context_keeps_what_rooms_use():
    context = {
        "page": {"path": "/p"}, "campaign": {"name": "spring"}, "locale": "it-IT", "library": {"name": "x"},
        "userAgent": "Mozilla", "ip": "10.0.0.1", "timezone": "Europe/Rome", "screen": {"width": 1},
    }  # fmt: skip
    assert sorted(one({"context": context}).context) == ["campaign", "library", "locale", "page"]


def test_batch_context_and_integrations_stand_under_the_messages_own():
    body = {
        "batch": [
            {"type": "page", "userId": "u", "messageId": "1"},
            {"type": "page", "userId": "u", "messageId": "2", "context": {"locale": "de-DE", "page": None}},
            {
                "type": "page",
                "userId": "u",
                "messageId": "3",
                "integrations": {"Google Analytics": {"clientId": "own"}},
            },
        ],
        "context": {"locale": "it-IT", "channel": "app", "page": {"path": "/"}},
        "integrations": {"Google Analytics": {"clientId": "all"}},
    }
    first, second, third = read(body).events
    assert (first.context, first.channel) == ({"locale": "it-IT", "page": {"path": "/"}}, "app")
    assert (second.context, second.channel) == ({"locale": "de-DE", "page": {"path": "/"}}, "app")
    assert [e.external_ids[0].id for e in (first, second, third)] == ["all", "all", "own"]


# ---- consents


def test_consents_of_the_context_are_claims():
    context = {
        "consent": {"categoryPreferences": {"profiling": True, "email_marketing": False, "sms": None}},
        "identification": {"mode": "self_screen", "notice_version": "it-3"},
        "touchpoint": {"id": "kiosk-1"},
    }
    assert one({"context": context}).consents == (
        ConsentClaim("email_marketing", False, "*", "it-3", "kiosk-1"),
        ConsentClaim("profiling", True, "*", "it-3", "kiosk-1"),
    )


def test_a_change_of_consent_is_explicit_and_carries_its_proof():
    properties = {
        "purpose": "email_marketing",
        "granted": True,
        "channel": "email",
        "text_version": 4,
        "place": "till-2",
    }
    event = one({"event": "Consent Changed", "properties": properties})
    assert event.consents == (ConsentClaim("email_marketing", True, "email", "4", "till-2", explicit=True),)
    context = {"identification": {"notice_version": "it-3"}, "touchpoint": {"id": "kiosk-1"}}
    event = one(
        {"event": "Consent Changed", "properties": {"purpose": "sms", "granted": False}, "context": context}
    )
    assert event.consents == (ConsentClaim("sms", False, "*", "it-3", "kiosk-1", explicit=True),)


def test_segments_consent_event_is_a_change():
    context = {"consent": {"categoryPreferences": {"ads": True}}}
    (claim,) = one({"event": "Segment Consent Preference Updated", "context": context}).consents
    assert (claim.purpose, claim.granted, claim.explicit) == ("ads", True, True)


@pytest.mark.parametrize(
    "message",
    [
        {"event": "Consent Changed", "properties": {"purpose": "sms"}},
        {"event": "Consent Changed", "properties": {"purpose": "sms", "granted": "no"}},
        {"event": "Consent Changed", "properties": {"granted": False}},
        {"event": "Consent Changed", "properties": {"purpose": "", "granted": False}},
        {"event": "E", "context": {"consent": {"categoryPreferences": {"sms": "false"}}}},
        {"event": "E", "context": {"consent": {"categoryPreferences": {"sms": 0}}}},
        {"event": "E", "context": {"consent": {"categoryPreferences": [1]}}},
        {"event": "E", "context": {"consent": "no"}},
    ],
)
def test_an_unreadable_consent_is_no_consent(message):
    assert refused({"type": "track", "userId": "u", "messageId": "m", **message}).code == "bad_consent"


# ---- assurance

SIGNED = Origin("shop", "web", secret="s3cret")


@pytest.mark.parametrize(
    ("origin", "message", "assurance"),
    [
        (Origin("till", "pos", assurance="verified"), {"userId": "u"}, "verified"),
        (Origin("till", "pos", assurance="verified"), {"userId": None, "anonymousId": "a"}, "verified"),
        (Origin("shop", "web"), {"userId": "u"}, "asserted"),
        (Origin("shop", "web", assurance="observed"), {"userId": "u"}, "observed"),
        (Origin("shop", "web"), {"userId": None, "anonymousId": "a"}, "observed"),
        (Origin("shop", "web"), {"userId": None, "context": {"device": {"id": "d"}}}, "observed"),
        (Origin("shop", "web"), {"userId": None, "context": {"externalIds": [{"id": "1", "type": "card"}]}}, "asserted"),
        (Origin("shop", "web"), {"userId": None, "type": "identify", "traits": {"email": "a@x.it"}}, "asserted"),
        (Origin("shop", "web"), {"userId": None, "context": {"traits": {"email": "a@x.it"}}}, "asserted"),
        (Origin("shop", "web"), {"userId": None, "type": "group", "groupId": "g", "traits": {"plan": 1}}, "observed"),
        (SIGNED, {"userId": "u", "context": {"userHash": user_hash("s3cret", "u")}}, "verified"),
        (SIGNED, {"userId": "u", "context": {"userHash": user_hash("s3cret", "u").upper()}}, "verified"),
        (SIGNED, {"userId": 7, "context": {"userHash": user_hash("s3cret", "7")}}, "verified"),
        (SIGNED, {"userId": "u"}, "asserted"),
        (SIGNED, {"userId": None, "anonymousId": "a", "context": {"userHash": "x"}}, "observed"),
        (Origin("shop", "web"), {"userId": "u", "context": {"userHash": user_hash("", "u")}}, "asserted"),
    ],
)  # fmt: skip
def test_who_may_say_what(origin, message, assurance):
    assert one(message, origin=origin).assurance == assurance


@pytest.mark.parametrize(
    "given", ["", "0" * 64, user_hash("other", "u"), user_hash("s3cret", "v"), 5, ["x"], "é" * 64]
)
def test_a_wrong_user_hash_is_refused(given):
    message = {"type": "page", "userId": "u", "messageId": "m", "context": {"userHash": given}}
    assert refused(message, origin=SIGNED).code == "bad_user_hash"


@pytest.mark.parametrize("where", ["message", "batch"])
@pytest.mark.parametrize("secret", ["", "s3cret"])
def test_a_replay_trusts_exactly_the_hashes_that_were_proved(where, secret):
    """The secret may have changed since: in replay it is not asked."""
    hashed = {"userHash": user_hash("s3cret", "u"), "locale": "it"}
    message = {"type": "page", "userId": "u", "messageId": "m"}
    body = (
        {"batch": [{**message, "context": hashed}]}
        if where == "message"
        else {"batch": [message], "context": hashed}
    )
    raw = json.dumps(body).encode()
    live = read(raw, origin=Origin("shop", "web", secret=secret))
    assert live.events[0].assurance == ("verified" if secret else "asserted")
    assert (live.stored is None) == bool(secret)
    for later in ("", "s3cret", "rotated"):
        assert replay(live, raw, origin=Origin("shop", "web", secret=later)).events == live.events


def test_a_replay_knows_a_channel_that_was_unmapped_since():
    raw = json.dumps(
        {"batch": [{"type": "page", "userId": "u", "messageId": "m", "context": {"channel": "x"}}]}
    ).encode()
    assert [e.channel for e in read(raw, skipped={}).events] == ["web"]


def test_a_replay_passes_over_what_was_skipped_without_judging_it():
    raw = b'{"batch": [{"type": "nonsense"}, {"type": "page", "userId": "u", "messageId": "m"}, 5]}'
    batch = read(raw, skipped={0: "bad_type", 2: "bad_message"})
    assert (batch.count, batch.indexes, batch.rejects, batch.stored) == (3, [1], [], None)
    assert read(raw, skipped={0: "bad_type", 1: "duplicate", 2: "bad_message"}).events == []


# ---- messageId and payload hash


def test_a_missing_message_id_is_derived_and_stable():
    body = b'{"batch": [{"type": "page", "userId": "u"}, {"type": "page", "userId": "u", "messageId": ""}]}'
    again = read(body)
    first, second = read(body).events
    assert [e.message_id for e in again.events] == [first.message_id, second.message_id]
    assert first.message_id != second.message_id
    other = read(body.replace(b'"u"', b'"v"')).events[0]
    assert other.message_id != first.message_id


SAID = {"type": "track", "event": "E", "messageId": "m", "userId": "u", "properties": {"a": 1}}


@pytest.mark.parametrize(
    "retry",
    [
        {"sentAt": "2026-03-02T17:05:00Z"},
        {"timestamp": "2026-03-02T17:00:00Z"},
        {"_metadata": {"bundled": ["x"]}},
        {"context": {"library": {"name": "x", "version": "2"}}},
    ],
)
def test_a_retry_has_the_same_payload_hash(retry):
    assert read([{**SAID, **retry}]).payload_hashes == read([SAID]).payload_hashes


@pytest.mark.parametrize(
    "other",
    [{"event": "F"}, {"userId": "v"}, {"anonymousId": "a"}, {"properties": {"a": 2}}, {"type": "page"},
     {"traits": {"a": 1}}, {"groupId": "g"}, {"previousId": "p"}],
)  # fmt: skip
def test_another_payload_has_another_hash(other):
    assert read([{**SAID, **other}]).payload_hashes != read([SAID]).payload_hashes


def test_the_hash_of_an_identify_covers_traits_of_the_context():
    said = {"type": "identify", "messageId": "m", "userId": "u"}
    a = read([{**said, "context": {"traits": {"email": "a@x.it"}}}])
    b = read([{**said, "context": {"traits": {"email": "b@x.it"}}}])
    assert a.payload_hashes != b.payload_hashes


# ---- bodies


@pytest.mark.parametrize(
    ("body", "route"),
    [
        (b"", "batch"), (b"{", "batch"), (b"[]", "batch"), (b"5", "track"), (b'"x"', "track"), (b"{}", "batch"),
        (b'{"batch": null}', "batch"), (b'{"batch": {}}', "batch"), (b'{"batch": [1,]}', "batch"),
        (b'{"batch": []} x', "batch"), (b'{"batch": [{"a": tru}]}', "batch"), (b'{"a": "\n"}', "track"),
        (b'{"a": 1} {"b": 2}', "track"), (b'{"batch": [], "context": {"a": NaN}}', "batch"),
        (b'{"batch": [], "context": 5}', "batch"), (b"\xff\xfe{\x00}\x00", "track"), (b"--x\r\n", "batch"),
        (b'{"batch": [{"type": "page"}', "batch"), (b'{"batch": [{"type": "page}]}', "batch"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_refused_whole(body, route):
    with pytest.raises(BadRequest) as caught:
        read(body, route)
    assert caught.value.code == "bad_json"
    assert caught.value.status == 400


def test_too_many_events_are_refused_whole():
    body = b'{"batch": [' + b",".join([b"null"] * 5_001) + b"]}"
    with pytest.raises(TooLarge) as caught:
        read(body)
    assert (caught.value.code, caught.value.status) == ("too_many_events", 413)
    assert read(body, skipped={}).count == 5_001, "a replay never refuses what was accepted"


def test_an_empty_batch_and_a_repeated_key():
    assert read(b'{"batch": []}').count == 0
    body = b'{"batch": [{"type": "page"}, 1], "b\\u0061tch": [{"type": "page", "userId": "u", "messageId": "m"}]}'
    assert [e.message_id for e in read(body).events] == ["m"]


def test_events_are_made_by_position_in_the_order_of_the_struct():
    """The maker passes 23 values without names, for speed; this holds their order."""
    message = {
        "type": "identify", "messageId": "mid", "userId": "uid", "anonymousId": "aid", "previousId": "pid",
        "groupId": "gid", "timestamp": 1_772_471_051_120, "originalTimestamp": 1_772_471_050_000,
        "properties": {"p": 1}, "traits": {"t": 1},
        "context": {"channel": "app", "locale": "it", "externalIds": [{"id": "1", "type": "card"}],
                    "touchpoint": {"id": "tp", "store_id": "st"}, "consent": {"categoryPreferences": {"sms": True}}},
    }  # fmt: skip
    event = one(message, origin=Origin("src", "web"), received=1_772_471_052_500)
    assert msgspec.structs.asdict(event) == {
        "position": 1, "source": "src", "channel": "app", "type": "identify", "name": "Identified",
        "message_id": "mid", "time": 1_772_471_051_120, "received": 1_772_471_052_500, "original": 1_772_471_050_000,
        "user_id": "uid", "anonymous_id": "aid", "previous_id": "pid", "group_id": "gid",
        "properties": {"p": 1}, "traits": {"t": 1}, "external_ids": (ExternalId("card", "1"),),
        "consents": (ConsentClaim("sms", True, "*", "", "tp"),),
        "context": {"locale": "it", "touchpoint": {"id": "tp", "store_id": "st"}},
        "touchpoint": "tp", "store": "st", "assurance": "asserted", "skew_unknown": False, "reduced": False,
    }  # fmt: skip
    assert set(msgspec.structs.asdict(event)) == set(Event.__struct_fields__)
