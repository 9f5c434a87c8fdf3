"""The log: what was acknowledged can be read, in order, at its position; what failed left nothing behind."""

import errno
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from patron.model.errors import DiskFull, StorageError
from patron.storage.embedded import committer
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.records import encode_fields, record_size
from tests.unit.storage.logs import entry, everything, files, fill, put


def test_entries_come_back_as_they_were_given(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path)
    given = fill(log, [b'{"a":1}', b"", b"\x00\xff" * 10, b"x" * 100_000], count=3)
    assert (log.last, log.durable) == (12, 12)
    assert list(log.read()) == given
    assert list(log.read(7)) == given[2:]
    assert [log.at(p)[1] for p in (1, 3, 4, 12)] == [given[0][1], given[0][1], given[1][1], given[3][1]]
    for outside in (0, 13, -1):
        with pytest.raises(KeyError):
            log.at(outside)
    log.close()
    assert everything(tmp_path) == given


def test_answers_come_in_order_and_cover_one_sync_for_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (syncs.append(fd), time.sleep(0.005), real(fd)))
    log = SegmentLog.open(tmp_path)
    opened, answered, ready = len(syncs), [], threading.Event()
    for number in range(200):
        last = number == 199
        log.append(
            entry(log.last + 1),
            b"x",
            lambda error, n=number, last=last: (answered.append((n, error)), ready.set() if last else None),
        )
    assert ready.wait(20)
    assert answered == [(n, None) for n in range(200)]
    assert len(syncs) - opened < 40
    log.close()


def test_a_group_is_never_larger_than_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, real, ready = [], committer.write_all, threading.Event()
    monkeypatch.setattr(committer, "write_all", lambda fd, data: (sizes.append(len(data)), real(fd, data)))
    log = SegmentLog.open(tmp_path, group_bytes=10_000)
    for number in range(50):
        log.append(entry(log.last + 1), b"x" * 3000, lambda _e, n=number: ready.set() if n == 49 else None)
    assert ready.wait(20)
    log.close()
    assert max(sizes) < 10_000 + 1000
    assert max(sizes) > 3100 * 2


def test_a_base_that_does_not_follow_is_refused(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path)
    put(log, b"a")
    for wrong in (entry(1), entry(3), entry(2, 0)):
        with pytest.raises(StorageError, match="take its base from the log's `last`"):
            log.append(wrong, b"", lambda _e: None)
    assert log.last == 1
    log.close()
    with pytest.raises(StorageError, match="closed"):
        log.append(entry(2), b"", lambda _e: None)


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        folder = tmp_path / "log"
        log = SegmentLog.open(folder, segment_bytes=2000)
        fill(log, [b"x" * 700] * 6)
        log.applied(6)
        assert log.settle()
        log.drop(1)
        log.close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kinds = {path.suffix for path in folder.iterdir()}
    assert kinds == {".log", ".zst", ".idx", ".notes", ""}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


