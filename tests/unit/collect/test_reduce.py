"""Refused collection: what is kept of such a message, what the log holds, and that a replay agrees."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.collect.proof import user_hash
from patron.collect.reduce import OPERATIONAL_EVENTS
from patron.collect.segment_api import Origin, ReadRules, message_at
from tests.unit.collect.intake import read, replay

REFUSED = {"consent": {"categoryPreferences": {"profiling": False, "email_marketing": True}}}
SECRET = "browsing-secret"
BROWSING = {"page": {"url": f"https://x/{SECRET}"}, "device": {"id": SECRET}, "userAgent": SECRET,
            "externalIds": [{"id": SECRET, "type": "card"}], "traits": {"email": f"{SECRET}@x.it"},
            "campaign": {"name": SECRET}, "locale": SECRET, "library": {"name": SECRET}}  # fmt: skip
ORDER = {
    "type": "track", "event": "Order Completed", "messageId": "o-1", "userId": "u", "anonymousId": SECRET,
    "timestamp": "2026-03-02T17:00:00Z", "sentAt": "2026-03-02T17:04:12Z",
    "properties": {"order_id": "7", "revenue": 41.3, "currency": "EUR", "store_id": "S1", "referrer": SECRET,
                   "search": {"query": SECRET}, "status": {"hidden": SECRET},
                   "products": [{"product_id": "p", "price": 2, "url": SECRET, "image_url": SECRET}, SECRET]},
    "traits": {"email": SECRET}, "integrations": {"Google Analytics": {"clientId": SECRET}}, "_metadata": SECRET,
    "context": {**REFUSED, **BROWSING, "channel": "pos", "touchpoint": {"id": "till-2", "kind": "pos", "store_id": "S1",
                                                                       "operator": SECRET},
                "identification": {"mode": SECRET, "notice_version": "it-3"}},
}  # fmt: skip


def agree(messages, route="batch", **options):
    """The batch, after checking that what is stored replays to the same, with no trace of the secret."""
    top = options.pop("top", {})
    body = json.dumps({"batch": messages, **top} if route == "batch" else messages).encode()
    batch = read(body, route, **options)
    again = replay(batch, body, route, **options)
    assert (again.events, again.indexes, again.payload_hashes) == (
        batch.events,
        batch.indexes,
        batch.payload_hashes,
    )
    assert again.rejects == []
    assert again.stored is None
    return batch


def test_an_order_keeps_what_operations_need():
    batch = agree([ORDER])
    (event,) = batch.events
    assert event.reduced
    assert (event.user_id, event.anonymous_id, event.channel, event.touchpoint, event.store) == (
        "u",
        None,
        "pos",
        "till-2",
        "S1",
    )
    assert event.properties == {"order_id": "7", "revenue": 41.3, "currency": "EUR", "store_id": "S1",
                                "products": [{"product_id": "p", "price": 2}]}  # fmt: skip
    assert (event.traits, event.external_ids) == ({}, ())
    assert event.context == {"touchpoint": {"id": "till-2", "kind": "pos", "store_id": "S1"},
                             "identification": {"notice_version": "it-3"}}  # fmt: skip
    assert [(c.purpose, c.granted, c.text_version, c.place) for c in event.consents] == [
        ("email_marketing", True, "it-3", "till-2"),
        ("profiling", False, "it-3", "till-2"),
    ]
    assert batch.stored is not None
    assert SECRET.encode() not in batch.stored


def test_its_time_is_corrected_as_before():
    plain = {**ORDER, "context": {}}
    assert agree([ORDER]).events[0].time == read([plain]).events[0].time
    batched = {k: v for k, v in ORDER.items() if k != "sentAt"}
    top = {"sentAt": "2026-03-02T17:04:02.500Z"}
    assert (
        agree([batched], top=top).events[0].time
        == agree([{**batched, "context": {}}], top=top).events[0].time
    )


@pytest.mark.parametrize("name", OPERATIONAL_EVENTS)
def test_every_operational_event_is_kept(name):
    (event,) = agree([{**ORDER, "event": name}]).events
    assert (event.name, event.reduced) == (name, True)


def test_which_events_are_operational_is_a_setting():
    rules = ReadRules(operational_events=("Till Opened",))
    assert [r.code for r in read([ORDER], rules=rules).rejects] == ["collection_refused"]
    assert read([{**ORDER, "event": "Till Opened"}], rules=rules).events[0].reduced


@pytest.mark.parametrize(
    "message",
    [
        {"type": "page", "name": SECRET},
        {"type": "screen", "name": SECRET},
        {"type": "track", "event": "Product Viewed", "properties": {"q": SECRET}},
        {"type": "track", "event": "Email Link Clicked", "properties": {"url": SECRET}},
        {"type": "group", "groupId": SECRET, "traits": {"x": SECRET}},
        {"type": "alias", "previousId": SECRET},
    ],
)
@pytest.mark.parametrize("where", ["own", "batch", "single"])
def test_of_the_rest_only_a_skeleton_is_left(message, where):
    message = {
        **message,
        "messageId": "m-1",
        "anonymousId": SECRET,
        "userId": SECRET,
        "timestamp": "2026-03-02T17:00:00Z",
    }
    if where == "batch":
        batch = agree([message], top={"context": {**REFUSED, **BROWSING}, "extra": SECRET, "writeKey": "k"})
    else:
        message["context"] = {**REFUSED, **BROWSING}
        batch = agree(message if where == "single" else [message], "track" if where == "single" else "batch")
    assert batch.events == []
    (reject,) = batch.rejects
    assert (reject.code, reject.index) == ("collection_refused", 0)
    assert SECRET.encode() not in batch.stored
    kept = json.loads(message_at(batch.stored, "track" if where == "single" else "batch", 0))
    assert kept == {
        "type": message["type"], "messageId": "m-1", "patronReduced": True, "timestamp": "2026-03-02T17:00:00Z",
        "context": {"consent": REFUSED["consent"]},
    }  # fmt: skip


def test_a_refusal_for_the_batch_holds_unless_a_message_grants():
    page = {"type": "page", "userId": "u", "context": {"consent": {"categoryPreferences": {"sms": True}}}}
    granted = {
        "type": "page",
        "userId": "u",
        "messageId": "g",
        "context": {"consent": {"categoryPreferences": {"profiling": True}}},
    }
    batch = agree([{**page, "messageId": "p"}, granted], top={"context": REFUSED})
    assert [e.message_id for e in batch.events] == ["g"]
    assert [(r.index, r.code) for r in batch.rejects] == [(0, "collection_refused")]


def test_neighbours_keep_their_bytes_and_the_context_of_the_batch():
    neighbour = b'{"type":  "page", "messageId":"n","userId":"v" }'
    body = (
        b'{"context": {"locale":"it"}, "batch": [' + json.dumps(ORDER).encode() + b" , " + neighbour + b"]}"
    )
    batch = read(body)
    assert message_at(batch.stored, "batch", 1) == neighbour
    assert [(e.message_id, e.reduced, e.context.get("locale")) for e in batch.events] == [
        ("o-1", True, None),
        ("n", False, "it"),
    ]
    assert replay(batch, body).events == batch.events


def test_the_consents_of_an_identify_are_kept_for_one_identifier():
    message = {
        "type": "identify",
        "messageId": "m",
        "traits": {"email": SECRET},
        "context": {**REFUSED, **BROWSING},
    }
    (event,) = agree([{**message, "userId": "u", "anonymousId": SECRET}]).events
    assert (event.user_id, event.anonymous_id, event.traits, len(event.consents)) == ("u", None, {}, 2)
    (event,) = agree([{**message, "anonymousId": "a"}]).events
    assert (event.user_id, event.anonymous_id) == (None, "a")


def test_a_withdrawal_is_kept_and_refuses_its_own_context():
    message = {"type": "track", "event": "Consent Changed", "messageId": "m", "anonymousId": "a", "context": BROWSING,
               "properties": {"purpose": "analytics", "granted": False, "place": "banner", "note": SECRET}}  # fmt: skip
    batch = agree([message])
    (event,) = batch.events
    assert (event.anonymous_id, event.reduced) == ("a", True)
    assert [(c.purpose, c.granted, c.explicit, c.place) for c in event.consents] == [
        ("analytics", False, True, "banner")
    ]
    assert SECRET.encode() not in batch.stored
    marketing = {**message, "properties": {"purpose": "email_marketing", "granted": False}}
    assert not agree([marketing]).events[0].reduced, "refusing e-mails refuses no collection"


def test_only_a_track_call_changes_a_consent():
    message = {"type": "identify", "event": "Consent Changed", "messageId": "m", "userId": "u"}
    (event,) = agree([{**message, "properties": {"purpose": "profiling", "granted": False}}]).events
    assert (event.name, event.consents, event.reduced) == ("Identified", (), False)


def test_a_guest_order_keeps_no_cookie_but_a_bounce_keeps_its_person():
    guest = {k: v for k, v in ORDER.items() if k != "userId"}
    assert agree([guest]).events[0].anonymous_id is None
    bounce = {**guest, "event": "Message Bounced", "anonymousId": "a"}
    assert agree([bounce]).events[0].anonymous_id == "a"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"timestamp": "yesterday"}, "bad_time"),
        ({"context": {**REFUSED, **BROWSING, "channel": "smoke"}}, "unknown_channel"),
        ({"userId": "x" * 600}, "id_too_long"),
        ({"userId": True}, "bad_id"),
        ({"type": "sing"}, "collection_refused"),
        ({"properties": {"a": "x" * 33_000}}, "event_too_large"),
        ({"context": {"consent": {"categoryPreferences": {"profiling": "no"}}, **BROWSING}}, "bad_consent"),
    ],
)
def test_a_message_rejected_for_another_reason_leaves_no_trace_either(spoil, code):
    batch = agree([{**ORDER, **spoil}])
    assert [r.code for r in batch.rejects] == [code]
    assert SECRET.encode() not in batch.stored


@pytest.mark.parametrize(
    "spoil", [{"userId": True}, {"type": "sing"}, {"properties": 5}, {"timestamp": "x"}, {}]
)
def test_a_batch_of_refused_messages_leaves_nothing_beside_them(spoil):
    top = {"context": {**REFUSED, **BROWSING}, "integrations": {"Google Analytics": {"clientId": SECRET}}}
    message = {"type": "page", "messageId": "m", "userId": "u", "properties": {"q": SECRET}}
    assert SECRET.encode() not in agree([{**message, **spoil}], top=top).stored


def test_an_unreadable_message_is_judged_by_the_context_of_its_batch():
    broken = b'{"type":"page","userId":"u","url":"' + SECRET.encode() + b'","n":NaN}'
    body = b'{"batch":[' + broken + b'],"context":{"consent":{"categoryPreferences":{"profiling":false}}}}'
    batch = read(body)
    assert [r.code for r in batch.rejects] == ["not_a_number"]
    assert SECRET.encode() not in batch.stored


def test_a_reduced_message_takes_no_identifier_of_its_batch():
    page = {"type": "page", "messageId": "p", "userId": "v"}
    top = {"integrations": {"Google Analytics": {"clientId": "1.2"}}}
    reduced, other = agree([{**ORDER, "integrations": {}}, page], top=top).events
    assert (reduced.external_ids, [i.id for i in other.external_ids]) == ((), ["1.2"])


@pytest.mark.parametrize(
    "value", [b"NaN", b'"\\ud800"', b'"\xff"', b"[" * 80 + b"]" * 80, b"[" * 2_000 + b"]" * 2_000]
)
def test_nor_does_one_that_cannot_be_read(value):
    broken = json.dumps({**ORDER, "properties": {"a": "HERE"}}).encode().replace(b'"HERE"', value)
    good = b'{"type":"page","messageId":"n","userId":"v"}'
    batch = read(b'{"batch": [' + broken + b"," + good + b"]}")
    assert len(batch.rejects) == len(batch.events) == 1
    assert SECRET.encode() not in batch.stored
    assert message_at(batch.stored, "batch", 1) == good


def test_an_unknown_channel_can_still_be_mapped_afterwards():
    message = {**ORDER, "context": {**REFUSED, "channel": "mirror"}}
    stored = read([message]).stored
    again = read(message_at(stored, "batch", 0), "track", rules=ReadRules(channel_map={"mirror": "kiosk"}))
    (event,) = again.events
    assert (event.channel, event.reduced, event.properties["order_id"]) == ("kiosk", True, "7")


def test_reducing_twice_changes_nothing():
    once = read([ORDER])
    twice = read(once.stored)
    assert twice.events == once.events
    assert message_at(twice.stored, "batch", 0) == message_at(once.stored, "batch", 0)


def test_a_client_cannot_pretend_that_it_was_reduced():
    message = {"type": "page", "messageId": "m", "userId": "u", "patronReduced": True}
    assert [r.code for r in agree([message]).rejects] == ["collection_refused"]


def test_the_proof_of_the_user_survives_reduction():
    origin = Origin("shop", "web", secret="k")
    signed = {**ORDER, "context": {**ORDER["context"], "userHash": user_hash("k", "u")}}
    (event,) = agree([signed], origin=origin).events
    assert (event.assurance, event.reduced) == ("verified", True)
    (event,) = agree([signed]).events
    assert event.assurance == "asserted", "nobody could check it"


def test_what_refuses_collection_is_a_setting():
    page = {"type": "page", "messageId": "m", "userId": "u", "context": REFUSED}
    assert read([page], rules=ReadRules(collection_purposes=("ads",))).events[0].reduced is False
    assert read([page], rules=ReadRules(collection_purposes=("email_marketing", "profiling"))).rejects
    assert read([{**page, "userId": True}], rules=ReadRules(collection_purposes=())).stored is None


KINDS = st.sampled_from(["identify", "track", "page", "group", "alias"])
NAMES = st.sampled_from(["Order Completed", "Consent Changed", "Product Viewed", "Message Bounced"])
WISHES = st.dictionaries(st.sampled_from(["profiling", "analytics", "sms"]), st.booleans(), max_size=3)
SOME_MESSAGES = st.fixed_dictionaries(
    {"type": KINDS, "event": NAMES},
    optional={
        "messageId": st.sampled_from(["m1", "m2", ""]),
        "userId": st.sampled_from(["u", 7, "", None]),
        "anonymousId": st.just("a"),
        "traits": st.just({"email": SECRET}),
        "groupId": st.just(SECRET),
        "timestamp": st.sampled_from(["2026-03-02T17:00:00Z", 1_772_471_051, "x"]),
        "properties": st.fixed_dictionaries(
            {}, optional={"order_id": st.just("7"), "purpose": st.sampled_from(["profiling", "sms"]),
                          "granted": st.booleans(), "q": st.just(SECRET), "big": st.just(10**30)},
        ),
        "context": st.fixed_dictionaries(
            {}, optional={"consent": WISHES.map(lambda w: {"categoryPreferences": w}), "channel": st.sampled_from(["pos", "x"]),
                          "userHash": st.just(user_hash("k", "u")), "page": st.just({"url": SECRET})},
        ),
    },
)  # fmt: skip


@given(st.lists(SOME_MESSAGES, max_size=5), WISHES, st.booleans(), st.sampled_from(["", "k"]))
def test_the_log_never_holds_what_was_refused(messages, wishes, around, secret):
    top = {"context": {"consent": {"categoryPreferences": wishes}, "locale": "it"}} if around else {}
    batch = agree(messages, top=top, origin=Origin("shop", "web", secret=secret))
    stored = batch.stored or json.dumps({"batch": messages, **top}).encode()
    for index, message in enumerate(messages):
        own = (message.get("context") or {}).get("consent", {}).get("categoryPreferences", {})
        both = (wishes if around else {}) | own
        if both.get("profiling") is False or both.get("analytics") is False:
            assert SECRET.encode() not in message_at(stored, "batch", index)
    for event in batch.events:
        refused = any(c.purpose in {"profiling", "analytics"} and not c.granted for c in event.consents)
        assert event.reduced == refused
