"""The memory of message ids: agrees with a plain dict however it is flushed, merged, reopened or replayed."""

import errno
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.model.errors import DiskFull, StorageError
from patron.storage.embedded import dedup as module
from patron.storage.embedded import partitions
from patron.storage.embedded.dedup import CONFLICT, DUPLICATE, NEW, Dedup
from patron.storage.embedded.runs import Columns, open_run, runs_in, sorted_columns, write_run
from tests.property.costly import quick_folder

DAY = 19_700
MESSAGES = st.tuples(
    st.sampled_from("ab"),
    st.sampled_from(["m1", "m2", "b/m1", ""]),
    st.integers(DAY, DAY + 2),
    st.integers(0, 1),
)
STEPS = st.lists(st.one_of(MESSAGES, st.sampled_from(["flush", "reopen", "settle"])), max_size=40)


@given(steps=STEPS)
def test_it_agrees_with_a_dict(steps: list[tuple[str, str, int, int] | str]) -> None:
    first: dict[tuple[str, str, int], int] = {}
    with quick_folder() as folder:
        dedup = Dedup.open(folder)
        for position, step in enumerate(steps, 1):
            if step == "flush":
                dedup.flush(position)
            elif step == "settle":
                dedup.settled(position)
            elif step == "reopen":
                dedup.flush()
                dedup.close()
                dedup = Dedup.open(folder)
            else:
                source, message, day, crc = step
                held = (
                    first.setdefault((source, message, day), crc) if (source, message, day) in first else None
                )
                expected = NEW if held is None else DUPLICATE if held == crc else CONFLICT
                assert dedup.seen(source, message, day, crc) == expected
                if expected == NEW:
                    first[source, message, day] = crc
                    dedup.add(source, message, day, crc, position)
        dedup.close()


@given(
    bodies=st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 8), st.integers(DAY, DAY + 1), st.integers(0, 1)), max_size=8),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_a_batch_is_judged_as_its_messages_are_one_by_one(
    bodies: list[tuple[list[tuple[int, int, int]], bool]],
) -> None:
    with quick_folder() as folder:
        batch, single = Dedup.open(folder / "a"), Dedup.open(folder / "b")
        position = 1
        for body, flush in bodies:
            ids = [f"m{number}" for number, _, _ in body]
            days, crcs = [d for _, d, _ in body], [c for _, _, c in body]
            positions = range(position, position + len(body))
            expected = []
            for message, day, crc, at in zip(ids, days, crcs, positions, strict=True):
                expected.append(single.seen("shop", message, day, crc))
                if expected[-1] == NEW:
                    single.add("shop", message, day, crc, at)
            assert batch.admit("shop", ids, days, crcs, positions) == expected
            position += len(body)
            if flush:
                batch.flush()
        batch.close()
        single.close()


