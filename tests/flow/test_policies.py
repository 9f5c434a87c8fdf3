"""Policies over a whole workspace: what was given, what followed, and what another policy would have earned."""

from pathlib import Path
from typing import Any

import pytest

from patron.model.clock import DAY, HOUR
from patron.model.errors import BadRequest, NotFound
from patron.model.offers import NOTHING
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions.policies import Change
from tests.flow.inprocess import play
from tests.flow.test_learning import NOW, Teller, _ask, _shop

CATALOGUE = """
[[placement]]
id = "web_home"
name = "Web home"
reward = "click"
window_hours = 1

[[offer]]
id = "tea"
name = "Tea"

[[offer]]
id = "mug"
name = "Mug"
"""
PEOPLE = 400


async def _clicked(backend: LocalBackend, tell: Teller) -> None:
    """Four of five click on tea, one of five on the mug."""
    for n in range(PEOPLE):
        made = await _ask(backend, f"u{n}", "web_home")
        if (made["action"] == "tea" and n % 5) or (made["action"] == "mug" and n % 5 == 0):
            await tell("Offer Clicked", userId=f"u{n}", decision_id=made["decisionId"])


def test_the_view_counts_what_was_given_and_what_followed(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> Any:
        await _clicked(backend, tell)
        return await backend.policies.view("web_home"), backend.policies.placements()

    view, placements = play(_shop(tmp_path / "shop", work, CATALOGUE))
    arms = {arm.action: arm for arm in view.arms}
    assert placements == ["web_home"]
    assert (view.decisions, view.held_out, view.closed) == (PEOPLE, 0, 0)
    assert sum(arm.decisions for arm in view.arms) == PEOPLE
    assert arms["tea"].rewarded == pytest.approx(0.8, abs=0.1)
    assert arms["tea"].share > arms["mug"].share
    assert NOTHING not in arms or arms[NOTHING].name == "Nothing shown"
    assert [day.decisions for day in view.days] == [PEOPLE]


def test_a_challenger_is_judged_or_refused_with_the_reason(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, tell: Teller) -> dict[str, Any]:
        await _clicked(backend, tell)
        found = {"early": await backend.policies.evaluate("uniform", "web_home")}
        await backend.step_clock(NOW + 2 * HOUR)
        for name, change in (
            ("greedy", None), ("without", Change(stop=("tea",))), ("capped", Change(at_most=1, hours=24)),
            ("formula", Change(formula="0 - propensity")),
        ):  # fmt: skip
            found[name] = await backend.policies.evaluate("greedy", "web_home", change)
        return found

    found = play(_shop(tmp_path / "shop", work, CATALOGUE))
    assert (found["early"].verdict, found["early"].decisions) == ("refused", 0), "no window is over"
    assert found["greedy"].verdict == "accepted", found["greedy"].reason
    given, told = found["greedy"].given, found["greedy"].headline.figure
    truth = (0.8 * given["tea"] + 0.2 * given.get("mug", 0.0)) / PEOPLE
    assert told.low - 0.05 < truth < told.high + 0.05, (
        "who clicks is no chance here, so the interval alone is not to be met"
    )
    assert given["tea"] > 0.5 * PEOPLE
    assert found["capped"].given == found["greedy"].given, "one decision each is below the cap"
    assert found["without"].given.get("tea", 0) == 0
    assert found["without"].effective < 0.5 * PEOPLE, "few got something else"
    assert found["formula"].given.get("tea", 0.0) < 0.5 * PEOPLE


def test_bad_questions_say_what_to_do(tmp_path: Path) -> None:
    async def work(backend: LocalBackend, _tell: Teller) -> None:
        with pytest.raises(NotFound, match="Nothing was ever decided at `nowhere`"):
            await backend.policies.view("nowhere")
        for challenger, change, said in (
            ("best", None, "is one of greedy, uniform"), ("greedy", Change(stop=("gone",)), "no offer `gone`"),
            ("greedy", Change(formula="1 +"), "this is no formula"),
        ):  # fmt: skip
            with pytest.raises(BadRequest, match=said):
                await backend.policies.evaluate(challenger, "web_home", change)
        await backend.step_clock(NOW + DAY)
        assert (await backend.policies.evaluate("greedy", "web_home")).verdict == "refused"

    play(_shop(tmp_path / "shop", work, CATALOGUE))
