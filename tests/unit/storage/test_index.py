"""The index: the same rows before and after sealing, after a replay, and after an erasure; no byte of the erased left."""

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from patron.model.errors import StorageError
from patron.model.log import Entry
from patron.model.ports import IndexRow
from patron.storage.embedded import index
from patron.storage.embedded.log import SegmentLog
from tests.property.costly import quick_folder
from tests.unit.storage.logs import everything, fill, put

MARK = b"ana.rossi@example.org"


def _note_all(log: SegmentLog, rows: Iterable[tuple[int, int, int, bool]]) -> None:
    for row in sorted(rows, key=lambda r: r[2]):
        log.note(*row)


def _expected(rows: Iterable[tuple[int, int, int, bool]], hashes: set[int]) -> list[IndexRow]:
    found: dict[tuple[int, int], bool] = {}
    for key_hash, time, position, is_node in rows:
        if key_hash in hashes:
            found[time, position] = found.get((time, position), False) or is_node
    return [IndexRow(time, position, node) for (time, position), node in sorted(found.items())]


ROWS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 5, 2**63, 2**64 - 1]),
        st.integers(0, 2**45),
        st.integers(1, 12),
        st.booleans(),
    ),
    max_size=60,
)


@given(rows=ROWS, hashes=st.sets(st.sampled_from([0, 1, 5, 7, 2**63, 2**64 - 1])), applied=st.integers(0, 12))
def test_find_is_the_same_open_sealed_and_reopened(
    rows: list[tuple[int, int, int, bool]], hashes: set[int], applied: int
) -> None:
    with quick_folder() as folder:
        log = SegmentLog.open(folder, segment_bytes=1000)
        entries = fill(log, [bytes([97 + n]) * 300 for n in range(4)], count=3)
        assert len(log.segments()) == 2
        _note_all(log, rows)
        assert log.find(hashes) == _expected(rows, hashes)
        log.applied(applied)
        assert log.settle()
        assert log.find(hashes) == _expected(rows, hashes)
        assert [log.at(p)[1][:1] for p in (1, 6, 7, 12)] == [b"a", b"b", b"c", b"d"]
        assert list(log.read()) == entries
        log.close()
        log = SegmentLog.open(folder, segment_bytes=1000)
        sealed = applied >= 6
        if (
            applied == 12
        ):  # an orderly end after everything was noted: the rows of the open segment are here already
            assert log.unindexed() == []
            assert log.find(hashes) == _expected(rows, hashes)
            assert not list(folder.glob("*.notes"))
        else:
            assert log.unindexed() == ([(7, 12)] if sealed else [(1, 6), (7, 12)])
        _note_all(log, rows)  # all of them, also those that have their sidecar: nothing doubles
        assert log.find(hashes) == _expected(rows, hashes)
        log.close()


@pytest.mark.parametrize("spoil", ["damage", "growth", "crash"])
def test_notes_that_do_not_fit_are_left_aside(tmp_path: Path, spoil: str) -> None:
    log = SegmentLog.open(tmp_path)
    fill(log, [b"x"], count=3)
    _note_all(log, [(7, 5, n, True) for n in (1, 2, 3)])
    log.applied(3)
    log.close()
    (notes,) = tmp_path.glob("*.notes")
    kept = notes.read_bytes()
    if spoil == "damage":
        notes.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    else:
        log = SegmentLog.open(tmp_path)
        if spoil == "growth":
            fill(log, [b"y"], count=2)
        log.close()  # nothing more was noted: as a killed process leaves it
        assert not list(tmp_path.glob("*.notes"))
    if spoil == "growth":
        notes.write_bytes(kept)  # of an earlier end
    log = SegmentLog.open(tmp_path)
    assert log.unindexed() == [(1, 5 if spoil == "growth" else 3)]
    assert log.find([7]) == []
    assert not list(tmp_path.glob("*.notes"))
    log.close()


def test_rows_are_found_across_sorted_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "CHUNK_ROWS", 7)
    log = SegmentLog.open(tmp_path)
    fill(log, [b"x"], count=100)
    rows = [(n * 7919 % 5, 1000 - n, n, n % 2 == 0) for n in range(1, 101)]
    _note_all(log, rows)
    for key_hash in range(6):
        assert log.find([key_hash]) == _expected(rows, {key_hash})
    assert log.find(range(6)) == _expected(rows, set(range(6)))
    log.close()


def test_noting_and_finding_at_once_misses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "CHUNK_ROWS", 16)
    log = SegmentLog.open(tmp_path, segment_bytes=400)
    faults: list[str] = []
    stop = threading.Event()
    noted = 0

    def look() -> None:
        while not stop.is_set():
            before = noted
            found = [row.position for row in log.find([1])]
            if found != sorted(set(found)) or len(found) < before:
                faults.append(f"{before} noted, {len(found)} found")

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(60):
        put(log, b"x" * 100, count=20)
        for position in range(noted + 1, log.last + 1):
            log.note(1, position, position, True)
            noted = position
        log.applied(noted)
    stop.set()
    thread.join()
    assert not faults
    assert log.settle()
    assert [row.position for row in log.find([1])] == list(range(1, 1201))
    log.close()


