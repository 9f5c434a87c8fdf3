"""Strings and bodies made to hurt: they come through unchanged, or end as one dead letter, and never cost much."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.errors import RequestError
from patron.model.events import Batch
from tests.unit.collect.intake import one, read, replay

STRINGS = [
    "'; DROP TABLE people; --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "\x00middle\x00",
    "\u202egnp.exe",
    "\u2066hidden\u2069",
    "\ufeffbom",
    "\u0085\u2028\u2029",
    "e\u0301",
    "😀" * 20,
    "../../etc/passwd",
    "null",
    "[erased] not quite",
    "\\u0000",
    '"quoted"',
    "%s%n{0}",
    "a" * 7_000,
]


@pytest.mark.parametrize("text", STRINGS)
def test_values_are_kept_as_they_are(text):
    event = one(
        {
            "event": f"E {text}"[:512],
            "properties": {text: text},
            "traits": {"t": text},
            "context": {"locale": text},
        }
    )
    assert event.name == f"E {text}"[:512]
    assert event.properties == {text: text}
    assert event.traits == {"t": text}
    assert event.context == {"locale": text}


@pytest.mark.parametrize("text", [t for t in STRINGS if len(t) < 128])
def test_identifiers_reach_identity_as_written(text):
    """Whether an identifier is fit to join people is for identity to say; the reader only bounds it."""
    event = one({"userId": text, "anonymousId": text})
    assert (event.user_id, event.anonymous_id) == (text, text)


def test_an_erased_value_is_no_identifier():
    event = one(
        {
            "userId": "[erased]",
            "anonymousId": "a",
            "context": {"externalIds": [{"id": "[erased]", "type": "card"}]},
        }
    )
    assert (event.user_id, event.anonymous_id, event.external_ids) == (None, "a", ())


def broken(value: bytes) -> bytes:
    return (
        b'{"type":"track","event":"E","messageId":"b","userId":"u","properties":{"list":[{"v":'
        + value
        + b"}]}}"
    )


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        (b"NaN", "not_a_number", "$.properties.list[0].v"),
        (b"Infinity", "not_a_number", "$.properties.list[0].v"),
        (b"-Infinity", "not_a_number", "$.properties.list[0].v"),
        (b'"\\ud800"', "bad_text", "$.properties.list[0].v"),
        (b'"\\udc00x"', "bad_text", "$.properties.list[0].v"),
        (b'{"\\ud800":1}', "bad_text", "$.properties.list[0].v"),
        (b'"\xff"', "bad_text", "$"),
        (b'"\xed\xa0\x80"', "bad_text", "$"),
        (b"[" * 3_000 + b"]" * 3_000, "too_deep", "$"),
    ],
)
def test_the_guilty_message_is_found_and_the_others_pass(value, code, path):
    good = b'{"type":"track","event":"E","messageId":"%d","userId":"u"}'
    body = (
        b'{"sentAt":"2026-03-02T17:04:12.500Z", "batch":['
        + good % 1
        + b" ,\n"
        + broken(value)
        + b","
        + good % 2
        + b'],"x":[1]}'
    )
    batch = read(body)
    assert [e.message_id for e in batch.events] == ["1", "2"]
    assert [(r.index, r.code, r.path) for r in batch.rejects] == [(1, code, path)]
    again = replay(batch, body)
    assert (again.events, again.payload_hashes, again.rejects) == (batch.events, batch.payload_hashes, [])


def test_broken_text_in_a_field_that_nobody_reads_is_found_too():
    body = b'{"batch":[{"type":"page","userId":"u","messageId":"m","_metadata":"\xff"}]}'
    assert [r.code for r in read(body).rejects] == ["bad_text"]


def outcome(body: bytes, route: str = "batch") -> Batch | str:
    """What was read, or the code of the refusal."""
    try:
        return read(body, route)
    except RequestError as error:
        return error.code


NAN = b"[" + b"1," * 15_000 + b"NaN]"
BODIES = {
    "brackets": b'{"batch":[' + b"[" * 4_000_000,
    "deep items": b'{"batch":[' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"]}",
    "escaped quotes": b'{"batch":[' + b'"\\' * 2_000_000,
    "unterminated": b'{"batch":["' + b'\\"' * 2_000_000,
    "long digits": b'{"batch":[' + b"9" * 4_000_000 + b"]}",
    "NaN in each": b'{"batch":[' + b",".join([broken(NAN)] * 130) + b"]}",
    "1e400 in each": b'{"batch":[' + b",".join([broken(NAN.replace(b"NaN", b"1e400"))] * 130) + b"]}",
    "numeric ids": b'{"batch":['
    + b",".join([broken(NAN.replace(b"NaN", b"1")).replace(b'"u"', b"1")] * 130)
    + b"]}",
    "wide": b'{"batch":['
    + b",".join([b"{" + b",".join(b'"%d":1' % i for i in range(3_000)) + b"}"] * 130)
    + b"]}",
    "colons": b'{"batch":[' + b",".join([b'{"a":"' + b":" * 30_000 + b'"}'] * 130) + b"]}",
}


def cpu(work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize("name", BODIES)
def test_no_body_costs_much_more_than_parsing_it(name):
    """Quadratic scanning, or looking at every value of every broken message, was 40 to 1,000 times as much."""
    yardstick = min(cpu(lambda: json.loads(b"[" + b"1," * 2_000_000 + b"1]")) for _ in range(2))
    assert cpu(lambda: outcome(BODIES[name])) < 20 * yardstick


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)
FIELDS = ["type", "event", "name", "messageId", "userId", "anonymousId", "previousId", "groupId", "timestamp",
          "originalTimestamp", "sentAt", "receivedAt", "properties", "traits", "context", "integrations",
          "patronReduced", "extra"]  # fmt: skip
CONTEXT = [
    "channel",
    "touchpoint",
    "identification",
    "consent",
    "device",
    "externalIds",
    "userHash",
    "traits",
    "page",
]
contexts = json_values | st.dictionaries(st.sampled_from(CONTEXT), json_values, max_size=4)
messages = json_values | st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8).flatmap(
    lambda m: contexts.map(lambda c: {"type": "track", "event": "E", **m, "context": c})
)


@given(st.lists(messages, max_size=4), contexts, json_values)
def test_whatever_comes_is_an_event_or_a_named_reject_and_replays_the_same(batch_messages, context, sent_at):
    body = json.dumps({"batch": batch_messages, "context": context, "sentAt": sent_at}).encode()
    batch = outcome(body)
    if isinstance(batch, str):
        assert batch == "bad_json"
        return
    erased = sum(m is None for m in batch_messages)
    assert len(batch.events) + len(batch.rejects) + erased == batch.count == len(batch_messages)
    assert all(r.code and r.message and r.path.startswith("$") for r in batch.rejects)
    for event in batch.events:
        json.dumps(event.properties, allow_nan=False).encode()
        "".join(map(str, (event.user_id, event.name, event.message_id))).encode()
    again = replay(batch, body)
    assert again.rejects == []
    assert (again.events, again.indexes, again.payload_hashes) == (
        batch.events,
        batch.indexes,
        batch.payload_hashes,
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer(body):
    for route in ("batch", "track"):
        assert isinstance(read_or_code := outcome(body, route), Batch) or read_or_code == "bad_json"
