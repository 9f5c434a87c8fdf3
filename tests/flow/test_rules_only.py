"""Without a learned model decisions go on by rules alone: gates, formula, limits and records are the same."""

import asyncio
from pathlib import Path
from typing import Any

from patron.decide.rating import CHOOSING, propensities
from patron.model.clock import MINUTE
from patron.model.offers import NOTHING, Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_014_400_000
CATALOGUE = """
[[placement]]
id = "web_home"
name = "Web home"
channel = "web"
slots = 3
explore = false

[[offer]]
id = "umbrella"
name = "Umbrella"
value = 9.0
products = ["P1"]
because = "It rains"
conditions = [{ field = "context.weather", op = "=", value = "rain" }]

[[offer]]
id = "tea"
name = "Tea"
value = 5.0
products = ["P2"]

[[offer]]
id = "card"
name = "Loyalty card"
value = 2.0
products = ["P3"]
conditions = [{ field = "totals.orders", op = "=", value = 0 }]

[scoring]
formula = "value * weight + propensity"
"""


async def _ask(backend: LocalBackend, user: str, **context: Any) -> Any:
    ask = Ask("web_home", user_id=user, channel="", context=context, count=3)
    return await backend.decide(ask, trusted=True, source=None, user_hash="")


def _order(made: Any) -> list[str]:
    return [made["action"], *(one["action"] for one in made["slate"])]


async def _learn(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        await source(backend, "web")
        await backend.set_catalogue(CATALOGUE)
        for n in range(40):
            made = await _ask(backend, f"u{n}", weather="rain")
            told = {"decision_id": made["decisionId"]}
            click = {"type": "track", "event": "Offer Clicked", "userId": f"u{n}", "messageId": f"c{n}"}
            await send(backend, "web", [click | {"properties": told}])
            await backend.step_clock(backend.workspace.clock.now() + MINUTE)
        assert len(backend.workspace.state.table("arms")) > 0


async def _rules_only(path: Path) -> None:
    async with running(path, now=NOW) as backend:
        assert _order(await _ask(backend, "dora", weather="rain")) == ["umbrella", "tea", "card"]
        made = await _ask(backend, "emil", weather="dry")
        assert _order(made) == ["tea", "card"]
        assert "Loyalty card" not in made["reasons"]
        told = backend.decision(made["decisionId"]).decision
        assert [(drop.offer, drop.gate) for drop in told.dropped] == [("umbrella", "conditions")]
        assert told.propensity == 1.0
        no = {"purpose": "personalization", "granted": False}
        event = {"type": "track", "event": "Consent Changed", "userId": "emil", "messageId": "no"}
        await send(backend, "web", [event | {"properties": no}])
        assert (await _ask(backend, "emil", weather="rain"))["action"] == NOTHING


def _settle(path: Path, policy: str) -> None:
    path.joinpath(FILE).write_text(f'[decide]\nholdout = 0.0\npolicy = "{policy}"\n', "utf-8")


def test_without_what_was_learned_the_formula_and_the_rules_answer(tmp_path: Path) -> None:
    path = tmp_path / "shop"

    async def remove() -> None:
        async with running(path, now=NOW) as backend:
            arms = backend.workspace.state.table("arms")
            for name in list(arms.keys()):
                arms.delete(name)
            await backend.checkpoint()

    play(_made(path))
    play(_learn(path))
    play(remove())
    play(_rules_only(path))


def test_by_the_policy_without_a_model_only_what_the_rules_allow_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "shop"

    async def work() -> None:
        async with running(path, now=NOW) as backend:
            dry = [await _ask(backend, f"v{n}", weather="dry") for n in range(40)]
            assert {made["action"] for made in dry} == {"tea", "card", NOTHING}
            assert {round(made["propensity"], 6) for made in dry} == {round(1 / 3, 6)}
            told = backend.decision(dry[0]["decisionId"]).decision
            assert (told.rating, told.policy) == (None, "uniform-1")
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]

    play(_made(path))
    play(_learn(path))
    _settle(path, "uniform")
    play(work())


async def _made(path: Path) -> None:
    async with running(path, now=NOW):
        await asyncio.sleep(0)
    _settle(path, "learned")


def test_a_place_that_must_not_stay_empty_shows_what_is_least_bad(tmp_path: Path) -> None:
    path = tmp_path / "shop"
    losing = CATALOGUE.replace('"value * weight + propensity"', '"value - 10"')

    async def work() -> None:
        async with running(path, now=NOW) as backend:
            await backend.set_catalogue(losing)
            assert _order(await _ask(backend, "fay", weather="rain"))[0] == NOTHING
            await backend.set_catalogue(losing.replace("slots = 3", "slots = 3\nfill = true"))
            assert _order(await _ask(backend, "fay", weather="rain")) == ["umbrella", "tea", "card"]
            no = {"purpose": "personalization", "granted": False}
            event = {"type": "track", "event": "Consent Changed", "userId": "fay", "messageId": "no"}
            await source(backend, "web")
            await send(backend, "web", [event | {"properties": no}])
            shut = await _ask(backend, "fay", weather="rain")
            assert (shut["action"], shut["eligible"]) == (NOTHING, [NOTHING])
            # where it tries things, too, nothing is hardly ever drawn
            tries = losing.replace("slots = 3\n", "fill = true\n").replace("explore = false\n", "")
            await backend.set_catalogue(tries)
            drawn = [await _ask(backend, f"f{n}", weather="rain") for n in range(200)]
            assert sum(one["action"] == NOTHING for one in drawn) < 20
            told = backend.decision(drawn[0]["decisionId"]).decision
            replay = await backend.verify_replay()
            assert told.rating is not None
            chances = propensities(told.rating)
            weighed = chances - CHOOSING.floor / len(chances)
            assert weighed[-1] < weighed[:-1].min() / 2, chances
            assert replay["equal"], replay["differences"]

    play(_made(path))
    play(work())
