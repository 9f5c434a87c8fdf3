"""The share held out changes while the programme runs: the groups are still those that were drawn."""

import asyncio
from pathlib import Path

from patron.model.offers import Ask
from patron.model.views import EffectLine
from patron.runtime.backend import LocalBackend
from patron.runtime.people import views
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

DAY = 86_400_000


async def decided(backend: LocalBackend, people: range) -> None:
    asks = (Ask("web_home", user_id=f"u{n}") for n in people)
    await asyncio.gather(*(backend.decide(ask, trusted=True, source=None, user_hash="") for ask in asks))


def share(path: Path, holdout: float) -> None:
    zone = '[workspace]\nzone = "Europe/Rome"\n'
    (path / FILE).write_text(f"{zone}[decide]\nholdout = {holdout}\n", "utf-8")


async def programme(path: Path) -> tuple[EffectLine, EffectLine]:
    async with running(path) as backend:
        await source(backend, "web")
        await send(backend, "web", [{"type": "page", "userId": f"u{n}"} for n in range(600)])
    share(path, 0.5)
    async with running(path) as backend:
        await decided(backend, range(300))
        first = views.effect(backend.workspace)
    share(path, 0.1)
    async with running(path) as backend:
        await decided(backend, range(600))
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        return first, views.effect(backend.workspace)


def test_a_change_of_the_share_is_no_broken_assignment(tmp_path: Path) -> None:
    first, after = play(programme(tmp_path / "shop"))
    assert first.sentence.endswith("the first window of 7 days ends on 22 Jan.")
    assert after.shown + after.held_out == 600
    assert 120 < after.held_out < 240, "half of the first 300 and a tenth of the others"
    assert after.sentence.startswith("Too early"), after.sentence
    assert "not the groups that were drawn" not in after.sentence
