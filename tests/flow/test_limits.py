"""The limits table of WIRE.md and strings made to hurt, through HTTP against one real server.

Each case asks four things: what the door answers, where the message ended (timeline and counters, or a dead letter with
code and path), that its neighbour in the body is untouched, and that the person's page in the console still stands.
"""

import gzip
import html
import json
import re
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.flow.serving import PatronServer, basic, bearer, request
from tests.flow.shop import Shop

BIG = 10**199 + 7


def message(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Product Viewed", **more}


def raw(**more: Any) -> bytes:
    return json.dumps(message(**more)).encode()


def spoiled(user: str, value: bytes) -> bytes:
    """A message whose property `v` is written as `value`."""
    return b'{"type":"track","event":"E","userId":"%s","properties":{"v":%s}}' % (user.encode(), value)


def sized(size: int) -> bytes:
    bare = raw(userId="large", properties={"a": ""})
    return raw(userId="large", properties={"a": "x" * (size - len(bare))})


def nested(levels: int) -> bytes:
    return spoiled("deep", b'{"a":' * (levels - 2) + b"1" + b"}" * (levels - 2))


# --- hostile strings: as id, event name, key, value and trait at once -------------------------------------------------

STRINGS = {
    "sql": "'; DROP TABLE people; --",
    "html": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "template": "{{7*7}}${7*7}<%= 7*7 %>",
    "format": "%s%n{0}",
    "path": "../../etc/passwd",
    "url": "a/b?c=d#e&f=%2e%2e",
    "crlf": "x\r\nSet-Cookie: a=b",
    "nul": "nul\x00middle",
    "bidi": "\u202egnp.exe\u2066",
    "zero width": "zero\u200bwidth\u200d",
    "line separators": "a\u0085b\u2028c\u2029d",
    "rtl": "שלום عالم",
    "emoji": "👩‍👩‍👧‍👦🇮🇹",
    "combining": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L",
    "decomposed": "Jose\u0301 Munoz\u0303",
    "proto": "__proto__",
    "constructor": "constructor",
    "number": "17",
    "long number": "1234567890" * 20,
    "float": "1e400",
    "json": '{"a": [1, null]}',
    "backslash": "\\u0000\\",
    "tilde": "ana~1772445600000",
    "colon": "user_id:colon",
    "star": "*percent%_",
    "512 bytes": "é" * 256,
}  # fmt: skip

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")


@pytest.mark.parametrize("name", STRINGS)
def test_hostile_strings_arrive_as_they_are_and_the_page_stands(shop: Shop, name: str) -> None:
    text, server = STRINGS[name], shop.server
    track = message(event=text, userId=text, properties={text: text, "n": 1}, messageId=text[:100])
    identify = {"type": "identify", "userId": text, "traits": {"city": text, text: text, "first_name": text}}
    reply = server.track(shop.key, track, identify)
    assert reply.json()["accepted"] == 2, reply
    person = f"user_id:{text}"
    profile = server.profile(person)
    assert profile.status == 200, profile
    shown = profile.json()
    assert shown["traits"]["city"] == shown["traits"]["first_name"] == text
    assert shown["traits"].get(text, text) == text, "a name longer than names are is not kept"
    assert sum(shown["counters"].values()) == 2
    counted = next(name for name in shown["counters"] if name != "Identified")
    assert counted == text or (len(counted) >= 100 and text.startswith(counted)), (
        "long names count by their beginning"
    )
    first = next(e for e in server.events(person) if e["type"] == "track")
    assert (first["event"], first["messageId"], first["properties"][text]) == (text, text[:100], text)
    for part in ("links", "traits", "external_ids", "consents", "metadata", "decisions"):
        assert server.get(f"/v1/profiles/{quote(person, safe=':')}/{part}").status == 200
    page_stands(shop, shown["id"], text)


def page_stands(shop: Shop, person: str, text: str = "") -> str:
    """The person's page renders, and holds no text of a customer as markup."""
    page = shop.console.get(f"/console/people/{person}")
    assert page.status_code == 200, page.text[:500]
    assert page.text.rstrip().endswith("</html>")
    for markup in ("<script>alert", "<img src=x"):
        assert markup not in page.text
    for written in re.findall(r"\son\w+\s*=", re.sub(r">[^<]*<|\"[^\"]*\"", "", page.text)):
        raise AssertionError(f"a handler in the page: {written}")
    visible = html.unescape(page.text)
    if text and not CONTROLS.search(text):
        assert text[:20] in visible
    return visible


# --- the table: one message beyond a limit ----------------------------------------------------------------------------

FAR = "2099-01-01T00:00:00Z"
DEAD = {
    "one event of 32 KiB and a byte": (sized(32_769), "event_too_large", ""),
    "65 levels": (nested(65), "too_deep", ""),
    "5,000 levels": (nested(5_000), "too_deep", ""),
    "10,000 levels": (nested(10_000), "event_too_large", ""),
    "1,001 keys": (raw(userId="w", properties={f"k{i}": 1 for i in range(1_001)}), "too_wide", ""),
    "2,000 keys": (raw(userId="w", properties={f"k{i}": i for i in range(2_000)}), "too_wide", ""),
    "user id of 513 bytes": (raw(userId="x" * 513), "id_too_long", "$.userId"),
    "user id of 10 kB": (raw(userId="é" * 5_000), "id_too_long", "$.userId"),
    "anonymous id of 10 kB": (raw(anonymousId="x" * 10_000), "id_too_long", "$.anonymousId"),
    "external id of 10 kB": (
        raw(userId="u", context={"externalIds": [{"type": "card", "id": "x" * 10_000}]}),
        "id_too_long",
        "$.context.externalIds[0].id",
    ),
    "messageId of 101 characters": (raw(userId="u", messageId="m" * 101), "id_too_long", "$.messageId"),
    "event name of 513 characters": (raw(userId="u", event="e" * 513), "name_too_long", "$.event"),
    "no event name": (b'{"type":"track","userId":"u"}', "no_event_name", "$.event"),
    "blank event name": (raw(userId="u", event=" \t "), "no_event_name", "$.event"),
    "unknown type": (b'{"type":"tracked","userId":"u"}', "bad_type", "$.type"),
    "type that is no text": (b'{"type":5,"userId":"u"}', "bad_type", "$.type"),
    "time after tomorrow": (raw(userId="u", timestamp=FAR), "time_out_of_range", "$.timestamp"),
    "time before 1990": (raw(userId="u", timestamp="1989-12-31T23:59:59Z"), "time_out_of_range", "$.timestamp"),
    "time that is none": (raw(userId="u", timestamp="yesterday"), "bad_time", "$.timestamp"),
    "time of 200 digits": (
        b'{"type":"page","userId":"u","timestamp":%d}' % BIG, "bad_time", "$.timestamp"),
    "NaN": (spoiled("u", b"NaN"), "not_a_number", "$.properties.v"),
    "Infinity": (spoiled("u", b"[1, -Infinity]"), "not_a_number", "$.properties.v[1]"),
    "lone surrogate": (spoiled("u", b'"\\ud83d"'), "bad_text", "$.properties.v"),
    "lone surrogate as id": (
        b'{"type":"page","userId":"\\udc00"}', "bad_text", "$.userId"),
    "bytes that are no UTF-8": (spoiled("u", b'"\xe9"'), "bad_text", ""),
    "id that is true": (b'{"type":"page","userId":true}', "bad_id", "$.userId"),
    "id that is an object": (b'{"type":"page","userId":{"a":1}}', "bad_id", "$.userId"),
    "properties that are a text": (raw(userId="u", properties="text"), "not_an_object", "$.properties"),
    "message that is a number": (b"17", "bad_message", ""),
    "message that is a text": (b'"text"', "bad_message", ""),
    "unknown channel": (raw(userId="u", context={"channel": "carrier-pigeon"}), "unknown_channel", "$.context.channel"),
    "no id": (raw(messageId="none", ), "no_identifier", ""),
    "empty id": (raw(messageId="none", userId=""), "no_identifier", ""),
    "null id": (raw(messageId="none", userId=None, anonymousId=None), "no_identifier", ""),
    "whitespace id": (raw(messageId="none", userId=" \t\n"), "no_identifier", ""),
    "invisible id": (raw(messageId="none", userId="\u200b\u202e\x00"), "no_identifier", ""),
    "id null as text": (raw(messageId="none", userId="null"), "no_identifier", ""),
    "id undefined": (raw(messageId="none", userId="undefined", anonymousId="undefined"), "no_identifier", ""),
    "id [object Object]": (raw(messageId="none", userId="[object Object]"), "no_identifier", ""),
    "id 0": (raw(messageId="none", userId=0), "no_identifier", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", DEAD)
def test_beyond_a_limit_a_message_is_a_dead_letter_and_its_neighbour_arrives(shop: Shop, name: str) -> None:
    text, code, path = DEAD[name]
    server, user = shop.server, f"neighbour of {name}"
    good = raw(userId=user, messageId=name)
    before = server.status()["accepted"]
    body = b'{"batch":[' + text + b"," + good + b"]}"
    reply = request("POST", f"{server.url}/v1/batch", body, basic(shop.key))
    assert reply.status == 200, reply
    told = reply.json()
    assert (told["accepted"], told["rejected"]) == (1, 1), told
    assert told["faults"][0]["problem"].startswith(f"{code}: ")
    assert told["faults"][0]["path"] == "$.batch[0]" + path.removeprefix("$")
    letter = server.get("/v1/admin/deadletters?limit=1").json()["data"][0]
    assert (letter["code"], letter["path"].removeprefix("$"), letter["position"], letter["source"]) == (
        code, path.removeprefix("$"), before + 1, "web")  # fmt: skip
    kept = server.get(f"/v1/admin/deadletters/{letter['id']}")
    assert kept.json()["message"] == text.decode("utf-8", "replace"), "it is kept as it came"
    opened = shop.console.get(f"/console/data/quarantine/{letter['id']}")
    assert opened.status_code == 200
    assert code in opened.text
    assert [e["messageId"] for e in server.events(f"user_id:{user}")] == [name]


KEPT = {
    "an event of 32 KiB": (sized(32_768), "large", None),
    "64 levels": (nested(64), "deep", None),
    "1,000 keys": (raw(userId="wide", properties={f"k{i}": i for i in range(1_000)}), "wide", None),
    "id of 512 bytes": (raw(userId="y" * 512), "y" * 512, None),
    "integer of 200 digits": (spoiled("big", str(BIG).encode()), "big", str(BIG)),
    "1e400": (spoiled("huge", b"1e400"), "huge", "1e400"),
    "1e308": (spoiled("double", b"1e308"), "double", 1e308),
    "64-bit integer": (spoiled("int64", b"-9223372036854775808"), "int64", -(2**63)),
    "number as id": (b'{"type":"page","userId":1700}', "1700", None),
    "number of 20 digits as id": (b'{"type":"page","userId":12345678901234567891}', "12345678901234567891", None),
    "float as id": (b'{"type":"page","userId":18.0}', "18", None),
    "blanks around an id": (raw(userId="  padded\t"), "padded", None),
    "the same key twice": (b'{"type":"page","userId":"first","userId":"second"}', "second", None),
    "an array for an empty map": (b'{"type":"page","userId":"php","properties":[]}', "php", None),
    "unknown fields": (b'{"type":"page","userId":"extra","__proto__":{"x":1},"constructor":[]}', "extra", None),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_within_the_limits_it_is_on_the_timeline_and_the_page_stands(shop: Shop, name: str) -> None:
    text, user, value = KEPT[name]
    reply = request("POST", f"{shop.server.url}/v1/batch", b'{"batch":[' + text + b"]}", basic(shop.key))
    assert reply.json()["accepted"] == 1, reply
    (event,) = shop.server.events(f"user_id:{user}")
    if value is not None:
        assert event["properties"]["v"] == value
    profile = shop.server.profile(f"user_id:{user}").json()
    assert sum(profile["counters"].values()) == 1
    page_stands(shop, profile["id"])


# --- whole bodies refused ---------------------------------------------------------------------------------------------

ONE = b'{"batch":[' + raw(userId="refused", messageId="r") + b"]}"
REFUSED = {
    "4 MiB and a byte": (ONE + b" " * ((4 << 20) + 1 - len(ONE)), 413, "body_too_large"),
    "inflated beyond 16 MiB": (gzip.compress(ONE + b" " * (16 << 20), 1), 413, "body_too_large"),
    "5,001 messages": (b'{"batch":[' + b",".join([b"{}"] * 5_001) + b"]}", 413, "too_many_events"),
    "empty": (b"", 400, "bad_json"),
    "an array": (b"[]", 400, "bad_json"),
    "null": (b"null", 400, "bad_json"),
    "cut off": (ONE[:-3], 400, "bad_json"),
    "something behind": (ONE + b"{}", 400, "bad_json"),
    "no batch": (b"{}", 400, "bad_json"),
    "a batch that is no array": (b'{"batch":{}}', 400, "bad_json"),
    "a million brackets": (b'{"batch":' + b"[" * 1_000_000, 400, "bad_json"),
    "not JSON": (b"userId=1&event=x", 400, "bad_json"),
    "damaged gzip": (gzip.compress(ONE)[:-9], 400, "bad_gzip"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_whole_body_is_refused_with_code_and_message_and_nothing_is_taken(shop: Shop, name: str) -> None:
    body, status, code = REFUSED[name]
    before = shop.server.status()["accepted"]
    reply = request("POST", f"{shop.server.url}/v1/batch", body, basic(shop.key))
    assert (reply.status, reply.json()["code"]) == (status, code)
    assert reply.json()["message"]
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["access-control-allow-origin"] == "*", (
        "or no browser shows the status to its library"
    )
    assert shop.server.status()["accepted"] == before


def test_at_the_limits_of_a_body_it_is_taken(shop: Shop) -> None:
    whole = ONE + b" " * ((4 << 20) - len(ONE))
    assert request("POST", f"{shop.server.url}/v1/batch", whole, basic(shop.key)).status == 200
    large = gzip.compress(ONE + b" " * ((16 << 20) - len(ONE)), 1)
    assert request("POST", f"{shop.server.url}/v1/batch", large, basic(shop.key)).json()["duplicates"] == 1
    many = b'{"batch":[' + b",".join([b"null"] * 5_000) + b"]}"
    assert request("POST", f"{shop.server.url}/v1/batch", many, basic(shop.key)).status == 200


@pytest.mark.parametrize(
    "headers",
    [{}, basic(""), basic("wk_unknown"), basic("é\u202e"), bearer("wk_x"), {"Authorization": "Basic %%%"}, {"Authorization": "Basic"}],
    ids=["none", "empty", "unknown", "unicode", "bearer", "no base64", "no value"],
)  # fmt: skip
def test_without_a_live_key_it_is_401(shop: Shop, headers: dict[str, str]) -> None:
    reply = request("POST", f"{shop.server.url}/v1/batch", ONE, headers)
    assert (reply.status, reply.json()["code"]) == (401, "bad_key")


def test_a_secret_key_is_no_write_key(shop: Shop) -> None:
    assert request("POST", f"{shop.server.url}/v1/batch", ONE, basic(shop.server.admin)).status == 401


def test_beyond_its_rate_a_key_gets_429_with_a_wait_and_then_is_let_in(shop: Shop) -> None:
    key = shop.server.write_key("app", "slow", "--rate", "10")
    url = f"{shop.server.url}/v1/batch"

    def many(first: int, count: int = 25) -> str:
        return json.dumps(
            {"batch": [message(userId="rated", messageId=f"{first}-{n}") for n in range(count)]}
        )

    assert request("POST", url, many(0), basic(key)).status == 200
    reply = request("POST", url, many(1), basic(key))
    assert (reply.status, reply.json()["code"]) == (429, "rate_limited")
    wait = int(reply.headers["retry-after"])
    assert 1 <= wait <= 2
    assert "retry-after" in reply.headers["access-control-expose-headers"].lower()
    time.sleep(wait)
    assert request("POST", url, many(1, 1), basic(key)).status == 200
    assert len(shop.server.events("user_id:rated")) == 26


@pytest.mark.slow
def test_a_full_queue_is_503_with_a_wait_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    server = PatronServer(tmp_path / "shop", env={"PATRON_STORAGE_MIN_FREE_MB": str(1 << 40)})
    server.init()
    server.start()
    try:
        key = server.write_key("web")
        reply = request("POST", f"{server.url}/v1/batch", ONE, basic(key))
        assert (reply.status, reply.json()["code"]) == (503, "disk_full")
        assert int(reply.headers["retry-after"]) >= 1
        assert server.profile("user_id:refused").status == 404
    finally:
        assert not server.close()


def test_a_client_that_goes_away_in_mid_body_leaves_nothing(shop: Shop) -> None:
    before = shop.server.status()["accepted"]
    with socket.create_connection(("127.0.0.1", shop.server.port), 10) as line:
        line.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + ONE[:50])
    assert request("GET", f"{shop.server.url}/readyz").status == 200
    assert shop.server.status()["accepted"] == before
