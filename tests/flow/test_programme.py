"""What deciding changed in all, asked for by many at once while events go on."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from patron.cli.policy import _effect
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions import programme
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

DAY = 86_400_000
PEOPLE = 200


def _order(n: int, name: str, units: float, currency: str = "EUR") -> dict[str, Any]:
    bought = {"order_id": name, "revenue": units, "currency": currency}
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u{n}",
        "messageId": name,
        "properties": bought,
    }


async def _decided(backend: LocalBackend) -> dict[int, str]:
    """Everybody asks; the arm of each."""
    asks = (Ask("web_home", user_id=f"u{n}") for n in range(PEOPLE))
    made = await asyncio.gather(
        *(backend.decide(ask, trusted=True, source=None, user_hash="") for ask in asks)
    )
    return {n: one["group"] for n, one in enumerate(made)}


async def _open(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "till")
    (path / FILE).write_text('[workspace]\nzone = "Europe/Rome"\n[decide]\nholdout = 0.5\n', "utf-8")


async def _bought(path: Path) -> dict[str, Any]:
    await _open(path)
    async with running(path) as backend:
        before = [_order(n, f"before-{n}", 10.0 + n) for n in range(PEOPLE)]
        await send(backend, "till", before)
        await backend.step_clock(backend.workspace.clock.now() + DAY)
        arms = await _decided(backend)
        early = await backend.effect()
        await backend.step_clock(backend.workspace.clock.now() + 2 * DAY)
        soon = [
            _order(n, f"soon-{n}", 20.0 + 2 * n + n * 5 % 17 + 30.0 * (arms[n] == "treated"))
            for n in range(PEOPLE)
        ]
        await send(backend, "till", soon)
        abroad = [_order(n, f"abroad-{n}", 999.0, "CHF") for n in range(5)]
        await send(backend, "till", abroad)
        back = {**_order(0, "soon-0", 20.0), "event": "Order Refunded", "messageId": "back"}
        await send(backend, "till", [back])
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        late = [
            _order(n, f"late-{n}", 50.0 + n * 7 % 13 - 20.0 * (arms[n] == "treated")) for n in range(PEOPLE)
        ]
        await send(backend, "till", late)
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        return {"arms": arms, "early": early, "found": await backend.effect()}


def test_revenue_since_the_first_decision_is_compared_and_by_purchase_cycle(tmp_path: Path) -> None:
    seen = play(_bought(tmp_path / "shop"))
    early, found = seen["early"], seen["found"]
    told = _effect(msgspec.to_builtins(found))
    assert "held out" in told
    assert "revenue in purchase cycle 2: days 8 to 14" in told
    assert "ordered within the window of each: 100.0%, 100.0% held out" in told
    assert early.spent is None, "nobody's window has ended"
    assert early.sentence.startswith("Too early")
    assert found.shown + found.held_out == PEOPLE
    assert found.spent.currency == "EUR", "that of most orders"
    assert 260.0 < found.spent.control < 310.0, "nothing of what they spent before, about 110"
    more = found.spent.treated - found.spent.control
    assert 6.0 < more < 14.0, "30 more soon, 20 less later, what they spent before taken into account"
    assert found.spent.lift.low < more / found.spent.control < found.spent.lift.high
    assert found.judged_by == "revenue", "somebody has bought"
    assert (found.value, found.low, found.high) == tuple(msgspec.structs.astuple(found.spent.lift))
    assert found.treated_rate == found.control_rate == 1.0, "everybody ordered soon"
    assert found.bought is None, "so nothing varies"
    assert found.cycle_days == 7, "3 and 8 days between two: the shortest that counts"
    first, second = found.cycles[:2]
    assert first.people == second.people == PEOPLE
    assert first.lift.low > 0.05, "the first cycle gains"
    assert second.lift.high < 0.0, "what the second takes back in part"


async def _asked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await _open(path)
    async with running(path) as backend:
        await send(backend, "till", [_order(n, f"o-{n}", 5.0) for n in range(PEOPLE)])
        await _decided(backend)
        runs = 0
        real = programme.effect_of

        async def slow(*given: Any) -> Any:
            nonlocal runs
            runs += 1
            await asyncio.sleep(0.3)
            return await real(*given)

        monkeypatch.setattr(programme, "effect_of", slow)
        assert await backend.effect(within=0.01) is programme.NOT_YET
        told = await asyncio.gather(*(backend.effect() for _ in range(5)))
        assert runs == 1, "worked out once for all who ask"
        assert all(one is told[0] for one in told)
        assert await backend.effect() is told[0], "it stands for a while"
        await backend.step_clock(backend.workspace.clock.now() + 8 * DAY)
        assert await backend.effect(within=0.2) is told[0], (
            "what was known, rather than waiting as it took longer before"
        )
        assert (await backend.effect()).shown > 0
        assert runs == 2

        async def broken(*_: Any) -> Any:
            raise ZeroDivisionError("a fault")

        monkeypatch.setattr(programme, "effect_of", broken)
        await backend.step_clock(backend.workspace.clock.now() + 80 * DAY)
        with pytest.raises(ZeroDivisionError):
            await backend.effect()
        monkeypatch.setattr(programme, "effect_of", real)
        assert (await backend.effect()).shown > 0, "the next question works it out again"


def test_it_is_worked_out_once_for_all_who_ask_and_nobody_waits_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(_asked(tmp_path / "shop", monkeypatch))
