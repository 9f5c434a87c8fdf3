"""Who is in a segment is known as soon as a directory is open again: nobody has to be judged anew for it."""

from pathlib import Path

from patron.runtime.recovery import open_workspace
from tests.flow.inprocess import play, running, send, source
from tests.flow.test_above_cap import define, until, views

NOW = 1_800_000_000_000


def test_members_are_there_when_the_state_is(tmp_path: Path) -> None:
    async def made() -> list[str]:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await define(backend, "Segment", "curious", rule={"kind": "did", "event": "Product Viewed"})
            await send(backend, "web", [one for who in ("anna", "bo") for one in views(who, 0, 1)])
            await until(lambda: not backend.workspace.segments.waiting)
            await backend.app.checkpoint()
            return backend.workspace.segments.members("curious")

    before = play(made())
    assert len(before) == 2
    opened = open_workspace(tmp_path / "shop")
    try:
        assert opened.segments.members("curious") == before
        assert opened.segments.count("curious") == 2
    finally:
        opened.close(checkpoint=False)
