"""The tracking door: routes, keys, encodings, CORS, errors, and what it leaves to others."""

import asyncio
import base64
import gzip
import json
import logging
import socket
import threading
import time
import zlib

import httpx
import msgspec
import pytest
import uvicorn

from patron.collect.limits import Limits
from patron.model.access import Source
from patron.model.errors import Busy, DiskFull, RateLimited
from tests.unit.collect.intake import KEY, NOW, MemoryIntake, call, door

PAGE = {"type": "page", "userId": "u", "messageId": "m"}
BATCH = json.dumps({"batch": [PAGE], "sentAt": None}).encode()


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


# ---- routes


@pytest.mark.parametrize(
    ("path", "route", "kind"),
    [
        ("/v1/identify", "identify", "identify"), ("/v1/track", "track", "track"), ("/v1/page", "page", "page"),
        ("/v1/screen", "screen", "screen"), ("/v1/group", "group", "group"), ("/v1/alias", "alias", "alias"),
        ("/v1/i", "identify", "identify"), ("/v1/t", "track", "track"), ("/v1/p", "page", "page"),
        ("/v1/s", "screen", "screen"), ("/v1/g", "group", "group"), ("/v1/a", "alias", "alias"),
        ("/v1/track/", "track", "track"), ("//v1//track", "track", "track"),
    ],
)  # fmt: skip
def test_every_single_route(path, route, kind):
    app, intake = door()
    answer = call(app, path=path, body=b'{"event":"E","userId":"u","messageId":"m"}')
    assert answer.status == 200
    assert [e.type for e in intake.events] == [kind]
    assert intake.bodies[0][0] == route


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch", "/v1/batch/"])
def test_every_batch_route(path):
    app, intake = door()
    answer = call(app, path=path, body=BATCH)
    assert (answer.status, len(intake.events)) == (200, 1)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "success": True,
        "position": 1,
        "accepted": 1,
        "duplicates": 0,
        "rejected": 0,
        "faults": [],
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/t", "/v1/m", "/beacon/v1/batch"])
def test_other_methods(method, path):
    app, intake = door()
    answer = call(app, method, path, BATCH)
    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert intake.events == []


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/decide", "/v1/x", "/v1/batches", "/v1/profiles/x", "/console"]
)
def test_what_is_not_ours_goes_to_the_fallback(path):
    seen = []

    async def fallback(scope, _receive, send):
        seen.append(scope["path"])
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app, _ = door(fallback=fallback)
    assert call(app, "GET", path).status == 418
    assert call(app, "OPTIONS", path).status == 418
    assert seen == [path, path]


def test_without_a_fallback_the_rest_is_unknown():
    app, _ = door()
    assert call(app, "GET", "/x").json["code"] == "no_route"


