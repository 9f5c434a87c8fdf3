"""A checkpoint that cannot be written at once is written later; nobody waits for it for ever."""

import asyncio
from pathlib import Path

import pytest

from patron.model.errors import DiskFull
from patron.runtime import app as apps
from tests.flow.inprocess import play, running, send, source


async def _late(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(folder) as backend:
        app, dedup = backend.app, backend.workspace.dedup
        await source(backend, "shop")
        await send(backend, "shop", [{"type": "track", "event": "Seen", "userId": "u", "messageId": "m1"}])
        real, refused = dedup.flushed, []

        def flushed() -> bool:
            if real() and len(refused) < 2:
                refused.append(DiskFull("no space left"))
                raise refused[-1]
            return real()

        monkeypatch.setattr(apps, "RETRY", 0.01)
        monkeypatch.setattr(dedup, "flushed", flushed)
        app._begin()
        await asyncio.wait_for(app.checkpoint(), 30)  # waits for the one under way
        assert len(refused) == 2
        assert app.fault is None
        assert backend.workspace.state.offset == backend.workspace.applied


def test_a_disk_that_was_full_for_a_while_does_not_end_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(_late(tmp_path / "shop", monkeypatch))
