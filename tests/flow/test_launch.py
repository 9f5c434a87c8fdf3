"""The launch path over whole workspaces: from a draft to some people and back, with guards, over restarts and replay."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from patron.decide.encoding import look
from patron.model.clock import HOUR
from patron.model.errors import BadRequest, Conflict, NotFound
from patron.model.policies import Policy
from patron.runtime import portable
from patron.runtime.backend import LocalBackend
from tests.flow.inprocess import play, running
from tests.flow.test_learning import NOW, Teller, _ask, _shop
from tests.flow.test_policies import CATALOGUE

PEOPLE = 400
BOLD = {
    "id": "bold", "name": "Tries less", "placements": ["web_home"], "explore": 0.5, "minimum": 20,
    "guards": [{"metric": "reward"}, {"metric": "nothing", "tolerated": 0.3}],
}  # fmt: skip


async def _visits(backend: LocalBackend, tell: Teller, people: range, likes: str = "tea") -> Counter[str]:
    """Everybody asks once, and half of them click on what they like, few on the rest; who decided."""
    decided = Counter[str]()
    for n in people:
        made = await _ask(backend, f"u{n}", "web_home")
        decided[look(backend.workspace.decisions.get(made["decisionId"]).record).policy] += 1
        if made["action"] != "nothing" and n % (2 if made["action"] == likes else 5) == 0:
            await tell("Offer Clicked", userId=f"u{n}", decision_id=made["decisionId"])
    return decided


async def _later(backend: LocalBackend, hours: int = 2) -> None:
    await backend.step_clock(backend.workspace.clock.now() + hours * HOUR)


async def _way(backend: LocalBackend, tell: Teller) -> dict[str, Any]:
    """Draft, shadow, refused, evaluated, 1 %, 10 %."""
    launching, found = backend.launching, {}
    # one that tries less: one that tries more is worse as soon as something is learned, and is refused for that
    await launching.put("bold", {**BOLD, "kind": "greedy", "explore": 1.0}, "giulia")
    for to, said in (("10%", "not skipped"), ("evaluated", "not skipped"), ("stopped", "nothing to stop")):
        with pytest.raises(Conflict, match=said):
            await launching.move("bold", to, "giulia")
    await launching.move("bold", "shadow", "giulia")
    found["shadow"] = await _visits(backend, tell, range(20))
    with pytest.raises(Conflict, match="give a reason") as refused:
        await launching.move("bold", "evaluated", "giulia")
    found["few"] = refused.value.message
    found["shadow"] += await _visits(backend, tell, range(20, PEOPLE))
    await _later(backend)
    found["judged"] = (await launching.judge("bold"))[0]
    await launching.move("bold", "evaluated", "giulia")
    found["evaluated"] = await _visits(backend, tell, range(5))
    await launching.move("bold", "1%", "marta")
    with pytest.raises(Conflict, match="of 20 decisions of its own at web_home") as early:
        await launching.move("bold", "10%", "marta")
    found["early"] = early.value.message
    found["1%"] = await _visits(backend, tell, range(PEOPLE))
    await launching.move("bold", "10%", "marta", "only a demo shop")
    found["10%"] = await _visits(backend, tell, range(PEOPLE))
    return found


def test_a_policy_goes_step_by_step_and_refusals_say_why(tmp_path: Path) -> None:
    found = play(_shop(tmp_path / "shop", _way, CATALOGUE))
    assert set(found["shadow"]) == set(found["evaluated"]) == {"learned-1"}, "nobody is shown anything by it"
    assert "At web_home:" in found["few"]
    assert "rests on 0 decisions" in found["few"]
    judged = found["judged"]
    assert (judged.verdict, judged.challenger) == ("accepted", "bold-1"), judged.reason
    assert 0 < judged.otherwise < 0.9
    assert judged.decisions > 0.9 * PEOPLE
    assert "0 are past their window of one hour" in found["early"]
    assert 0 < found["1%"]["bold-1"] < 0.04 * PEOPLE
    assert 0.05 * PEOPLE < found["10%"]["bold-1"] < 0.16 * PEOPLE
    assert found["10%"]["learned-1"] == PEOPLE - found["10%"]["bold-1"]


def test_a_harmful_challenger_is_rolled_back_by_itself_over_a_restart_and_replay_ends_the_same(
    tmp_path: Path,
) -> None:
    harmful = {**BOLD, "id": "worst", "kind": "rules", "formula": "propensity * (value - 2)", "explore": 1.0}
    catalogue = CATALOGUE.replace('name = "Mug"', 'name = "Mug"\nvalue = 1.5')
    catalogue = catalogue.replace('name = "Tea"', 'name = "Tea"\nvalue = 3.0')
    wrong = {**harmful, "formula": "propensity / value"}  # the cheapest first: the mug, which few like

    async def before(backend: LocalBackend, tell: Teller) -> tuple[int, Any]:
        launching = backend.launching
        await launching.put("worst", harmful, "giulia")
        await launching.put("worst", wrong, "giulia")
        for to in ("shadow", "evaluated", "1%", "10%", "50%"):
            await launching.move("worst", to, "giulia", "for the test")
        await _visits(backend, tell, range(60))
        assert await launching.check() == [], "too few people to say"
        return backend.workspace.clock.now(), launching.view("worst").guards

    async def after() -> dict[str, Any]:
        async with running(tmp_path / "shop", now=NOW) as backend:
            tell, launching = Teller(backend), backend.launching
            tell._count = 10_000
            found: dict[str, Any] = {"guards": launching.view("worst").guards}
            found["decided"] = await _visits(backend, tell, range(60, PEOPLE))
            await launching.check()  # it looks by itself every second, and may have done so already
            found["again"] = await launching.check()
            found["view"] = launching.view("worst")
            found["then"] = await _visits(backend, tell, range(50))
            found["replay"] = await backend.verify_replay()
            found["rows"] = [r for r in portable.rows(backend.workspace) if r[0] == "policies"]
            return found

    _, guards = play(_shop(tmp_path / "shop", before, catalogue))
    found = play(after())
    assert found["guards"] == guards, "the counts are made again from what is recorded"
    assert guards[0].people + guards[0].people_champion == 60
    assert found["decided"]["worst-2"] > 30
    assert found["again"] == []
    view = found["view"]
    assert (view.stage, view.share, view.moves[0].by) == ("rolled_back", 0.0, "patron")
    assert "reward a decision is" in view.moves[0].why
    assert [move.by for move in view.moves[1:]] == ["giulia"] * 7
    assert view.moves[2].overridden
    assert view.moves[2].why == "for the test"
    assert set(found["then"]) == {"learned-1"}, "everybody gets the champion from the next decision on"
    assert found["replay"]["equal"], found["replay"]["differences"]
    assert found["rows"] == [("policies", "worst")]


def test_at_a_hundred_it_is_the_champion_until_it_is_stopped(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> list[Counter[str]]:
        launching, found = backend.launching, []
        calm = {**BOLD, "id": "calm", "kind": "greedy", "explore": 1.0}
        for policy in (BOLD, calm):
            await launching.put(policy["id"], policy, "giulia")
            for to in ("shadow", "evaluated", "1%"):
                await launching.move(policy["id"], to, "giulia", "for the test")
            if policy is BOLD:
                await launching.put("calm", calm, "giulia")
                for to in ("shadow", "evaluated"):
                    await launching.move("calm", to, "giulia", "for the test")
                with pytest.raises(Conflict, match="`bold` is at 1% at web_home"):
                    await launching.move("calm", "1%", "giulia", "for the test")
                await launching.stop("calm", "giulia")
            for to in ("10%", "50%", "100%"):
                await launching.move(policy["id"], to, "giulia", "for the test")
            found.append(await _visits(backend, tell, range(20)))
        with pytest.raises(Conflict, match="stop it first"):
            await launching.put("calm", {**calm, "name": "Other"}, "giulia")
        for name in ("calm", "bold"):
            await launching.stop(name, "giulia", "enough")
            found.append(await _visits(backend, tell, range(20)))
        assert backend.workspace.launches.here == {}
        return found

    found = play(_shop(tmp_path / "shop", work, CATALOGUE))
    assert [set(one) for one in found] == [{"bold-1"}, {"calm-1"}, {"bold-1"}, {"learned-1"}]


def test_what_is_written_wrong_says_what_to_do(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, _tell: Teller) -> None:
        launching = backend.launching
        for change, said in (
            ({"placements": ["web"]}, "There are: web_home"), ({"formula": "1 +"}, "this is no formula"),
            ({"kind": "best"}, "Invalid enum value"), ({"id": "other"}, "The address says"), ({"explore": 99}, "0.1 to 10"),
            ({"colour": "red"}, "unknown field"), ({"guards": []}, "at least one metric"),
        ):  # fmt: skip
            with pytest.raises(BadRequest, match=said):
                await launching.put("bold", {**BOLD, **change}, "giulia")
        for id_ in ("learned", "Bold!", "", "-a", "a" * 41):
            with pytest.raises(BadRequest, match="id"):
                await launching.put(id_, {**BOLD, "id": id_}, "giulia")
        with pytest.raises(NotFound, match="no policy bald"):
            launching.view("bald")
        await launching.put("bold", BOLD, "giulia")
        saved = backend.workspace.log.last
        await launching.put("bold", BOLD, "giulia")
        assert backend.workspace.log.last == saved, "the same again is no change"
        assert launching.view("bold").policy == Policy(
            "bold",
            "Tries less",
            ("web_home",),
            explore=0.5,
            minimum=20,
            guards=launching.view("bold").policy.guards,
        )

    play(_shop(tmp_path / "shop", work, CATALOGUE))


def test_where_all_is_drawn_evenly_a_shadow_keeps_scores_and_is_judged_by_them(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> Any:
        await backend.launching.put("bold", BOLD, "giulia")
        await _visits(backend, tell, range(60))
        await _later(backend)
        blind = (await backend.launching.judge("bold"))[0]
        await backend.launching.move("bold", "shadow", "giulia")
        seen = await _visits(backend, tell, range(PEOPLE))
        await _later(backend)
        return blind, (await backend.launching.judge("bold"))[0], seen

    async def even() -> Any:
        path = tmp_path / "shop"
        async with running(path, now=NOW):
            pass
        (path / "patron.toml").write_text('[decide]\nholdout = 0.0\npolicy = "uniform"\n', "utf-8")
        async with running(path, now=NOW) as backend:
            from tests.flow.inprocess import source

            await source(backend, "web")
            await backend.set_catalogue(CATALOGUE)
            return await work(backend, Teller(backend))

    blind, told, seen = play(even())
    assert (blind.verdict, "hold no scores" in blind.reason) == ("refused", True)
    assert told.verdict == "accepted", told.reason
    assert set(seen) == {"uniform-1"}
