"""The ready library says what is missing: by what came just now, after a start, and in a workspace that noted no names yet."""

from pathlib import Path
from typing import Any

from patron.runtime.backend import LocalBackend
from patron.runtime.segments.heard import Heard
from patron.runtime.segments.ready import Shelf
from tests.flow.inprocess import play, running, send, source

BOUGHT: dict[str, Any] = {"type": "track", "event": "Order Completed", "userId": "anna", "messageId": "m1"}
WROTE: dict[str, Any] = {"type": "track", "event": "Complaint Opened", "userId": "anna", "messageId": "m2"}


async def lacking(backend: LocalBackend) -> tuple[list[str], list[str]]:
    """What two ready segments lack."""
    rows = {row["id"]: row["missing"] for row in await Shelf(backend.workspace).rows()}
    return rows["new-buyers"], rows["complainers"]


def test_what_came_is_known_at_once_and_after_a_start(tmp_path: Path) -> None:
    async def first() -> None:
        async with running(tmp_path / "shop") as backend:
            await source(backend, "web")
            assert await lacking(backend) == (["Order Completed"], ["Complaint Opened"])
            await send(backend, "web", [BOUGHT])
            assert await lacking(backend) == ([], ["Complaint Opened"])

    async def then() -> None:
        async with running(tmp_path / "shop") as backend:
            assert await lacking(backend) == ([], ["Complaint Opened"])
            await send(backend, "web", [WROTE])
            assert await lacking(backend) == ([], [])

    play(first())
    play(then())


def test_a_workspace_that_noted_no_names_looks_through_everybody_once(tmp_path: Path) -> None:
    async def older() -> None:
        async with running(tmp_path / "shop") as backend:
            await source(backend, "web")
            await send(backend, "web", [BOUGHT])
            world, table = backend.workspace.world, backend.workspace.state.table("heard")
            for name in list(table.keys()):
                table.delete(name)
            world.heard = Heard(table)
            assert "Order Completed" in world.heard.missing
            assert await lacking(backend) == ([], ["Complaint Opened"])
            assert world.heard.whole
            assert Heard(table).whole

    play(older())
