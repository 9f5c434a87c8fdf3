"""The jobs process: keeps the lake, niced, beside the event loop. It holds nothing that is not in the log or in the lake.

Started by the process that holds the directory (`runtime.lake.child`), it reads frames from its standard input:

=========  ====================================  =================================================================
frame      fields                                what it does
=========  ====================================  =================================================================
terms      rules                                 reads bodies as the main process does from now on
links      rows                                  whose some nodes are from some positions on
snapshot   rows, position, done                  whose every node is, in parts
applied    position                              the log is durable and applied up to here: it may be read
(others)   number, ...                           an operation that is answered: `OPERATIONS`
=========  ====================================  =================================================================

and says on its standard output `[0, None, status]` when something changed, `[number, error, value]` as an answer. When its
input ends it ends at once: a crash at any moment loses nothing and doubles nothing.

Run as ``python -m patron.runtime.jobs DIR``; the first frame is `start`.
"""

import contextlib
import datetime as dt
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from patron.model.clock import DAY
from patron.model.errors import PatronError
from patron.runtime.lake.erasing import Wanted, erase, sweep
from patron.runtime.lake.frames import framed, frames
from patron.runtime.lake.keeper import Keeper
from patron.runtime.lake.rounds import Rounds
from patron.runtime.lake.terms import Start, Status, Terms
from patron.runtime.workspace import crash_at
from patron.storage.embedded.directory import secret
from patron.storage.embedded.writer import stand_back
from patron.storage.lake.compaction import FAN, Retention, compact, retain
from patron.storage.lake.store import LakeStore

RETRY = 5.0
"""Seconds until something that failed is tried again."""


class Jobs:
    """One jobs process, from its first frame on."""

    def __init__(self, folder: Path, start: Start, terms: Terms, say: Callable[..., None]) -> None:
        self._start = start
        self._say = say
        store = LakeStore(start.url, start.options, start.owner)
        crash = crash_at(start.crash) or (lambda _name: None)
        self.keeper = Keeper(store, folder / "log", secret(folder), terms, crash)
        self.rounds = Rounds(store, crash, start.events)
        self._applied = self.keeper.position
        self._now = 0
        self._compacted = 0
        """UTC day of the last compaction."""
        self._flushed = time.monotonic()
        self._snapshot: list[Any] | None = None
        self._problem = ""
        self.report()

    def report(self) -> None:
        """Say how far the lake is."""
        store = self.keeper.store
        self._say(0, None, Status(store.position, store["people"].position, self._problem, self.rounds.taken))

    # --- when -----------------------------------------------------------------------------------------------------

    def wait(self) -> float:
        """Seconds until a flush is due."""
        behind = self._applied - self.keeper.position
        if behind <= 0 or self._snapshot is not None:
            return 3600.0
        if behind >= self._start.events and not self._problem:
            return 0.0
        pause = RETRY if self._problem else self._start.seconds
        return max(0.0, self._flushed + pause - time.monotonic())

    def flush(self, *, whole: bool = False) -> int:
        """Write what is applied: one chunk, or all of it."""
        self._flushed = time.monotonic()
        position = self.keeper.position
        while position < self._applied:
            position = self.keeper.advance(self._applied, self._start.events)
            if not whole:
                break
        self._problem = ""
        self.report()
        return position

    def try_flush(self) -> None:
        """Write one chunk; a fault is told and tried again later."""
        try:
            self.flush()
            if self._is_untidy():
                self.compact(self._now)
        except (PatronError, OSError) as error:
            self._problem = str(error)
            self.report()

    def _is_untidy(self) -> bool:
        """Whether there are many files, or a day was closed."""
        return self._now // DAY > self._compacted or len(self.keeper.store["events"].files()) > 2 * FAN

    def compact(self, now: int) -> dict[str, int]:
        """Merge files, drop what is too old, remove files that are no part of the lake any more."""
        self._compacted = now // DAY
        today = dt.date(1970, 1, 1) + dt.timedelta(days=self._compacted)
        keep = msgspec.convert(self._start.retention, Retention)
        tables = self.keeper.store.tables.values()
        before = sum(len(table.files()) for table in tables)
        removed = 0
        for table in tables:
            retain(table, keep, today)
            compact(table, today, self.keeper.crash)
            removed += table.sweep()
        self.report()
        return {"before": before, "after": sum(len(table.files()) for table in tables), "removed": removed}

    # --- frames ------------------------------------------------------------------------------------------------------

    def take(self, name: str, *fields: Any) -> None:
        """Carry out one frame."""
        if name == "terms":
            self.keeper.agree(msgspec.convert(fields[0], Terms))
        elif name == "links":
            self.keeper.take_links(fields[0])
        elif name == "snapshot":
            self._take_snapshot(*fields)
        elif name == "applied":
            if self._applied <= self.keeper.position:
                self._flushed = time.monotonic()  # the first of what will be written together
            self._applied, self._now = max(self._applied, fields[0]), fields[1]
        else:
            self._answer(name, *fields)

    def _take_snapshot(self, rows: list[Any], position: int, done: bool) -> None:
        self._snapshot = [*(self._snapshot or ()), *rows]
        if done:
            told, self._snapshot = self._snapshot, None
            self.keeper.take_snapshot(told, position)
            self.report()

    def _answer(self, name: str, number: int, *fields: Any) -> None:
        try:
            value = OPERATIONS[name](self, *fields)
        except (PatronError, OSError) as error:
            self._say(number, str(error), None)
        else:
            self._say(number, None, value)