def test_a_source_never_shadows_another(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    dedup.add("a", "b/c", DAY, 1)
    assert dedup.seen("a/b", "c", DAY, 1) == NEW
    assert dedup.seen("b", "b/c", DAY, 1) == NEW
    dedup.close()


def test_a_message_without_time_is_looked_for_on_the_day_before_too(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    dedup.add("shop", "m", DAY, 1)
    assert dedup.seen("shop", "m", DAY + 1, 1) == NEW
    assert dedup.seen("shop", "m", DAY + 1, 1, dated=False) == DUPLICATE
    assert dedup.seen("shop", "m", DAY + 1, 2, dated=False) == CONFLICT
    assert dedup.seen("shop", "m", DAY + 2, 1, dated=False) == NEW
    dedup.close()


@pytest.mark.parametrize("flushed", [False, True])
def test_what_was_discarded_is_new_again(tmp_path: Path, flushed: bool) -> None:
    dedup = Dedup.open(tmp_path)
    dedup.add("shop", "m", DAY, 1, 5)
    if flushed:
        dedup.flush()
    dedup.discard("shop", "m", DAY, 2)
    assert dedup.seen("shop", "m", DAY, 1) == DUPLICATE
    dedup.discard("shop", "m", DAY, 1)
    assert dedup.seen("shop", "m", DAY, 1) == NEW
    assert dedup.admit("shop", ["m", "m"], [DAY, DAY], [3, 3], [6, 7]) == [NEW, DUPLICATE]
    dedup.close()


def test_ids_on_their_way_to_the_log_do_not_become_durable(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    for number in range(1, 11):
        dedup.add("shop", f"m{number}", DAY, 1, position=number)
    dedup.flush(7)
    assert dedup.stats().fresh == 3
    assert all(dedup.seen("shop", f"m{n}", DAY, 1) == DUPLICATE for n in range(1, 11))
    dedup.close()  # as after a crash: what was not flushed is gone
    dedup = Dedup.open(tmp_path)
    assert [dedup.seen("shop", f"m{n}", DAY, 1) for n in range(1, 11)] == [DUPLICATE] * 7 + [NEW] * 3
    dedup.close()


def test_many_ids_leave_the_dict_once_they_are_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_IDS", 2000)
    dedup = Dedup.open(tmp_path)
    ids = [f"m-{n}" for n in range(30_000)]
    for start in range(0, len(ids), 100):
        part = ids[start : start + 100]
        verdicts = dedup.admit(
            "shop", part, [DAY] * 100, [zlib.crc32(i.encode()) for i in part], range(start + 1, start + 101)
        )
        assert verdicts == [NEW] * 100
        dedup.settled(start - 300)
        dedup._idle.wait(10)
    stats = dedup.stats()
    assert stats.ids == 30_000
    assert stats.fresh < 4000
    assert stats.files <= 6
    assert len(runs_in(tmp_path)[str(DAY)]) == stats.files
    for number, one in enumerate(ids):
        assert dedup.seen("shop", one, DAY, zlib.crc32(one.encode())) == DUPLICATE, number
    fresh = [f"other-{n}" for n in range(5000)]
    assert dedup.admit("shop", fresh, [DAY] * 5000, [0] * 5000, range(5000)) == [NEW] * 5000
    dedup.close()


def test_replaying_adds_changes_nothing(tmp_path: Path) -> None:
    for _ in range(3):
        dedup = Dedup.open(tmp_path)
        for number in range(3000):
            dedup.add("shop", f"m{number}", DAY, number)
        dedup.flush()
        assert dedup.stats().ids == 3000
        assert all(dedup.seen("shop", f"m{n}", DAY, n) == DUPLICATE for n in range(0, 3000, 7))
        dedup.close()


def test_hostile_days_make_few_files(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    count = 14_000  # every day since 1970 and some beyond
    for _ in range(3):
        verdicts = dedup.admit(
            "shop", [f"m{n}" for n in range(count)], range(7305, 7305 + count), [1] * count, range(count)
        )
        dedup.flush()
    assert verdicts == [DUPLICATE] * count
    for day in (-1, 0, 1 << 16, 1 << 40):
        assert dedup.seen("shop", "x", day, 1) == NEW
        dedup.add("shop", "x", day, 1)
        assert dedup.seen("shop", "x", day, 1) == DUPLICATE
    dedup.flush()
    assert [dedup.seen("shop", "x", day, 1) for day in (-1, 0, 1 << 16, 1 << 40)] == [DUPLICATE] * 4
    assert dedup.stats().files <= 4
    assert len(list(tmp_path.iterdir())) <= 5
    dedup.close()


def test_old_days_lose_their_filter_and_are_found_all_the_same(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    for day in range(DAY, DAY + 10):
        dedup.admit("shop", [f"m{n}" for n in range(1500)], [day] * 1500, [day] * 1500, range(1500))
        dedup.flush()
    filters = [name for name, p in dedup._partitions.all.items() if p.view.bloom is not None]
    assert len(filters) == partitions.FILTERS
    for day in range(DAY, DAY + 10):
        assert dedup.admit("shop", ["m7", "new"], [day, day], [day, 0], [9, 10]) == [DUPLICATE, NEW]
        assert dedup.seen("shop", "m8", day, day) == DUPLICATE
    dedup.close()


def test_a_full_disk_forgets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dedup = Dedup.open(tmp_path)
    dedup.add("shop", "m1", DAY, 1)
    real = os.write

    def full(_fd: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiskFull):
        dedup.flush()
    dedup.add("shop", "m2", DAY, 1)
    assert [dedup.seen("shop", m, DAY, 1) for m in ("m1", "m2", "m3")] == [DUPLICATE, DUPLICATE, NEW]
    monkeypatch.setattr(os, "write", real)
    dedup.flush()
    dedup.close()
    assert not list(tmp_path.glob("*.tmp"))
    dedup = Dedup.open(tmp_path)
    assert [dedup.seen("shop", m, DAY, 1) for m in ("m1", "m2", "m3")] == [DUPLICATE, DUPLICATE, NEW]
    dedup.close()


def test_a_damaged_file_is_refused_with_advice(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    dedup.add("shop", "m1", DAY, 1)
    dedup.flush()
    dedup.close()
    (run,) = tmp_path.glob("*.run")
    for broken in (b"", b"x" * 64, run.read_bytes()[:-1]):
        run.write_bytes(broken)
        with pytest.raises(StorageError, match=r"made again from the log"):
            Dedup.open(tmp_path)


# --- runs -----------------------------------------------------------------------------------------------------

KEYS = st.lists(st.sampled_from([0, 1, 2, 2**32, 2**63, 2**64 - 2, 2**64 - 1]), max_size=12)


@given(parts=st.lists(KEYS, min_size=1, max_size=4))
def test_a_merge_keeps_the_oldest_of_each_id(parts: list[list[int]]) -> None:
    expected: dict[int, int] = {}
    columns = []
    for number, keys in enumerate(parts):
        for key in keys:
            expected.setdefault(key, number)
        columns.append(sorted_columns(np.array(keys, np.uint64), np.full(len(keys), number, np.uint32)))
    with quick_folder() as folder:
        run = write_run(folder, "1", 0, 3, columns)
        found = open_run(run.path)
        assert dict(zip(found.keys.tolist(), found.checksums.tolist(), strict=True)) == expected
        assert found.keys.tolist() == sorted(expected)
        assert run.ids == len(expected)


def test_a_merge_in_slices_equals_one_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patron.storage.embedded.runs._SLICE", 100)
    rng = np.random.default_rng(1)
    parts = [
        sorted_columns(rng.integers(0, 2**64, 900, np.uint64), rng.integers(0, 2**32, 900, np.uint32))
        for _ in range(3)
    ]
    parts.append(Columns(parts[0].keys[::3], parts[0].checksums[::3] + np.uint32(1)))
    found = open_run(write_run(tmp_path, "1", 0, 0, parts).path)
    whole = sorted_columns(
        np.concatenate([p.keys for p in parts]), np.concatenate([p.checksums for p in parts])
    )
    assert np.array_equal(found.keys, whole.keys)
    assert np.array_equal(found.checksums, whole.checksums)


def test_files_that_a_merge_replaced_are_removed_on_opening(tmp_path: Path) -> None:
    part = sorted_columns(np.array([3], np.uint64), np.array([1], np.uint32))
    for begin, end in ((0, 0), (1, 1), (0, 1), (2, 2)):
        write_run(tmp_path, "19700", begin, end, [part])
    (tmp_path / "19700-0000000003-0000000003.run.tmp").write_bytes(b"unfinished")
    dedup = Dedup.open(tmp_path)
    assert [(r.begin, r.end) for r in runs_in(tmp_path)["19700"]] == [(0, 1), (2, 2)]
    assert sorted(p.name for p in tmp_path.glob("*.tmp")) == []
    dedup.close()


def test_what_was_discarded_and_sent_again_is_known_for_good(tmp_path: Path) -> None:
    dedup = Dedup.open(tmp_path)
    dedup.add("shop", "m", DAY, 1)
    dedup.flush()
    dedup.discard("shop", "m", DAY, 1)
    dedup.add("shop", "m", DAY, 1)
    dedup.flush()
    assert dedup.seen("shop", "m", DAY, 1) == DUPLICATE
    dedup.close()
