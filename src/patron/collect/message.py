"""One message as it stands in a body: the typed struct that msgspec fills, and reading it with the slow path behind."""

import zlib
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from patron.collect import scan
from patron.collect.limits import Limits
from patron.collect.refusal import Refused
from patron.collect.slowpath import Repairs, repaired
from patron.collect.times import Written

Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


def _nested(levels: int) -> Any:
    """The type of JSON values nested so deep, with integers of 64 bits: the decoder itself finds bigger ones."""
    plain = str | Int64 | float | bool | None
    value: Any = plain
    for _ in range(levels):
        value = plain | list[value] | dict[str, value]
    return value


Nested: TypeAlias = _nested(5)  # type: ignore[valid-type]
"""Any JSON value as events usually have it; for the type checker, `Any`."""


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
    properties: dict[str, Nested] | None = None
    traits: dict[str, Nested] | None = None
    context: Raw = Raw()
    """Left as text: most messages of a body have the same one (`Surround` reads it)."""
    integrations: Raw = Raw()
    patron_reduced: Any = None
    """Written by `reduce`: this is what was left of a message with refused collection."""


UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
"""What the fast decoder raises (ValidationError and UnicodeDecodeError are among them)."""

decode_message = msgspec.json.Decoder(Message).decode
"""Reads a usual message. Raises what `UNREADABLE` lists, also for an identifier that is a number, an integer beyond
64 bits, or more levels than events usually have: those take the slow path."""

decode_context = msgspec.json.Decoder(dict[str, Nested] | None).decode
"""Reads a usual context. Raises what `UNREADABLE` lists."""

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_decode_any = msgspec.json.Decoder().decode


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
    depth, width = _shape(text)
    if depth > limits.depth:
        raise Refused("too_deep", f"A message nests at most {limits.depth} levels.")
    if width > limits.width:
        raise Refused("too_wide", f"An object has at most {limits.width} keys.")


def _shape(text: bytes) -> tuple[int, int]:
    """Depth and width of a message, as `scan.shape` finds them; decoding first is many times faster."""
    try:
        level = [_decode_any(text)]
    except UNREADABLE:
        return scan.shape(text)
    depth = width = 0
    while level:
        depth += 1
        width = max(width, *(len(c) if type(c) is dict else 0 for c in level))
        inner = (c.values() if type(c) is dict else c for c in level)
        level = [v for values in inner for v in values if type(v) is dict or type(v) is list]
    return depth, width


def check_utf8(text: bytes) -> None:
    """Raise `Refused` (`bad_text`) for bytes that are no UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Refused("bad_text", "The message is not UTF-8; encode it as UTF-8.") from None


def careful(text: bytes, repairs: Repairs) -> Message:
    """The message through the slow path, which repairs what is meant. Raises `Refused`."""
    given = repaired(text, repairs)
    found = {
        field: given[name]
        for field, name in zip(Message.__struct_fields__, Message.__struct_encode_fields__, strict=True)
        if given.get(name) is not None
    }
    for name in ("context", "integrations"):
        if name in found:
            found[name] = Raw(_encode(found[name]))
    return Message(**found)


def said(message: Message, kind: str, context_traits: object = None) -> tuple[object, ...]:
    """What the message says, not when or by which library it was sent: equal for a retry."""
    m = message
    return (
        kind,
        m.event or m.name,
        m.user_id,
        m.anonymous_id,
        m.previous_id,
        m.group_id,
        m.properties,
        m.traits,
        context_traits,
    )


def payload_hashes(all_said: list[tuple[object, ...]]) -> list[int]:
    """CRC-32 of what each message `said`, as JSON; encoded together, which takes half the time.

    >>> payload_hashes([("page", "Home"), ("page",)]) == [zlib.crc32(b'["page","Home"]'), zlib.crc32(b'["page"]')]
    True
    """
    return list(map(zlib.crc32, _encode_lines(all_said).split(b"\n")[:-1]))