def _flush(jobs: Jobs) -> int:
    return jobs.flush(whole=True)


def _erase(jobs: Jobs, wanted: Any) -> Any:
    """Everything applied is in the lake first: what the log holds of the person then is written again before it is read."""
    jobs.flush(whole=True)
    jobs.rounds.settle()
    keeper = jobs.keeper
    keeper.follower.forget()
    done = erase(
        keeper.store, msgspec.convert(wanted, Wanted), keeper.terms.identity, keeper.households, keeper.crash
    )
    keeper.hashes.forget()
    jobs.report()
    return done


def _compact(jobs: Jobs, now: int) -> Any:
    return jobs.compact(now)


def _begin_round(jobs: Jobs, now: int, interval: int) -> list[str]:
    """Everything applied is in the lake first, so that whoever changed until now is told of."""
    jobs.flush(whole=True)
    return _going_on(jobs, jobs.rounds.begin(now, interval))


def _take_snapshots(jobs: Jobs, rows: list[Any]) -> list[str]:
    return _going_on(jobs, jobs.rounds.take(rows))


def _going_on(jobs: Jobs, wanted: list[str]) -> list[str]:
    if not wanted:
        jobs.report()
    return wanted


def _sweep(jobs: Jobs) -> int:
    return sweep(jobs.keeper.store, jobs.keeper.crash)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "flush": _flush,
    "erase": _erase,
    "sweep": _sweep,
    "compact": _compact,
    "begin_round": _begin_round,
    "take_snapshots": _take_snapshots,
}
"""Operations that are answered."""


def main(folder: Path, source: BinaryIO, answers: BinaryIO) -> None:
    """Carry out frames until the input ends."""
    heard: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

    def listen() -> None:
        for frame in frames(source):
            heard.put(frame)
        os._exit(0)  # whoever started us is gone; the directory must not stay held for a compaction's sake

    def say(*fields: object) -> None:
        answers.write(framed(*fields))
        answers.flush()

    threading.Thread(target=listen, daemon=True, name="patron-jobs-ears").start()
    _, start, terms = heard.get()
    try:
        jobs = Jobs(folder, msgspec.convert(start, Start), msgspec.convert(terms, Terms), say)
    except PatronError as error:
        say(0, str(error), None)
        raise SystemExit(3) from error
    while True:
        try:
            frame = heard.get(timeout=min(jobs.wait(), 3600.0)) if jobs.wait() > 0 else heard.get_nowait()
        except queue.Empty:
            jobs.try_flush()
            continue
        jobs.take(*frame)


if __name__ == "__main__":
    stand_back()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        main(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
