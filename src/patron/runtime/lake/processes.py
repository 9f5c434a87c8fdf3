"""The processes that ask the lake: one each, so that the event loop never waits and nothing else is in reach."""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable

import msgspec

from patron.model.errors import BadRequest, Busy
from patron.runtime.lake.child import lake_url
from patron.runtime.workspace import Workspace
from patron.storage.lake.asking import Head, Query, too_slow

AT_ONCE = 2
"""Processes that run side by side."""
QUEUE = 8
"""Questions that may be under way, running or waiting for their turn."""
GRACE = 8.0
"""Seconds that a process may take to come up and to stop, beside those of its question."""
WIDEST = 2**26
"""Bytes that a line of an answer may have, when it is read line by line."""
_KEPT = {"PATH", "LANG", "TMPDIR"}


class LakeProcesses:
    """Runs processes over a lake, a few at a time, each with a folder of its own for what does not fit into memory.

    Parameters
    ----------
    at_once, queue : how many run side by side, and how many may be under way altogether.
    """

    def __init__(self, at_once: int = AT_ONCE, queue: int = QUEUE) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._queue = queue
        self._asked = 0
        self._running: set[asyncio.Event] = set()

    async def run(
        self, module: str, query: Query, request: Callable[[Query], object] = lambda query: query
    ) -> tuple[Head, bytes]:
        """Ask a process of `module`; gives the head of its answer and the content. Cancelling ends the process.

        `request` makes what the process reads from the bounds it runs in: `query` with a folder to spill into.

        Raises
        ------
        BadRequest : refused, too slow or too large, with a sentence that says what to do.
        Busy : too many questions are under way.
        """
        async with self.started(module, query, request) as process:
            assert process.stdout is not None
            line, _, content = (await process.stdout.read()).partition(b"\n")
        return head_of(line), content

    @contextlib.asynccontextmanager
    async def started(
        self, module: str, query: Query, request: Callable[[Query], object] = lambda query: query
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """A process in its turn that was told its request, for answers that are read in parts. It ends when it is left.

        Parameters and errors as of `run`, but for what the answer says (`head_of`).
        """
        if self._asked >= self._queue:
            raise Busy(
                "queries_wait", "Too many questions wait for the lake; send this one again.", retry_after=5
            )
        self._asked += 1
        try:
            async with self._turns, self._spilling(query) as bound:
                told = msgspec.json.encode(request(bound))
                async with _process(module, told, query) as process:
                    yield process
        finally:
            self._asked -= 1

    async def drained(self) -> None:
        """Wait for the processes that run now: those that start later find no file that is replaced already."""
        for ended in tuple(self._running):
            await ended.wait()

    @contextlib.asynccontextmanager
    async def _spilling(self, query: Query) -> AsyncGenerator[Query]:
        """While it runs: the bounds with a folder to spill into, which is gone afterwards."""
        ended = asyncio.Event()
        self._running.add(ended)
        spill = tempfile.mkdtemp(prefix="patron-query-")
        try:
            yield msgspec.structs.replace(query, spill=spill)
        finally:
            shutil.rmtree(spill, ignore_errors=True)
            self._running.discard(ended)
            ended.set()


def bounds_of(workspace: Workspace) -> Query:
    """Where a workspace's lake is, and what every question may take."""
    lake = workspace.settings.lake
    return Query(
        lake_url(workspace),
        options=lake.options,
        rows=lake.query_rows,
        seconds=lake.query_seconds,
        memory_mb=lake.query_memory_mb,
    )


@contextlib.asynccontextmanager
async def _process(module: str, request: bytes, query: Query) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that reads its request. It is killed when it takes too long, or nobody waits for it any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=_environment(query),
        start_new_session=True,
        limit=WIDEST,
    )
    try:
        async with asyncio.timeout(query.seconds + GRACE):
            assert process.stdin is not None
            with contextlib.suppress(
                ConnectionError
            ):  # one that ended already is told by what it did not answer
                process.stdin.write(request)
                await process.stdin.drain()
            process.stdin.close()
            yield process
    except TimeoutError as error:
        raise BadRequest("too_slow", too_slow(query.seconds)) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _environment(query: Query) -> dict[str, str]:
    """Nothing but what finds the code; with object storage all, for its credentials are there."""
    remote = "://" in query.url
    kept = {name: value for name, value in os.environ.items() if remote or name in _KEPT}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def head_of(line: bytes) -> Head:
    """What an answer begins with. Raises BadRequest when it is a refusal, or nothing."""
    if not line:
        raise BadRequest(
            "too_large",
            "The question ended its process, most likely for want of memory. Ask for fewer days, or aggregate in "
            "smaller steps.",
        )
    head = msgspec.json.decode(line, type=Head)
    if head.code:
        raise BadRequest(head.code, head.message)
    return head
