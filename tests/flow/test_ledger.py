"""One ledger over all touchpoints: what is reserved, shown, used, merged, erased and replayed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from patron.decide.grants import RESERVED
from patron.model.clock import DAY, HOUR, MINUTE
from patron.model.errors import BadRequest
from patron.model.offers import Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source

NOON = 1_800_014_400_000  # 15 January 2027, 12:00 UTC: one in the afternoon in Rome
CATALOGUE = """
[[placement]]
id = "web_home"
name = "Web home"
channel = "web"

[[placement]]
id = "push"
name = "Push"
channel = "app"
outbound = true

[[placement]]
id = "till"
name = "Till"
channel = "pos"
slots = 3

[[offer]]
id = "coupon"
name = "Coupon"
stock = 3
content = {code = "TEN"}

[quiet]
start = "21:00"
end = "08:00"
"""


def _share(path: Path) -> None:
    (path / FILE).write_text('[business]\ntimezone = "Europe/Rome"\n[decide]\nholdout = 0.0\n', "utf-8")


async def _open(path: Path) -> None:
    async with running(path, now=NOON):
        pass
    _share(path)


async def _ask(backend: LocalBackend, user: str, placement: str = "web_home", **more: Any) -> Any:
    ask = Ask(placement, user_id=user, channel="", **more)
    return await backend.decide(ask, trusted=True, source=None, user_hash="")


async def _tell(backend: LocalBackend, name: str, user: str, number: int, **told: Any) -> None:
    event = {"type": "track", "event": name, "messageId": f"m-{number}", "userId": user, "properties": told}
    await send(backend, "web", [event])


async def _given(backend: LocalBackend, users: range, placement: str = "web_home") -> list[Any]:
    made = await asyncio.gather(*(_ask(backend, f"u{n}", placement) for n in users))
    return [one for one in made if one["action"] == "coupon"]


def test_the_last_coupon_is_given_once_and_comes_back_when_it_is_not_shown(tmp_path: Path) -> None:
    async def told(path: Path) -> None:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await source(backend, "web")
            await backend.set_catalogue(CATALOGUE)
            first = await _given(backend, range(60))
            assert len(first) == 3
            assert not await _given(backend, range(60, 90))
            shown = first[0]["decisionId"]
            who = backend.workspace.decisions.get(shown).node.partition(":")[2]
            await _tell(backend, "Offer Shown", who, 1, decision_id=shown)
            await backend.step_clock(NOON + RESERVED)
            assert len(await _given(backend, range(100, 160))) == 2
        async with running(path, now=NOON) as backend:
            assert not await _given(backend, range(200, 230)), "also after a start"
            stock = dict(backend.workspace.state.table("stocks").items())["coupon"]
            assert (stock.given, len(stock.open)) == (1, 2)
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]

    play(told(tmp_path / "shop"))


def test_who_is_erased_takes_no_coupon_back(tmp_path: Path) -> None:
    """One was shown to her, one is reserved for another who is erased as well: both stay given, also in a replay."""

    async def told(path: Path) -> None:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await source(backend, "web")
            everybody = [{"type": "identify", "userId": f"u{n}", "messageId": f"i-{n}"} for n in range(60)]
            await send(backend, "web", everybody)
            await backend.set_catalogue(CATALOGUE)
            made = await _given(backend, range(60))
            names = [one["decisionId"] for one in made]
            whose = [backend.workspace.decisions.get(name).node for name in names]
            await _tell(backend, "Offer Shown", whose[0].partition(":")[2], 1, decision_id=names[0])
            await asyncio.gather(*(backend.erase(who, "tester") for who in whose[:2]))
            await backend.step_clock(NOON + RESERVED)
            assert len(await _given(backend, range(100, 160))) == 1, "only what nobody took is free"
            stock = dict(backend.workspace.state.table("stocks").items())["coupon"]
            assert (stock.given, len(stock.open), stock.noted) == (2, 1, {})
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]

    play(told(tmp_path / "shop"))


def test_why_not_names_the_gate_and_the_reason(tmp_path: Path) -> None:
    async def told(path: Path) -> list[str]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await backend.set_catalogue(CATALOGUE.replace("stock = 3", "stock = 0"))
            made = await _ask(backend, "u1")
            view = backend.decision(made["decisionId"])
            return [f"{drop.gate}: {drop.reason}" for drop in view.decision.dropped]

    assert play(told(tmp_path / "shop")) == ["sold_out: All 0 are given"]


def test_used_at_the_till_it_is_closed_everywhere(tmp_path: Path) -> None:
    async def told(path: Path) -> tuple[list[str], list[str]]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await source(backend, "web")
            await backend.set_catalogue(CATALOGUE.replace("stock = 3", ""))
            order = {"order_id": "o-1", "revenue": 9, "currency": "EUR", "coupon": "ten"}
            before = [
                d.gate for d in backend.decision((await _ask(backend, "u1"))["decisionId"]).decision.dropped
            ]
            await _tell(backend, "Order Completed", "u1", 1, **order)
            after = backend.decision((await _ask(backend, "u1", "till"))["decisionId"]).decision
            return before, [f"{d.gate}: {d.reason}" for d in after.dropped]

    assert play(told(tmp_path / "shop")) == ([], ["held: Already used it"])


def test_quiet_hours_hold_where_somebody_is_sent_something(tmp_path: Path) -> None:
    async def told(path: Path) -> list[list[str]]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await backend.set_catalogue(CATALOGUE)
            await backend.step_clock(NOON + 8 * HOUR)
            asks = [("push", {}), ("web_home", {}), ("push", {"timezone": "America/New_York"})]
            made = [await _ask(backend, "u1", place, context=context) for place, context in asks]
            views = [backend.decision(one["decisionId"]).decision for one in made]
            return [[drop.gate for drop in view.dropped] for view in views]

    assert play(told(tmp_path / "shop")) == [["quiet"], [], []]


CAPPED = (
    "\n".join(f'[[offer]]\nid = "o{n}"\nname = "O {n}"\n' for n in range(40))
    + '[[cap]]\nid = "daily"\nlimit = 2\ndays = 1\n'
)


def test_a_cap_holds_over_two_questions_at_once_and_over_a_merge(tmp_path: Path) -> None:
    async def told(path: Path) -> tuple[int, int, int]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await source(backend, "web")
            await backend.set_catalogue(CAPPED)
            at_once = await asyncio.gather(*(_ask(backend, "u1") for _ in range(12)))
            given = sum(one["action"] != "nothing" for one in at_once)
            for name in ("a", "b"):
                await asyncio.gather(*(_ask(backend, name) for _ in range(4)))
            both = [
                {"type": "identify", "messageId": f"i{n}", "userId": n, "traits": {"email": "m@x.example"}}
                for n in "ab"
            ]
            await send(backend, "web", both)
            merged = [await _ask(backend, "b") for _ in range(4)]
            await backend.step_clock(NOON + 11 * HOUR)
            morrow = [await _ask(backend, "u1") for _ in range(12)]
            return (
                given,
                sum(one["action"] != "nothing" for one in merged),
                sum(one["action"] != "nothing" for one in morrow),
            )

    assert play(told(tmp_path / "shop")) == (2, 0, 2)


def test_an_open_complaint_stops_advertising_until_it_is_closed(tmp_path: Path) -> None:
    async def told(path: Path) -> list[list[str]]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await source(backend, "web")
            await backend.set_catalogue(CATALOGUE)
            seen = []
            for number, name in enumerate(("Page Viewed", "Complaint Opened", "Complaint Closed")):
                await _tell(backend, name, "u1", number)
                made = backend.decision((await _ask(backend, "u1"))["decisionId"]).decision
                seen.append([drop.gate for drop in made.dropped])
            return seen

    assert play(told(tmp_path / "shop")) == [[], ["complaint"], []]


def test_a_place_that_is_not_declared_is_refused_with_the_one_meant(tmp_path: Path) -> None:
    async def told(path: Path) -> None:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await backend.set_catalogue(CATALOGUE)
            with pytest.raises(BadRequest, match="did you mean `web_home`"):
                await _ask(backend, "u1", "web_hme")

    play(told(tmp_path / "shop"))


def test_a_slate_is_no_longer_than_asked_and_than_the_place_shows(tmp_path: Path) -> None:
    async def told(path: Path) -> list[int]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await backend.set_catalogue(CATALOGUE + CAPPED.replace("limit = 2", "limit = 500"))
            found = []
            for count, place in ((1, "till"), (2, "till"), (9, "till"), (9, "web_home")):
                slates = [(await _ask(backend, f"u{n}", place, count=count))["slate"] for n in range(8)]
                found.append(max(map(len, slates)))
            return found

    assert play(told(tmp_path / "shop")) == [0, 1, 2, 0]


def test_an_erased_person_leaves_the_ledger(tmp_path: Path) -> None:
    async def told(path: Path) -> None:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await source(backend, "web")
            await backend.set_catalogue(CAPPED)
            await _tell(backend, "Page Viewed", "u1", 1)
            await asyncio.gather(*(_ask(backend, "u1") for _ in range(4)))
            assert backend.workspace.grants.get("user_id:u1")
            await backend.erase("user_id:u1", "tester")
            assert backend.workspace.grants.get("user_id:u1") is None
            replay = await backend.verify_replay()
            assert replay["equal"], replay["differences"]

    play(told(tmp_path / "shop"))


def test_a_reservation_that_nobody_showed_counts_against_no_cap(tmp_path: Path) -> None:
    async def told(path: Path) -> tuple[int, int]:
        await _open(path)
        async with running(path, now=NOON) as backend:
            await backend.set_catalogue(CAPPED)
            first = [await _ask(backend, "u1") for _ in range(9)]
            await backend.step_clock(NOON + RESERVED + MINUTE)
            again = [await _ask(backend, "u1") for _ in range(9)]
            return tuple(sum(one["action"] != "nothing" for one in made) for made in (first, again))  # type: ignore[return-value]

    assert play(told(tmp_path / "shop")) == (2, 2)
    assert RESERVED < DAY
