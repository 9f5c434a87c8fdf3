"""The sample that drafts are counted on, and the numbers that stand beside each other on a segment's page."""

import asyncio
from pathlib import Path

import pytest

from patron.runtime.crowd import sample
from patron.runtime.crowd.sample import Crowd
from patron.runtime.people import everybody
from patron.runtime.segments.audiences import LocalAudiences
from tests.flow.inprocess import send, source
from tests.unit.serve.door import door

BUYERS = {"id": "buyers", "name": "Buyers", "rule": {"kind": "did", "event": "Order Completed"}}


def order(number: int, **ids: str) -> dict:
    return {"type": "track", "event": "Order Completed", "properties": {"order_id": f"o{number}"}, "messageId": f"m{number}", **ids}  # fmt: skip


def says(number: int, **more: object) -> dict:
    return {"type": "identify", "messageId": f"i{number}", **more}


def test_who_was_merged_is_drawn_no_more_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def story() -> None:
        async with door(tmp_path / "data") as at:
            workspace = at.backend.workspace
            await source(at.backend, "shop")
            await send(at.backend, "shop", [order(n, anonymousId=f"c{n}") for n in range(8)])
            before = set(workspace.groups.keys())
            await send(
                at.backend, "shop", [says(n, userId=f"u{n // 2}", anonymousId=f"c{n}") for n in range(8)]
            )
            live = {p.id for name in workspace.groups.keys() if (p := workspace.graph.person_by_id(name))}
            retired = before - live
            assert retired, "the story has to retire ids"
            names = sorted(workspace.groups.keys())
            gone = [at for at, name in enumerate(names) if name in retired]
            monkeypatch.setattr(everybody, "_evenly", lambda _count, _wanted: gone)
            assert await Crowd(workspace).look() == []
            monkeypatch.undo()
            drawn = [one.subject.name for one in await Crowd(workspace).look()]
            assert sorted(drawn) == sorted(live)

    asyncio.run(story())


def test_the_channels_of_a_live_segment_are_of_its_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With a sample of a few the members stay exact, and so do the channels; rows say that they are not."""
    monkeypatch.setattr(sample, "PEOPLE", 4)

    async def story() -> None:
        async with door(tmp_path / "data") as at:
            await source(at.backend, "shop")
            people = [says(n, userId=f"u{n}", traits={"email": f"u{n}@mail.example"}) for n in range(20)]
            await send(at.backend, "shop", [*people, *(order(n, userId=f"u{n}") for n in range(0, 20, 4))])
            await at.put("/v1/segments/buyers", BUYERS)
            while (await at.get("/v1/segments/buyers"))["status"][
                "state"
            ] == "filling" or at.backend.workspace.segments.waiting:
                await asyncio.sleep(0.01)
            audiences = LocalAudiences(at.backend)
            held = audiences.held("segment", "buyers")
            assert held is not None
            reach = await audiences.reach(held.definition, [], "all")
            assert reach is not None
            assert (reach.members, reach.source, reach.sampled) == (5, "live", True)
            assert {door.channel: door.people for door in reach.doors} == {"email": 5}

    asyncio.run(story())
