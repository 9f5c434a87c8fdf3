"""Bodies of the log that were read lately, divided into their messages: a timeline asks for one message after another.

Half of the events of a person's timeline stand in the body of the one before (a visit is sent together), and dividing a body
of a hundred messages costs more than reading one of them.
"""

from bisect import bisect_right, insort

from msgspec import Struct

from patron.collect.limits import Limits
from patron.collect.segment_api import Parts, divide
from patron.model.log import Entry
from patron.storage.embedded.log import SegmentLog

BODIES = 128
"""Bodies kept at most,"""
BYTES = 16 << 20
"""and bytes of them. A larger body than that is not kept at all."""


class Divided(Struct, frozen=True, gc=False):
    """An entry with its body, and the body's messages."""

    entry: Entry
    body: bytes
    parts: Parts


class Bodies:
    """The log's entries by position; of those read lately, the least recently used goes first.

    Nothing that was erased or dropped is ever given: all is forgotten when the log was written again (`SegmentLog.rewritten`).
    For the thread that owns the state.
    """

    def __init__(self, log: SegmentLog, limits: Limits, most: int = BODIES, most_bytes: int = BYTES) -> None:
        self._log, self._limits, self._most, self._most_bytes = log, limits, most, most_bytes
        self._held: dict[int, Divided] = {}
        self._bases: list[int] = []
        self._bytes = 0
        self._seen = log.rewritten

    def __len__(self) -> int:
        return len(self._held)

    def at(self, position: int) -> Divided:
        """The durable entry that holds `position`, divided. Raises KeyError when there is none, CorruptLog at damage."""
        if self._seen != self._log.rewritten:
            self.forget()
        place = bisect_right(self._bases, position) - 1
        if place >= 0:
            base = self._bases[place]
            found = self._held[base]
            if position <= found.entry.last:
                self._held[base] = self._held.pop(base)
                return found
        return self._read(position)

    def forget(self) -> None:
        """Let go of everything."""
        self._held.clear()
        self._bases.clear()
        self._bytes = 0
        self._seen = self._log.rewritten

    def _read(self, position: int) -> Divided:
        entry, body = self._log.at(position)
        found = Divided(entry, body, divide(body, entry.route, self._limits))
        if len(body) <= self._most_bytes:
            self._held[entry.base] = found
            insort(self._bases, entry.base)
            self._bytes += len(body)
            while len(self._held) > self._most or self._bytes > self._most_bytes:
                self._drop(next(iter(self._held)))
        return found

    def _drop(self, base: int) -> None:
        self._bytes -= len(self._held.pop(base).body)
        del self._bases[bisect_right(self._bases, base) - 1]
