"""Append, sync, apply, answer: everything that changes the workspace passes here once, in log order."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from patron.model.errors import Busy, DiskFull
from patron.model.log import Entry
from patron.model.ports import Log

_OVER = object()
TURN = 25
"""Messages applied before everybody else has a turn."""


class Work(Protocol):
    """What an entry does once it is durable."""

    def apply(self) -> Iterator[None]:
        """Apply it, yielding after every slice of events."""
        ...

    def ended(self, error: Exception | None, *, stored: bool) -> None:
        """It is over: applied (None), or failed. Not `stored`: the log did not take it."""
        ...


class _Ticket:
    """An entry in the queue; calling it says whether its bytes are on disk (the committer's thread does)."""

    __slots__ = ("count", "error", "future", "last", "pipeline", "steps", "work")

    def __init__(self, pipeline: "Pipeline", entry: Entry, work: Work, future: "asyncio.Future[int]") -> None:
        self.pipeline = pipeline
        self.last = entry.last
        self.count = entry.count
        self.work = work
        self.steps: Iterator[None] | None = None
        """The rest of applying it, once begun."""
        self.future = future
        self.error: BaseException | None = None

    def __call__(self, error: BaseException | None) -> None:
        self.error = error
        self.pipeline.settled(self)


class Pipeline:
    """One queue from the log to the state. A ticket resolves to its position when it is durable AND applied.

    Applying lets the loop turn after every slice of events, so that decisions and reads are never kept waiting by a
    large body or a large group.
    """

    def __init__(self, log: Log, limit: int, between: Callable[[], None]) -> None:
        self._log = log
        self._limit = limit
        self._between = between
        self._loop = asyncio.get_running_loop()
        self._durable: deque[_Ticket] = deque()
        self._waiting = 0
        self._scheduled = False
        self._watchers: list[tuple[int, asyncio.Future[None]]] = []
        self.applied = log.last
        self.room: Callable[[], None] = _nobody
        """Called whenever an entry is over, so that something else may come in."""
        self.task: asyncio.Future[None] = self._loop.create_future()
        """Ends by `close`, or by a fault after which nothing is applied any more."""

    @property
    def waiting(self) -> int:
        """Messages appended and not applied yet."""
        return self._waiting

    def admit(self) -> None:
        """Refuse when too much waits. Raises Busy (503 with Retry-After): nothing was taken."""
        if self._waiting > self._limit:
            raise Busy(
                "queue_full",
                "Too many messages wait to be applied; send the same batch again.",
                retry_after=1,
            )

    def submit(self, entry: Entry, body: bytes, work: Work) -> "asyncio.Future[int]":
        """Append an entry; the future gives its last position once it is durable and `work` was applied to its end."""
        future: asyncio.Future[int] = self._loop.create_future()
        try:
            self._log.append(entry, body, _Ticket(self, entry, work, future))
        except Exception as error:
            work.ended(error, stored=False)
            raise
        self._waiting += entry.count
        return future

    def settled(self, ticket: _Ticket) -> None:
        """A ticket's bytes are on disk, or failed. From the committer's thread; the loop is woken once a group."""
        self._durable.append(ticket)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon_threadsafe(self._run)

    async def applied_to(self, position: int, seconds: float) -> bool:
        """Wait until `position` is applied, at most `seconds`; whether it is."""
        if self.applied >= position:
            return True
        watcher: asyncio.Future[None] = self._loop.create_future()
        self._watchers.append((position, watcher))
        try:
            await asyncio.wait_for(watcher, seconds)
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Apply what is durable and stop."""
        while self._waiting and not self.task.done():
            await asyncio.sleep(0.001)
        self.task.cancel()

    def _run(self) -> None:
        """Apply what is durable for one turn of the loop; the next turn goes on."""
        try:
            if self._turn():
                self._loop.call_soon(self._run)
        except BaseException as fault:
            if not self.task.done():
                self.task.set_exception(fault)
            raise

    def _turn(self) -> bool:
        """Whether there is more to do. No task: waking one up costs as much as applying an event."""
        done = 0
        while done < TURN:
            if not self._durable:
                self._scheduled = False
                # What came until then was added by a thread that did not call, for it saw this still scheduled.
                if not self._durable:
                    return False
                self._scheduled = True
            ticket = self._durable[0]
            over, error = self._step(ticket)
            done += TURN if not over else min(ticket.count, TURN)
            if over:
                self._durable.popleft()
                self._answer(ticket, error)
        return True

    def _step(self, ticket: _Ticket) -> tuple[bool, Exception | None]:
        """Apply one slice; whether it was the last, and what went wrong."""
        if ticket.error is not None:
            return True, _public(ticket.error)
        error = None
        try:
            if ticket.steps is None:
                ticket.steps = ticket.work.apply()
            if next(ticket.steps, _OVER) is not _OVER:
                return False, None
        except Exception as fault:  # noqa: BLE001 - it belongs to the caller who waits, not to the queue
            error = fault
        self.applied = ticket.last
        return True, error

    def _answer(self, ticket: _Ticket, error: Exception | None) -> None:
        self._waiting -= ticket.count
        ticket.work.ended(error, stored=ticket.error is None)
        if not ticket.future.done():  # nobody waits when the request was given up
            if error is None:
                ticket.future.set_result(ticket.last)
            else:
                ticket.future.set_exception(error)
        if self._watchers:
            self._notify()
        self.room()
        self._between()

    def _notify(self) -> None:
        for position, watcher in self._watchers:
            if position <= self.applied and not watcher.done():
                watcher.set_result(None)
        self._watchers = [(p, w) for p, w in self._watchers if not w.done()]


def _nobody() -> None:
    """Nobody waits to come in."""


def _public(error: BaseException) -> Exception:
    if isinstance(error, DiskFull):
        return Busy(
            "disk_full", "The disk is full: nothing of this request was kept. Send it again.", retry_after=5
        )
    return Busy("log_failed", f"The log could not be written ({error}); send it again.", retry_after=5)
