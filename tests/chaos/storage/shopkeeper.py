"""A process that works on a log, a state or a directory and is made to die at a named point.

It writes one line to standard output for everything that was acknowledged to it.
"""

import os
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from patron.model.errors import DiskFull
from patron.model.log import Entry
from patron.storage.embedded import directory
from patron.storage.embedded.dedup import Dedup
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.state import State, TableSpec

MARK = b"ana.rossi@example.org"
SEGMENT = 3000
ENTRIES = 14
SPECS = [TableSpec("people", str)]


def body(base: int) -> bytes:
    return MARK + b" was here %d " % base + bytes([65 + base % 26]) * 700


def edited(entry: Entry, _body: bytes, _hit: list[int]) -> tuple[Entry, bytes]:
    return entry, b"null"


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def dying(point: str) -> Callable[[str], None]:
    name, _, count = point.partition(":")
    left = [int(count or 1)]

    def crash(found: str) -> None:
        if found == name:
            left[0] -= 1
            if left[0] == 0:
                os._exit(137)

    return crash


def append(log: SegmentLog, text: bytes, count: int = 2) -> BaseException | None:
    ready, errors = threading.Event(), list[BaseException | None]()
    entry = Entry("track", log.last + 1, count, "shop", 1_700_000_000_000)

    def done(error: BaseException | None) -> None:
        if error is None:
            say(f"kept {entry.base}")
        errors.append(error)
        ready.set()

    log.append(entry, text, done)
    assert ready.wait(30)
    return errors[0]


def keep_log(path: Path, point: str) -> None:
    """Append, seal, erase every second entry, drop the oldest segment."""
    log = SegmentLog.open(path, segment_bytes=SEGMENT, crash=dying(point))
    for _ in range(ENTRIES):
        append(log, body(log.last + 1))
        log.note(7, log.last, log.last, True)
        if log.last > 12:
            log.applied(log.last - 8)
    log.applied(log.last)
    assert log.settle()
    say("settled")
    log.rewrite([row.position for row in log.find([7])], edited, [7])
    say("erased")
    log.drop(1)
    say("dropped")
    log.close()


def fill_up(path: Path, _point: str) -> None:
    """Let the kernel refuse bytes in the middle of a write, then give room again."""
    log = SegmentLog.open(path, segment_bytes=1 << 20)
    append(log, body(1))
    for room in (0, 1, 20, 44, 300, 700):
        size = next(path.glob("*.log")).stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, resource.RLIM_INFINITY))
        error = append(log, body(log.last + 1))
        assert isinstance(error, DiskFull), error
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert next(path.glob("*.log")).stat().st_size == size
        assert append(log, body(log.last + 1)) is None
    log.close()


def keep_state(path: Path, steps: str) -> None:
    """Take one checkpoint, begin a second, and die after some of its slices."""
    held = directory.hold(path)
    state = State.open(path, SPECS, (held.fileno(),))
    people = state.table("people")
    for number in range(400):
        people.put(f"p{number}", f"first {number}")
    state.checkpoint_now(1, {"n": 1})
    say("checkpoint 1")
    for number in range(0, 400, 2):
        people.put(f"p{number}", f"second {number}" + "x" * 2000)
    people.delete("p1")
    state.begin(2, {"n": 2})
    for _ in range(int(steps)):
        state.step(25)
    if int(steps) > 100:
        while not state.poll():
            pass
        say("checkpoint 2")
    os._exit(137)


def keep_ids(path: Path, _point: str) -> None:
    """Flush ids again and again until killed."""
    dedup = Dedup.open(path)
    number = 0
    while True:
        for _ in range(1500):
            number += 1
            dedup.add("shop", f"m{number}", 19_700 + number % 2, 1, number)
        dedup.flush(number)
        say(f"kept {number}")


if __name__ == "__main__":
    {"log": keep_log, "full": fill_up, "state": keep_state, "ids": keep_ids}[sys.argv[1]](
        Path(sys.argv[2]), sys.argv[3]
    )
