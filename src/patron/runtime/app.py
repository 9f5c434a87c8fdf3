"""A workspace that is running: one event loop, one queue, checkpoints between entries."""

import asyncio
import contextlib
import gc
import logging
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from patron.exports.delivery import Gate
from patron.model.clock import SteppedClock
from patron.model.errors import BadRequest, StorageError
from patron.model.log import Entry
from patron.model.views import Status
from patron.profiles import public
from patron.runtime import facts
from patron.runtime.breath import PAUSE, Breath
from patron.runtime.ingest import Ingest
from patron.runtime.lake.child import JobsChild
from patron.runtime.lake.processes import LakeProcesses
from patron.runtime.pipeline import Pipeline
from patron.runtime.recovery import open_workspace
from patron.runtime.segments.rounds import Rounds
from patron.runtime.serving.rates import Rates
from patron.runtime.workspace import Crash, Workspace

_logger = logging.getLogger("patron")
TURN = 0.00025
"""Seconds that a checkpoint takes of a turn of the loop."""
WATCH = 0.05
"""Seconds between two looks at what segments have to do."""
RETRY = 1.0
"""Seconds until a flush of message ids that failed is tried again."""
READ_WAIT = 2.0
"""Seconds that a read with `?after=` waits for that position."""


class _Fact:
    """One of our own facts on its way through the pipeline."""

    __slots__ = ("_body", "_entry", "_workspace")

    def __init__(self, workspace: Workspace, entry: Entry, body: bytes) -> None:
        self._workspace = workspace
        self._entry = entry
        self._body = body

    def apply(self) -> Iterator[None]:
        facts.apply(self._workspace, self._entry, self._body)
        yield from facts.passing(self._workspace)
        self._workspace.mark(self._entry)

    def ended(self, error: Exception | None, *, stored: bool) -> None:
        pass


