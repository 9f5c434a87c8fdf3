"""Where things stand in a JSON text: spans of values, without decoding and without recursion.

msgspec reads; this module serves what it cannot do: find the one message that spoils a body, cut messages out of
a stored body, and edit text while every other byte stays as it was.
"""

import json
import re
from collections.abc import Iterator

Span = tuple[int, int]
"""Start and end (exclusive) of a value in the bytes."""

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# The lone quote at the end of each pattern catches an unterminated string at once: without it the search
# would go on behind that quote and take quadratic time on hostile input.
_BRACKETS = re.compile(_STRING + rb'|[{}\[\]]|"', re.DOTALL)
_SHAPE = re.compile(_STRING + rb'|[{}\[\]:]|"', re.DOTALL)
_LEAVES = re.compile(_STRING + rb'|-?[0-9][0-9.eE+-]*|"', re.DOTALL)
_TEXT = re.compile(_STRING, re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}:\"\[{]+")
_BLANK = re.compile(rb"[ \t\r\n]*")

_OPEN, _CLOSE, _QUOTE = b"{[", b"}]", 0x22


class Scanner:
    """Walks one JSON text. Every method raises ValueError where the text is no JSON or the budget is spent.

    >>> body = b'{"batch": [{"a": [1, 2]}, null]}'
    >>> scanner = Scanner(body)
    >>> [(key, body[a:b]) for key, a, b in scanner.fields(0)]
    [('batch', b'[{"a": [1, 2]}, null]')]
    >>> [body[a:b] for a, b in scanner.items(10)]
    [b'{"a": [1, 2]}', b'null']
    """

    def __init__(self, body: bytes, budget: int = 1 << 62) -> None:
        self.body = body
        self._left = budget

    def start(self, at: int = 0) -> int:
        """The first byte at or after `at` that is not blank."""
        match = _BLANK.match(self.body, at)
        return match.end() if match else at

    def value_end(self, at: int) -> int:
        """The end of the value that begins at `at`."""
        first = self.body[at : at + 1]
        if first in {b"{", b"["}:
            return self._container_end(at)
        pattern = _TEXT if first == b'"' else _SCALAR
        match = pattern.match(self.body, at)
        if match is None:
            raise ValueError(f"no JSON value at byte {at}")
        self._spend(1)
        return match.end()

    def _container_end(self, at: int) -> int:
        depth = 0
        for seen, match in enumerate(_BRACKETS.finditer(self.body, at), 1):
            if not seen & 4095:
                self._spend(4096)
            token = match.group()
            if token in {b"{", b"["}:
                depth += 1
            elif token in {b"}", b"]"}:
                depth -= 1
                if depth == 0:
                    self._spend(seen & 4095)
                    return match.end()
            elif token == b'"':
                break
        raise ValueError(f"the value at byte {at} does not end")

    def _spend(self, tokens: int) -> None:
        self._left -= tokens
        if self._left < 0:
            raise ValueError("the body is too large to look for the message at fault")

    def fields(self, at: int) -> Iterator[tuple[str, int, int]]:
        """The fields of the object at `at`: key, start and end of the value."""
        at = self._expect(at, b"{")
        if self._peek(at) == b"}":
            return
        while True:
            at = self.start(at)
            match = _TEXT.match(self.body, at)
            if match is None:
                raise ValueError(f"no key at byte {at}")
            start = self._expect(self.start(match.end()), b":")
            start = self.start(start)
            end = self.value_end(start)
            yield json.loads(match.group()), start, end
            at = self.start(end)
            if self._peek(at) == b"}":
                return
            at = self._expect(at, b",")

    def items(self, at: int) -> Iterator[Span]:
        """The items of the array at `at`."""
        at = self.start(self._expect(at, b"["))
        if self._peek(at) == b"]":
            return
        while True:
            end = self.value_end(at)
            yield at, end
            at = self.start(end)
            if self._peek(at) == b"]":
                return
            at = self.start(self._expect(at, b","))

    def find(self, at: int, *path: str) -> Span | None:
        """The span of a field by its path from the object at `at`; the last one where a key is repeated."""
        span: Span | None = (at, at)
        for name in path:
            if span is None or self.body[span[0] : span[0] + 1] != b"{":
                return None
            found: Span | None = None
            for key, start, end in self.fields(span[0]):
                if key == name:
                    found = (start, end)
            span = found
        return span

    def _peek(self, at: int) -> bytes:
        at = self.start(at)
        return self.body[at : at + 1]

    def _expect(self, at: int, sign: bytes) -> int:
        if self.body[at : at + 1] != sign:
            raise ValueError(f"expected {sign.decode()} at byte {at}")
        return at + 1


def shape(text: bytes) -> tuple[int, int]:
    """Depth of nesting, and the most keys that one object has. Counts repeated keys too.

    >>> shape(b'{"a": {"b": [1], "c:d": 2}}')
    (3, 2)
    """
    depth = deepest = widest = 0
    keys: list[int] = []
    for match in _SHAPE.finditer(text):
        token = match.group()
        if token in {b"{", b"["}:
            depth += 1
            deepest = max(deepest, depth)
            keys.append(0)
        elif token in {b"}", b"]"}:
            depth -= 1
            if keys:
                keys.pop()
        elif token == b":" and keys:
            keys[-1] += 1
            widest = max(widest, keys[-1])
    return deepest, widest


def leaves(text: bytes, span: Span) -> Iterator[tuple[int, int, bytes]]:
    """Start, end and raw bytes of every string (keys too) and number inside `span`."""
    for match in _LEAVES.finditer(text, *span):
        yield match.start(), match.end(), match.group()


def replace(body: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """The bytes with each `(start, end, new)` put in; edits must be in order and apart.

    >>> replace(b"abcdef", [(1, 2, b"X"), (4, 6, b"")])
    b'aXcd'
    """
    parts: list[bytes] = []
    at = 0
    for start, end, new in edits:
        parts += (body[at:start], new)
        at = end
    parts.append(body[at:])
    return b"".join(parts)