def test_lifespan_goes_to_the_fallback():
    seen = []

    async def fallback(scope, _receive, _send):
        seen.append(scope["type"])

    app, _ = door(fallback=fallback)
    asyncio.run(app({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


# ---- keys


@pytest.mark.parametrize(
    ("headers", "body_key"),
    [
        (basic(f"{KEY}:"), None),
        (basic(KEY), None),
        (basic(f"{KEY}:ignored"), None),
        (basic(f"{KEY}:"), "another"),
        ({"Authorization": "basic  " + base64.b64encode(KEY.encode()).decode()}, None),
        ({"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode().rstrip("=")}, None),
        ({"Authorization": "Bearer token"}, KEY),
        ({"Authorization": f"Bearer {KEY}"}, None),
        ({"Authorization": "Basic Og=="}, KEY),
        ({"Authorization": "Digest x"}, KEY),
        ({}, KEY),
    ],
)
def test_every_place_for_the_key(headers, body_key):
    app, intake = door()
    body = {"batch": [PAGE]} if body_key is None else {"writeKey": body_key, "batch": [PAGE]}
    assert call(app, body=json.dumps(body).encode(), headers=headers, key=None).status == 200
    assert len(intake.events) == 1


@pytest.mark.parametrize(
    ("headers", "body_key"),
    [({}, None), ({}, "nope"), ({}, 5), ({}, ""), (basic("nope:"), None), (basic("nope:"), KEY), (basic(":"), None),
     ({"Authorization": "Basic !!!"}, None), ({"Authorization": "Bearer x"}, "nope"), ({"Authorization": ""}, None)],
)  # fmt: skip
def test_a_wrong_key(headers, body_key):
    app, intake = door()
    body = {"batch": [PAGE]} | ({} if body_key is None else {"writeKey": body_key})
    answer = call(app, body=json.dumps(body).encode(), headers=headers, key=None)
    assert (answer.status, answer.json["code"]) == (401, "bad_key")
    assert set(answer.json) == {"code", "message"}
    assert intake.bodies == []


def test_the_key_of_a_body_in_which_one_message_is_broken():
    app, intake = door()
    body = (
        b'{"batch":[{"type":"page","userId":"u","messageId":"m"},{"a":NaN}],"writeKey":"%s"}' % KEY.encode()
    )
    answer = call(app, body=body, key=None)
    assert (answer.status, answer.json["accepted"], answer.json["rejected"]) == (200, 1, 1)
    assert answer.json["faults"] == [
        {
            "path": "$.batch[1].a",
            "problem": "not_a_number: NaN and Infinity are no JSON numbers; send null or a text.",
        }
    ]
    assert len(intake.events) == 1


def test_the_key_of_a_beacon_is_in_the_query():
    app, _ = door()
    assert call(app, path="/beacon/v1/batch", body=BATCH, key=None, query=f"writeKey={KEY}").status == 200
    assert call(app, path="/beacon/v1/batch", body=BATCH, key=None, query="writeKey=nope").status == 401


# ---- encodings


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x/y", None]
)
@pytest.mark.parametrize("says_gzip", [True, False])
@pytest.mark.parametrize("is_gzip", [True, False])
def test_what_a_body_is_shows_in_its_first_bytes(content_type, says_gzip, is_gzip):
    app, intake = door()
    headers = {"Content-Type": content_type} if content_type else {}
    if says_gzip:
        headers["Content-Encoding"] = "gzip"
    answer = call(app, body=gzip.compress(BATCH) if is_gzip else BATCH, headers=headers)
    assert answer.status == 200
    assert intake.bodies == [("batch", BATCH)], "the log holds the inflated body"


def test_pieces_several_gzip_members_and_a_byte_order_mark():
    app, intake = door()
    packed = gzip.compress(b"\xef\xbb\xbf" + BATCH[:20]) + gzip.compress(BATCH[20:]) + b"\0\0"
    answer = call(app, body=[packed[i : i + 7] for i in range(0, len(packed), 7)])
    assert answer.status == 200
    assert intake.bodies == [("batch", BATCH)]


def test_a_bomb_is_never_inflated_beyond_the_limit():
    app, _ = door()
    bomb = zlib.compressobj(1, zlib.DEFLATED, 31)
    packed = b"".join([bomb.compress(b" " * (1 << 20)) for _ in range(64)]) + bomb.flush()
    assert len(packed) < Limits().body_raw
    began = time.process_time()
    answer = call(app, body=packed)
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    assert time.process_time() - began < 1


def test_a_body_without_length_is_counted_as_it_comes():
    app, intake = door()
    answer = call(app, body=[b" " * (1 << 20)] * 5 + [BATCH])
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    assert intake.bodies == []


def test_a_client_that_goes_away_gets_no_answer_and_leaves_nothing():
    app, intake = door()
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    messages = [{"type": "http.request", "body": BATCH[:9], "more_body": True}, {"type": "http.disconnect"}]
    scope = {"type": "http", "method": "POST", "path": "/v1/b", "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    assert (sent, intake.bodies) == ([], [])


# ---- CORS


@pytest.mark.parametrize(
    "path", ["/v1/t", "/v1/batch", "/v1/m", "/v1/projects/x/settings", "/pixel/v1/track", "/beacon/v1/batch"]
)
def test_preflight(path):
    app, _ = door()
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    answer = call(app, "OPTIONS", path, headers=asked, key=None)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type, x-retry-count"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert int(answer.headers["access-control-max-age"]) >= 600


def answers():
    app, intake = door(MemoryIntake(Source("shop", "web", rate=1)))
    yield call(app, body=BATCH)
    yield call(app, body=BATCH, key="nope")
    yield call(app, body=b"[]")
    yield call(app, "GET", "/v1/t")
    intake.failure = Busy("busy", "Wait.", retry_after=3)
    intake.clock.step(NOW + 10_000)
    yield call(app, body=BATCH)
    intake.failure = ValueError("u@example.org")
    intake.clock.step(NOW + 20_000)
    yield call(app, body=BATCH)
    yield call(app, "GET", "/analytics.js/v1/x/analytics.min.js")
    yield call(app, "GET", f"/v1/projects/{KEY}/settings")
    yield call(app, "GET", "/pixel/v1/nothing")


def test_every_answer_can_be_read_by_a_page_and_carries_the_position():
    seen = list(answers())
    assert [a.status for a in seen] == [200, 401, 400, 405, 503, 500, 404, 200, 404]
    for answer in seen:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "retry-after, patron-position"
        assert answer.headers["patron-position"] == "1"
        assert answer.headers["content-length"] == str(len(answer.body))
        if answer.status >= 400:
            assert isinstance(answer.json["code"], str)
            assert isinstance(answer.json["message"], str)


# ---- errors of the intake


@pytest.mark.parametrize(
    ("failure", "status", "code", "wait"),
    [
        (Busy("busy", "The queue is full.", retry_after=7), 503, "busy", "7"),
        (Busy("busy", "The queue is full."), 503, "busy", "1"),
        (RateLimited("rate_limited", "Slow down.", retry_after=2), 429, "rate_limited", "2"),
        (DiskFull("/var/lib/patron is full"), 503, "storage", "5"),
        (ZeroDivisionError("ana@x.it"), 500, "internal", None),
    ],
)
def test_what_the_intake_cannot_take(failure, status, code, wait, caplog):
    app, intake = door()
    intake.failure = failure
    with caplog.at_level(logging.DEBUG):
        answer = call(app, body=BATCH)
    assert (answer.status, answer.json["code"], answer.headers.get("retry-after")) == (status, code, wait)
    assert b"ana@x.it" not in answer.body
    assert b"Traceback" not in answer.body
    assert "ana@x.it" not in caplog.text
    if status == 500:
        assert "ZeroDivisionError at accept:" in caplog.text


def test_cancellation_is_not_swallowed():
    app, intake = door()
    intake.failure = asyncio.CancelledError()  # type: ignore[assignment]
    with pytest.raises(asyncio.CancelledError):
        call(app, body=BATCH)


def test_rejected_messages_are_named_briefly():
    app, _ = door()
    answer = call(app, body=json.dumps({"batch": [{"type": "x"}] * 40}).encode())
    assert answer.json["rejected"] == 40
    assert [f["path"] for f in answer.json["faults"]] == [f"$.batch[{i}].type" for i in range(10)]
    single = call(app, path="/v1/track", body=b'{"userId":true,"event":"E"}')
    assert (single.status, single.json["faults"][0]["path"]) == (200, "$.userId")


def test_a_retry_counts_once():
    app, intake = door()
    assert call(app, body=BATCH).json["accepted"] == 1
    again = call(app, body=BATCH, headers={"X-Retry-Count": "1"})
    assert (again.status, again.json["accepted"], again.json["duplicates"]) == (200, 0, 1)
    assert len(intake.events) == 1


# ---- what the browser library asks


def test_settings():
    app, _ = door()
    answer = call(
        app, "GET", f"/v1/projects/{KEY}/settings", headers={"Host": "t.shop.example:8080"}, key=None
    )
    assert answer.json == {
        "integrations": {
            "Segment.io": {"apiKey": KEY, "protocol": "http", "apiHost": "t.shop.example:8080/v1"}
        },
        "metrics": {"sampleRate": 0},
    }
    hostile = call(app, "GET", f"/v1/projects/{KEY}/settings", headers={"Host": 'x"><script>'}, key=None)
    assert "apiHost" not in hostile.json["integrations"]["Segment.io"]
    assert call(app, "GET", "/v1/projects/nope/settings", key=None).status == 401
    assert call(app, "POST", f"/v1/projects/{KEY}/settings", key=None).status == 405


def test_metrics_of_the_library_are_taken_and_dropped():
    app, intake = door()
    answer = call(app, path="/v1/m", body=b'{"series":[]}', key=None)
    assert (answer.status, answer.json, intake.bodies) == (200, {"success": True}, [])


@pytest.mark.parametrize("name", ["analytics.min.js", "analytics.js"])
def test_the_script_is_not_served_and_says_what_to_do(name):
    app, _ = door()
    answer = call(app, "GET", f"/analytics.js/v1/{KEY}/{name}", key=None)
    assert (answer.status, answer.json["code"]) == (404, "no_script")
    assert "npm" in answer.json["message"]


def test_the_pixel():
    app, intake = door()
    query = f"writeKey={KEY}&event=Mail%20Opened&anonymousId=c%2B1&properties.price=2.50&context.channel=email&type=alias"
    answer = call(app, "GET", "/pixel/v1/track", query=query, key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.body.startswith(b"GIF89a")
    (event,) = intake.events
    assert (event.type, event.name, event.anonymous_id, event.channel) == (
        "track",
        "Mail Opened",
        "c+1",
        "email",
    )
    assert event.properties == {"price": "2.50"}
    assert KEY.encode() not in intake.bodies[0][1]
    assert (
        call(app, "GET", "/pixel/v1/page", query=f"writeKey={KEY}&userId=u&name=Home", key=None).status == 200
    )
    assert call(app, "GET", "/pixel/v1/page", query="userId=u", key=None).status == 401
    assert call(app, "GET", "/pixel/v1/sing", query=f"writeKey={KEY}", key=None).status == 404


@pytest.mark.parametrize(
    "query", ["a=1&a.b=2", "a.b=1&a=2", "....=1", "=", "a.b.c.d.e.f.g.h.i.j.k=1", "%ff=%ff", "type.x=1", "&".join("a=1" for _ in range(2_000))]
)  # fmt: skip
def test_a_strange_query_is_no_fault_of_ours(query):
    app, _ = door()
    answer = call(app, "GET", "/pixel/v1/page", query=f"writeKey={KEY}&userId=u&{query}", key=None)
    assert answer.status in {200, 401}


# ---- a real server


@pytest.fixture(scope="module")
def served():
    """A door on a socket, with a short deadline for bodies."""
    app, intake = door(limits=msgspec.structs.replace(Limits(), receive_seconds=0.5))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield port, intake
    server.should_exit = True
    thread.join(10)


def test_chunked_gzip_over_a_socket(served):
    port, intake = served
    packed = gzip.compress(json.dumps({"batch": [{**PAGE, "messageId": "chunked"}]}).encode())
    answer = httpx.post(
        f"http://127.0.0.1:{port}/v1/batch", content=iter([packed[:9], packed[9:]]), auth=(KEY, "")
    )
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert intake.events[-1].message_id == "chunked"


def test_the_answer_to_a_body_that_is_too_large_can_be_read(served):
    """A connection that is cut while the client still writes looks like a network error, which SDKs retry."""
    port, _ = served
    for content in (b" " * (6 << 20), iter([b" " * (1 << 20)] * 6)):
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/batch", content=content, auth=(KEY, ""))
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_that_dribbles_is_cut_off(served):
    port, _ = served
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        began = time.monotonic()
        client.sendall(b"{")
        answer = client.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"body_too_slow" in answer
        assert 0.3 < time.monotonic() - began < 4
        assert client.recv(1) == b"", "the connection is closed"
