"""The way in for bodies: one large body is read at a time, and none while too many messages wait to be applied.

So a decision or a read never stands behind more than a few milliseconds of other people's events: what is not read yet
holds nobody up. Bodies wait in order of arrival.
"""

import asyncio
from collections import deque

from patron.model.errors import Busy
from patron.runtime.pipeline import Pipeline

AHEAD = 100
"""Messages on their way to the state above which further bodies wait unread: about 3 ms of work, behind which a decision waits."""
LARGE = 8 << 10
"""Bytes from which on a body takes a turn of the loop for itself."""
WAITING_BYTES = 64 << 20
"""Bytes of bodies that may wait; beyond, the door answers 503."""


class Entrance:
    """Lets bodies in, in order."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._loop = asyncio.get_running_loop()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._bytes = 0
        self._reading = False
        pipeline.room = self.left

    def is_free(self, size: int) -> bool:
        """Whether a small body may be read at once, as nearly always; if not, `enter`."""
        return not self._queue and size < LARGE and not self._reading and self._pipeline.waiting <= AHEAD

    async def enter(self, size: int) -> None:
        """Wait for a body's turn to be read. Raises Busy when too much waits: nothing was taken."""
        self._pipeline.admit()
        if self._queue or self._reading or self._pipeline.waiting > AHEAD:
            if self._queue and self._bytes + size > WAITING_BYTES:
                raise Busy(
                    "queue_full", "Too many bodies wait to be read; send this one again.", retry_after=1
                )
            await self._wait(size)
        if size >= LARGE:
            self._reading = True
            self._loop.call_soon(self._read)
        elif self._queue:
            self._loop.call_soon(self.left)

    async def _wait(self, size: int) -> None:
        turn = self._loop.create_future()
        self._queue.append(turn)
        self._bytes += size
        try:
            await turn
        except asyncio.CancelledError:
            self._loop.call_soon(self.left)  # whoever gave up passes the turn on
            raise
        finally:
            self._bytes -= size

    def _read(self) -> None:
        self._reading = False
        self.left()

    def left(self) -> None:
        """A body was read, or an entry is over: let the next one in if there is room."""
        while self._queue and not self._reading and self._pipeline.waiting <= AHEAD:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
