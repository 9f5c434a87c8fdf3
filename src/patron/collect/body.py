"""A request body taken apart: its messages as raw JSON, and what the batch says for all of them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from patron.collect.limits import Limits
from patron.collect.message import UNREADABLE
from patron.collect.refusal import Refused
from patron.collect.scan import Scanner, Span
from patron.collect.slowpath import Repairs, repaired
from patron.collect.times import Written
from patron.model.errors import BadRequest, Fault

BATCH_ROUTES = frozenset({"batch", "import"})
"""Routes whose body holds `batch: [...]`; the others hold one message."""


class Envelope(Struct, gc=False, rename="camel"):
    """A batch body: messages left raw, the rest read."""

    batch: list[Raw]
    sent_at: Written = None
    context: Raw = Raw()
    integrations: Raw = Raw()


class Parts(Struct, gc=False):
    """What a body holds. `whole` is false when single messages may not be valid JSON or UTF-8."""

    messages: Sequence[Raw | bytes]
    sent_at: Written = None
    context: bytes = b""
    integrations: bytes = b""
    whole: bool = True


_decode_envelope = msgspec.json.Decoder(Envelope).decode


def take_apart(body: bytes, route: str, limits: Limits) -> Parts:
    """The messages of a body and what is said for all. Raises BadRequest (`bad_json`)."""
    whole = _is_utf8(body)
    if route not in BATCH_ROUTES:
        return Parts([_single(body)], whole=whole)
    try:
        envelope = _decode_envelope(body)
    except UNREADABLE:
        return _rescue(body, limits)
    return Parts(
        envelope.batch, envelope.sent_at, bytes(envelope.context), bytes(envelope.integrations), whole=whole
    )


def spans(body: bytes, route: str) -> list[Span]:
    """Where each message stands in a body. Raises ValueError when it is no such body.

    >>> spans(b'{"batch": [{"a": 1}, null]}', "batch")
    [(11, 19), (21, 25)]
    """
    scanner = Scanner(body)
    start = scanner.start()
    if route not in BATCH_ROUTES:
        return [(start, len(body.rstrip(b" \t\r\n")))]
    batch = scanner.find(start, "batch")
    if batch is None:
        raise ValueError("the body has no batch")
    return list(scanner.items(batch[0]))


def outside(body: bytes, route: str) -> list[tuple[str, int, int]]:
    """The fields of a batch body that are not its messages: name, start and end of the value.

    Of a repeated `batch` the last one holds the messages, the others count as outside.
    """
    if route not in BATCH_ROUTES:
        return []
    scanner = Scanner(body)
    fields = list(scanner.fields(scanner.start()))
    batch = max((at for at, field in enumerate(fields) if field[0] == "batch"), default=-1)
    return [field for at, field in enumerate(fields) if at != batch]


def bad_json(problem: str, path: str = "$") -> BadRequest:
    """The 400 of a body that cannot be read at all."""
    return BadRequest(
        "bad_json", f"The body cannot be read: {problem}. Send one JSON object.", (Fault(path, problem),)
    )


def _single(body: bytes) -> bytes:
    text = body.strip(b" \t\r\n")
    if text[:1] != b"{" and text != b"null":
        raise bad_json("it is not a JSON object")
    return text


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _rescue(body: bytes, limits: Limits) -> Parts:
    """Take apart a batch that does not decode as a whole, so that one bad message costs only itself."""
    scanner = Scanner(body, limits.rescue_tokens)
    try:
        start = scanner.start()
        fields = {key: (at, end) for key, at, end in scanner.fields(start)}
        if body[scanner.value_end(start) :].strip(b" \t\r\n"):
            raise bad_json("something follows the object")
        if "batch" not in fields:
            raise bad_json("a batch needs its messages in batch: [...]", "$.batch")
        messages = [body[at:end] for at, end in scanner.items(fields["batch"][0])]
    except (ValueError, RecursionError) as error:
        raise bad_json(_problem(error)) from None
    context, integrations, sent_at = (
        body[slice(*fields.get(name, (0, 0)))] for name in ("context", "integrations", "sentAt")
    )
    for name, text in (("context", context), ("integrations", integrations), ("sentAt", sent_at)):
        _check_value(text, f"$.{name}")
    return Parts(messages, _sent_at(sent_at), context, integrations, whole=False)


def _problem(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _check_value(text: bytes, path: str) -> None:
    try:
        if text:
            msgspec.json.decode(text)
    except UNREADABLE as error:
        raise bad_json(_problem(error), path) from None


def _sent_at(text: bytes) -> Written:
    value = msgspec.json.decode(text) if text else None
    return (
        value
        if value is None or (isinstance(value, str | int | float) and value is not True)
        else "unreadable"
    )


def batch_context(text: bytes) -> dict[str, Any]:
    """The context of a batch, repaired like one of a message. Raises BadRequest (`bad_json`)."""
    if not text or text == b"null":
        return {}
    try:
        return repaired(b'{"context":' + text + b"}", Repairs(len(text) + 20))["context"] or {}
    except Refused as refused:
        raise bad_json(refused.message, "$.context") from None
