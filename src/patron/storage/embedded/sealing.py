"""What happens to a segment once it is sealed: its sidecar is written, then it is packed. One thread, in its own time.

Both steps release the interpreter lock while they sort, compress and write, and neither is needed for durability: a
crash at any moment leaves the plain file, and the next start does the rest.
"""

import logging
import threading
from pathlib import Path

from patron.storage.embedded.chain import Chain
from patron.storage.embedded.committer import Crash
from patron.storage.embedded.files import sync_directory
from patron.storage.embedded.index import LogIndex
from patron.storage.embedded.packing import FRAME_BYTES, write_packed
from patron.storage.embedded.segments import PACKED, OpenFiles, PackedSegment, PlainSegment, Segment, path_of

RETRY_SECONDS = 5.0
_NEVER = 1 << 63
_logger = logging.getLogger("patron.storage.log")


class Sealer:
    """Seals segments whose events are all applied, oldest first."""

    def __init__(self, chain: Chain, index: LogIndex, files: OpenFiles, crash: Crash) -> None:
        self._chain = chain
        self._index = index
        self._files = files
        self._crash = crash
        self._applied = 0
        self._wake = threading.Condition()
        self._working = False
        self._closing = False
        self._due = _NEVER
        self.refresh()
        self._thread = threading.Thread(target=self._run, name="patron-sealer", daemon=True)
        self._thread.start()

    @property
    def position(self) -> int:
        """Position up to which everything was noted."""
        return self._applied

    def applied(self, position: int) -> None:
        """Everything up to `position` was noted."""
        self._applied = max(self._applied, position)
        if position >= self._due:
            with self._wake:
                self._wake.notify_all()

    def refresh(self) -> None:
        """Look again for the oldest segment that has something to be done."""
        with self._wake:
            following = self._next()
            self._due = _NEVER if following is None else following.last
            self._wake.notify_all()

    def settle(self, seconds: float = 60.0) -> bool:
        """Wait until everything applied is sealed; whether it is."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._working and self._applied < self._due, seconds)

    def close(self) -> None:
        """Finish the segment under way and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._thread.join()

    def _next(self) -> Segment | None:
        unindexed = {first for first, _ in self._index.waiting()}
        for segment in self._chain.sealed():
            if segment.first in unindexed or isinstance(segment, PlainSegment):
                return segment
        return None

    def _run(self) -> None:
        while self._wait():
            failed = False
            try:
                self._step()
            except Exception:
                failed = True
                _logger.exception("cannot seal a log segment; trying again in %s s", RETRY_SECONDS)
            with self._wake:
                self._working = False
                if failed and not self._closing:
                    self._wake.wait(RETRY_SECONDS)
            self.refresh()

    def _wait(self) -> bool:
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._applied >= self._due)
            self._working = not self._closing
            return self._working

    def _step(self) -> None:
        with self._chain.maintenance:
            segment = self._next()
            if segment is None or segment.last > self._applied:
                return
            self._crash("before_index")
            self._index.seal(segment)
            self._crash("after_index")
            if isinstance(segment, PlainSegment):
                self._pack(segment)

    def _pack(self, segment: PlainSegment) -> None:
        self._crash("before_pack")
        path = path_of(segment.path.parent, segment.first, PACKED)
        temporary = write_packed(
            path, segment.first, segment.last, segment.received, segment.frames(FRAME_BYTES)
        )
        swap(self._chain, self._files, temporary, path, segment, self._crash)
        self._crash("after_pack")


def swap(
    chain: Chain, files: OpenFiles, temporary: Path, path: Path, segment: Segment, crash: Crash
) -> PackedSegment:
    """Let a finished packed file take the place of `segment`, whichever form that had. Raises OSError."""
    crash("before_swap")
    temporary.replace(path)
    sync_directory(path.parent)
    crash("after_swap")
    files.forget(path)
    packed = PackedSegment(path, files)
    chain.replace(packed)
    if segment.path != path:
        segment.path.unlink()
        sync_directory(path.parent)
    return packed
