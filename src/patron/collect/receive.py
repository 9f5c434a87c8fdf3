"""Receiving a body: bounded in bytes and in time, inflated when it is gzip, whatever its headers say."""

import asyncio
import zlib

from patron.collect.limits import Limits
from patron.collect.replies import Receive, Scope
from patron.model.errors import BadRequest, RequestError, TooLarge

_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_DRAIN = 8
"""A body of up to so many times the limit is read to its end before the 413: a client that is cut off while it
still writes sees a broken connection, not the answer, and would send the same body again."""


class Disconnected(Exception):
    """The client went away before its body was complete; nobody waits for an answer."""


class BodyTooSlow(RequestError):
    """408: the body did not arrive in time."""

    status = 408


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The body as it was sent, received whole; `opened` makes JSON of it.

    Raises TooLarge (`body_too_large`), BodyTooSlow, Disconnected.
    """
    try:
        async with asyncio.timeout(limits.receive_seconds):
            return await _receive_all(scope, receive, limits.body_raw)
    except TimeoutError:
        raise BodyTooSlow(
            "body_too_slow", f"The body did not arrive within {limits.receive_seconds:g} s; send it again."
        ) from None


def opened(body: bytes, limits: Limits) -> bytes:
    """A body received whole as JSON bytes: inflated when it is gzip, without byte-order mark.

    Raises TooLarge (`body_too_large`) and BadRequest (`bad_gzip`).

    >>> opened(b'{"type":"page"}', Limits())
    b'{"type":"page"}'
    """
    if len(body) > limits.body_raw:
        raise _too_large(limits.body_raw)
    if body[:2] == _GZIP:
        body = inflate(body, limits.body_inflated)
    return body.removeprefix(_BOM)


async def _receive_all(scope: Scope, receive: Receive, most: int) -> bytes:
    announced = _announced(scope)
    if announced > most * _DRAIN:
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body") and announced <= most:
        body: bytes = message.get("body", b"")
        if len(body) <= most:
            return body
    return await _receive_rest(message, receive, most)


async def _receive_rest(message: dict[str, object], receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        part = message.get("body", b"")
        if isinstance(part, bytes):
            size += len(part)
            if size <= most:
                parts.append(part)
            elif size > most * _DRAIN:
                raise _too_large(most)
            else:
                parts.clear()
        if not message.get("more_body"):
            break
        message = await receive()
    if size > most:
        raise _too_large(most)
    return b"".join(parts)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else 0
    return 0


def _too_large(most: int) -> TooLarge:
    return TooLarge("body_too_large", f"A body has at most {most} bytes; send fewer events at a time.")


def inflate(body: bytes, most: int) -> bytes:
    """Gunzip, never beyond `most` bytes. Raises TooLarge (`body_too_large`) or BadRequest (`bad_gzip`).

    >>> import gzip
    >>> inflate(gzip.compress(b"{}"), 100)
    b'{}'
    """
    parts: list[bytes] = []
    room = most + 1
    while body:
        stream = zlib.decompressobj(31)
        try:
            part = stream.decompress(body, room)
        except zlib.error:
            raise BadRequest("bad_gzip", "The gzip body is damaged; send it again or uncompressed.") from None
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise _too_large(most)
        if not stream.eof:
            raise BadRequest("bad_gzip", "The gzip body ends too early; send it again or uncompressed.")
        body = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)
