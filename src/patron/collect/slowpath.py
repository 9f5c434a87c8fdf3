"""The careful reading of one message that the fast decoder refused: repair what is meant, name what is wrong.

Numbers as identifiers become text, integers beyond 64 bits and numbers beyond a double become text, PHP's empty
array for an empty map becomes an object.
"""

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from patron.collect.identifiers import id_text
from patron.collect.refusal import Refused

_IDS = ("userId", "anonymousId", "previousId", "groupId", "messageId")
_TEXTS = ("event", "name", "category")
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
_OBJECTS = ("properties", "traits", "context", "integrations")
_INT64 = 1 << 63
_SEARCHED = 500
"""Values looked at to tell where the fault is; a message of many more gets no path."""


class _NoNumber:
    """Stands for NaN and the infinities until the walk finds where."""


_NO_NUMBER = _NoNumber()


_decode_any = msgspec.json.Decoder().decode
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_LARGE_EXPONENT = re.compile(rb"[eE]\+?[0-9]{2}|[0-9]{290}")
"""Signs of a number beyond 64 bits, or beyond a double. In a text they do no harm."""


class Repairs:
    """How much of a body may still be read slowly: a hostile one must not hold up everybody else."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, size: int) -> None:
        """Take `size` bytes. Raises `Refused` (`bad_message`) when they are used up."""
        self._left -= size
        if self._left < 0:
            raise Refused(
                "bad_message",
                "Too much of this body holds NaN, huge numbers or broken text; send smaller batches.",
            )


def load(text: bytes, repairs: Repairs) -> dict[str, Any]:
    """A message as plain values, big numbers as text.

    Raises `Refused`: bad_text, not_a_number, too_deep, bad_json, bad_message.
    """
    try:
        value = _decode_any(text)
        if _LONG_INTEGER.search(text):
            value = _load_slowly(text, repairs)
    except (msgspec.DecodeError, ValueError, RecursionError):
        value = _load_slowly(text, repairs)
    if not isinstance(value, dict):
        raise Refused("bad_message", "A message must be a JSON object.")
    return value


def _load_slowly(text: bytes, repairs: Repairs) -> object:
    """The same through the standard library, which also reads NaN, lone surrogates and numbers of any size."""
    repairs.spend(len(text))
    try:
        value: object = json.loads(
            text.decode(),
            parse_constant=_constant,
            parse_int=_int if _LONG_INTEGER.search(text) else None,
            parse_float=_float if _LARGE_EXPONENT.search(text) else None,
        )
        msgspec.json.encode(value)  # fails, at the speed of C, where something is no JSON or no Unicode
    except UnicodeDecodeError:
        raise Refused("bad_text", "The message is not UTF-8; encode it as UTF-8.") from None
    except RecursionError:
        raise Refused("too_deep", "The message is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise Refused("bad_json", f"The message is not valid JSON: {error.msg}.") from None
    except (UnicodeEncodeError, TypeError):
        raise fault_in(value) from None
    return value


def _constant(_name: str) -> _NoNumber:
    return _NO_NUMBER


def _int(digits: str) -> int | str:
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 20:
        return digits
    value = int(digits)
    return value if -_INT64 <= value < _INT64 else digits


def _float(digits: str) -> float | str:
    value = float(digits)
    return digits if math.isinf(value) else value


def fault_in(value: object) -> Refused:
    r"""The first NaN, infinity or lone surrogate in plain values that hold one, with its path.

    >>> fault_in({"a": ["x", "\ud800"]}).path
    '$.a[1]'
    """
    for path, item in islice(_walk("$", value), _SEARCHED):
        if item is _NO_NUMBER:
            return Refused("not_a_number", "NaN and Infinity are no JSON numbers; send null or a text.", path)
        if isinstance(item, str) and not _is_unicode(item):
            return Refused("bad_text", "The text holds half a character (a lone surrogate).", path)
        if isinstance(item, dict) and not all(map(_is_unicode, item)):
            return Refused("bad_text", "A key holds half a character (a lone surrogate).", path)
    return Refused("not_a_number", "Somewhere in the message is NaN, Infinity or half a character.")


def _walk(path: str, value: object) -> Iterator[tuple[str, object]]:
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(f"{path}.{key}", inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _walk(f"{path}[{at}]", inner)


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def repaired(text: bytes, repairs: Repairs) -> dict[str, Any]:
    """The message as plain values of the types that the fast decoder gives. Raises `Refused` when it cannot be.

    >>> repaired(b'{"userId": 7, "properties": []}', Repairs(1000))
    {'userId': '7', 'properties': {}}
    >>> repaired(b'{"userId": true}', Repairs(1000))
    Traceback (most recent call last):
    patron.collect.refusal.Refused: An identifier must be a text or a number.
    """
    message = load(text, repairs)
    _repair(message)
    return message


def _repair(message: dict[str, Any]) -> None:
    for name in _IDS:
        if name in message:
            message[name] = id_text(message[name], f"$.{name}")
    for name in _TEXTS:
        if isinstance(message.get(name), bool | dict | list):
            raise Refused("bad_name", f"{name} must be a text.", f"$.{name}")
        if isinstance(message.get(name), int | float):
            message[name] = id_text(message[name], f"$.{name}")
    if not isinstance(message.get("type"), str | None):
        raise Refused("bad_type", "type must be a text such as track.", "$.type")
    for name in _TIMES:
        _check_time(message, name)
    for name in _OBJECTS:
        _check_object(message, name)


def _check_time(message: dict[str, Any], name: str) -> None:
    value = message.get(name)
    beyond = isinstance(value, str) and value.lstrip("-").isdigit() and len(value) > 18
    if isinstance(value, bool | dict | list) or beyond or _is_huge(value):
        if name == "sentAt":
            message[name] = "unreadable"
        else:
            raise Refused("bad_time", "This is no time; write ISO 8601 or epoch milliseconds.", f"$.{name}")


def _is_huge(value: object) -> bool:
    """Whether a number was kept as text because no double holds it (`1e400`)."""
    if not isinstance(value, str) or "e" not in value.lower():
        return False
    try:
        return math.isinf(float(value))
    except ValueError:
        return False


def _check_object(message: dict[str, Any], name: str) -> None:
    value = message.get(name)
    if value == []:
        message[name] = {}
    elif value is not None and not isinstance(value, dict):
        raise Refused("not_an_object", f"{name} must be a JSON object.", f"$.{name}")
