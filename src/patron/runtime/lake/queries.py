"""Queries over the lake: each in a process of its own, so that the event loop never waits and nothing else is in reach."""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile

import msgspec

from patron.model.errors import BadRequest, Busy
from patron.runtime.lake.child import lake_url
from patron.runtime.workspace import Workspace
from patron.storage.lake.asking import FORMATS, Head, Held, Query, too_slow

AT_ONCE = 2
"""Queries that run side by side."""
QUEUE = 8
"""Queries that may wait for their turn."""
GRACE = 3.0
"""Seconds that a query may take to stop."""
STARTING = 5.0
"""Seconds that a process may take to come up."""
LONGEST = 100_000
"""Characters of a query."""


class Queries:
    """Runs queries of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._running = 0

    async def run(self, sql: str, form: str = "json", rows: int = 10_000) -> tuple[Head, bytes]:
        """Run one SELECT; gives the head of the answer and its content. Raises BadRequest with a sentence, or Busy."""
        if form not in FORMATS:
            raise BadRequest("bad_format", f"`format` is one of {', '.join(FORMATS)}.")
        if not sql.strip() or len(sql) > LONGEST:
            raise BadRequest("bad_sql", f"Give one SELECT of at most {LONGEST:,} characters.")
        if self._waiting >= QUEUE:
            raise Busy("queries_wait", "Too many queries wait; send this one again.", retry_after=5)
        return await self._in_turn(sql, form, rows)

    async def held(self) -> list[Held]:
        """What each table of the lake holds."""
        _, content = await self._in_turn("", "json", 0)
        return msgspec.json.decode(content, type=list[Held])

    async def _in_turn(self, sql: str, form: str, rows: int) -> tuple[Head, bytes]:
        self._waiting += 1
        try:
            async with self._turns:
                self._running += 1
                try:
                    return await self._run(sql, form, rows)
                finally:
                    self._running -= 1
        finally:
            self._waiting -= 1

    async def drained(self) -> None:
        """Wait until no query runs that may still read files which were replaced."""
        while self._running:
            await asyncio.sleep(0.05)

    async def _run(self, sql: str, form: str, rows: int) -> tuple[Head, bytes]:
        lake = self._workspace.settings.lake
        url = lake_url(self._workspace)
        spill = tempfile.mkdtemp(prefix="patron-query-")
        try:
            query = Query(
                url,
                sql,
                lake.options,
                form,
                min(rows, lake.query_rows),
                lake.query_seconds,
                lake.query_memory_mb,
                2,
                spill,
            )
            return await self._process(query, remote="://" in url)
        finally:
            shutil.rmtree(spill, ignore_errors=True)

    async def _process(self, query: Query, *, remote: bool) -> tuple[Head, bytes]:
        path = os.pathsep.join(filter(None, sys.path))
        kept = (
            os.environ if remote else {k: v for k, v in os.environ.items() if k in {"PATH", "LANG", "TMPDIR"}}
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "patron.storage.lake.query",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**kept, "PYTHONPATH": path},
            start_new_session=True,
        )
        try:
            out, _ = await asyncio.wait_for(
                process.communicate(msgspec.json.encode(query)), query.seconds + GRACE + STARTING
            )
        except TimeoutError as error:
            raise BadRequest("too_slow", too_slow(query.seconds)) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        line, _, content = out.partition(b"\n")
        if not line:
            raise BadRequest(
                "too_large",
                "The query ended its process, most likely for want of memory. Aggregate in smaller steps.",
            )
        head = msgspec.json.decode(line, type=Head)
        if head.code:
            raise BadRequest(head.code, head.message)
        return head, content
