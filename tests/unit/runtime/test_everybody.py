"""Walking over all people by id: everybody once, also from a place on, and nobody who is retired."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from patron.runtime.people import everybody
from patron.runtime.people.everybody import Everybody
from tests.flow.inprocess import play, running, send, source


def _says(number: int, **ids: str) -> dict[str, Any]:
    return {"type": "identify", "messageId": f"m{number}", **ids}


async def _story(folder: Path) -> None:
    async with running(folder) as backend:
        workspace = backend.workspace
        await source(backend, "shop")
        await send(backend, "shop", [_says(n, anonymousId=f"c{n}") for n in range(60)])
        ids = set(workspace.groups.keys())
        await send(
            backend, "shop", [_says(60 + n, userId=f"u{n % 9}", anonymousId=f"c{n}") for n in range(20)]
        )
        held = sorted(p.id for name in workspace.groups.keys() if (p := workspace.graph.person_by_id(name)))
        present = sorted(set(held))
        assert ids - set(present), "the story has to retire ids"
        walk = Everybody(workspace)
        assert [p.id async for p in walk.after()] == present
        for place in (present[0], present[17], present[-1]):
            assert [p.id async for p in walk.after(place)] == [name for name in present if name > place]
        await send(backend, "shop", [_says(99, userId="latest")])
        assert len([p async for p in walk.after()]) == len(present) + 1, "a new walk sees who came since"
        assert [p.id async for p in walk.some(1000)] == [p.id async for p in walk.after()]
        few = [p.id async for p in walk.some(7)]
        assert few == sorted(few)
        assert 1 <= len(few) <= 7
        assert few == [p.id async for p in walk.some(7)]


def test_everybody_comes_once_in_the_order_of_ids(tmp_path: Path) -> None:
    play(_story(tmp_path / "shop"))


async def _breaths(folder: Path) -> int:
    async with running(folder) as backend:
        await source(backend, "shop")
        await send(backend, "shop", [_says(n, userId=f"u{n}") for n in range(100)])
        turns, walking = 0, True

        async def beside() -> None:
            nonlocal turns
            while walking:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(beside())
        assert len([p async for p in Everybody(backend.workspace).after()]) == 100
        walking = False
        await task
        return turns


def test_others_have_their_turns_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(everybody, "STEP", 10)
    assert play(_breaths(tmp_path / "shop")) >= 100 // 10 + 100 // everybody.BREATH
