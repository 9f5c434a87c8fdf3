"""The peer of the bench: a bare ASGI callable that decodes the same bodies and stores nothing.

No key, no judging, no log, no people: about the most that this machine's interpreter and HTTP server can do. Run by uvicorn
in a process of its own (`peer.Peer`).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

_ANSWER = b'{"success":true}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))],
}
_BODY = {"type": "http.response.body", "body": _ANSWER}


class _Message(Struct, frozen=True, gc=False, rename="camel"):
    type: str | None = None
    event: str | None = None
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    timestamp: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: Raw = Raw()


class _Batch(Struct, frozen=True, gc=False):
    batch: list[_Message]


_batch = msgspec.json.Decoder(_Batch).decode
_message = msgspec.json.Decoder(_Message).decode


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Receive, decode, answer."""
    body = b""
    while True:
        part = await receive()
        body += part.get("body", b"")
        if not part.get("more_body"):
            break
    if body:
        (_batch if scope["path"] == "/v1/batch" else _message)(body)
    await send(_START)
    await send(_BODY)