class App:
    """Everything that doors call. Make it inside a running event loop with `App.start`."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.fault: BaseException | None = None
        """What ended one of the tasks without which nothing goes on; the process should end too."""
        self._faulted = asyncio.Event()
        self.rates = Rates()
        self.exports = Gate()
        self.erasing = asyncio.Lock()
        """One erasure at a time: the books are told of one before they are read for the next."""
        self.pipeline = Pipeline(workspace.log, workspace.settings.collect.queue, self._between)
        self.pipeline.applied = workspace.applied
        self.ingest = Ingest(workspace, self.pipeline)
        self.jobs: JobsChild | None = None
        """The process that keeps the lake, when one was asked for."""
        self.lake = LakeProcesses()
        """The processes that ask the lake: they are waited for before files of it may go."""
        self.started = time.monotonic()
        self.last_checkpoint: int | None = None
        self._checkpointed = (time.monotonic(), workspace.applied)
        self._writing = False
        self._due = False
        self._lasting = False
        self.closing = False
        """Whether it is about to stop: nothing of its own goes on."""
        loop = asyncio.get_running_loop()
        self.rounds = Rounds(self)
        works = (self._housekeep(), self._judge(), self._look(), self.rounds.run())
        self._tasks = [loop.create_task(work) for work in works]
        for vital in (self.pipeline.task, *self._tasks):
            vital.add_done_callback(self._ended)

    @classmethod
    async def start(
        cls, path: Path, clock: str = "system", crash: Crash | None = None, *, lasting: bool = False
    ) -> "App":
        """Open a directory and replay. With `lasting` the collector of garbage never looks at what is there now again."""
        gc.set_threshold(
            100_000, 50, 50
        )  # millions of rows live for ever: looking at them again and again finds nothing
        app = cls(open_workspace(path, clock, crash))
        sys.setswitchinterval(0.0005)
        if lasting:
            gc.collect()
            gc.freeze()
        app._lasting = lasting
        return app

    def start_jobs(self) -> JobsChild:
        """Keep a jobs process beside this one, from some seconds on."""
        if self.jobs is None:
            self.jobs = JobsChild(self.workspace)
        return self.jobs

    async def stop(self, *, checkpoint: bool = True) -> None:
        """Apply what is durable, write a checkpoint and let go of the directory."""
        self.closing = True
        await self.pipeline.close()
        if self.jobs is not None:
            await self.jobs.close(flush=self.fault is None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._lasting:
            gc.unfreeze()
        # after a fault the state may hold half of an entry: the next start makes it anew from the log
        self.workspace.close(checkpoint=checkpoint and self.fault is None)

    async def faulted(self) -> None:
        """Wait until `fault` is set: then whoever waits for an answer of this app waits for ever."""
        await self._faulted.wait()

    async def unless_faulted(self, work: Coroutine[Any, Any, None]) -> None:
        """Await `work`. Raises what ended the app meanwhile, instead of waiting for ever."""
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(work), loop.create_task(self.faulted())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self.fault is not None:
                raise self.fault
            await tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self.fault is None:
            _logger.critical("a task ended that never should: nothing can go on", exc_info=error)
            self.fault = error
            self._faulted.set()

    async def record(self, name: str, data: object) -> int:
        """Append one of our own facts; returns its position once it is durable and applied."""
        entry, body = facts.entry_of(self.workspace, name, data)
        return await self.pipeline.submit(entry, body, _Fact(self.workspace, entry, body))

    async def reached(self, after: int | None) -> bool:
        """Wait at most two seconds until position `after` is applied (read your writes)."""
        return after is None or await self.pipeline.applied_to(after, READ_WAIT)

    def status(self) -> Status:
        """Positions of the log and how long the oldest waiting message has waited, roughly."""
        log = self.workspace.log
        return Status(log.last, self.workspace.applied, log.durable, self.rates.lag(self.pipeline.waiting))

    async def step_clock(self, now: int) -> int:
        """Move a stepped clock. Raises BadRequest when time is the machine's, or would go back."""
        clock = self.workspace.clock
        if not isinstance(clock, SteppedClock):
            raise BadRequest(
                "not_stepped", "Time is the machine's here; start with `patron serve --clock stepped`."
            )
        if now < clock.now():
            raise BadRequest(
                "clock_back", f"The clock stands at {public.iso(clock.now())}; time only goes forward."
            )
        return await self.record("Clock Stepped", now)

    @property
    def writing(self) -> bool:
        """Whether a checkpoint is on its way."""
        return self._writing

    async def settle(self) -> None:
        """Let the loop run a little."""
        await asyncio.sleep(0.005)

    # --- checkpoints ----------------------------------------------------------------------------------------

    def _between(self) -> None:
        """Between two entries: the only moment at which a checkpoint may begin, at an exact offset."""
        if self._due and not self._writing:
            self._begin()

    def _is_due(self) -> bool:
        storage, (since, offset) = self.workspace.settings.storage, self._checkpointed
        applied = self.workspace.applied
        return applied > offset and (
            time.monotonic() - since > storage.checkpoint_seconds
            or applied - offset > storage.checkpoint_events
            or self.workspace.state.dirty > storage.checkpoint_rows
        )

    def _begin(self) -> None:
        workspace = self.workspace
        self._due = False
        workspace.crash("before_checkpoint")
        workspace.state.begin(workspace.applied, workspace.state.meta)
        self._checkpointed = (time.monotonic(), workspace.applied)
        self._writing = True
        task = asyncio.get_running_loop().create_task(self._write(workspace.applied))
        task.add_done_callback(self._ended)
        self._tasks = [t for t in self._tasks if not t.done()] + [task]

    async def _write(self, offset: int) -> None:
        """Write what `begin` froze. The ids of messages up to the offset must be on disk before the offset is."""
        state = self.workspace.state
        while not await self._flush_ids(offset):
            await asyncio.sleep(RETRY)
        while not self._step():
            await asyncio.sleep(PAUSE)
        while not state.poll():
            await asyncio.sleep(10 * PAUSE)
        self.workspace.crash("after_checkpoint")
        self._writing = False
        self.last_checkpoint = self.workspace.clock.now()

    async def _flush_ids(self, offset: int) -> bool:
        """Put the ids of messages on disk; whether that went well. Nothing is forgotten when it did not."""
        dedup = self.workspace.dedup
        while not dedup.begin_flush(offset):
            await asyncio.sleep(PAUSE)
        try:
            while not dedup.flushed():
                await asyncio.sleep(PAUSE)
        except StorageError as error:
            _logger.warning("the checkpoint waits: %s; trying again", error)
            return False
        return True

    def _step(self) -> bool:
        """Encode rows for a quarter of a millisecond; whether all are handed over."""
        state, until = self.workspace.state, time.perf_counter() + TURN
        while not state.step():
            if state.backlog or time.perf_counter() > until:
                return False
        return True

    async def checkpoint(self) -> None:
        """Write a checkpoint of everything applied so far, and wait for it."""
        while self._writing:
            await asyncio.sleep(0.01)
        self.workspace.checkpoint()
        self._checkpointed = (time.monotonic(), self.workspace.applied)
        self.last_checkpoint = self.workspace.clock.now()

    def keep(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something in the background until this app stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks = [*(one for one in self._tasks if not one.done()), task]
        return task

    async def _housekeep(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(1.0)
                self.rates.tick(self.workspace)
                self.workspace.model.catch_up()
                self._due = self._is_due()
                if self.pipeline.waiting == 0:
                    self._between()

    async def _judge(self) -> None:
        """What segments have to do beside events: time going by, filling, judging by new rules."""
        workspace = self.workspace
        segments, clock = workspace.segments, workspace.clock
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                now = 0 if isinstance(clock, SteppedClock) else clock.now()
                breath = Breath()
                for _ in segments.work(now):
                    await breath.take()
                await asyncio.sleep(WATCH)

    async def _look(self) -> None:
        """Members who are told from their own events: whoever has that many must not slow down the others."""
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                breath = Breath(lambda: self.pipeline.waiting > 0)
                for _ in self.workspace.above.work():
                    await breath.take()
                await asyncio.sleep(WATCH)
