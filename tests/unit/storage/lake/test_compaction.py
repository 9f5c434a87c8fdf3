"""Merging and dropping files of the lake: no row is lost or doubled, old classes go, a crash in between is harmless."""

import datetime as dt
import json
import os
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from patron.storage.lake.compaction import Retention, compact, due, retain
from patron.storage.lake.schema import SCHEMAS
from patron.storage.lake.table import CHECKPOINT_EVERY, LakeTable

DAY = dt.date(2026, 3, 1)


def rows(first: int, count: int, day: dt.date, name: str = "Product Viewed") -> pa.Table:
    """Some events of one day."""
    time = dt.datetime.combine(day, dt.time(9), dt.UTC)
    plain: dict[str, Any] = dict.fromkeys(SCHEMAS["events"].names)
    return pa.Table.from_pylist(
        [
            plain
            | {
                "position": position,
                "event_id": position,
                "node": position * 7919 % 50,
                "bucket": position * 7919 % 50,
                "day": day,
                "time": time,
                "received": time,
                "name": name,
                "message_id": f"secret-{position}",
            }
            for position in range(first, first + count)
        ],
        schema=SCHEMAS["events"],
    )


def filled(folder: Path, parts: int = 20, each: int = 10) -> LakeTable:
    """A table of one file a flush, five flushes a day."""
    table = LakeTable.open(str(folder), "events")
    for part in range(parts):
        first = 1 + part * each
        table.append(rows(first, each, DAY + dt.timedelta(days=part // 5)), first + each - 1)
    return table


def positions(table: LakeTable) -> list[int]:
    return sorted(p for file in table.files() for p in table.read(file, ["position"])["position"].to_pylist())


def test_closed_days_are_merged_and_sorted_and_no_row_is_lost(tmp_path: Path) -> None:
    table = filled(tmp_path)
    assert compact(table, DAY + dt.timedelta(days=3), lambda _: None) >= 1
    assert positions(table) == list(range(1, 201))
    assert len(table.files()) <= 8
    merged = max(table.files(), key=lambda file: file.rows)
    held = table.read(merged)
    keys = list(
        zip(held["bucket"].to_pylist(), held["node"].to_pylist(), held["time"].to_pylist(), strict=True)
    )
    assert keys == sorted(keys)
    assert table.position == 200
    again = LakeTable.open(str(tmp_path), "events")
    assert positions(again) == list(range(1, 201))
    assert due(table.files(), DAY + dt.timedelta(days=3)) == []


def test_a_crash_before_the_commit_leaves_files_that_a_sweep_removes(
    tmp_path: Path, monkeypatch: Any
) -> None:
    table = filled(tmp_path)
    before = {file.path for file in table.files()}

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(table, "_commit", die)
    with pytest.raises(KeyboardInterrupt):
        compact(table, DAY + dt.timedelta(days=9), lambda _: None)
    again = LakeTable.open(str(tmp_path), "events")
    assert {file.path for file in again.files()} == before
    again.sweep(0)
    assert {path.name for path in (tmp_path / "events").glob("*.parquet")} == before
    assert positions(again) == list(range(1, 201))


def test_a_file_just_replaced_stays_for_its_readers(tmp_path: Path) -> None:
    table = filled(tmp_path)
    before = {file.path for file in table.files()}
    compact(table, DAY + dt.timedelta(days=9), lambda _: None)
    table.sweep()
    assert before <= {path.name for path in (tmp_path / "events").glob("*.parquet")}
    table.sweep(0)
    assert {path.name for path in (tmp_path / "events").glob("*.parquet")} == {f.path for f in table.files()}
    assert len(list((tmp_path / "events" / "_delta_log").glob("*.json"))) == 1


def test_a_table_whose_log_was_forgotten_is_written_and_swept_on(tmp_path: Path) -> None:
    for name in ("members", "events"):
        table = LakeTable.open(str(tmp_path), name)
        table.sweep(0)
        table.sweep()
        table.append(table.schema.empty_table(), 5)
        table.sweep(0)
        assert LakeTable.open(str(tmp_path), name).position == table.position == 5


def test_old_commits_go_behind_a_checkpoint_and_the_table_is_written_on(tmp_path: Path) -> None:
    table = LakeTable.open(str(tmp_path), "members")
    log = tmp_path / "members" / "_delta_log"
    last = 2 * CHECKPOINT_EVERY + 2
    for position in range(1, last + 1):
        if position == last - 4:  # everything up to the first checkpoint is old, as after hours
            for path in log.iterdir():
                os.utime(path, (time.time() - 9 * 3600,) * 2)
        table.append(table.schema.empty_table(), position)
    assert len(list(log.glob("*.json"))) < last
    table.sweep()
    assert LakeTable.open(str(tmp_path), "members").position == table.position == last


def test_retention_is_by_class_and_repeats_harmlessly(tmp_path: Path) -> None:
    table = filled(tmp_path, 5)
    table.append(rows(1000, 5, DAY, "Order Completed"), 1004)
    table.append(rows(2000, 5, DAY + dt.timedelta(days=5)), 2004)
    keep, today = Retention(behaviour=3), DAY + dt.timedelta(days=6)
    assert retain(table, keep, today) == 50
    assert positions(table) == [*range(1000, 1005), *range(2000, 2005)]
    assert retain(table, keep, today) == 0
    assert retain(table, Retention(events=1), today) == 5
    assert positions(table) == list(range(2000, 2005))


def test_statistics_tell_of_nobody(tmp_path: Path) -> None:
    table = filled(tmp_path, 3)
    for path in (tmp_path / "events").rglob("*"):
        if path.suffix == ".json":
            assert b"secret-" not in path.read_bytes()
            for line in map(json.loads, path.read_bytes().splitlines()):
                stats = json.loads(line["add"]["stats"]) if "add" in line else {}
                assert stats.get("minValues", {}).keys() <= {"position", "bucket", "day", "time", "received"}
    import pyarrow.parquet as pq

    file = pq.ParquetFile(tmp_path / "events" / table.files()[0].path)
    group = file.metadata.row_group(0)
    told = {group.column(n).path_in_schema for n in range(group.num_columns) if group.column(n).is_stats_set}
    assert {"position", "day", "bucket", "time"} <= told
    assert not told & {"node", "message_id", "user_id", "anonymous_id", "envelope", "properties", "event_id"}


def test_columns_that_an_older_table_lacks_are_added(tmp_path: Path) -> None:
    from deltalake import DeltaTable, write_deltalake

    old = rows(1, 3, DAY).drop_columns(["envelope", "coupon"])
    write_deltalake(str(tmp_path / "events"), old)
    table = LakeTable.open(str(tmp_path), "events")
    table.append(rows(4, 2, DAY), 5)
    assert {f.name for f in DeltaTable(str(tmp_path / "events")).schema().fields} == set(
        SCHEMAS["events"].names
    )
    assert [table.read(file)["coupon"].null_count for file in table.files()] == [3, 2]
    compact(table, DAY + dt.timedelta(days=2), lambda _: None)
    assert positions(table) == [1, 2, 3, 4, 5]
