"""The main process's end of the jobs process: started in the background, told what it needs, replaced when it dies.

It holds the directory's lock too, so nobody takes the directory while it still writes; it ends when its input does.
"""

import asyncio
import contextlib
import hashlib
import itertools
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from patron.model.errors import StorageError
from patron.runtime import settings as config
from patron.runtime.lake.frames import framed
from patron.runtime.lake.terms import Start, Status, Terms
from patron.runtime.tables import CATALOGUE
from patron.runtime.workspace import Workspace
from patron.storage.embedded.files import write_durably
from patron.storage.embedded.writer import LENGTH

QUIET = 2.0
"""Seconds after the start in which there is no jobs process: a directory that is only looked at needs none."""
AHEAD = "lake.ahead"
"""File that names a lake which was once ahead of this log, and where it ended: a restart must not forget it."""
TICK = 0.5
AGAIN = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds until another process is started, by how many ended one after the other."""
SLICE = 500
"""Identifiers of a snapshot that are looked up in a turn of the loop."""
_logger = logging.getLogger("patron.lake")


class JobsChild:
    """Keeps one jobs process running beside a workspace. Make it inside the loop; `close` it before the workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._process: asyncio.subprocess.Process | None = None
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._sent = 0
        """Position of the last row of people that this process was told."""
        self._applied = -1
        self._terms = b""
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._closing = False
        self._foreign = ""
        """Why nothing may be added to the lake, also when the log grows beyond where that ends: it holds other messages."""
        self.held = False
        """While set nothing new is told, so nothing is read from the log: it is being written anew."""
        self.status: Status | None = None
        """What it said last; None while there is none."""
        self.problem = ""
        self.deaths = 0
        """Processes that ended although nobody stopped them."""
        self._tasks = [asyncio.get_running_loop().create_task(work) for work in (self._keep(), self._tick())]

    @property
    def pid(self) -> int | None:
        """Its process id, while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Whether there is one that has opened the lake."""
        return self._ready.is_set()

    @property
    def foreign(self) -> bool:
        """Whether the lake holds other messages than this log, so that nothing may be added to it."""
        return bool(self._foreign)

    @property
    def url(self) -> str:
        """Where the lake is."""
        return lake_url(self._workspace)

    async def ask(self, name: str, *fields: object, seconds: float = 600.0, held: bool = False) -> Any:
        """Have an operation done and give its value. Raises StorageError when it cannot be, or the process ends.

        With `held` nothing is told after it until `held` is taken back.
        """
        self._wanted.set()
        until = time.monotonic() + seconds
        while not self._ready.is_set():
            if time.monotonic() > until or self._closing:
                raise StorageError(
                    f"the jobs process does not come up: {self.problem or 'it takes too long'}"
                )
            await asyncio.sleep(0.02)
        self._tell()
        self.held = self.held or held
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._write(name, number, *fields)
        try:
            return await asyncio.wait_for(answer, max(0.1, until - time.monotonic()))
        except TimeoutError as error:
            raise StorageError(
                f"the jobs process did not finish `{name}` within {seconds:.0f} s; it goes on"
            ) from error
        finally:
            self._asked.pop(number, None)

    async def flush(self, seconds: float = 600.0) -> int:
        """Bring everything applied so far into the lake; gives the position."""
        return int(await self.ask("flush", seconds=seconds))

    async def close(self, *, flush: bool = True) -> None:
        """Let it write what it has, when it is running, and end it."""
        if flush and self._ready.is_set():
            try:
                await self.flush(5.0)
            except StorageError as error:
                _logger.warning("the lake is not up to date: %s", error)
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        process = self._process
        if process is not None and process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 5.0)
            except TimeoutError:
                process.kill()
                await process.wait()

    # --- the process -------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """One process after the other."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), QUIET)
        while not self._closing:
            began = time.monotonic()
            try:
                await self._run()
            except (OSError, ValueError) as error:
                self.problem = f"it cannot be started ({error})"
            self._gone()
            self.deaths = 1 if time.monotonic() - began > 60 else self.deaths + 1
            _logger.warning(
                "the jobs process ended: %s; starting another one", self.problem or "without a word"
            )
            await asyncio.sleep(AGAIN[min(self.deaths, len(AGAIN)) - 1])

    async def _run(self) -> None:
        workspace = self._workspace
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "patron.runtime.jobs",
            str(workspace.path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=(workspace.hold.fileno(),),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
        lake = workspace.settings.lake
        start = Start(
            self.url,
            owner_of(workspace),
            lake.options,
            lake.flush_seconds,
            lake.flush_events,
            msgspec.to_builtins(lake.retention),
            config.environment("PATRON_JOBS_CRASH_AT"),
        )
        self._terms = terms = self._present_terms()
        self._write("start", msgspec.to_builtins(start), msgspec.Raw(terms))
        self._sent, self._applied = -1, -1
        assert process.stdout is not None
        while True:
            try:
                (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                frame = msgspec.msgpack.decode(await process.stdout.readexactly(length))
            except asyncio.IncompleteReadError:
                break
            await self._hear(*frame)
        code = await process.wait()
        self.problem = self.problem or f"exit code {code}"

    async def _hear(self, number: int, error: str | None, value: Any) -> None:
        if number:
            answer = self._asked.get(number)
            if answer is not None and not answer.done():
                if error is None:
                    answer.set_result(value)
                else:
                    answer.set_exception(StorageError(error))
            return
        if error is not None:
            self.problem = error
            return
        first = self.status is None
        self.status = status = msgspec.convert(value, Status)
        if first:
            self._check_end(status.position)
        self.problem = self._foreign or status.problem
        links = self._workspace.links
        if first:
            if status.position < links.since:
                await self._snapshot()
            self._ready.set()
        links.stored(status.position)

    def _check_end(self, position: int) -> None:
        last, note = self._workspace.log.last, self._workspace.path / AHEAD
        told = f"{self.url} {position}"
        if position > last:
            write_durably(note, told.encode())
        if note.exists() and note.read_text("utf-8") != told:
            note.unlink()  # another lake, or one that was made anew
        elif note.exists():
            self._foreign = (
                f"the lake at {self.url} knows messages up to {position}, the log of this directory ended before: it was restored "
                "from an older backup. Nothing is added to that lake. Stop the server, move the lake away or name an empty place "
                "as `[lake] url`, and start: it is written anew from the log. Keep the old one when messages were pruned from "
                "the log: it alone has them"
            )

    def _gone(self) -> None:
        self._ready.clear()
        self._process, self.status = None, None
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(
                    StorageError(f"the jobs process ended ({self.problem}); another one starts")
                )

    def _write(self, *fields: object) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(framed(*fields))

    # --- what it is told ---------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            if self._ready.is_set():
                if self._workspace.links.lost:
                    await self._snapshot()
                self._tell()

    def _tell(self) -> None:
        """Tell what is new, ending with the position up to which it all holds."""
        workspace = self._workspace
        applied = workspace.applied
        if applied == self._applied or applied > workspace.log.durable or self._foreign or self.held:
            return
        terms = self._present_terms()
        if terms != self._terms:
            self._terms = terms
            self._write("terms", msgspec.Raw(terms))
        rows = [row for row in workspace.links.waiting if row[4] > self._sent]
        for start in range(0, len(rows), 10_000):
            self._write("links", rows[start : start + 10_000])
        if rows:
            self._sent = rows[-1][4]
        workspace.links.told = max(self._sent, applied)
        self._applied = applied
        self._write("applied", applied, workspace.clock.now())

    def _present_terms(self) -> bytes:
        workspace = self._workspace
        prefix = f"{CATALOGUE}/"
        catalogues = {
            name.removeprefix(prefix): tuple(row.value)
            for name, row in workspace.config.items()
            if name.startswith(prefix)
        }
        settings = workspace.settings
        terms = Terms(settings.identity, settings.profiles, workspace.read_rules, catalogues)
        return msgspec.msgpack.encode(terms)

    async def _snapshot(self) -> None:
        """Tell whose every node is: rows of people that were never gathered here are in it."""
        workspace, links = self._workspace, self._workspace.links
        position, known = workspace.applied, workspace.clock.now()
        links.waiting.clear()
        links.since = links.told = position
        links.lost = False
        self._sent = position
        keys = list(workspace.idents.keys())
        for start in range(0, len(keys), SLICE):
            people = ((key, workspace.graph.person_of(key)) for key in keys[start : start + SLICE])
            moved = {key: person.id for key, person in people if person is not None}
            self._write("snapshot", list(links.rows(moved, position, known)), position, False)
            process = self._process
            if process is not None and process.stdin is not None:
                await process.stdin.drain()
            await asyncio.sleep(0.001)
        self._write("snapshot", [], position, True)


def lake_url(workspace: Workspace) -> str:
    """The folder or address of a workspace's lake."""
    return workspace.settings.lake.url or str((workspace.path / "lake").absolute())


def owner_of(workspace: Workspace) -> str:
    """What names a workspace in its lake, and gives nothing of its secret away."""
    return hashlib.blake2b(workspace.secret, digest_size=16, person=b"patron-lake").hexdigest()


def has_lake(workspace: Workspace) -> bool:
    """Whether there may be a lake of this workspace."""
    url = lake_url(workspace)
    return "://" in url or Path(url).is_dir()


def place_of(folder: Path) -> str:
    """The lake of a data directory that nobody opened, as its settings say."""
    settings, _ = config.load(folder)
    return settings.lake.url or str((folder / "lake").absolute())
