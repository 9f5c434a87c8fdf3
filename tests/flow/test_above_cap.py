"""Somebody with more events than a list keeps: told right at once where they are asked of, and soon where many are listed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patron.model.access import ApiKey
from patron.model.audiences import PersonAudiences
from patron.model.exports import Export, FileTarget
from patron.profiles.public import iso
from patron.runtime.backend import LocalBackend
from patron.runtime.segments import above_cap
from patron.runtime.segments.agreement import agreement
from patron.runtime.segments.audiences import LocalAudiences
from patron.runtime.segments.subjects import BREATH
from patron.segments.tally import MOST
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_000_000_000
MINUTE, DAY = 60_000, 86_400_000
MANY = MOST + 100
KEY = ApiKey("all", "", "", ("admin",))
SKUS = {
    "event": "Product Viewed", "measure": "distinct", "property": "properties.sku", "within": {"days": 30},
}  # fmt: skip
CURIOUS = {"kind": "did", **SKUS, "op": ">=", "value": MANY - 10}
MODEST = {"kind": "not", "rule": {"kind": "segment", "segment": "curious"}}


async def define(backend: LocalBackend, kind: str, name: str, version: int = 1, **definition: Any) -> None:
    data = {
        "id": name,
        "version": version,
        "by": "test",
        "definition": {"id": name, "name": name, **definition},
    }
    await backend.app.record(f"{kind} Saved", data)


async def define_all(backend: LocalBackend) -> None:
    await source(backend, "web")
    await define(backend, "Trait", "skus", measure={"kind": "did", **SKUS})
    first = {"kind": "did", "event": "Product Viewed", "measure": "first", "within": {"days": 30}}
    await define(backend, "Trait", "began", measure=first)
    await define(backend, "Segment", "curious", rule=CURIOUS)
    await define(backend, "Segment", "modest", rule=MODEST)
    await until(lambda: not backend.workspace.segments.waiting)


def views(who: str, first: int, count: int) -> list[dict[str, Any]]:
    """So many products looked at, a second apart."""
    return [
        {
            "type": "track", "event": "Product Viewed", "userId": who, "messageId": f"{who}-{n}",
            "timestamp": iso(NOW - DAY + 1000 * n), "properties": {"sku": f"s{n}"},
        }
        for n in range(first, first + count)
    ]  # fmt: skip


async def until(condition: Any, seconds: float = 10.0) -> None:
    for _ in range(round(seconds * 200)):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came")


def told(backend: LocalBackend, who: str = "user_id:anna") -> tuple[Any, set[str]]:
    """A computed trait and the segments, as the API gives them."""
    profile = backend.resource(who, "profile", KEY)
    return profile["computed"].get("skus"), {
        row["id"] for row in backend.resource(who, "segments", KEY)["data"]
    }


def members(backend: LocalBackend, name: str) -> int:
    live = backend.workspace.live
    assert live.count(name) == len(live.members(name, "", 100))
    return live.count(name)


def test_somebody_above_the_cap_is_told_right(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("bo", 0, 3))
            await send(backend, "web", views("anna", 0, MANY - 50))
            assert told(backend) == (MANY - 50, {"modest"})
            await send(backend, "web", views("anna", MANY - 50, 50))
            assert told(backend) == (MANY, {"curious"})  # at once, though lists and counts follow later
            assert told(backend, "user_id:bo") == (3, {"modest"})
            profile = backend.resource("user_id:anna", "profile", KEY)
            assert profile["computed"]["began"] == iso(NOW - DAY)

            await backend.step_clock(NOW + MINUTE)
            await until(lambda: members(backend, "curious") == 1)
            assert members(backend, "modest") == 1
            live = backend.workspace.live
            assert live.status("curious").capped == 1
            moves = [(c.entered, c.cause) for c in live.changes("curious", 0, NOW + DAY)]
            assert moves == [(True, "event")]
            await export_says(backend, MANY, ["curious"])

            # an event of theirs leaves what was answered, though the list says otherwise
            await send(backend, "web", [{**views("anna", 0, 1)[0], "messageId": "again"}])
            assert members(backend, "curious") == 1

            # by time alone: the window ends, and with it what was cut off
            await backend.step_clock(NOW + 40 * DAY)
            await until(lambda: members(backend, "modest") == 2)
            assert (members(backend, "curious"), live.status("curious").capped) == (0, 0)
            assert told(backend) == (0, {"modest"})

    play(play_all())


async def export_says(backend: LocalBackend, value: int, segments: list[str]) -> None:
    export = Export("all", "All", FileTarget(), segment="curious", fields=("computed.skus", "segments"))
    rows, _ = await backend.exports._rows(export)
    assert [row.values for row in rows] == [(value, segments)]


def test_the_console_works_it_out_beside_the_loop(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, MANY))
            audiences = LocalAudiences(backend)
            asked = asyncio.ensure_future(audiences.of_person("user_id:anna"))
            turns = 0
            while not asked.done():
                turns += 1
                await asyncio.sleep(0)
            assert turns > MANY // BREATH, "others are served between slices of events"
            found = asked.result()
            assert [one.id for one in found.segments] == ["curious"]
            assert {one.id: one.value for one in found.traits}["skus"] == MANY

            # somebody who is erased while they are worked out is nobody then
            await send(backend, "web", views("anna", MANY, 1))
            asked = asyncio.ensure_future(audiences.of_person("user_id:anna"))
            await asyncio.sleep(0)
            erased = asyncio.ensure_future(backend.erase("user_id:anna", "test"))
            await asyncio.gather(asked, erased)
            assert await audiences.of_person("user_id:anna") == PersonAudiences()

    play(play_all())


def test_an_export_does_not_wait_for_lists_to_follow(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, MANY - 50))
            await until(lambda: not backend.workspace.segments.live.unanswered)  # type: ignore[union-attr]
            await send(backend, "web", views("anna", MANY - 50, 50))
            assert members(backend, "curious") == 0
            await export_says(backend, MANY, ["curious"])

    play(play_all())


def test_an_answer_outlives_a_restart_and_a_lost_state(tmp_path: Path) -> None:
    async def play_all() -> None:
        path = tmp_path / "shop"
        async with running(path, now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, MANY))
            await backend.step_clock(NOW + MINUTE)
            await until(lambda: members(backend, "curious") == 1)
            replay = await backend.verify_replay()
            assert (replay["equal"], replay["differences"]) == (True, [])
            await backend.app.checkpoint()
        async with running(path, now=NOW) as backend:
            assert members(backend, "curious") == 1
            assert told(backend) == (MANY, {"curious"})
        for file in path.glob("state.db*"):
            file.unlink()
        async with running(path, now=NOW) as backend:
            assert told(backend) == (MANY, {"curious"})
            await until(lambda: members(backend, "curious") == 1)

    play(play_all())


def test_a_consent_taken_back_is_heeded_at_once(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, MANY))
            await backend.step_clock(NOW + MINUTE)
            await until(lambda: members(backend, "curious") == 1)
            no = {"type": "track", "event": "Consent Changed", "userId": "anna", "messageId": "no"}
            await send(
                backend, "web", [{**no, "properties": {"purpose": "personalization", "granted": False}}]
            )
            assert members(backend, "curious") == 0
            assert backend.workspace.live.status("curious").without_basis == 1
            assert told(backend) == (MANY, set())

    play(play_all())


def test_an_answer_is_remembered_until_another_event_or_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, MANY))
            await backend.step_clock(NOW + MINUTE)
            await until(lambda: members(backend, "curious") == 1)
            asked = []
            real = above_cap.reading
            monkeypatch.setattr(above_cap, "reading", lambda *who: asked.append(1) or real(*who))  # type: ignore[func-returns-value]
            assert told(backend) == told(backend) == (MANY, {"curious"})
            await send(backend, "web", views("bo", 0, 1))
            assert told(backend) == (MANY, {"curious"})
            assert len(asked) == 0
            await send(backend, "web", views("anna", MANY, 1))
            assert told(backend)[0] == told(backend)[0] == MANY + 1
            assert len(asked) == 1
            await backend.step_clock(NOW + 60 * MINUTE)
            told(backend)
            assert len(asked) > 1

    play(play_all())


def test_a_changed_rule_is_answered_soon_and_an_erased_person_is_forgotten(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", views("anna", 0, MANY))
            await backend.step_clock(NOW + MINUTE)
            await until(lambda: members(backend, "curious") == 1)
            await define(backend, "Segment", "curious", 2, rule={**CURIOUS, "value": MANY + 1})
            await until(lambda: members(backend, "curious") == 0)
            assert told(backend) == (MANY, {"modest"})
            above = backend.workspace.above
            assert "user_id:anna" in str(above.__dict__)
            await backend.erase("user_id:anna", "test")
            await until(lambda: "user_id:anna" not in str(above.__dict__))

    play(play_all())


@pytest.mark.slow
def test_live_and_lake_agree_above_the_cap(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            await send(backend, "web", [*views("bo", 0, 3), *views("anna", 0, MANY - 50)])
            await until(lambda: not backend.workspace.segments.live.unanswered)  # type: ignore[union-attr]
            await send(backend, "web", views("anna", MANY - 50, 50))
            rows = {row.id: row for row in (await agreement(backend.app)).rows}
            for name in ("curious", "modest", "skus", "began"):
                found = rows[name]
                assert (found.way, found.capped, found.cut_off, found.differ) == ("live", 1, 0, 0), found
                assert found.live == found.batch

    play(play_all())


class Nobody:
    """In place of what looks beside events: nobody looks but the test."""

    def work(self) -> Iterator[None]:
        return iter(())


def test_a_slow_look_does_not_undo_a_newer_one_and_keeps_nothing_of_the_erased(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await define_all(backend)
            above = backend.workspace.above
            monkeypatch.setattr(backend.workspace, "above", Nobody())
            await send(backend, "web", views("anna", 0, MOST + 10))
            await above.look()
            await send(backend, "web", views("anna", MOST + 10, 10))
            slow = above.work(everybody=True)
            for _ in range(3):
                next(slow)
            await send(backend, "web", views("anna", MOST + 20, MANY))
            await above.look()
            assert members(backend, "curious") == 1
            assert sum(1 for _ in slow) > 2, "it was in the middle"
            assert members(backend, "curious") == 1

            await send(backend, "web", views("bo", 0, MOST + 20))
            slow, newer = above.work(everybody=True), above.work(everybody=True)
            for _ in range(3):
                next(slow)
            await send(backend, "web", views("bo", MOST + 20, MANY))
            for _ in range(3):
                next(newer)
            assert sum(1 for _ in slow) > 2, "it ends first"
            assert sum(1 for _ in newer) > 2
            assert members(backend, "curious") == 2

            await send(backend, "web", views("anna", MOST + 20 + MANY, 5))
            slow = above.work(everybody=True)
            for _ in range(3):
                next(slow)
            await backend.erase("user_id:anna", "test")
            await above.look()
            assert sum(1 for _ in slow) > 2
            assert "anna" not in repr(vars(above))

    play(play_all())
