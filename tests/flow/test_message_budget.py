"""A budget of messages over whole workspaces: people hear as often as was said, however they are asked; exact in replay, unlearned."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from patron.decide.pace import MONTH, Paced
from patron.model.clock import DAY, HOUR
from patron.model.offers import NOTHING, Ask
from patron.runtime.backend import LocalBackend
from patron.runtime.settings import FILE
from patron.storage.embedded import directory
from tests.flow.inprocess import play, running, send, source

NOW = 1_800_057_600_000
PEOPLE, DAYS = 60, 40
MAIL = """
[[placement]]
id = "mail"
name = "Mail"
channel = "email"
outbound = true
reward = "order"

[[placement]]
id = "wording"
name = "Wording"
channel = "email"
outbound = true
reward = "order"
fill = true

[[offer]]
id = "tea"
name = "Tea"
value = 20.0

[[offer]]
id = "mug"
name = "Mug"
value = 12.0

[scoring]
"""
BUDGET = MAIL + "messages_a_month = 6\n"


async def _shop(path: Path, work: Callable[[LocalBackend], Any], catalogue: str, holdout: float = 0.0) -> Any:
    async with running(path, now=NOW):
        pass
    (path / directory.SECRET_FILE).write_bytes(bytes(range(32)))
    (path / FILE).write_text(f"[decide]\nholdout = {holdout}\n", "utf-8")
    async with running(path, now=NOW) as backend:
        await source(backend, "web")
        await send(
            backend,
            "web",
            [{"type": "identify", "userId": f"u{n}", "messageId": f"m{n}"} for n in range(PEOPLE)],
        )
        await backend.set_catalogue(catalogue)
        return await work(backend)


async def _ask(backend: LocalBackend, person: int, placement: str = "mail") -> Any:
    return await backend.decide(
        Ask(placement, user_id=f"u{person}", channel=""), trusted=True, source=None, user_hash=""
    )


async def _live(backend: LocalBackend, every: int = 1, days: int = DAYS) -> list[int]:
    """Messages of each day, everybody asked about every so many days."""
    found = []
    for _ in range(0, days, every):
        made = await asyncio.gather(*(_ask(backend, n) for n in range(PEOPLE)))
        found.append(sum(one["action"] != NOTHING for one in made))
        await backend.step_clock(backend.workspace.clock.now() + every * DAY)
    return found


def _days(backend: LocalBackend) -> dict[str, Paced]:
    return dict(backend.workspace.state.table("paced").items())


def _view(backend: LocalBackend, placement: str = "mail") -> Any:
    return backend.policies.view(placement)


def test_people_hear_as_often_as_was_said_whether_asked_daily_or_less(tmp_path: Path) -> None:
    async def work(backend: LocalBackend) -> tuple[Any, ...]:
        daily = await _live(backend)
        told = (await _view(backend)).messages
        rarely = await _live(backend, every=2, days=60)
        return daily, told, rarely, (await _view(backend)).messages

    async def freely(backend: LocalBackend) -> list[int]:
        return await _live(backend)

    daily, told, rarely, later = play(_shop(tmp_path / "shop", work, BUDGET))
    free = play(_shop(tmp_path / "free", freely, MAIL))
    lately, wanted = sum(daily[-20:]), PEOPLE * 20 * 6 / 30
    assert abs(lately - wanted) < 4 * wanted**0.5
    assert sum(free[-20:]) > 2 * lately
    assert told.wanted == 6
    assert told.got == pytest.approx(sum(daily[-7:]) * 30 / (PEOPLE * 7)), "of the seven days before"
    assert told.price > 0
    wanted = PEOPLE * 30 * 6 / 30
    assert abs(sum(rarely[-15:]) - wanted) < 4 * wanted**0.5
    assert later.got == pytest.approx(sum(rarely[-3:]) * 30 / (PEOPLE * 6)), "three rounds, two days each"


def test_the_record_says_what_a_message_had_to_be_worth_and_replays(tmp_path: Path) -> None:
    folder = tmp_path / "shop"

    async def work(backend: LocalBackend) -> list[Any]:
        await _live(backend, days=12)
        made = [await _ask(backend, n) for n in range(PEOPLE)]
        return [backend.answers.find(one["decisionId"]) for one in made]

    async def again(ids: list[str]) -> tuple[Any, list[Any]]:
        async with running(folder, now=NOW) as backend:
            return await backend.verify_replay(), [backend.answers.find(one) for one in ids]

    made = play(_shop(folder, work, BUDGET))
    quiet = [one for one in made if one.action == NOTHING]
    assert quiet
    assert all("Today a message must be worth" in one.reasons[1] for one in quiet)
    replay, found = play(again([one.id for one in made]))
    assert replay["equal"], replay["differences"]
    assert [one.propensity for one in found] == [one.propensity for one in made]


def test_only_messages_to_people_who_get_any_count(tmp_path: Path) -> None:
    async def work(backend: LocalBackend) -> Any:
        for person in range(PEOPLE):
            await _ask(backend, person)
            await _ask(backend, person, "wording")
        groups = [
            backend.workspace.decisions.get(name).group for name, _ in backend.workspace.decisions.items()
        ]
        return _days(backend), groups.count("treated") // 2, (await _view(backend, "wording")).messages

    days, treated, wording = play(_shop(tmp_path / "shop", work, BUDGET, holdout=0.5))
    assert 10 < treated < 50
    assert [day.questions for day in days.values()] == [treated]
    assert wording is None


def test_a_question_speaks_for_the_time_since_the_one_before_over_all_identifiers(tmp_path: Path) -> None:
    async def asked(backend: LocalBackend, **who: str) -> int:
        before = sum(day.covered for day in _days(backend).values())
        ask = Ask("mail", channel="", **who)
        await backend.decide(ask, trusted=True, source=None, user_hash="")
        return sum(day.covered for day in _days(backend).values()) - before

    async def work(backend: LocalBackend) -> list[int]:
        async def later(ms: int) -> None:
            await backend.step_clock(backend.workspace.clock.now() + ms)

        await send(backend, "web", [{"type": "page", "anonymousId": "tablet", "messageId": "p"}])
        covered = [await asked(backend, user_id="u1")]
        await later(3 * HOUR)
        covered.append(await asked(backend, user_id="u1"))
        await later(2 * DAY)
        covered.append(await asked(backend, anonymous_id="tablet"))
        assert (await backend.merge("user_id:u1", "anonymous_id:tablet", "tester"))["joined"]
        await later(5)
        covered.append(await asked(backend, user_id="u1"))
        await later(50 * DAY)
        return [*covered, await asked(backend, anonymous_id="tablet")]

    assert play(_shop(tmp_path / "shop", work, BUDGET)) == [DAY, 3 * HOUR, DAY, 5, MONTH]


def test_who_is_erased_is_taken_out(tmp_path: Path) -> None:
    async def work(backend: LocalBackend) -> Any:
        await _live(backend, days=10)
        await backend.erase("user_id:u7", "dpo")
        rows = [row for _, row in backend.workspace.decisions.items()]
        return _days(backend), rows, await backend.verify_replay()

    days, rows, replay = play(_shop(tmp_path / "shop", work, BUDGET))
    assert sum(day.questions for day in days.values()) == len(rows) == 10 * (PEOPLE - 1)
    assert sum(day.sent for day in days.values()) == sum(row.action != NOTHING for row in rows)
    assert replay["equal"], replay["differences"]
