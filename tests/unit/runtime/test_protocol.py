"""The short way of HTTP: whoever takes it gets what uvicorn's own way gives, and everything odd goes that way."""

import asyncio
import contextlib
import gzip
import json
import logging
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from patron.model.ingest import Receipt
from patron.runtime.serving.protocol import DirectProtocol
from tests.unit.collect.intake import KEY, MemoryIntake, door

BASIC = b"Authorization: Basic " + b64encode(f"{KEY}:".encode()) + b"\r\n"


def post(
    body: bytes, path: str = "/v1/track", head: bytes = BASIC, version: str = "1.1", length: bool = True
) -> bytes:
    size = b"Content-Length: %d\r\n" % len(body) if length else b""
    return f"POST {path} HTTP/{version}\r\nHost: x\r\n".encode() + head + size + b"\r\n" + body


def event(number: int) -> bytes:
    return json.dumps({"event": "E", "userId": "u", "messageId": f"m{number}"}).encode()


@contextlib.contextmanager
def serving(app: Any, http: Any = DirectProtocol, **options: Any) -> Iterator[tuple[int, uvicorn.Server]]:
    options = {
        "log_level": "warning",
        "lifespan": "off",
        "date_header": False,
        "server_header": False,
        **options,
    }
    config = uvicorn.Config(app, host="127.0.0.1", port=0, loop="uvloop", http=http, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


class Line:
    """A client's connection, byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *pieces: bytes) -> None:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.002)  # let the server read the piece before
            self.socket.sendall(piece)

    def answer(self) -> tuple[bytes, list[bytes], bytes]:
        """Status line, header lines (sorted), body."""
        while b"\r\n\r\n" not in self.left:
            self._more()
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        size = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        while len(self.left) < size:
            self._more()
        body, self.left = self.left[:size], self.left[size:]
        return status, sorted(lines), body

    def _more(self) -> None:
        part = self.socket.recv(1 << 20)
        assert part, "the server closed the connection in the middle of an answer"
        self.left += part

    def is_closed(self) -> bool:
        self.socket.settimeout(3)  # less than it takes until an idle connection is closed
        return self.left == b"" and self.socket.recv(1) == b""


ODD = {
    "good": [post(event(1))],
    "a copy": [post(event(1)), post(event(1))],
    "every short address": [post(event(n), f"/v1/{route}") for n, route in enumerate(("t", "page", "batch"))],
    "one after the other on one connection": [post(event(n)) for n in range(5)],
    "several in one piece": [post(event(1)) + post(event(2)) + post(event(3))],
    "no key": [post(event(1), head=b"")],
    "a wrong key": [post(event(1), head=b"Authorization: Basic d3Jvbmc6\r\n")],
    "the key in the body": [post(event(1)[:-1] + b', "writeKey": "%b"}' % KEY.encode(), head=b"")],
    "the key in the query": [post(event(1), f"/v1/track?writeKey={KEY}", head=b"")],
    "no JSON": [post(b"nonsense")],
    "an empty body": [post(b"")],
    "no length": [post(b"", length=False)],
    "gzip": [post(gzip.compress(event(1)))],
    "broken gzip": [post(gzip.compress(event(1))[:-9])],
    "a byte-order mark": [post(b"\xef\xbb\xbf" + event(1))],
    "chunks": [post(b'5\r\n{"eve\r\n%x\r\n%b\r\n0\r\n\r\n' % (len(event(1)) - 5, event(1)[5:]), length=False,
                    head=BASIC + b"Transfer-Encoding: chunked\r\n")],
    "a broken chunk": [post(b"zz\r\n", length=False, head=BASIC + b"Transfer-Encoding: chunked\r\n")],
    "HTTP/1.0": [post(event(1), version="1.0")],
    "HTTP/1.0 that would go on": [post(event(1), version="1.0", head=BASIC + b"Connection: keep-alive\r\n")],
    "a last request": [post(event(1), head=BASIC + b"Connection: close\r\n")],
    "an upgrade that is not made": [post(event(1), head=BASIC + b"Connection: upgrade\r\nUpgrade: h2c\r\n")],
    "two slashes": [post(event(1), "//v1//track/")],
    "another method": [b"PUT /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"],
    "a preflight": [b"OPTIONS /v1/track HTTP/1.1\r\nHost: x\r\n\r\n"],
    "another address": [post(b"{}", "/v1/nothing")],
    "length and chunks": [post(b"{}", head=BASIC + b"Transfer-Encoding: chunked\r\n")],
    "two lengths": [post(b"{}", head=BASIC + b"Content-Length: 5\r\n")],
}  # fmt: skip
NOT_KEPT = {
    "a broken chunk", "HTTP/1.0", "HTTP/1.0 that would go on", "a last request",
    "length and chunks", "two lengths",
}  # fmt: skip


def _answers(port: int, name: str) -> list[tuple[bytes, list[bytes], bytes]]:
    with Line(port) as line:
        found = []
        for piece in ODD[name]:
            line.send(piece)
            found += [line.answer() for _ in range(piece.count(b" HTTP/1."))]
        if name in NOT_KEPT:
            assert line.is_closed()
        return found


@pytest.mark.parametrize("name", ODD)
def test_both_ways_give_the_same_answers(name: str) -> None:
    told, kept = [], []
    for http in (DirectProtocol, "httptools"):
        app, intake = door()
        with serving(app, http) as (port, _):
            told.append(_answers(port, name))
        kept.append(intake.bodies)
    assert told[0] == told[1]
    assert kept[0] == kept[1]


def test_wherever_a_request_is_cut_it_is_taken_once() -> None:
    app, intake = door()
    with serving(app) as (port, _), Line(port) as line:
        whole = post(event(0))
        for number, cut in enumerate(range(1, len(whole), 3)):
            request = post(event(1000 + number))
            line.send(request[:cut], request[cut:])
            assert line.answer()[0] == b"HTTP/1.1 200 OK"
        request = post(event(9999))
        line.send(*(request[i : i + 1] for i in range(len(request))))
        assert json.loads(line.answer()[2])["accepted"] == 1
    assert len(intake.events) == number + 2


def test_what_is_no_http_behind_a_request_is_refused_after_its_answer() -> None:
    app, _ = door()
    with serving(app) as (port, _), Line(port) as line:
        line.send(post(event(1)) + b"nonsense\r\n\r\n")
        assert line.answer()[0] == b"HTTP/1.1 200 OK"
        assert line.answer()[0] == b"HTTP/1.1 400 Bad Request"
        assert line.is_closed()


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    app, _ = door()
    with serving(app) as (port, _), Line(port) as line:
        head, body = post(event(1), head=BASIC + b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
        line.send(head + b"\r\n\r\n")
        assert line.answer()[0] == b"HTTP/1.1 100 Continue"
        line.send(body)
        assert line.answer()[0] == b"HTTP/1.1 200 OK"


class Held(MemoryIntake):
    """An intake that waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go = threading.Event(), threading.Event()

    async def accept(self, source: Any, route: str, body: bytes) -> Receipt:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(self._look, future)
        self.entered.set()
        await future
        await asyncio.sleep(0)
        return await super().accept(source, route, body)

    def _look(self, future: "asyncio.Future[None]") -> None:
        if self.go.is_set():
            future.set_result(None)
        else:
            asyncio.get_running_loop().call_later(0.005, self._look, future)


def test_what_is_pipelined_behind_a_slow_request_waits_for_it() -> None:
    intake = Held()
    app, _ = door(intake)
    with serving(app) as (port, _), Line(port) as line:
        line.send(post(event(1)))
        assert intake.entered.wait(10)
        line.send(post(event(2)) + post(b"no", "/v1/track"))
        intake.go.set()
        assert [json.loads(line.answer()[2]).get("position") for _ in range(2)] == [1, 2]
        assert line.answer()[0].startswith(b"HTTP/1.1 400")


def test_a_client_that_leaves_before_the_answer_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    intake = Held()
    app, _ = door(intake)
    with serving(app) as (port, _):
        with Line(port) as line:
            line.send(post(event(1)))
            assert intake.entered.wait(10)
        time.sleep(0.05)
        intake.go.set()
        with Line(port) as line:
            line.send(post(event(2)))
            assert line.answer()[0] == b"HTTP/1.1 200 OK"
    assert sorted(e.message_id for e in intake.events) == ["m1", "m2"]
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_an_orderly_end_answers_what_is_under_way() -> None:
    intake = Held()
    app, _ = door(intake)
    with serving(app) as (port, server), Line(port) as line:
        line.send(post(event(1)))
        assert intake.entered.wait(10)
        server.should_exit = True
        time.sleep(0.3)
        intake.go.set()
        status, lines, _ = line.answer()
        assert status == b"HTTP/1.1 200 OK"
        assert b"connection: close" in lines
        assert line.is_closed()


def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    app, _ = door()
    with serving(app, timeout_keep_alive=1) as (port, _), Line(port) as idle, Line(port) as busy:
        for line in (idle, busy):
            line.send(post(event(0)))
            line.answer()
        for number in range(4):
            time.sleep(0.4)
            busy.send(post(event(number)))
            assert busy.answer()[0] == b"HTTP/1.1 200 OK"
        assert idle.is_closed()
        assert busy.is_closed(), "it is idle now"


class Made:
    """An application of two short ways."""

    def __init__(self) -> None:
        self.direct = {b"/big": self.big, b"/faulty": self.faulty, b"/given-up": self.given_up}

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        """The long way, for what is pipelined."""
        _, _, content = await self.big([], (await receive())["body"])
        headers = [(b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def big(self, _headers: Any, body: bytes) -> tuple[int, bytes, bytes]:
        content = body * (1 << 23)
        return 200, b"content-length: %d\r\n" % len(content), content

    async def faulty(self, _headers: Any, _body: bytes) -> tuple[int, bytes, bytes]:
        raise KeyError("a fault of ours")

    async def given_up(self, _headers: Any, _body: bytes) -> tuple[int, bytes, bytes]:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future
        raise AssertionError


def test_a_slow_reader_gets_every_answer_whole_and_in_order() -> None:
    with serving(Made()) as (port, _), Line(port) as line:
        for letter in (b"a", b"b", b"c"):
            line.send(post(letter, "/big"))
            time.sleep(0.05)  # the answer before is more than all buffers hold: it stands in the server's
        for letter in (b"a", b"b", b"c"):
            assert line.answer()[2] == letter * (1 << 23)


@pytest.mark.parametrize("path", ["/faulty", "/given-up"])
def test_a_fault_of_ours_is_a_500_and_is_logged(path: str, caplog: pytest.LogCaptureFixture) -> None:
    with serving(Made()) as (port, _), Line(port) as line:
        line.send(post(b"{}", path))
        assert line.answer()[0] == b"HTTP/1.1 500 Internal Server Error"
        assert line.is_closed()
    assert "a direct answer failed" in caplog.text
