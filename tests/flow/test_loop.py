"""The smallest loop, whole: an event in, one customer out, a decision back, its outcome credited; and replay adds none."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from patron.decide.rating import propensities
from patron.model.errors import Forbidden
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.breath import Breath
from patron.runtime.decisions.effect import effect_of
from tests.flow.inprocess import partition, play, rows, running, send, source

CATALOGUE = """
[[offer]]
id = "tea"
name = "Tea tasting"
because = "Bought {totals.orders} times"
content = {title = "Tea for {nobody}"}
conditions = [{field = "totals.orders", op = ">=", value = 1}]

[[offer]]
id = "open"
name = "Open to all"
"""
NOW = 1_800_000_000_000


def _order(number: int, user: str, revenue: float, time: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"order-{number}",
        "userId": user,
        "timestamp": time,
        "properties": {"order_id": f"o{number}", "revenue": revenue, "currency": "EUR"},
    }


def _chances(backend: LocalBackend, decision: str) -> dict[str, float]:
    """The chance of every choice, as the record says."""
    record = backend.decision(decision).decision
    assert record.rating is not None
    return dict(zip(record.eligible, propensities(record.rating).tolist(), strict=True))


async def _loop(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with running(folder, now=NOW) as backend:
        await source(backend, "shop", "web")
        await source(backend, "till", "pos", assurance="verified")
        await backend.set_catalogue(CATALOGUE)
        await send(backend, "shop", [_order(n, f"u{n}", 10, "2027-01-01T10:00:00Z") for n in range(40)])
        made = [
            await backend.decide(
                Ask("till", user_id=f"u{n}", channel="pos"), trusted=True, source=None, user_hash=""
            )
            for n in range(40)
        ]
        seen["made"] = made
        seen["chances"] = {m["decisionId"]: _chances(backend, m["decisionId"]) for m in made}
        await backend.step_clock(NOW + 3_600_000)
        later = "2027-01-15T09:00:00Z"
        await send(backend, "till", [_order(100 + n, f"u{n}", 5.25, later) for n in range(40)])
        shown = {
            "type": "track",
            "event": "Offer Shown",
            "messageId": "shown-1",
            "userId": "u1",
            "timestamp": later,
        }
        await send(backend, "till", [{**shown, "properties": {"decision_id": made[1]["decisionId"]}}])
        seen["credited"] = [backend.decision(m["decisionId"]).outcome for m in made]
        seen["effect"] = await effect_of(backend.workspace, Breath())
        seen["state"] = (
            partition(backend.workspace),
            rows(backend.workspace),
            len(backend.workspace.decisions),
            backend.workspace.log.last,
        )
        again = await backend.decide(Ask("till", user_id="u1"), trusted=True, source=None, user_hash="")
        seen["sticky"] = (made[1]["group"], again["group"])
        seen["last"] = backend.workspace.log.last
    return seen


def test_outcomes_in_any_channel_are_credited_and_held_out_people_get_nothing(tmp_path: Path) -> None:
    seen = play(_loop(tmp_path / "shop"))
    groups = {m["group"] for m in seen["made"]}
    assert groups == {"treated", "control"}
    for made in seen["made"]:
        if made["group"] == "control":
            assert made["action"] == "nothing"
            assert made["propensity"] == 1.0
        else:
            assert made["propensity"] == pytest.approx(seen["chances"][made["decisionId"]][made["action"]])
            assert made["action"] in {"tea", "open", "nothing"}
    assert all(o.revenue == {"EUR": 52_500} for o in seen["credited"])
    assert seen["credited"][1].shown is not None
    assert seen["effect"].verdict == "early"
    assert seen["effect"].shown + seen["effect"].held_out == 40
    assert seen["sticky"][0] == seen["sticky"][1]


async def _again(folder: Path) -> tuple[Any, int]:
    async with running(folder, now=NOW) as backend:
        workspace = backend.workspace
        return (partition(workspace), rows(workspace), len(workspace.decisions)), workspace.log.last


@pytest.mark.parametrize("lost", ["nothing", "state.db"])
def test_a_replay_adds_no_decision_and_gives_equal_profiles(tmp_path: Path, lost: str) -> None:
    folder = tmp_path / "shop"
    seen = play(_loop(folder))
    if lost == "state.db":
        for name in ("state.db", "state.db-wal", "state.db-shm"):
            (folder / name).unlink(missing_ok=True)
    (people, bytes_, decisions), last = play(_again(folder))
    assert (people, bytes_) == seen["state"][:2]
    assert decisions == seen["state"][2] + 1  # the one asked for stickiness
    assert last == seen["last"]


async def _victim(folder: Path) -> None:
    async with running(folder, now=NOW) as backend:
        await source(backend, "shop", "web")
        await source(backend, "till", "pos", assurance="verified")
        await backend.set_catalogue(CATALOGUE)
        victim = {"email": "victim@mail.example"}
        await send(
            backend,
            "till",
            [{**_order(1, "victim", 99, "2027-01-01T10:00:00Z"), "context": {"traits": victim}}],
        )
        claim = {
            "type": "identify",
            "messageId": "m1",
            "anonymousId": "attacker",
            "traits": victim,
            "timestamp": "2027-01-02T10:00:00Z",
        }
        await send(backend, "shop", [claim])
        public = backend.workspace.sources.get("shop")
        for ask in (
            Ask("web_home", anonymous_id="attacker"),
            Ask("web_home", user_id="victim", anonymous_id="attacker"),
            Ask(
                "web_home",
                anonymous_id="attacker",
                context={"externalIds": [{"type": "email", "id": "victim@mail.example"}]},
            ),
        ):
            for _ in range(12):
                got = await backend.decide(ask, trusted=False, source=public, user_hash="")
                assert got["action"] in {"open", "nothing"}
                assert "tea" not in got["eligible"]
                assert "Bought" not in " ".join(got["reasons"])
        assert backend.api_key("wk_anything") is None
        for proof in ("", "00"):
            with pytest.raises(Forbidden):
                await backend.decide(
                    Ask("web_home", user_id="victim"), trusted=False, source=public, user_hash=proof
                )
        assert public is not None
        proof = hmac.new(public.secret.encode(), b"victim", hashlib.sha256).hexdigest()
        got = await backend.decide(
            Ask("web_home", user_id="victim"), trusted=False, source=public, user_hash=proof
        )
        assert "tea" in got["eligible"]


def test_a_public_key_that_claims_a_victims_email_gets_no_personal_content(tmp_path: Path) -> None:
    play(_victim(tmp_path / "shop"))
