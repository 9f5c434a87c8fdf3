"""The limits table of WIRE.md, row by row, through the door: status, code, and where the message ended."""

import gzip
import json

import msgspec
import pytest

from patron.collect.limits import TABLE, UNLIMITED, Limits
from patron.model.access import Source
from tests.unit.collect.intake import NOW, MemoryIntake, call, door, read

L = Limits()


def event(**more):
    return {"type": "track", "event": "E", "userId": "u", "messageId": "m", **more}


def batch(*messages) -> bytes:
    return (
        b'{"batch":['
        + b",".join(m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages)
        + b"]}"
    )


def sized(size: int) -> bytes:
    """A message of exactly so many bytes."""
    bare = json.dumps(event(properties={"a": ""})).encode()
    return json.dumps(event(properties={"a": "x" * (size - len(bare))})).encode()


def nested(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    """A message that nests so many levels, itself included."""
    inner = opening * (levels - 1) + b"1" + closing * (levels - 1)
    return b'{"type":"track","event":"E","userId":"u","messageId":"m","properties":' + inner + b"}"


def wide(keys: int) -> dict:
    return event(properties={f"k{i}": i for i in range(keys)})


def raw(value: bytes) -> bytes:
    return b'{"type":"track","event":"E","userId":"u","messageId":"m","properties":{"v":' + value + b"}}"


# (what of the table, body at the limit or None, body beyond it, status beyond, code beyond)
ROWS = [
    ("one message", batch(sized(L.event_bytes)), batch(sized(L.event_bytes + 1)), 200, "event_too_large"),
    ("nesting", batch(nested(64)), batch(nested(65)), 200, "too_deep"),
    ("nesting", batch(b'{"type":"page","userId":"u","x":' + b"[" * 63 + b"]" * 63 + b"}"),
     batch(b'{"type":"page","userId":"u","x":' + b"[" * 64 + b"]" * 64 + b"}"), 200, "too_deep"),
    ("nesting", None, batch(nested(5_000)), 200, "too_deep"),
    ("keys of one object", batch(wide(1_000)), batch(wide(1_001)), 200, "too_wide"),
    ("identifier", batch(event(userId="x" * 512)), batch(event(userId="x" * 513)), 200, "id_too_long"),
    ("identifier", batch(event(userId="é" * 256)), batch(event(userId="é" * 257)), 200, "id_too_long"),
    ("identifier", batch(event(anonymousId="x" * 512)), batch(event(anonymousId="x" * 10_000)), 200, "id_too_long"),
    ("identifier", batch(event(groupId="x" * 512)), batch(event(groupId="x" * 513)), 200, "id_too_long"),
    ("identifier", batch(event(previousId="x" * 512)), batch(event(previousId="x" * 513)), 200, "id_too_long"),
    ("identifier", batch(event(context={"externalIds": [{"type": "card", "id": "x" * 512}]})),
     batch(event(context={"externalIds": [{"type": "card", "id": "x" * 513}]})), 200, "id_too_long"),
    ("identifier", None, batch(event(context={"device": {"id": "x" * 513}})), 200, "id_too_long"),
    ("messageId", batch(event(messageId="é" * 100)), batch(event(messageId="x" * 101)), 200, "id_too_long"),
    ("event name", batch(event(event="é" * 512)), batch(event(event="x" * 513)), 200, "name_too_long"),
    ("event time, past", batch(event(timestamp=L.earliest)), batch(event(timestamp=L.earliest - 1)), 200,
     "time_out_of_range"),
    ("event time, future", batch(event(timestamp=NOW + L.future)), batch(event(timestamp=NOW + L.future + 1)), 200,
     "time_out_of_range"),
    ("NaN, Infinity", None, batch(raw(b"NaN")), 200, "not_a_number"),
    ("NaN, Infinity", None, batch(raw(b"[1, -Infinity]")), 200, "not_a_number"),
    ("numbers beyond 64 bits", batch(raw(b"9223372036854775808")), None, 200, ""),
    ("numbers beyond 64 bits", batch(raw(b"1e400")), None, 200, ""),
    ("text that is no Unicode", batch(raw(b'"\\ud83d\\ude00"')), batch(raw(b'"\\ud83d"')), 200, "bad_text"),
    ("text that is no Unicode", batch(raw('"é"'.encode())), batch(raw(b'"\xe9"')), 200, "bad_text"),
    ("messages in a batch", b'{"batch":[' + b",".join([b"null"] * 5_000) + b"]}",
     b'{"batch":[' + b",".join([b"null"] * 5_001) + b"]}", 413, "too_many_events"),
    ("body as sent", batch(event()) + b" " * (L.body_raw - len(batch(event()))),
     batch(event()) + b" " * (L.body_raw + 1 - len(batch(event()))), 413, "body_too_large"),
    ("body inflated", gzip.compress(batch(event()) + b" " * (L.body_inflated - len(batch(event()))), 1),
     gzip.compress(batch(event()) + b" " * (L.body_inflated + 1 - len(batch(event()))), 1), 413, "body_too_large"),
    ("body that is not a JSON object", None, b"[1]", 400, "bad_json"),
    ("body that is not a JSON object", None, b"", 400, "bad_json"),
    ("body that is not a JSON object", None, b"null", 400, "bad_json"),
    ("body that claims gzip and is damaged", None, gzip.compress(batch(event()))[:-9], 400, "bad_gzip"),
    ("body that claims gzip and is damaged", None, b"\x1f\x8b\x08" + b"junk" * 9, 400, "bad_gzip"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "within", "beyond", "status", "code"), ROWS, ids=[f"{i}-{r[0]}" for i, r in enumerate(ROWS)]
)
def test_the_table(what, within, beyond, status, code):
    row = next(r for r in TABLE if r.what == what)
    assert (row.status, row.code) == (status, code)
    if within is not None:
        app, intake = door()
        answer = call(app, body=within)
        assert answer.status == 200, answer.body
        assert answer.json["rejected"] == 0, answer.json
        assert len(intake.events) == answer.json["accepted"]
    if beyond is not None:
        app, intake = door()
        answer = call(app, body=beyond)
        assert answer.status == status
        assert intake.events == []
        if status == 200:
            assert [r.code for r in intake.dead] == [code]
            assert answer.json["faults"][0]["problem"].startswith(f"{code}: ")
            assert intake.bodies == [("batch", beyond)], "the body keeps its bytes"
        else:
            assert answer.json["code"] == code
            assert intake.bodies == [], "nothing is taken"


def test_big_numbers_are_kept_as_text():
    cases = {
        b"9223372036854775807": 2**63 - 1,
        b"-9223372036854775808": -(2**63),
        b"9223372036854775808": "9223372036854775808",
        b"-9223372036854775809": "-9223372036854775809",
        b"18446744073709551615": "18446744073709551615",
        b"1e400": "1e400",
        b"-1E+999": "-1E+999",
        b"1e308": 1e308,
        b"1e-400": 0.0,
        b"9" * 5_000: "9" * 5_000,
        b"[[[[[[[12345678901234567890123]]]]]]]": [[[[[[["12345678901234567890123"]]]]]]],
        b'{"a":[1,{"b":12345678901234567890123}]}': {"a": [1, {"b": "12345678901234567890123"}]},
    }
    for written, kept in cases.items():
        (got,) = read(batch(raw(written))).events
        assert got.properties == {"v": kept}, written


def test_every_row_of_the_table_is_tried():
    tried = {row[0] for row in ROWS}
    elsewhere = {
        "missing, unknown or revoked key",
        "messages a second of one key",
        "time to deliver the body",
    }
    assert {row.what for row in TABLE} == tried | elsewhere
    fields = set(Limits.__struct_fields__)
    assert {row.limit for row in TABLE if row.limit} <= fields


def test_a_limit_that_was_lowered_does_not_undo_what_was_accepted():
    tight = msgspec.structs.replace(L, event_bytes=200, id_bytes=8, name_chars=1, depth=2, width=1)
    body = batch(event(event="Long name", userId="a-long-identifier", properties={"a": {"b": 1}, "c": 2}))
    live, again = read(body), read(body, limits=tight, skipped={})
    assert again.events == live.events
    assert read(body, limits=tight).events == []
    assert UNLIMITED.event_bytes > L.body_inflated


def test_the_rate_of_a_key():
    intake = MemoryIntake(Source("shop", "web", rate=10))
    app, _ = door(intake)
    many = batch(*(event(messageId=f"m{i}") for i in range(50)))
    assert call(app, body=many).status == 200, "a batch bigger than the bucket still passes"
    answer = call(app, body=many)
    assert (answer.status, answer.json["code"]) == (429, "rate_limited")
    wait = int(answer.headers["retry-after"])
    assert 1 <= wait <= 5
    intake.clock.step(NOW + wait * 1000)
    assert call(app, body=batch(event(messageId="n"))).status == 200
    assert len(intake.events) == 51


def test_a_quiet_night_does_not_save_up():
    intake = MemoryIntake(Source("shop", "web", rate=5))
    app, _ = door(intake)
    call(app, body=batch(event()))
    intake.clock.step(NOW + 8 * 3_600_000)
    taken = [
        call(app, path="/v1/track", body=json.dumps(event(messageId=f"n{i}")).encode()).status
        for i in range(30)
    ]
    assert taken.count(200) == 10


def test_the_rate_holds_in_the_long_run():
    intake = MemoryIntake(Source("shop", "web", rate=5))
    app, _ = door(intake)
    for tick in range(300):
        intake.clock.step(NOW + tick * 100)
        call(app, path="/v1/track", body=json.dumps(event(messageId=f"m{tick}")).encode())
    assert 5 * 30 <= len(intake.events) <= 5 * 30 + 10
