"""Who goes on for long never looks again at what is there; one command does not look at it at all."""

import asyncio
import gc
from pathlib import Path

import pytest

from patron.runtime.backend import LocalBackend
from patron.runtime.create import create


@pytest.mark.parametrize("lasting", [False, True])
def test_only_a_lasting_start_takes_what_is_there_from_the_collector(tmp_path: Path, lasting: bool) -> None:
    looks: list[str] = []

    def watch(phase: str, told: dict[str, int]) -> None:
        if told["generation"] == 2:
            looks.append(phase)

    async def story() -> None:
        before = gc.get_freeze_count()
        backend = await LocalBackend.start(tmp_path / "d", lasting=lasting)
        assert (gc.get_freeze_count() > before) == lasting
        await backend.app.stop()
        assert gc.get_freeze_count() <= before

    create(tmp_path / "d")
    gc.collect()
    gc.callbacks.append(watch)
    try:
        asyncio.run(story())
    finally:
        gc.callbacks.remove(watch)
    assert bool(looks) == lasting
