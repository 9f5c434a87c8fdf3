"""A lake on object storage: written, merged, read by engines and commands, erased to the last object; over a real S3 protocol."""

import asyncio
import datetime as dt
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patron.model.errors import StorageError
from patron.runtime.lake import profiles
from patron.storage.lake.compaction import compact
from patron.storage.lake.duck import create_views, held, lake_files
from patron.storage.lake.store import LakeStore
from patron.storage.lake.table import LakeTable
from tests.flow.inprocess import play, running, send, source
from tests.flow.object_storage import BUCKET, ObjectStorage, serving
from tests.flow.scanner import scan
from tests.flow.test_erase import ANNA, HISTORY, _message
from tests.unit.storage.lake.test_compaction import DAY, positions, rows

for _name in ("moto", "flask", "flask_cors"):
    pytest.importorskip(_name, reason=f"{_name} is not installed: pip install 'moto[s3]' flask flask-cors")

URL = f"s3://{BUCKET}/shop"
SQL = "SELECT message_id, user_id, name, properties, traits, revenue FROM events ORDER BY position"
NOW, A_DAY = 1_800_000_000_000, 86_400_000


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    """An empty bucket; settings and keys by the environment lead a workspace's lake there."""
    with serving() as one:
        for name, value in one.environment.items():
            monkeypatch.setenv(name, value)
        table = ", ".join(f'{name} = "{value}"' for name, value in one.options.items())
        monkeypatch.setenv("PATRON_LAKE_URL", URL)
        monkeypatch.setenv("PATRON_LAKE_OPTIONS", f"{{ {table} }}")
        monkeypatch.setattr(profiles, "LOOK", 1e6)  # rounds begin when the test says so
        yield one


