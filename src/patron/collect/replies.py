"""Answers of the tracking door, in the one form that every client of WIRE.md understands.

Success is 200 with a small JSON body: one SDK takes only 200 for success, another takes a redirect for it and drops
its events. Every answer carries CORS headers, or a browser would hide its status from the library that must retry.
"""

import math
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from patron.model.errors import Fault, RequestError
from patron.model.ingest import Receipt

Scope = Any
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]
Headers = list[Header]

_encode = msgspec.json.Encoder().encode

_ALWAYS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after, patron-position"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type, x-retry-count"),
    (b"access-control-max-age", b"86400"),
)
_JSON = (b"content-type", b"application/json")
_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b")


class Reply(Struct, frozen=True):
    """One answer: status, body, headers beyond those that every answer carries."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = (_JSON,)


class Taken(Struct, frozen=True):
    """The body of a success: what became of the messages."""

    success: bool
    position: int
    accepted: int
    duplicates: int
    rejected: int
    faults: tuple[Fault, ...] = ()


class Problem(Struct, frozen=True, omit_defaults=True):
    """The body of an error."""

    code: str
    message: str
    faults: tuple[Fault, ...] = ()


def taken(receipt: Receipt) -> Reply:
    """The answer to messages that are durable now.

    >>> taken(Receipt(position=7, accepted=1)).body
    b'{"success":true,"position":7,"accepted":1,"duplicates":0,"rejected":0,"faults":[]}'
    """
    r = receipt
    return Reply(200, _encode(Taken(True, r.position, r.accepted, r.duplicates, r.rejected, r.faults)))


def pixel() -> Reply:
    """A transparent image of one pixel: what an `img` element waits for."""
    return Reply(200, _PIXEL, ((b"content-type", b"image/gif"),))


def ok(value: object) -> Reply:
    """200 with a JSON value."""
    return Reply(200, _encode(value))


def preflight() -> Reply:
    """The answer to a browser that asks before it sends."""
    return Reply(200, b"{}", (_JSON, *_PREFLIGHT))


def problem(error: RequestError) -> Reply:
    """The answer to a request that cannot be served; waits are whole seconds, at least one.

    >>> from patron.model.errors import Busy
    >>> problem(Busy("busy", "Try again.", retry_after=2)).headers[1]
    (b'retry-after', b'2')
    """
    headers: tuple[Header, ...] = (_JSON,)
    if error.status in {429, 503}:
        wait = max(1, math.ceil(error.retry_after or 1))
        headers = (_JSON, (b"retry-after", str(wait).encode()))
    elif error.status in {408, 413}:
        headers = (_JSON, (b"connection", b"close"))  # the rest of the body may still come
    return Reply(error.status, _encode(Problem(error.code, error.message, error.faults)), headers)


def not_allowed(allowed: str) -> Reply:
    """405, naming the methods that the path takes."""
    body = _encode(Problem("method_not_allowed", f"This address takes {allowed}."))
    return Reply(405, body, (_JSON, (b"allow", f"{allowed}, OPTIONS".encode())))


def unknown(code: str, message: str) -> Reply:
    """404 inside the door's own paths."""
    return Reply(404, _encode(Problem(code, message)))


def internal() -> Reply:
    """500: a fault of ours, told without its details."""
    return Reply(
        500, _encode(Problem("internal", "Patron failed to take this; it is logged. Send it again."))
    )


def written(reply: Reply, position: int) -> tuple[int, bytes, bytes]:
    r"""An answer as it goes over the wire: status, header lines, body. The same as `send_reply` sends.

    >>> written(Reply(200, b"{}"), 7)[1].splitlines()[-2:]
    [b'patron-position: 7', b'content-length: 2']
    """
    head = b"%bpatron-position: %d\r\ncontent-length: %d\r\n" % (
        _lines(reply.headers),
        position,
        len(reply.body),
    )
    return reply.status, head, reply.body


@lru_cache(maxsize=64)
def _lines(headers: tuple[Header, ...]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in (*headers, *_ALWAYS))


async def send_reply(send: Send, reply: Reply, position: int) -> None:
    """Send an answer with the log position that the caller may read after."""
    headers = [
        *reply.headers,
        *_ALWAYS,
        (b"patron-position", str(position).encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
