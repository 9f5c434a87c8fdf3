"""Opening a damaged log: a torn end is cut off, everything else is refused by name."""

import shutil
from pathlib import Path

import pytest

from patron.model.errors import CorruptLog
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.segments import PLAIN_HEADER
from tests.unit.storage.logs import everything, files, fill, put


@pytest.fixture
def two_groups(tmp_path: Path) -> Path:
    """Three entries, each synced before the next was written."""
    log = SegmentLog.open(tmp_path / "log")
    fill(log, [b'{"first":1}', b'{"second":2}', b'{"third":3}'])
    log.close()
    return tmp_path / "log"


def _ends(path: Path) -> list[int]:
    data, found, at = path.read_bytes(), [], 0
    while (at := data.find(b"\xffPR\xfe", at)) >= 0:
        found.append(at)
        at += 1
    return [*found, len(data)]


def _tail(folder: Path) -> Path:
    return files(folder, ".log")[-1]


def test_a_torn_last_record_is_cut_off_wherever_it_broke(two_groups: Path, tmp_path: Path) -> None:
    whole, ends = everything(two_groups), _ends(_tail(two_groups))
    for cut in [*range(ends[2], ends[2] + 48, 3), *range(ends[2] + 48, ends[3], 5), ends[3] - 1]:
        copy = tmp_path / "copy"
        shutil.copytree(two_groups, copy)
        with _tail(copy).open("r+b") as stream:
            stream.truncate(cut)
        log = SegmentLog.open(copy)
        assert list(log.read()) == whole[:2], cut
        assert log.last == 2
        put(log, b"again")
        log.close()
        assert [body for _, body in everything(copy)][-1] == b"again"
        shutil.rmtree(copy)


@pytest.mark.parametrize("fill_byte", [0, 0xFF])
@pytest.mark.parametrize("start", [0, 3, 20, 43, 60])
def test_a_last_record_of_garbage_is_cut_off(two_groups: Path, fill_byte: int, start: int) -> None:
    path = _tail(two_groups)
    place = _ends(path)[2] + start
    data = path.read_bytes()
    path.write_bytes(data[:place] + bytes([fill_byte]) * (len(data) - place))
    assert len(everything(two_groups)) == 2


@pytest.mark.parametrize("record", [0, 1])
def test_damage_before_an_acknowledged_record_is_refused(two_groups: Path, record: int) -> None:
    path = _tail(two_groups)
    start, end = _ends(path)[record], _ends(path)[record + 1]
    for place in (start, start + 5, start + 9, start + 20, end - 1):
        data = bytearray(path.read_bytes())
        data[place] ^= 0x55
        path.write_bytes(data)
        with pytest.raises(CorruptLog, match=rf"{path.name} is damaged at byte {start}.*patron restore"):
            SegmentLog.open(two_groups)
        data[place] ^= 0x55
        path.write_bytes(data)
    assert len(everything(two_groups)) == 3


def test_unsynced_records_of_one_group_may_break_anywhere(tmp_path: Path) -> None:
    """Pages of one group reach the disk in any order: a hole before a whole record of the same group is a torn tail."""
    import threading

    log = SegmentLog.open(tmp_path)
    put(log, b"acknowledged")
    ready = threading.Event()
    from tests.unit.storage.logs import entry

    with log._committer._wake:  # both entries in one group
        for number in (2, 3):
            log.append(entry(number), b"x" * 200, lambda _e, n=number: ready.set() if n == 3 else None)
    assert ready.wait(20)
    log.close()
    path = files(tmp_path, ".log")[-1]
    data = bytearray(path.read_bytes())
    data[_ends(path)[1] + 60] ^= 1
    path.write_bytes(data)
    assert [body for _, body in everything(tmp_path)] == [b"acknowledged"]


def _sealed_log(folder: Path, *, packed: bool) -> SegmentLog:
    log = SegmentLog.open(folder, segment_bytes=2000)
    fill(log, [bytes([65 + n]) * 1500 for n in range(4)])
    if packed:
        log.applied(4)
        assert log.settle()
    return log


def test_a_sealed_segment_may_not_end_early(tmp_path: Path) -> None:
    _sealed_log(tmp_path, packed=False).close()
    path = files(tmp_path, ".log")[1]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptLog, match=f"{path.name} is damaged at byte {PLAIN_HEADER.size}"):
        SegmentLog.open(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
def test_a_missing_segment_is_named(tmp_path: Path, packed: bool) -> None:
    _sealed_log(tmp_path, packed=packed).close()
    files(tmp_path, ".zst" if packed else ".log")[1].unlink()
    with pytest.raises(CorruptLog, match="no file for positions 2 to 2"):
        SegmentLog.open(tmp_path)


def test_the_oldest_segment_may_not_go_missing_either(tmp_path: Path) -> None:
    _sealed_log(tmp_path, packed=False).close()
    files(tmp_path, ".log")[0].unlink()
    with pytest.raises(CorruptLog, match="no file for positions 1 to 1"):
        SegmentLog.open(tmp_path)


def test_damage_in_a_packed_segment_shows_when_it_is_read(tmp_path: Path) -> None:
    log = _sealed_log(tmp_path, packed=True)
    path = files(tmp_path, ".zst")[0]
    data = bytearray(path.read_bytes())
    data[30] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CorruptLog, match=f"{path.name} is damaged at byte 16"):
        log.at(1)
    with pytest.raises(CorruptLog):
        list(log.read(1))
    assert log.at(2)[1] == b"B" * 1500
    log.close()


@pytest.mark.parametrize("place", [-1, -20, -80])
def test_damage_in_the_footer_or_the_table_is_refused(tmp_path: Path, place: int) -> None:
    _sealed_log(tmp_path, packed=True).close()
    path = files(tmp_path, ".zst")[0]
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(CorruptLog, match=path.name):
        everything(tmp_path)


@pytest.mark.parametrize("left", [b"", b"PATRON", bytes(16), bytes(4096)])
def test_a_new_file_without_its_header_is_made_again(tmp_path: Path, left: bytes) -> None:
    log = _sealed_log(tmp_path, packed=False)
    given = list(log.read())
    log.close()
    (tmp_path / f"{5:020d}.log").write_bytes(left)
    if any(left):
        with pytest.raises(CorruptLog, match="header"):
            SegmentLog.open(tmp_path)
        return
    assert everything(tmp_path) == given


def test_leftovers_of_every_step_are_finished_or_undone(tmp_path: Path) -> None:
    log = _sealed_log(tmp_path, packed=False)
    given = list(log.read())
    plain = files(tmp_path, ".log")[0]
    kept = plain.read_bytes()
    log.applied(4)
    assert log.settle()
    log.close()
    plain.write_bytes(kept)  # packed, and the plain file not removed yet
    for name in ("x.zst.tmp", f"{1:020d}.idx.tmp", "floor.tmp"):
        (tmp_path / name).write_bytes(b"unfinished MARKER")
    files(tmp_path, ".idx")[1].unlink()  # as if packed by an erasure before it was indexed
    files(tmp_path, ".idx")[1].write_bytes(b"short")
    log = SegmentLog.open(tmp_path, segment_bytes=2000)
    assert list(log.read()) == given
    assert log.unindexed() == [(2, 2), (3, 3)]
    assert not plain.exists()
    assert not list(tmp_path.glob("*.tmp"))
    log.close()
