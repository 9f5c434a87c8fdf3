"""Rows of tallies that an older version of Patron wrote are counted anew from the past when it starts."""

from pathlib import Path

import pytest

from patron.segments import series
from tests.flow.inprocess import play, running, send
from tests.flow.test_above_cap import NOW, define_all, told, until, views


def test_rows_that_lie_otherwise_are_counted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def older() -> None:
        monkeypatch.setattr(series, "LAYOUT", {})
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, 5))
            assert told(backend) == (5, {"modest"})
            live = backend.workspace.segments.live
            assert live is not None
            for node, tally in live.tallies.items():
                live.tallies.touch(node)
                for number in tally:
                    tally[number] = [-1, NOW, 1, "as it lay before"]

    async def newer() -> None:
        monkeypatch.undo()
        async with running(tmp_path / "shop", now=NOW) as backend:
            await until(lambda: not backend.workspace.segments.waiting)
            assert told(backend) == (5, {"modest"})
            await send(backend, "web", views("anna", 5, 2))
            assert told(backend) == (7, {"modest"})

    play(older())
    play(newer())