class Disk:
    """Stands between the log and `os.write`: takes `room` bytes of appends, then answers with an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOSPC) -> None:
        self.room = 1 << 60
        self.code = code
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(self.code, os.strerror(self.code))
        taken = self._write(fd, bytes(data[: min(self.room, 777)]))
        self.room -= taken
        return taken


@pytest.mark.parametrize("room", [0, 1, 43, 44, 500, 3000, 4000])
def test_a_full_disk_fails_the_group_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk = Disk(monkeypatch)
    log = SegmentLog.open(tmp_path)
    kept = fill(log, [b"a" * 2000, b"b" * 2000])
    size = files(tmp_path, ".log")[0].stat().st_size
    disk.room = room
    with pytest.raises(DiskFull, match=r"no space left.*Free some space"):
        put(log, b"c" * 5000)
    assert (log.last, log.durable) == (2, 2)
    assert files(tmp_path, ".log")[0].stat().st_size == size
    disk.room = 1 << 60
    kept += fill(log, [b"d" * 5000])
    assert kept[-1][0].base == 3
    log.close()
    assert everything(tmp_path) == kept


@pytest.mark.parametrize("lasting", [True, False])
def test_what_is_queued_behind_a_failed_group_fails_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasting: bool
) -> None:
    started, go = threading.Event(), threading.Event()
    real = os.fdatasync

    def sync(fd: int) -> None:
        if armed and (lasting or not started.is_set()):
            started.set()
            go.wait(20)
            raise OSError(errno.EIO, "Input/output error")
        real(fd)

    armed = False
    monkeypatch.setattr(os, "fdatasync", sync)
    log = SegmentLog.open(tmp_path)
    fill(log, [b"kept"])
    armed, answers = True, []
    log.append(entry(2), b"first", lambda e: answers.append(("first", type(e))))
    assert started.wait(20)
    log.append(entry(3, 5), b"second", lambda e: answers.append(("second", type(e))))
    log.append(entry(8), b"third", lambda e: answers.append(("third", type(e))))
    assert log.last == 8
    go.set()
    for _ in range(2000):
        if len(answers) == 3:
            break
        time.sleep(0.005)
    assert answers == [("first", StorageError), ("second", StorageError), ("third", StorageError)]
    assert (log.last, log.durable) == (1, 1)
    if lasting:
        # The tail could not be synced after it was cut back: nothing is taken until that succeeds.
        with pytest.raises(StorageError):
            put(log, b"still broken")
    armed = False
    put(log, b"fourth")
    log.close()
    assert [body for _, body in everything(tmp_path)] == [b"kept", b"fourth"]


def test_a_rotation_that_fails_is_the_groups_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    log = SegmentLog.open(tmp_path, segment_bytes=3000)
    kept = fill(log, [b"a" * 2000])
    disk.room = 5
    with pytest.raises(DiskFull):
        put(log, b"b" * 2000)
    assert len(files(tmp_path, ".log")) == 1
    disk.room = 1 << 60
    kept += fill(log, [b"c" * 2000, b"d" * 2000])
    assert len(files(tmp_path, ".log")) == 3
    log.close()
    assert everything(tmp_path, segment_bytes=3000) == kept


def test_a_caller_whose_answer_raises_does_not_stop_the_log(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path)

    def gone(_error: BaseException | None) -> None:
        raise RuntimeError("the loop is closed")

    log.append(entry(1), b"a", gone)
    put(log, b"b")
    log.close()
    assert [body for _, body in everything(tmp_path)] == [b"a", b"b"]


def test_reading_goes_on_while_segments_are_sealed_and_rotated(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path, segment_bytes=5000)
    given = fill(log, [bytes([65 + n]) * 900 for n in range(20)])
    reader = log.read(1)
    got = [next(reader) for _ in range(7)]
    log.applied(log.last)
    assert log.settle()
    given += fill(log, [b"late"])
    assert got + list(reader) == given
    log.close()


def test_segments_tell_positions_times_and_size(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path, segment_bytes=3000)
    for number, received in enumerate((50, 40, 60, 70)):
        put(log, b"x" * 1200, count=10, received=received)
        assert log.segments()[-1].last == 10 * (number + 1)
    one, two = log.segments()
    assert (one.first, one.last, one.received_first, one.received_last, one.sealed) == (1, 20, 40, 50, True)
    assert (two.first, two.last, two.received_first, two.received_last, two.sealed) == (21, 40, 60, 70, False)
    assert sum(s.bytes for s in (one, two)) == sum(p.stat().st_size for p in tmp_path.iterdir())
    log.applied(40)
    assert log.settle()
    packed = log.segments()[0]
    assert (packed.first, packed.last, packed.received_first, packed.received_last) == (1, 20, 40, 50)
    assert packed.bytes < one.bytes
    log.close()


def test_retention_drops_from_the_oldest_on_only(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path, segment_bytes=2000)
    given = fill(log, [b"x" * 1500] * 5)
    log.note(9, 1, 1, True)
    log.note(9, 3, 3, True)
    log.applied(5)
    assert log.settle()
    with pytest.raises(StorageError, match="oldest"):
        log.drop(2)
    log.drop(1)
    log.drop(2)
    assert list(log.read(1)) == given[2:]
    assert [row.position for row in log.find([9])] == [3]
    with pytest.raises(KeyError):
        log.at(2)
    for _ in range(2):
        log.drop(log.segments()[0].first)
    with pytest.raises(StorageError):
        log.drop(5)
    log.close()
    assert everything(tmp_path, segment_bytes=2000) == given[4:]
    assert not list(tmp_path.glob("0*1.*"))


def test_the_size_of_a_record_is_known_before_it_is_written() -> None:
    one = entry(1, 3)
    fields = encode_fields(one)
    from patron.storage.embedded.records import encode_record

    assert record_size(fields, b"abc") == sum(map(len, encode_record(one, fields, b"abc", 0)))
