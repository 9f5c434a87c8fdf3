"""A stored message sent once more: a batch of its own that means what the message meant when it first came.

What the old body said for all its messages (context, integrations) goes along. The clock of the client is corrected
by when the message first came, not by when it is sent again, and a message without a time happened when it first came.
"""

import json
from collections.abc import Mapping

import msgspec
from msgspec import Raw

from patron.collect import times
from patron.collect.body import BATCH_ROUTES, bad_json, outside
from patron.collect.edit import message_at, set_field
from patron.collect.limits import Limits
from patron.collect.message import UNREADABLE
from patron.collect.scan import Scanner

_SURROUND = ("context", "integrations")
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_time = msgspec.json.Decoder(times.Written).decode


class _Context(msgspec.Struct):
    channel: object = None


class _Channelled(msgspec.Struct):
    context: _Context | None = None


def resend(
    body: bytes,
    route: str,
    index: int,
    *,
    received: int,
    skew_max: int,
    edited: bytes | None = None,
) -> bytes:
    """A batch body that holds message `index` of a stored body, or its mended text.

    `received` is when the stored body came, ms; `skew_max` is 0 for sources whose clocks are believed (imports).
    Raises BadRequest (`bad_json`) when the mended text is not one JSON value.

    >>> body = b'{"context": {"channel": "pos-lite"}, "sentAt": 1772445601000, "batch": [{"timestamp": 1772445600000}]}'
    >>> resend(body, "batch", 0, received=1772445605000, skew_max=86_400_000).decode()
    '{"batch":[{"timestamp": "2026-03-02T10:00:04.000Z","sentAt":null,"originalTimestamp":1772445600000}],"context":{"channel": "pos-lite"}}'
    """
    text = _one(message_at(body, route, index) if edited is None else edited)
    around = {name: body[start:end] for name, start, end in outside(body, route)}
    fields = _fields(text)
    if fields is not None:
        if "type" not in fields and route not in BATCH_ROUTES:
            text = _put(text, fields, "type", json.dumps(route).encode())
        for name, value in _times(fields, around.get("sentAt"), received, skew_max).items():
            text = _put(text, fields, name, value)
    said = b"".join(b',"%s":%s' % (name.encode(), around[name]) for name in _SURROUND if name in around)
    return b'{"batch":[' + text + b"]" + said + b"}"


def stated_channel(body: bytes, route: str, index: int) -> str:
    """The channel that a message of a stored body names, itself or for its whole batch; "" when it names none.

    >>> stated_channel(b'{"batch": [{}, {"context": {"channel": "b"}}], "context": {"channel": "a"}}', "batch", 0)
    'a'
    """
    own = _channel(message_at(body, route, index))
    if own is not None:
        return own
    around = next((body[a:b] for name, a, b in outside(body, route) if name == "context"), b"null")
    return _channel(b'{"context":' + around + b"}") or ""


def _channel(text: bytes) -> str | None:
    try:
        found = msgspec.json.decode(text, type=_Channelled).context
    except UNREADABLE:
        return None
    return None if found is None or found.channel is None else str(found.channel)


def _one(text: bytes) -> bytes:
    text = text.strip(b" \t\r\n")
    try:
        end = Scanner(text).value_end(0)
    except ValueError as error:
        raise bad_json(str(error)) from None
    if end != len(text):
        raise bad_json("something follows the message")
    return text


def _fields(text: bytes) -> dict[str, Raw] | None:
    try:
        return _decode_fields(text)
    except UNREADABLE:
        return None  # to be refused again, and told why, by the reader


def _put(text: bytes, fields: Mapping[str, Raw], name: str, value: bytes) -> bytes:
    if name in fields:
        return set_field(text, (name,), value)
    head = text[:-1].rstrip()
    comma = b"" if head.endswith(b"{") else b","
    return head + comma + b'"%s":' % name.encode() + value + b"}"


def _times(
    fields: Mapping[str, Raw], batch_sent: bytes | None, received: int, skew_max: int
) -> dict[str, bytes]:
    """The times as they must be written now, so that they mean what they meant then."""
    try:
        sent, first, base = (_written(fields.get(n)) for n in ("sentAt", "originalTimestamp", "timestamp"))
        if sent is None or sent == "":
            sent = _written(batch_sent)
        at = times.to_ms(base)
        if at is None:
            at = times.to_ms(first)
    except (*times.NO_TIME, msgspec.DecodeError):
        return {}  # a time that is none: the reader says which
    if skew_max == 0 and "receivedAt" in fields:
        return {}
    shift, unknown = times.clock_shift(sent, received, skew_max) if skew_max else (0, False)
    told = {"timestamp": _text(received if at is None else _settled(at + shift, received))}
    if skew_max:
        told["sentAt"] = b'"unknown"' if unknown else b"null"
    if base not in {None, ""} and first in {None, ""}:
        told["originalTimestamp"] = bytes(fields["timestamp"])
    return told


def _settled(time: int, received: int) -> int:
    """A time a little after the receipt counts as of the receipt; one far beyond is left to be judged by today."""
    return received if received < time <= received + Limits().future else time


def _written(raw: Raw | bytes | None) -> times.Written:
    return None if raw is None else _decode_time(raw)


def _text(ms: int) -> bytes:
    """A time as JSON text; one that no calendar holds stays a number, and is refused as such."""
    text = times.to_text(ms)
    return str(ms).encode() if text is None else json.dumps(text).encode()