# --- erasing --------------------------------------------------------------------------------------------------


def _blank(entry: Entry, body: bytes, hit: list[int]) -> tuple[Entry, bytes]:
    parts = body.split(b",")
    for position in hit:
        parts[position - entry.base] = b"null"
    return entry, b",".join(parts)


def _all_bytes(folder: Path) -> bytes:
    """Every byte a scanner would find: files as they are, and each zstd frame inside them unpacked."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        found.append(data)
        at = -1
        while (at := data.find(b"\x28\xb5\x2f\xfd", at + 1)) >= 0:
            found.append(zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]))
        if data[:15] == b"SQLite format 3":
            found.append("\n".join(sqlite3.connect(path).iterdump()).encode())
    return b"\n".join(found)


HASH = 0xABCDEF0123456789


def _log_with_ana(folder: Path, sealed: int) -> tuple[SegmentLog, list[bytes]]:
    log = SegmentLog.open(folder, segment_bytes=6000)
    bodies = [
        b",".join([b"other-%d" % n + b"y" * 500, MARK + b"-%d" % n, b"third-%d" % n]) for n in range(24)
    ]
    fill(log, bodies, count=3)
    for n in range(24):
        log.note(HASH, 1000 + n, 3 * n + 2, True)
        log.note(55, 1000 + n, 3 * n + 1, True)
        log.note(77, 1000 + n, 3 * n + 2, False)
    log.applied(sealed)
    assert log.settle()
    return log, bodies


@pytest.mark.parametrize("sealed", [0, 40, 72], ids=["none sealed", "some sealed", "all sealed"])
def test_an_erasure_leaves_no_byte_and_touches_nobody_else(tmp_path: Path, sealed: int) -> None:
    log, bodies = _log_with_ana(tmp_path, sealed)
    assert MARK in _all_bytes(tmp_path)
    positions = [row.position for row in log.find([HASH])]
    assert positions == list(range(2, 73, 3))
    report = log.rewrite(positions, _blank, {HASH})
    assert report.entries == 24
    assert report.segments == len(log.segments())
    assert report.missing == 0
    assert report.rows == 48
    for _ in range(2):
        left = _all_bytes(tmp_path)
        assert MARK not in left
        assert HASH.to_bytes(8, "little") not in left
        got = list(log.read())
        assert [body for _, body in got] == [
            b",".join([body.split(b",")[0], b"null", body.split(b",")[2]]) for body in bodies
        ]
        assert [entry.base for entry, _ in got] == list(range(1, 72, 3))
        assert log.at(72)[1].endswith(b"third-23")
        assert log.find([HASH, 77]) == []
        assert [row.position for row in log.find([55])] == list(range(1, 72, 3))
        log.applied(72)
        assert log.settle()
    put(log, b"next")
    log.close()
    reopened = everything(tmp_path)
    assert reopened[-1][0].base == 73
    assert [body for _, body in reopened[:-1]] == [body for _, body in got]


def test_an_erasure_touches_only_the_segments_it_must(tmp_path: Path) -> None:
    log, _ = _log_with_ana(tmp_path, 72)
    before = {p.name: p.stat().st_ino for p in tmp_path.glob("*.zst")}
    report = log.rewrite([5], _blank)
    assert (report.segments, report.entries, report.rows) == (1, 1, 2)
    after = {p.name: p.stat().st_ino for p in tmp_path.glob("*.zst")}
    assert [name for name in before if after[name] != before[name]] == [f"{1:020d}.zst"]
    assert len(log.find([HASH])) == 23
    log.close()


def test_repeating_an_erasure_changes_nothing(tmp_path: Path) -> None:
    log, _ = _log_with_ana(tmp_path, 72)
    log.rewrite([2, 5], _blank, {HASH})
    first = list(log.read())
    report = log.rewrite([2, 5, 1000], _blank, {HASH})
    assert (report.rows, report.missing) == (0, 1)
    assert list(log.read()) == first
    log.close()


def test_an_edit_must_keep_positions(tmp_path: Path) -> None:
    log, _ = _log_with_ana(tmp_path, 72)
    given = list(log.read())
    with pytest.raises(StorageError, match="keep its base and its count"):
        log.rewrite([2], lambda entry, body, _hit: (Entry("track", entry.base, 1, "shop", 0), body))
    assert list(log.read()) == given
    assert not list(tmp_path.glob("*.tmp"))
    log.close()
