"""Households: people who last told the same home, live and in the lake."""

from pathlib import Path
from typing import Any

import pytest

from patron.model.access import ApiKey
from patron.model.errors import BadRequest, NotFound
from patron.profiles.public import iso
from patron.runtime.backend import LocalBackend
from patron.runtime.segments import rounds
from tests.flow.inprocess import play, running, send, source
from tests.flow.test_above_cap import define
from tests.flow.test_from_lake import CURIOUS, DAY, KEY, MINUTE, NOW, members, person_id, saw


def _lives(who: str, street: str, at: int) -> dict[str, Any]:
    home = {"street": street, "postal_code": "40121", "city": "Bologna"}
    return {
        "type": "identify", "userId": who, "messageId": f"{who}-{street}", "timestamp": iso(NOW - DAY + at),
        "traits": {"last_name": "Rossi", "address": home},
    }  # fmt: skip


def _household(backend: LocalBackend, who: str, key: ApiKey = KEY) -> str | None:
    found: str | None = backend.resource(f"user_id:{who}", "metadata", key)["household"]
    return found


async def _homes(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "web")
        rule = {**CURIOUS, "value": 3}
        await define(backend, "Segment", "homes", rule=rule, subject="household")
        seen = [
            saw("anna", "a"),
            saw("anna", "b"),
            saw("bea", "c"),
            *(saw("carl", path) for path in "abc"),
        ]
        lived = [
            _lives("anna", "Via Roma, 1", 0),
            _lives("bea", "via roma 1", 0),
            _lives("carl", "Via Roma 2", 0),
        ]
        await send(backend, "web", [*seen, *lived])
        together, alone = _household(backend, "anna"), _household(backend, "carl")
        assert together == _household(backend, "bea") != alone
        assert (
            _household(backend, "anna", ApiKey("some", "", "", ("profiles:read",), fields=("city",))) is None
        )
        assert await members(backend, "homes") == sorted([[str(together)], [str(alone)]])
        told = await backend.rules.explain("homes", f"household:{together}", None)
        assert told["member"] is True
        assert told["rule"]["value"] == 3, told["rule"]
        assert told["sentence"].startswith("Households whose"), told["sentence"]
        with pytest.raises(BadRequest, match="write household:ID"):
            await backend.rules.explain("homes", "user_id:anna", None)
        await send(backend, "web", [_lives("bea", "Via Milano 9", 1), _lives("bea", "Via Roma 1 ", -1)])
        assert _household(backend, "bea") not in (together, alone, None), (
            "by when it was said, not by when it came"
        )
        await backend.step_clock(NOW + 5 * MINUTE)
        await backend.app.rounds.look()
        assert await members(backend, "homes") == [[str(alone)]]
        await backend.erase(person_id(backend, "carl"), "test")
        with pytest.raises(NotFound, match="nobody belongs"):
            await backend.rules.explain("homes", f"household:{alone}", None)
        await backend.step_clock(NOW + 10 * MINUTE)
        await backend.app.rounds.look()
        assert await members(backend, "homes") == []


def test_households_are_people_who_last_told_the_same_home(tmp_path: Path) -> None:
    play(_homes(tmp_path / "shop"))


def _same_home(who: str, household: str) -> dict[str, Any]:
    traits = {"household_id": household}
    return {"type": "identify", "userId": who, "messageId": f"{who}-home", "traits": traits}


async def _mentioned(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "web")
        await define(backend, "Segment", "homes", rule={**CURIOUS, "value": 1}, subject="household")
        for who, head in (("anna", "dora"), ("bea", "emil")):
            mail = f"{head}@mail.example"
            heads = {"type": "identify", "userId": head, "messageId": head, "traits": {"email": mail}}
            await send(backend, "web", [heads, _same_home(who, mail), saw(who, "a")])
        live = {str(_household(backend, who)) for who in ("anna", "bea")}
        assert await members(backend, "homes") == [[one] for one in sorted(live)]
        for head in ("dora", "emil"):
            await backend.erase(person_id(backend, head), "test")
        assert [_household(backend, who) for who in ("anna", "bea")] == [None, None], (
            "strangers to each other"
        )
        await backend.app.rounds.look()
        assert await members(backend, "homes") == [], "and the lake has forgotten what named them"


def test_what_erasure_leaves_of_a_home_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "WATCH", 3_600.0)
    play(_mentioned(tmp_path / "shop"))


async def _in_context(path: Path) -> None:
    async with running(path) as backend:
        await source(backend, "web")
        await define(backend, "Segment", "homes", rule={**CURIOUS, "value": 1}, subject="household")
        told = {**saw("anna", "a"), "context": {"traits": {"household_id": "h1"}}}
        await send(backend, "web", [told])
        assert await members(backend, "homes") == [[str(_household(backend, "anna"))]]


def test_a_home_told_beside_an_event_counts_everywhere(tmp_path: Path) -> None:
    play(_in_context(tmp_path / "shop"))
