"""Rules about places read the feed of stores as it is known now: live, as the reference says, and over the lake alike."""

import asyncio
from pathlib import Path
from typing import Any

from patron.model.access import ApiKey
from patron.runtime.analysis import Analyst, Moment, Standings
from patron.runtime.backend import LocalBackend
from patron.runtime.lake.child import lake_url
from patron.runtime.segments import subjects
from patron.runtime.segments.audiences import LocalAudiences
from patron.storage.lake.asking import Query
from tests.flow.inprocess import play, running, send, source

KEY = ApiKey("test", "", "", ("admin",))
STORES = [
    {"store": "S1", "latitude": 44.4938, "longitude": 11.3387},
    {"store": "S2", "latitude": 44.4958, "longitude": 11.3387},  # some 220 m to the north
    {"store": "S3", "latitude": 45.07, "longitude": 7.6869},
]
PEOPLE = {"anna": "S1", "bo": "S2", "cleo": "S3"}


async def load(backend: LocalBackend, rows: list[dict[str, Any]]) -> None:
    import json

    await backend.load_feed("stores", json.dumps({"rows": rows}).encode(), {}, "test")


async def save(backend: LocalBackend, name: str, place: dict[str, Any]) -> Any:
    rule = {"kind": "did", "event": "Order Completed", "where": [{"field": "place", "op": "near", "value": place}]}  # fmt: skip
    return await backend.rules.save("segment", name, {"id": name, "name": name, "rule": rule}, "test")


async def buy(backend: LocalBackend) -> None:
    await source(backend, "till", "pos")
    messages: list[dict[str, Any]] = [
        {"type": "track", "event": "Order Completed", "userId": who, "messageId": who,
         "properties": {"order_id": who, "revenue": 5}, "context": {"touchpoint": {"id": "till-1", "store_id": store}}}
        for who, store in PEOPLE.items()
    ]  # fmt: skip
    spot = {"order_id": "d", "revenue": 5, "latitude": 44.4939, "longitude": 11.3388}
    messages.append({**messages[0], "userId": "dora", "messageId": "d", "properties": spot, "context": {}})
    await send(backend, "till", messages)


def names(backend: LocalBackend, segment: str) -> set[str]:
    """Members as the live execution has them; what waits is done first."""
    backend.workspace.segments.finish()
    return {_name(backend, one) for one in backend.workspace.live.members(segment, "", 100)}


def _name(backend: LocalBackend, person: str) -> str:
    found = backend.workspace.graph.person_by_id(person)
    assert found is not None
    return next(key for key in found.members if key.startswith("user_id:")).removeprefix("user_id:")


async def by_the_reference(backend: LocalBackend, segment: str) -> set[str]:
    item = backend.workspace.definitions.active().segments[segment]
    return {
        who
        for who in (*PEOPLE, "dora")
        if (await subjects.find(backend.workspace, f"user_id:{who}", item)).is_in(segment)
    }


async def by_the_lake(backend: LocalBackend, segment: str) -> set[str]:
    await backend.lake_flush()
    workspace, active = backend.workspace, backend.workspace.definitions.active()
    query = Query(lake_url(workspace), "", {}, "json", 1000, 60, 500)
    stores = dict(workspace.feeds.locations())
    moment = Moment(workspace.clock.now(), workspace.settings.business.timezone, stores=stores)
    _, rows = await Analyst(backend.app.lake, query).run(Standings((active.segments[segment],)), moment)
    return {_name(backend, row[0]) for row in rows if row[1] == 1}


def test_within_500_m_of_a_store_live_by_the_reference_and_over_the_lake(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await load(backend, STORES)
            await save(backend, "old-town", {"store": "S1", "km": 0.5})
            await save(backend, "at-the-door", {"store": "S1", "km": 0.1})
            await save(backend, "bologna", {"lat": 44.49, "lon": 11.34, "km": 5})
            await buy(backend)
            assert names(backend, "old-town") == {"anna", "bo", "dora"}
            assert names(backend, "at-the-door") == {"anna", "dora"}
            assert names(backend, "bologna") == {"anna", "bo", "dora"}
            for segment in ("old-town", "at-the-door", "bologna"):
                assert await by_the_reference(backend, segment) == names(backend, segment)
                assert await by_the_lake(backend, segment) == names(backend, segment)
            shown = backend.rules.show("segment", "old-town", None, KEY)
            assert "within 500 m of store S1" in shown["sentence"]
            assert shown["runs"]["way"] == "live"
            assert shown["runs"]["notes"] == []

    play(story())


def test_a_store_that_moves_takes_its_buyers_along_and_replay_agrees(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await load(backend, STORES)
            await save(backend, "old-town", {"store": "S1", "km": 0.5})
            await buy(backend)
            assert names(backend, "old-town") == {"anna", "bo", "dora"}
            before = backend.workspace.segments.series()
            await load(backend, [{**STORES[1], "city": "Bologna"}])  # says nothing of the place
            assert names(backend, "old-town") == {"anna", "bo", "dora"}
            assert backend.workspace.segments.series() == before
            await load(backend, [{**STORES[1], "latitude": 44.6}, {**STORES[2], "latitude": 44.494, "longitude": 11.339}])  # fmt: skip
            assert names(backend, "old-town") == {"anna", "cleo", "dora"}
            assert await by_the_reference(backend, "old-town") == {"anna", "cleo", "dora"}
            await send(
                backend,
                "till",
                [{"type": "track", "event": "Order Completed", "userId": "eve", "messageId": "e",
                  "properties": {"order_id": "e"}, "context": {"touchpoint": {"id": "till-1", "store_id": "S3"}}}],
            )  # fmt: skip
            assert names(backend, "old-town") == {"anna", "cleo", "dora", "eve"}
            found = await backend.verify_replay()
            assert found["equal"], found
        async with running(tmp_path / "shop") as again:
            assert names(again, "old-town") == {"anna", "cleo", "dora", "eve"}

    play(story())


def test_a_store_that_no_feed_tells_of_is_named_on_the_rules_page(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path / "shop") as backend:
            await buy(backend)
            saved = await save(backend, "nowhere", {"store": "S1", "km": 0.5})
            told = "Store S1 is not in the feed of stores, so nothing counts as near it."
            assert saved["runs"]["notes"][0].startswith(told)
            assert names(backend, "nowhere") == set()
            definition = backend.rules.show("segment", "nowhere", None, KEY)["definition"]
            assert told in LocalAudiences(backend).check("segment", definition).note
            await load(backend, STORES)
            await asyncio.sleep(0)
            assert names(backend, "nowhere") == {"anna", "bo", "dora"}
            assert backend.rules.show("segment", "nowhere", None, KEY)["runs"]["notes"] == []

    play(story())
