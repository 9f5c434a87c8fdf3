"""Finding the write key of a request: in the header, in the body, or in the query."""

import base64
import binascii
import json
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from patron.collect.body import bad_json
from patron.collect.limits import Limits
from patron.collect.message import UNREADABLE
from patron.collect.replies import Headers
from patron.collect.scan import Scanner

_QUERY_FIELDS = 1_000


class _Keyed(Struct, rename="camel"):
    write_key: Any = None


_decode_key = msgspec.json.Decoder(_Keyed).decode


def from_header(headers: Headers) -> tuple[str, str]:
    """Scheme (`basic`, `bearer` or "") and key of the Authorization header; the key is "" when there is none.

    The key is the user of Basic; clients differ on the colon behind it.

    >>> from_header([(b"authorization", b"Basic a2V5Og==")])
    ('basic', 'key')
    >>> from_header([(b"authorization", b"basic a2V5")])
    ('basic', 'key')
    """
    for name, value in headers:
        if name == b"authorization":
            return _credentials(value)
    return "", ""


@lru_cache(maxsize=1024)
def _credentials(value: bytes) -> tuple[str, str]:
    scheme, _, given = value.strip().partition(b" ")
    scheme, given = scheme.lower(), given.strip()
    if scheme == b"basic":
        return "basic", _basic_user(given)
    return ("bearer", given.decode("latin-1")) if scheme == b"bearer" else ("", "")


def _basic_user(given: bytes) -> str:
    try:
        decoded = base64.b64decode(given + b"=" * (-len(given) % 4), altchars=None)
        return decoded.partition(b":")[0].decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def from_body(body: bytes, limits: Limits) -> str:
    """The body's `writeKey`, "" when it has none. Raises BadRequest (`bad_json`) when it is no JSON object."""
    try:
        key = _decode_key(body).write_key
    except UNREADABLE:
        key = _from_broken(body, limits)
    return key if isinstance(key, str) else ""


def _from_broken(body: bytes, limits: Limits) -> object:
    """The key of a body in which some message is no JSON: others of it may still be taken."""
    scanner = Scanner(body, limits.rescue_tokens)
    try:
        fields = {key: (start, end) for key, start, end in scanner.fields(scanner.start())}
        start, end = fields.get("writeKey", (0, 0))
        return json.loads(body[start:end]) if end else None
    except (ValueError, RecursionError) as error:
        raise bad_json(str(error)) from None


def from_query(query: bytes) -> tuple[str, list[tuple[str, str]]]:
    """The query's `writeKey` ("" when it has none) and its other parameters."""
    if not query:
        return "", []
    try:
        pairs = parse_qsl(
            query.decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=_QUERY_FIELDS,
            errors="replace",
        )
    except ValueError:
        return "", []
    key = next((value for name, value in pairs if name == "writeKey"), "")
    return key, [(name, value) for name, value in pairs if name != "writeKey"]
