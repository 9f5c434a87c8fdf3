"""Stored bodies edited in place: single messages cut out, erased, or cleaned of one person's identifiers.

Every byte that need not change stays as it was received, so positions, other people's messages and their payload
hashes stay too.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping

from patron.collect import body as bodies
from patron.collect.scan import Scanner, leaves, replace
from patron.model.people import ERASED

_ERASED = json.dumps(ERASED).encode()
_SHORT = 6
"""A shorter value is replaced inside a longer text only where it stands as a word of its own."""
_NUMBER_DIGITS = 5
"""A number of fewer digits is a quantity as likely as an identifier, and is left alone."""


def message_at(body: bytes, route: str, index: int) -> bytes:
    """One message of a body, byte for byte (`null` once erased). IndexError when there is no such message.

    >>> message_at(b'{"batch": [{"a": 1}, {"b":  2}]}', "batch", 1)
    b'{"b":  2}'
    """
    start, end = bodies.spans(body, route)[index]
    return body[start:end]


def blank(body: bytes, route: str, indexes: Collection[int]) -> bytes:
    """The body with these messages erased: each becomes `null`, so that positions stay.

    When no message is left, what the batch said for all of them goes too.

    >>> blank(b'{"batch": [{"a": 1}, {"b": 2}], "context": {"ip": "10.0.0.1"}}', "batch", [0])
    b'{"batch": [null, {"b": 2}], "context": {"ip": "10.0.0.1"}}'
    >>> blank(b'{"batch": [{"a": 1}], "context": {"ip": "10.0.0.1"}}', "batch", [0])
    b'{"batch": [null], "context": null}'
    """
    edits = dict.fromkeys(indexes, b"null")
    return rewrite(body, route, edits, lambda left: {} if left else _NOTHING)


_NOTHING: Mapping[str, bytes] = {"*": b"null"}


def rewrite(
    body: bytes, route: str, edits: Mapping[int, bytes], around: Callable[[bool], Mapping[str, bytes]]
) -> bytes:
    """The body with messages replaced, and fields beside the batch.

    `around(left)` is told whether a message other than null is left and gives new values by field name; `*` stands
    for every field but `writeKey` and `sentAt`.
    """
    places = bodies.spans(body, route)
    left = any(edits.get(at, body[a:b]) != b"null" for at, (a, b) in enumerate(places))
    changes = [(*places[at], new) for at, new in edits.items()]
    fields = around(left)
    for name, start, end in bodies.outside(body, route) if fields else ():
        new = fields.get(name, fields.get("*") if name not in {"writeKey", "sentAt"} else None)
        if new is not None:
            changes.append((start, end, new))
    return replace(body, sorted(changes))


def set_field(text: bytes, path: tuple[str, ...], new: bytes) -> bytes:
    """The object with the value at `path` replaced; unchanged when there is none.

    >>> set_field(b'{"a": {"b": [1]}}', ("a", "b"), b"null")
    b'{"a": {"b": null}}'
    """
    scanner = Scanner(text)
    found = scanner.find(scanner.start(), *path)
    return text if found is None else replace(text, [(*found, new)])


def redact(
    body: bytes, route: str, index: int, values: Collection[str], same: Callable[[str], bool]
) -> bytes:
    r"""The body with one person's values gone from message `index` and from what is said for the whole batch.

    Every string (keys too, at any depth, however it is escaped) that equals or contains one of `values`, or that
    `same` knows (an identifier in another spelling), becomes "[erased]"; so does a long number that equals one.
    Other messages and all other bytes stay as they are.

    >>> redact(b'{"properties": {"to": "\\u0061na@x.it", "n": 2}}', "track", 0, ["ana@x.it"], lambda text: False)
    b'{"properties": {"to": "[erased]", "n": 2}}'
    """
    mentions = _Mentions(values)
    ranges = [bodies.spans(body, route)[index]]
    ranges += [(a, b) for name, a, b in bodies.outside(body, route) if name != "writeKey"]
    edits = [
        (start, end, _ERASED)
        for span in ranges
        for start, end, raw in leaves(body, span)
        if _is_hit(raw, mentions, same)
    ]
    return replace(body, sorted(edits))


class _Mentions:
    """Whether a text is, or contains, one of the values."""

    def __init__(self, values: Collection[str]) -> None:
        self.wanted = {value.casefold() for value in values if value}
        short = [rf"(?<!\w){re.escape(value)}(?!\w)" for value in self.wanted if len(value) < _SHORT]
        long = [re.escape(value) for value in self.wanted if len(value) >= _SHORT]
        self.pattern = re.compile("|".join(short + long)) if self.wanted else None

    def __call__(self, text: str) -> bool:
        return self.pattern is not None and self.pattern.search(text.casefold()) is not None


def _is_hit(raw: bytes, mentions: _Mentions, same: Callable[[str], bool]) -> bool:
    if raw[:1] == b'"':
        text = json.loads(raw.decode(errors="replace"), strict=False) if len(raw) > 1 else ""
        return bool(text) and text != ERASED and (mentions(text) or same(text))
    digits = raw.decode()
    return len(digits) >= _NUMBER_DIGITS and (digits in mentions.wanted or same(digits))
