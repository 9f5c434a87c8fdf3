"""The share held out changes while the programme runs: the groups are still those that were drawn."""

import asyncio
from pathlib import Path

from patron.model.offers import Ask
from patron.model.views import ProgrammeEffect
from patron.runtime.backend import LocalBackend
from patron.runtime.breath import Breath
from patron.runtime.decisions.effect import effect_of
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

DAY = 86_400_000


async def decided(backend: LocalBackend, people: range) -> None:
    asks = (Ask("web_home", user_id=f"u{n}") for n in people)
    await asyncio.gather(*(backend.decide(ask, trusted=True, source=None, user_hash="") for ask in asks))


def share(path: Path, holdout: float) -> None:
    zone = '[workspace]\nzone = "Europe/Rome"\n'
    (path / FILE).write_text(f"{zone}[decide]\nholdout = {holdout}\n", "utf-8")


async def programme(path: Path) -> tuple[ProgrammeEffect, ProgrammeEffect]:
    async with running(path) as backend:
        await source(backend, "web")
        await send(backend, "web", [{"type": "page", "userId": f"u{n}"} for n in range(600)])
    share(path, 0.5)
    async with running(path) as backend:
        await decided(backend, range(300))
        first = await effect_of(backend.workspace, Breath())
    share(path, 0.1)
    async with running(path) as backend:
        await decided(backend, range(600))
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        return first, await effect_of(backend.workspace, Breath())


def test_a_change_of_the_share_is_no_broken_assignment(tmp_path: Path) -> None:
    first, after = play(programme(tmp_path / "shop"))
    assert first.sentence.endswith("the first window of 7 days ends on 22 Jan.")
    assert after.shown + after.held_out == 600
    assert 120 < after.held_out < 240, "half of the first 300 and a tenth of the others"
    assert after.sentence.startswith("Too early"), after.sentence
    assert "not the groups that were drawn" not in after.sentence


async def joined(path: Path) -> ProgrammeEffect:
    async with running(path) as backend:
        await source(backend, "web")
    share(path, 0.5)
    async with running(path) as backend:
        devices = [{"type": "page", "anonymousId": f"a{n}"} for n in range(200)]
        await send(backend, "web", devices)
        asks = (Ask("web_home", anonymous_id=f"a{n}") for n in range(200))
        await asyncio.gather(*(backend.decide(ask, trusted=True, source=None, user_hash="") for ask in asks))
        await backend.step_clock(backend.workspace.clock.now() + DAY)
        await decided(backend, range(100))
        await send(
            backend, "web", [{**devices[n], "type": "identify", "userId": f"u{n}"} for n in range(100)]
        )
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        arms = {
            key: row.arm
            for key in backend.workspace.assigned.keys()
            if (row := backend.workspace.assigned.get(key))
        }
        both = sum(arms[f"anonymous_id:a{n}"] != arms[f"user_id:u{n}"] for n in range(100))
        found = await effect_of(backend.workspace, Breath())
        assert 20 < both < 80
        assert found.in_both == both / 200, "of a hundred with two identifiers and a hundred with one"
        assert found.held_out == sum(arms[f"anonymous_id:a{n}"] == "control" for n in range(200))
        await decided(backend, range(100))
        assert await effect_of(backend.workspace, Breath()) == found, (
            "joined, they stay where they were drawn first"
        )
        return found


def test_who_was_drawn_into_both_groups_is_told(tmp_path: Path) -> None:
    found = play(joined(tmp_path / "shop"))
    assert found.shown + found.held_out == 200
