"""A directory restored from an older backup beside a lake that went on: nothing is mixed, and it is said what to do."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.flow.inprocess import play, running, send, source


def _seen(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "Seen", "userId": "u1", "messageId": f"m{number}"}


async def _ids(backend: Any) -> list[str]:
    _, content = await backend.lake_query("SELECT message_id FROM events ORDER BY position")
    return [name for (name,) in json.loads(content)]


async def _made(folder: Path) -> None:
    async with running(folder) as backend:
        await source(backend, "shop")
        shutil.copytree(folder, folder.with_name("older"))
        await send(backend, "shop", [_seen(n) for n in range(5)])
        await backend.app.start_jobs().flush()
        assert await _ids(backend) == [f"m{n}" for n in range(5)]


async def _restored(folder: Path) -> None:
    async with running(folder) as backend:
        jobs = backend.app.start_jobs()
        await jobs.flush()
        assert "restored from an older backup" in jobs.problem
        assert "move the lake away" in jobs.problem
        await send(backend, "shop", [_seen(n) for n in range(100, 120)])
        await asyncio.sleep(1.5)
        await jobs.flush()
        assert await _ids(backend) == [f"m{n}" for n in range(5)], (
            "the log has passed the lake's end; still nothing is mixed"
        )
        assert "restored from an older backup" in (await backend.lake_status())["problem"]


async def _again(folder: Path) -> None:
    async with running(folder) as backend:
        await backend.app.start_jobs().flush()
        assert "restored from an older backup" in (await backend.lake_status())["problem"]
        assert await _ids(backend) == [f"m{n}" for n in range(5)], "nor after a restart"


async def _anew(folder: Path) -> None:
    async with running(folder) as backend:
        jobs = backend.app.start_jobs()
        await jobs.flush()
        assert jobs.problem == ""
        assert await _ids(backend) == [f"m{n}" for n in range(100, 120)]


def test_a_lake_ahead_of_the_log_stays_as_it_is_until_it_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATRON_LAKE_URL", str(tmp_path / "lake"))
    play(_made(tmp_path / "shop"))
    play(_restored(tmp_path / "older"))
    play(_again(tmp_path / "older"))
    (tmp_path / "lake").rename(tmp_path / "moved")
    play(_anew(tmp_path / "older"))
