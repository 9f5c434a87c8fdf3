"""Erasing one person from the lake: no Parquet file and no line of the tables' logs tells of them, and nobody else loses a row."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from patron.runtime.flow import KeyHash
from patron.storage.embedded.directory import secret
from tests.flow.inprocess import play, running, send, source
from tests.flow.scanner import scan
from tests.flow.test_erase import ANNA, HISTORY, _message

SQL = "SELECT message_id, user_id, name, properties, traits, revenue FROM events ORDER BY position"


async def _ask(backend: Any, sql: str) -> list[list[Any]]:
    _, content = await backend.lake_query(sql)
    found: list[list[Any]] = json.loads(content)
    return found


async def _story(folder: Path, *, crash: str | None = None) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with running(folder) as backend:
        await source(backend, "shop", "web")
        jobs = backend.app.start_jobs()
        for part in (HISTORY[:3], HISTORY[3:6], HISTORY[6:]):
            await send(backend, "shop", part)
            await jobs.flush()
        await backend.decide(_asked("anna-77"), trusted=True, source=None, user_hash="")
        await backend.decide(_asked("bob-1"), trusted=True, source=None, user_hash="")
        await jobs.flush()
        seen["scan before"] = scan(folder / "lake", ANNA)
        seen["before"] = await _ask(backend, SQL)
        if crash:
            seen["deaths"] = await _crashing(backend, crash)
        receipt = await backend.erase("user_id:anna-77", "tester")
        seen["stores"] = {name: count for name, count, _ in receipt.stores}
        await send(backend, "shop", [_message(20, userId="bob-1", event="Store Entered")])
        await jobs.flush()
        seen["after"] = await _ask(backend, SQL)
        seen["decisions"] = await _ask(backend, "SELECT count(*) FROM decisions")
        seen["people"] = await _ask(backend, "SELECT DISTINCT node FROM people")
        seen["replay"] = await backend.verify_replay()
    return seen


def _asked(user: str) -> Any:
    from patron.model.offers import Ask

    return Ask("web_home", user, None, "web", {})


async def _crashing(backend: Any, point: str) -> int:
    """Let the jobs process die at a point of the erasure, once."""
    jobs = backend.app.jobs
    os.environ["PATRON_JOBS_CRASH_AT"] = point
    os.kill(jobs.pid, signal.SIGKILL)
    while not jobs.deaths or not jobs.running:
        await asyncio.sleep(0.05)
    del os.environ["PATRON_JOBS_CRASH_AT"]
    return int(jobs.deaths)


def _check(folder: Path, seen: dict[str, Any]) -> None:
    assert seen["scan before"], "the test looks for nothing"
    assert scan(folder, ANNA) == []
    hashes = KeyHash(secret(folder))
    for key in (
        "user_id:anna-77",
        "anonymous_id:cookie-of-anna",
        "email:anna.rossi@mail.example",
        "phone:+393331234567",
    ):
        raw = hashes[key].to_bytes(8, "little")
        number = int.from_bytes(raw, "little", signed=True)
        for path in (folder / "lake").rglob("*"):
            assert not path.is_file() or raw not in path.read_bytes(), (key, path)
        assert [number] not in seen["people"]
    before = {row[0]: row for row in seen["before"]}
    after = {row[0]: row for row in seen["after"]}
    assert after.keys() == {"m3", "m5", "m6", "m8", "m20"}
    for untouched in ("m3", "m8"):
        assert before[untouched] == after[untouched]
    assert json.loads(after["m5"][4]) == {"email": "bob@mail.example", "friend": "[erased]"}
    assert seen["decisions"] == [[1]]
    assert seen["stores"]["lake"] > 0
    assert seen["replay"]["equal"], seen["replay"]["differences"]


def test_nothing_of_the_erased_is_left_in_the_lake(tmp_path: Path) -> None:
    _check(tmp_path / "shop", play(_story(tmp_path / "shop")))


@pytest.mark.parametrize("point", ["lake_in_erasure", "lake_before_sweep"])
def test_an_erasure_outlives_its_process(tmp_path: Path, point: str) -> None:
    seen = play(_story(tmp_path / "shop", crash=point))
    assert seen["deaths"] >= 1
    _check(tmp_path / "shop", seen)


async def _held_up(folder: Path) -> dict[str, Any]:
    """A question is stopped in the middle while somebody is erased."""
    seen: dict[str, Any] = {}
    async with running(folder) as backend:
        await source(backend, "shop", "web")
        await send(backend, "shop", HISTORY)
        await backend.app.start_jobs().flush()
        before = _children()
        insights = backend.insights
        asked = asyncio.create_task(insights.funnel(("Store Entered", "Order Completed"), 30, 7))
        while not (started := _children() - before):
            await asyncio.sleep(0.01)
        (question,) = started
        os.kill(question, signal.SIGSTOP)
        held = {path for path in (folder / "lake").rglob("*.parquet") if path.is_file()}
        erasing = asyncio.create_task(backend.erase("user_id:anna-77", "tester"))
        await asyncio.wait({erasing}, timeout=3)
        seen["erased"], seen["gone"] = erasing.done(), [path for path in held if not path.exists()]
        os.kill(question, signal.SIGCONT)
        seen["answer"] = await asked
        await erasing
        seen["left"] = scan(folder, ANNA)
    return seen


def _children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def test_an_erasure_waits_for_a_question_that_runs(tmp_path: Path) -> None:
    seen = play(_held_up(tmp_path / "shop"))
    assert not seen["erased"]
    assert not seen["gone"]
    assert len(seen["answer"].steps) == 2
    assert seen["left"] == []
