"""Bodies edited in place: cut out, erased, redacted; every other byte stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.collect.segment_api import blank, message_at, redact
from tests.unit.collect.intake import read

ODD = b'{ "sentAt":null ,"batch" :[ {"type":"page","userId":"u","messageId":"1"},{"type":"page","messageId":"2",\n"userId":"v"} , {"a":"]}\\"["} ],"context": {"ip":"10.0.0.1"},"writeKey":"k"}'


def nobody(_text: str) -> bool:
    return False


def test_a_message_is_found_byte_for_byte():
    assert message_at(ODD, "batch", 0) == b'{"type":"page","userId":"u","messageId":"1"}'
    assert message_at(ODD, "batch", 1) == b'{"type":"page","messageId":"2",\n"userId":"v"}'
    assert message_at(ODD, "batch", 2) == b'{"a":"]}\\"["}'
    assert message_at(b' {"userId":"u"}\n', "track", 0) == b'{"userId":"u"}'
    with pytest.raises(IndexError):
        message_at(ODD, "batch", 3)


def test_blanking_leaves_every_other_byte():
    assert blank(ODD, "batch", [1]) == ODD.replace(message_at(ODD, "batch", 1), b"null")
    assert blank(ODD, "batch", {0, 2}) == ODD.replace(message_at(ODD, "batch", 0), b"null").replace(
        message_at(ODD, "batch", 2), b"null"
    )
    assert blank(b' {"userId":"u"}\n', "track", [0]) == b" null\n"
    assert blank(ODD, "batch", []) == ODD
    assert blank(blank(ODD, "batch", [1]), "batch", [1]) == blank(ODD, "batch", [1])


def test_the_last_message_takes_the_context_of_the_batch_along():
    gone = blank(blank(ODD, "batch", [0, 1]), "batch", [2])
    assert json.loads(gone) == {"sentAt": None, "batch": [None, None, None], "context": None, "writeKey": "k"}


def test_erased_messages_are_passed_over_and_positions_stay():
    live = read(ODD)
    after = read(blank(ODD, "batch", [0]), skipped={2: "bad_type"})
    assert after.count == 3
    assert after.events == live.events[1:]
    assert [e.position for e in after.events] == [2]
    assert read(b"null", "track", skipped={}).count == 1
    assert read(b"null", "track", skipped={}).events == []


def test_erasing_a_neighbour_cannot_change_a_derived_message_id():
    batch = read([{"type": "page", "userId": "u"}, {"type": "page", "userId": "v"}])
    after = read(blank(batch.stored, "batch", [0]), skipped={})
    assert after.events == batch.events[1:]


@pytest.mark.parametrize(
    ("written", "left"),
    [
        (b'{"to":"ana@x.it"}', b'{"to":"[erased]"}'),
        (b'{"to":"\\u0061na\\u0040x.it"}', b'{"to":"[erased]"}'),
        (b'{"to":"ANA@X.IT"}', b'{"to":"[erased]"}'),
        (b'{"url":"https://x/?mail=ana@x.it&a=1"}', b'{"url":"[erased]"}'),
        (b'{"ana@x.it":{"deep":["ana@x.it", "b"]}}', b'{"[erased]":{"deep":["[erased]", "b"]}}'),
        (b'{"q":"say \\"ana@x.it\\""}', b'{"q":"[erased]"}'),
        (b'{"n":39333123,"m":39333123.5,"k":-39333123}', b'{"n":"[erased]","m":39333123.5,"k":-39333123}'),
        (b'{"qty":42,"user":"42","path":"/u/42/x","sku":"A420"}', b'{"qty":42,"user":"[erased]","path":"[erased]","sku":"A420"}'),
        (b'{"norm":"+39 333 123"}', b'{"norm":"[erased]"}'),
        (b'{"other":"bob@x.it","nul":"\\u0000","half":"\\ud800"}', b'{"other":"bob@x.it","nul":"\\u0000","half":"\\ud800"}'),
    ],
)  # fmt: skip
def test_redacting_finds_every_spelling_and_nothing_else(written, left):
    values = {"ana@x.it", "39333123", "42"}
    assert redact(written, "track", 0, values, lambda text: text.replace(" ", "") == "+39333123") == left


def test_redacting_stays_in_its_message_and_the_context_of_the_batch():
    mine, other = b'{"type":"page","to":"ana@x.it"}', b'{"type":"page","to":"ana@x.it","x":1}'
    body = (
        b'{"batch":['
        + mine
        + b","
        + other
        + b'],"context":{"by":"ana@x.it"},"batch":['
        + mine
        + b","
        + other
        + b'],"writeKey":"ana@x.it"}'
    )
    expected = b'{"batch":[%s,%s],"context":{"by":"[erased]"},"batch":[%s,%s],"writeKey":"ana@x.it"}'
    clean = mine.replace(b"ana@x.it", b"[erased]")
    assert redact(body, "batch", 0, ["ana@x.it"], nobody) == expected % (
        clean,
        other.replace(b"ana@x.it", b"[erased]"),
        clean,
        other,
    )


def test_redacting_nothing_changes_nothing():
    assert redact(ODD, "batch", 0, [], nobody) == ODD
    assert redact(ODD, "batch", 0, [""], nobody) == ODD
    assert redact(b"null", "track", 0, ["x"], nobody) == b"null"


def test_a_redacted_identifier_joins_nobody():
    body = json.dumps({"type": "alias", "userId": "v", "previousId": "ana-7-long", "messageId": "m"}).encode()
    (event,) = read(redact(body, "track", 0, ["ana-7-long"], nobody), "track", skipped={}).events
    assert (event.user_id, event.previous_id) == ("v", None)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=6), plain, max_size=3), min_size=1, max_size=4),
    plain,
    st.booleans(),
    st.data(),
)
def test_spans_agree_with_a_json_parser(messages, around, ascii_only, data):
    body = json.dumps({"a": around, "batch": messages, "b": around}, ensure_ascii=ascii_only).encode()
    for index, message in enumerate(messages):
        assert json.loads(message_at(body, "batch", index)) == message
    gone = data.draw(st.sets(st.integers(0, len(messages) - 1)))
    left = json.loads(blank(body, "batch", gone))
    assert left["batch"] == [None if i in gone else m for i, m in enumerate(messages)]
    if len(gone) < len(messages):
        assert left["a"] == left["b"] == around


@given(plain, st.text(min_size=1, max_size=8), st.booleans())
def test_no_spelling_of_a_value_survives(value, wanted, ascii_only):
    body = json.dumps({"x": [wanted, {wanted: value, "k": f"<{wanted}>"}]}, ensure_ascii=ascii_only).encode()
    left = json.loads(redact(body, "track", 0, [wanted], nobody))

    def texts(node):
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            for key, inner in node.items():
                yield key
                yield from texts(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from texts(inner)

    assert all(text.casefold() != wanted.casefold() for text in texts(left) if text != "[erased]")