def test_tables_are_written_merged_swept_and_read(storage: ObjectStorage) -> None:
    import duckdb
    import polars as pl

    table = LakeStore(URL, storage.options, "o1")["events"]
    for part in range(20):
        first = 1 + 10 * part
        table.append(rows(first, 10, DAY + dt.timedelta(days=part // 5)), first + 9)
    assert compact(table, DAY + dt.timedelta(days=9), lambda _: None) >= 1
    assert (positions(table), table.position) == (list(range(1, 201)), 200)
    again = LakeStore(URL, storage.options, "o1")
    assert (again.position, positions(again["events"])) == (200, list(range(1, 201)))

    files = lake_files(URL, storage.options)
    assert files["events"] == [f"{URL}/events/{file.path}" for file in table.files()]
    (events,) = (one for one in held(URL, storage.options) if one.table == "events")
    assert (events.rows, events.position, events.oldest) == (200, 200, "2026-03-01")
    with duckdb.connect() as connection:
        create_views(connection, files, storage.options)
        asked = "SELECT count(*), sum(position), max(day) FROM events WHERE day >= '2026-03-02'"
        assert connection.sql(asked).fetchall() == [(150, sum(range(51, 201)), dt.date(2026, 3, 4))]
    options = {**storage.options, **{name.lower(): value for name, value in storage.environment.items()}}
    for frame in (
        pl.scan_delta(f"{URL}/events", storage_options=options),
        pl.scan_parquet(files["events"], storage_options=options),
    ):
        assert frame.select(pl.len(), pl.col("position").sum()).collect().rows() == [
            (200, sum(range(1, 201)))
        ]

    kept = {f"shop/events/{file.path}" for file in table.files()}
    assert {
        key for key in storage.keys() if key.startswith("shop/events/") and key.endswith(".parquet")
    } > kept
    again["events"].sweep(0)
    left = {key for key in storage.keys() if key.startswith("shop/events/")}
    assert {key for key in left if "/_delta_log/" not in key} == kept
    names = sorted(key.rpartition("/")[2] for key in left if "/_delta_log/" in key)
    assert sum(name.endswith(".json") for name in names) == 1, names
    assert any(name.endswith(".checkpoint.parquet") for name in names), names
    assert positions(LakeTable.open(URL, "events", storage.options)) == list(range(1, 201))


def test_of_two_writers_one_is_refused_and_neither_is_overwritten(storage: ObjectStorage) -> None:
    one = LakeTable.open(URL, "events", storage.options)
    other = LakeTable.open(URL, "events", storage.options)
    one.append(rows(1, 10, DAY), 10)
    with pytest.raises(StorageError):
        other.append(rows(1, 10, DAY), 10)
    assert positions(LakeTable.open(URL, "events", storage.options)) == list(range(1, 11))


def test_what_is_wrong_is_said(storage: ObjectStorage) -> None:
    LakeStore(URL, storage.options, "o1")
    with pytest.raises(StorageError, match="belongs to another workspace"):
        LakeStore(URL, storage.options, "o2")
    with pytest.raises(StorageError, match="Make the bucket") as missing:
        LakeStore("s3://nobody/shop", storage.options, "o1")
    assert "The specified bucket does not exist" in str(missing.value)
    assert "\x1b" not in str(missing.value)
    with pytest.raises(StorageError, match=r"cannot be (used|read)"):
        lake_files(URL, {**storage.options, "AWS_ENDPOINT_URL": "ftp://127.0.0.1"})


async def _ask(backend: Any, sql: str) -> list[list[Any]]:
    _, content = await backend.lake_query(sql)
    found: list[list[Any]] = json.loads(content)
    return found


async def _story(folder: Path, storage: ObjectStorage) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with running(folder, now=NOW) as backend:
        await source(backend, "shop", "web")
        jobs = backend.app.start_jobs()
        for part in (HISTORY[:3], HISTORY[3:6], HISTORY[6:]):
            await send(backend, "shop", part)
            await jobs.flush()
        seen["round"] = await backend.profiles.round()
        os.kill(jobs.pid or 0, signal.SIGKILL)
        while not jobs.deaths or not jobs.running:
            await asyncio.sleep(0.05)
        seen["before"] = await _ask(backend, SQL)
        seen["profiles"] = await _ask(backend, "SELECT count(*), count(DISTINCT person) FROM profiles")
        seen["people"] = await _ask(
            backend, "SELECT count(*), count(DISTINCT person) FROM events JOIN people_now USING (node)"
        )
        seen["status"] = await backend.lake_status()
        seen["here"] = scan(storage.copy(folder.with_name("before")), ANNA)
        await backend.lake_compact()
        seen["merged"] = await _ask(backend, SQL)
        receipt = await backend.erase("user_id:anna-77", "tester")
        seen["stores"] = {name: count for name, count, _ in receipt.stores}
        await send(backend, "shop", [_message(20, userId="bob-1", event="Store Entered")])
        await jobs.flush()
        await backend.step_clock(NOW + A_DAY)
        seen["second round"] = await backend.profiles.round()
        seen["after"] = await _ask(backend, SQL)
        seen["left"] = scan(storage.copy(folder.with_name("after")), ANNA)
        seen["replay"] = await backend.verify_replay()
    return seen


@pytest.mark.slow
def test_a_workspace_keeps_its_lake_there_and_nothing_of_the_erased_is_left(
    tmp_path: Path, storage: ObjectStorage
) -> None:
    folder = tmp_path / "shop"
    seen = play(_story(folder, storage))
    assert not (folder / "lake").exists()
    assert seen["status"]["url"] == URL
    assert [row[0] for row in seen["before"]] == ["m1", "m2", "m3", "m4", "m5", "m6", "m8"], "m7 was refused"
    assert seen["merged"] == seen["before"]
    assert seen["people"][0][0] == 7
    assert seen["profiles"] == [[seen["round"]] * 2]
    assert seen["here"], "the test looks for nothing"
    assert seen["left"] == []
    assert scan(folder, ANNA) == []
    assert {row[0] for row in seen["after"]} == {"m3", "m5", "m6", "m8", "m20"}
    assert seen["stores"]["lake"] > 0
    assert seen["second round"] >= 1
    assert seen["replay"]["equal"], seen["replay"]["differences"]
