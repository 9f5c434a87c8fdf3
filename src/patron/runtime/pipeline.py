"""Append, sync, apply, answer: everything that changes the workspace passes here once, in log order."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from patron.model.errors import Busy, DiskFull
from patron.model.log import Entry
from patron.model.ports import Log

Work = Callable[[], Iterator[None]]


class _Ticket:
    __slots__ = ("count", "error", "future", "last", "work")

    def __init__(self, last: int, count: int, work: Work, future: "asyncio.Future[int]") -> None:
        self.last = last
        self.count = count
        self.work = work
        self.future = future
        self.error: BaseException | None = None


class Pipeline:
    """One queue from the log to the state. A ticket resolves to its position when it is durable AND applied.

    Applying yields after every slice of events, so that decisions and reads are never kept waiting by a large body.
    """

    def __init__(self, log: Log, limit: int, between: Callable[[], None]) -> None:
        self._log = log
        self._limit = limit
        self._between = between
        self._loop = asyncio.get_running_loop()
        self._durable: deque[_Ticket] = deque()
        self._ready = asyncio.Event()
        self._waiting = 0
        self._scheduled = False
        self._watchers: list[tuple[int, asyncio.Future[None]]] = []
        self.applied = log.last
        self._task = self._loop.create_task(self._run())

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
        """Append an entry; the future gives its last position once it is durable and `work` was run to its end."""
        ticket = _Ticket(entry.last, entry.count, work, self._loop.create_future())
        self._waiting += entry.count

        def done(error: BaseException | None) -> None:
            ticket.error = error
            self._durable.append(ticket)
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon_threadsafe(self._wake)

        try:
            self._log.append(entry, body, done)
        except BaseException:
            self._waiting -= entry.count
            raise
        return ticket.future

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
        while self._waiting:
            await asyncio.sleep(0.001)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self) -> None:
        self._scheduled = False
        self._ready.set()

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._durable:
                await self._apply(self._durable.popleft())

    async def _apply(self, ticket: _Ticket) -> None:
        try:
            if ticket.error is not None:
                raise _public(ticket.error)
            for _ in ticket.work():
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - the fault belongs to the caller who waits, not to the queue
            if ticket.error is None:
                self.applied = ticket.last
            if not ticket.future.done():
                ticket.future.set_exception(error)
        else:
            self.applied = ticket.last
            if not ticket.future.done():
                ticket.future.set_result(ticket.last)
        finally:
            self._waiting -= ticket.count
            self._notify()
            self._between()

    def _notify(self) -> None:
        if not self._watchers:
            return
        for position, watcher in self._watchers:
            if position <= self.applied and not watcher.done():
                watcher.set_result(None)
        self._watchers = [(p, w) for p, w in self._watchers if not w.done()]


def _public(error: BaseException) -> Exception:
    if isinstance(error, DiskFull):
        return Busy(
            "disk_full", "The disk is full: nothing of this request was kept. Send it again.", retry_after=5
        )
    return Busy("log_failed", f"The log could not be written ({error}); send it again.", retry_after=5)
