"""What the log's tests share: appending and waiting, reading all, and damage."""

import threading
from pathlib import Path

from patron.model.log import Entry
from patron.storage.embedded.log import SegmentLog


def entry(base: int, count: int = 1, received: int = 1_700_000_000_000) -> Entry:
    return Entry("track", base, count, "shop", received, duplicates=(0,) if count > 2 else ())


def put(log: SegmentLog, body: bytes, count: int = 1, received: int = 1_700_000_000_000) -> Entry:
    """Append one entry and wait for its answer. Raises what the log answered."""
    ready, errors = threading.Event(), []

    def done(error: BaseException | None) -> None:
        errors.append(error)
        ready.set()

    new = entry(log.last + 1, count, received)
    log.append(new, body, done)
    assert ready.wait(20)
    assert len(errors) == 1
    if errors[0] is not None:
        raise errors[0]
    return new


def fill(log: SegmentLog, bodies: list[bytes], count: int = 1) -> list[tuple[Entry, bytes]]:
    return [(put(log, body, count), body) for body in bodies]


def everything(path: Path, **options: int) -> list[tuple[Entry, bytes]]:
    """Open, read all, close."""
    log = SegmentLog.open(path, **options)
    try:
        return list(log.read(1))
    finally:
        log.close()


def files(path: Path, suffix: str) -> list[Path]:
    return sorted(path.glob(f"*{suffix}"))
