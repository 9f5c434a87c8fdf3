"""The short way of a usual message gives exactly what the long way gives, and only ever what it may."""

import json
from typing import Any
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from patron.collect.reader import Reader
from patron.model.events import Batch
from tests.unit.collect.intake import read

maybe = st.sampled_from
IDS = maybe([None, "", "u1", "[erased]", "undefined", "x" * 130, "x" * 600, "à" * 300])
CONTEXTS = maybe(
    [
        None,
        {},
        {"library": {"name": "js"}, "ip": "1.2.3.4"},
        {"page": {"path": "/"}, "userAgent": "M"},
        {"consent": {"categoryPreferences": {"analytics": False}}},
        {"consent": {"categoryPreferences": {"marketing": True}}},
        {"traits": {"email": "a@x.it"}},
        {"channel": "kiosk", "touchpoint": {"id": "k1"}},
        {"userHash": "00"},
        {"externalIds": [{"id": "77", "type": "card", "collection": "users", "encoding": "none"}]},
        {"deep": [[[[[[[1]]]]]]]},
        {"page": {"n": 2**70}},
        {"campaign": {"name": "c"}},
        "no object",
        [],
    ]
)
USUAL = {
    "type": "track",
    "event": "Product Viewed",
    "messageId": "m0",
    "anonymousId": "a1",
    "properties": {"x": 1},
}
FIELDS = {
    "type": maybe(["track", "page", "screen", "identify", "group", "alias", "", None, "other"]),
    "event": maybe(["Product Viewed", "Consent Changed", "Unsubscribed", "", " ", None, "E" * 600]),
    "name": maybe(["Home", "", None]),
    "category": maybe(["Docs", None]),
    "messageId": maybe(["m1", "m2", "", None, "[erased]", "m" * 101]),
    "userId": IDS,
    "anonymousId": IDS,
    "previousId": maybe([None, "", "p1"]),
    "groupId": maybe([None, "g1"]),
    "timestamp": maybe([None, "", "2026-03-02T16:59:00Z", "1989-01-01T00:00:00Z", "soon", 1772470740]),
    "originalTimestamp": maybe([None, "2026-03-02T16:58:00Z"]),
    "sentAt": maybe([None, "", "2026-03-02T16:59:30Z", "x"]),
    "properties": maybe(
        [None, {}, {"name": "own"}, {"a": [{"b": 1}]}, {"purpose": "analytics", "granted": False}, []]
    ),
    "traits": maybe([None, {}, {"email": "a@x.it"}]),
    "context": CONTEXTS,
    "integrations": maybe([None, {}, {"All": True}, {"Google Analytics": {"clientId": "1.2"}}]),
    "patronReduced": maybe([None, True, False]),
}
MESSAGES = st.lists(
    st.one_of(*(st.tuples(st.just(n), values) for n, values in FIELDS.items())), max_size=3
).map(lambda odd: {**USUAL, **dict(odd)})
"""A usual message with at most three fields that may be odd."""
BATCHES = st.builds(
    lambda messages, context, integrations: {
        "batch": messages,
        "sentAt": "2026-03-02T16:59:40Z",
        **({"context": context} if context else {}),
        **({"integrations": integrations} if integrations else {}),
    },
    st.lists(MESSAGES, min_size=1, max_size=4),
    maybe([None, {"locale": "it"}, {"consent": {"categoryPreferences": {"profiling": False}}}]),
    maybe([None, {"Google Analytics": {"clientId": "9.9"}}]),
)


def both_ways(body: object, route: str) -> tuple[Batch, Batch]:
    text = json.dumps(body).encode()
    short = read(text, route)
    with patch.object(Reader, "_usual", lambda *_: None):
        return short, read(text, route)


@given(BATCHES)
def test_a_batch_is_the_same_both_ways(body: dict[str, Any]) -> None:
    short, long = both_ways(body, "batch")
    assert short == long


@example(
    {**USUAL, "event": "Consent Changed", "properties": {"purpose": "marketing", "granted": True}}, "track"
)
@given(MESSAGES, maybe(["track", "page", "screen", "identify"]))
def test_a_single_message_is_the_same_both_ways(message: dict[str, Any], route: str) -> None:
    short, long = both_ways(message, route)
    assert short == long


@given(st.lists(MESSAGES, min_size=1, max_size=3))
def test_what_the_log_keeps_reads_the_same_both_ways(messages: list[dict[str, Any]]) -> None:
    text = json.dumps({"batch": messages}).encode()
    batch = read(text)
    stored, skipped = batch.stored or text, {r.index: r.code for r in batch.rejects}
    short = read(stored, skipped=skipped)
    with patch.object(Reader, "_usual", lambda *_: None):
        long = read(stored, skipped=skipped)
    assert short == long
    assert short.events == batch.events
