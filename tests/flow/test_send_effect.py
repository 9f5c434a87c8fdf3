"""What a send changed: the arms of its own holdout, each person from the hour of their message on, once their days are over."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

from patron.model.clock import DAY, HOUR
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source
from tests.unit.serve.door import Door, door

NOON = 1_800_014_400_000  # 15 January 2027, 12:00 UTC
PEOPLE = 400
CATALOGUE = """
[[placement]]
id = "mail"
name = "Newsletter"
channel = "email"
outbound = true
explore = false
reward = "click"

[[offer]]
id = "tea"
name = "Tea"
value = 20.0
"""
SPRING = {"id": "spring", "name": "Spring", "placements": ["mail"], "holdout": 0.5}


def _order(user: str, number: int, time: int, **more: Any) -> dict[str, Any]:
    when = dt.datetime.fromtimestamp(time / 1000, dt.UTC).isoformat()
    told = {"order_id": f"o-{number}", "revenue": 30.0, "currency": "EUR", **more}
    return {"type": "track", "event": "Order Completed", "userId": user, "messageId": f"o-{number}", "timestamp": when, "properties": told}  # fmt: skip


async def _sent(at: Door, hours: tuple[int, int] = (0, 24)) -> list[tuple[str, str, int]]:
    """A send to everybody; user, arm and hour of all that it decided for."""
    await source(at.backend, "shop")
    await at.backend.set_catalogue(CATALOGUE)
    people = [
        {"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@mail.example"}, "messageId": f"i-{n}"}
        for n in range(PEOPLE)
    ]  # fmt: skip
    await send(at.backend, "shop", people)
    status, told = await at.ask("POST", "/v1/sends", {**SPRING, "hours": hours})
    assert status == 202, told
    while (await at.get("/v1/sends/spring"))["state"] == "running":
        await asyncio.sleep(0.01)
    found = []
    for _, name in at.backend.workspace.sent.made("spring"):
        row = at.backend.workspace.decisions.get(name)
        if row.group != "control":
            found.append((row.node.partition(":")[2], row.sent.arm, row.sent.due))
    return found


def test_both_arms_are_watched_for_the_same_days(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            made = await _sent(at)
            treated = [one for one in made if one[1] == "treated"]
            control = [one for one in made if one[1] == "control"]
            assert min(len(treated), len(control)) > PEOPLE // 4
            early = await at.get("/v1/sends/spring/effect")
            assert (early["waiting"], early["bought"]["shown"]) == (len(made), 0)
            await at.backend.step_clock(NOON + 9 * DAY)
            buyers = [*treated[: len(treated) // 2], *control[: len(control) // 4]]
            orders = [_order(user, n, due + HOUR) for n, (user, _, due) in enumerate(buyers)]
            orders.append(_order(control[-1][0], 9_001, control[-1][2] - HOUR))  # before it was due
            orders.append(_order(treated[-1][0], 9_002, treated[-1][2] + 8 * DAY))  # after its days
            orders.append(_order(treated[-2][0], 9_003, treated[-2][2] + HOUR, currency="USD"))
            await send(at.backend, "shop", orders)
            refund = {"type": "track", "event": "Order Refunded", "userId": buyers[0][0], "messageId": "r", "properties": {"order_id": "o-0"}}  # fmt: skip
            await send(at.backend, "shop", [refund])
            effect = await at.get("/v1/sends/spring/effect")
            bought, spent = effect["bought"], effect["spent"]
            n, m = len(treated), len(control)
            assert (bought["shown"], bought["held_out"], effect["waiting"]) == (n, m, 0)
            assert bought["treated_rate"] == (n // 2 - 1 + 1) / n
            assert bought["control_rate"] == (m // 4) / m
            assert (spent["currency"], spent["treated"]) == ("EUR", round(30 * (n // 2 - 1) / n, 4))
            assert spent["control"] == round(30 * (m // 4) / m, 4)
            assert spent["low"] < spent["treated"] - spent["control"] < spent["high"]
            assert spent["low"] > 0, "half of those who got it bought, a quarter of the others"

    play(story(_shop(tmp_path / "shop")))


def test_a_send_without_a_holdout_says_that_nothing_is_measured(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await at.backend.set_catalogue(CATALOGUE)
            await at.ask("POST", "/v1/sends", {**SPRING, "holdout": 0.0})
            effect = await at.get("/v1/sends/spring/effect")
            assert effect["bought"]["sentence"].startswith("Not measured: nobody is held out")
            assert (await at.ask("GET", "/v1/sends/none/effect"))[0] == 404

    play(story(_shop(tmp_path / "shop")))


def _shop(path: Path) -> Path:
    async def made() -> None:
        async with running(path, now=NOON):
            pass

    play(made())
    (path / FILE).write_text("[decide]\nholdout = 0.1\n", "utf-8")
    return path


def test_a_policy_is_judged_by_those_who_were_sent_something_once_their_days_are_over(tmp_path: Path) -> None:
    tries = {"id": "tries", "name": "Tries more", "placements": ["mail"], "explore": 2.0}

    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            due = [due for _, arm, due in await _sent(at, hours=(18, 24)) if arm == "treated"]
            assert min(due) >= NOON + 6 * HOUR
            await at.backend.launching.put("tries", tries, "giulia")
            await at.backend.step_clock(NOON + 7 * DAY + HOUR)
            for challenger in ("tries", "greedy"):
                early = await at.backend.policies.evaluate(challenger, "mail")
                assert early.sentence == (
                    "Refused: it is too early. A decision here is judged by what follows within 7 days, and that time is "
                    f"not over for any of {len(due)}."
                )
            await at.backend.step_clock(max(due) + 7 * DAY)
            for challenger in ("tries", "greedy"):
                assert (await at.backend.policies.evaluate(challenger, "mail")).decisions == len(due)

    play(story(tmp_path / "shop"))
