"""Read your writes: a position that was given out is waited for, one that nobody has is not."""

import asyncio
import json
import time
from pathlib import Path

from patron.runtime.app import READ_WAIT
from tests.flow.inprocess import play, running, source


def test_a_write_under_way_is_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            held = backend.workspace.sources.get("shop")
            assert held is not None
            body = json.dumps({"batch": [{"type": "track", "event": "Viewed", "userId": "u1"}]}).encode()
            writing = asyncio.ensure_future(backend.app.ingest.accept(held, "batch", body))
            while backend.workspace.log.last == backend.workspace.applied:
                await asyncio.sleep(0)
            position = backend.workspace.log.last
            assert not writing.done()
            assert await backend.reached(position) is True
            assert backend.workspace.applied >= position
            assert (await writing).position == position

    play(story())


def test_a_position_that_no_write_has_is_not_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "d") as backend:
            await source(backend, "shop")
            last = backend.workspace.log.last
            began = time.monotonic()
            assert [await backend.reached(at) for at in (last + 1, 2**53)] == [False, False]
            assert time.monotonic() - began < READ_WAIT
            assert await backend.reached(last) is True
            assert await backend.reached(None) is True

    play(story())
