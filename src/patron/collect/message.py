"""One message as it stands in a body: the typed struct that msgspec fills, and reading it with the slow path behind."""

import zlib
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from patron.collect import scan
from patron.collect.limits import Limits
from patron.collect.refusal import Refused
from patron.collect.slowpath import normalise
from patron.collect.times import Written


class Message(Struct, gc=False, rename="camel"):
    """The fields of a message that Patron reads. Everything else stays in the log only."""

    type: str | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    timestamp: Written = None
    original_timestamp: Written = None
    sent_at: Written = None
    received_at: Written = None
    properties: Raw = Raw()
    traits: Raw = Raw()
    context: Raw = Raw()
    integrations: Raw = Raw()
    patron_reduced: Any = None
    """Written by `reduce`: this is what was left of a message with refused collection."""


Mapping = dict[str, Any]

Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


def _nested(levels: int) -> Any:
    """The type of JSON values nested so deep, with integers of 64 bits: the decoder itself finds bigger ones."""
    plain = str | Int64 | float | bool | None
    value: Any = plain
    for _ in range(levels):
        value = plain | list[value] | dict[str, value]
    return value


UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
"""What the fast decoder raises (ValidationError and UnicodeDecodeError are among them)."""

decode_message = msgspec.json.Decoder(Message).decode
Nested: TypeAlias = _nested(5)  # type: ignore[valid-type]
"""Any JSON value as events usually have it; for the type checker, `Any`."""

decode_values = msgspec.json.Decoder(dict[str, Nested] | None).decode
"""Reads `properties` or `traits`. Raises what `UNREADABLE` lists, also for an integer beyond 64 bits (the slow path
makes it a text) and for more levels than events usually have."""
_decode_any_object = msgspec.json.Decoder(Mapping | None).decode


def check_shape(text: bytes, limits: Limits) -> None:
    """Raise `Refused` for a message that is too large, too deep or too wide.

    Counting signs settles nearly every message; only one with many is walked.
    """
    size = len(text)
    if size > limits.event_bytes:
        raise Refused(
            "event_too_large", f"A message has at most {limits.event_bytes} bytes; this has {size}."
        )
    deep = text.count(b"{") + text.count(b"[") > limits.depth
    wide = size > 5 * limits.width and text.count(b":") > limits.width
    if not (deep or wide):
        return
    depth, width = scan.shape(text)
    if depth > limits.depth:
        raise Refused("too_deep", f"A message nests at most {limits.depth} levels.")
    if width > limits.width:
        raise Refused("too_wide", f"An object has at most {limits.width} keys.")


def check_utf8(text: bytes) -> None:
    """Raise `Refused` (`bad_text`) for bytes that are no UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Refused("bad_text", "The message is not UTF-8; encode it as UTF-8.") from None


def careful(text: bytes) -> Message:
    """The message through the slow path, which repairs what is meant. Raises `Refused`."""
    try:
        return decode_message(normalise(text))
    except UNREADABLE as error:
        raise Refused("bad_message", f"The message cannot be read: {error}.") from None


def any_values(raw: Raw | bytes) -> Mapping:
    """Reads `properties` or `traits` as deep as the limits allow; null and nothing are an empty object."""
    return (_decode_any_object(raw) or {}) if len(raw) else {}


def payload_hash(message: Message, kind: str, context_traits: Mapping | None = None) -> int:
    """CRC-32 of what the message says, not of when or by which library it was sent: equal for a retry."""
    what = message.event or message.name or ""
    who = f"{kind}\n{what}\n{message.user_id or ''}\n{message.anonymous_id or ''}"
    crc = zlib.crc32(message.properties, zlib.crc32(who.encode()))
    if message.previous_id or message.group_id:
        crc = zlib.crc32(f"{message.previous_id}\n{message.group_id}".encode(), crc)
    if len(message.traits):
        crc = zlib.crc32(message.traits, crc)
    return zlib.crc32(msgspec.json.encode(context_traits), crc) if context_traits else crc
