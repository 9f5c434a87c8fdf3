"""The segments in order: sealed ones, then the one that grows. Whoever reads holds what it was given."""

import threading
from bisect import bisect_right

from patron.storage.embedded.segments import PlainSegment, Segment


class Chain:
    """Which segment holds a position. Replacing one never disturbs a reader that holds the old one.

    `maintenance` is held by whoever replaces or removes sealed files: sealing, erasing, dropping, backing up.
    """

    def __init__(self, sealed: list[Segment], tail: PlainSegment) -> None:
        self._lock = threading.Lock()
        self._sealed = sealed
        self._tail = tail
        self.maintenance = threading.Lock()

    @property
    def tail(self) -> PlainSegment:
        """The segment that grows."""
        return self._tail

    def sealed(self) -> list[Segment]:
        """Sealed segments, oldest first."""
        with self._lock:
            return list(self._sealed)

    def rotated(self, old: PlainSegment, new: PlainSegment) -> None:
        """`old` is sealed and `new` grows."""
        with self._lock:
            self._sealed.append(old)
            self._tail = new

    def replace(self, segment: Segment) -> None:
        """Put another form of a sealed segment in its place."""
        with self._lock:
            place = bisect_right(self._sealed, segment.first, key=_first) - 1
            self._sealed[place] = segment

    def drop_oldest(self) -> None:
        """Forget the oldest sealed segment."""
        with self._lock:
            del self._sealed[0]

    def holding(self, position: int) -> Segment | None:
        """The segment whose range holds `position`; the oldest for a smaller one; None behind the end."""
        with self._lock:
            if position >= self._tail.first:
                return self._tail if position <= self._tail.last else None
            if not self._sealed:
                return self._tail if self._tail.last >= self._tail.first else None
            return self._sealed[max(0, bisect_right(self._sealed, position, key=_first) - 1)]


def _first(segment: Segment) -> int:
    return segment.first
