"""Snapshots of profiles in the lake: whoever changed once in an interval, as the API tells them, also over crashes and erasures."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from patron.model.access import ApiKey
from patron.model.lake import PROFILES
from patron.runtime.backend import LocalBackend
from patron.runtime.lake import profiles
from patron.storage.lake.schema import SCHEMAS
from tests.flow.inprocess import play, running, send, source
from tests.flow.scanner import scan

NOW = 1_800_000_000_000
DAY = 86_400_000
KEY = ApiKey("all", "", "", ("admin",))
ALL = "SELECT person, count(*) AS n FROM profiles GROUP BY ALL ORDER BY n DESC, person"
ONCE = "SELECT count(*), count(DISTINCT (person, day)) FROM profiles"


@pytest.fixture(autouse=True)
def rounds_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds begin when the test says so."""
    monkeypatch.setattr(profiles, "LOOK", 1e6)


def seen(who: str, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        **({"userId": who} if who else {}),
        "messageId": f"{who}-{number}",
        **fields,
    }


async def ask(backend: LocalBackend, sql: str) -> list[list[Any]]:
    _, content = await backend.lake_query(sql)
    found: list[list[Any]] = json.loads(content)
    return found


async def day(backend: LocalBackend, number: int) -> int:
    """Let it be another day, and take its round."""
    await backend.step_clock(NOW + number * DAY)
    assert backend.profiles.is_due()
    told = await backend.profiles.round()
    assert not backend.profiles.is_due()
    return told


async def ready(backend: LocalBackend) -> Any:
    jobs = backend.app.start_jobs()
    await jobs.flush()
    return jobs


def person(backend: LocalBackend, who: str) -> str:
    found: str = backend.resource(who, "profile", KEY)["id"]
    return found


def test_who_changed_has_a_row_of_the_day_that_says_what_the_api_says(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            rule = {"kind": "did", "event": "Product Viewed", "op": ">=", "value": 2}
            data = {
                "id": "keen",
                "version": 1,
                "by": "t",
                "definition": {"id": "keen", "name": "K", "rule": rule},
            }
            await backend.app.record("Segment Saved", data)
            order = {"order_id": "o1", "revenue": 12.5, "currency": "EUR"}
            await send(backend, "web", [
                seen("anna", 1, context={"traits": {"city": "Bari"}}), seen("anna", 2),
                seen("anna", 3, event="Order Completed", properties=order), seen("bo", 1),
                seen("bo", 2, event="Consent Changed", properties={"purpose": "ads", "granted": False}),
            ])  # fmt: skip
            await ready(backend)
            while backend.workspace.segments.waiting:
                await asyncio.sleep(0.01)
            assert await day(backend, 0) == 2
            rows = await ask(
                backend,
                "SELECT person, epoch_ms(taken), CAST(day AS VARCHAR), position, len(nodes), events, orders, segments, "
                "epoch_ms(first_seen), profile FROM profiles ORDER BY orders DESC",
            )
            anna, bo = rows
            assert anna[:3] == [person(backend, "user_id:anna"), NOW, "2027-01-15"]
            assert anna[3] == backend.workspace.applied
            nodes = len(backend.resource("user_id:anna", "profile", KEY)["identifiers"])
            assert anna[4:8] == [nodes, 3, 1, ["keen"]]
            assert (bo[5:8], bo[8]) == ([2, 0, []], backend.workspace.nodes.get("user_id:bo").first)  # type: ignore[union-attr]
            for who, row in (("anna", anna), ("bo", bo)):
                assert json.loads(row[9]) == json.loads(
                    json.dumps(backend.resource(f"user_id:{who}", "profile", KEY))
                )
            assert await ask(backend, "SELECT profile->>'$.traits.city' FROM profiles WHERE orders = 1") == [
                ["Bari"]
            ]

            # only who changed since, and nobody twice a day
            await send(backend, "web", [seen("bo", 3)])
            assert await backend.profiles.round() == 0, "bo has a row of this day"
            await send(backend, "web", [seen("carl", 1)])
            assert await day(backend, 1) == 2, "what came after the round of the day before is told of now"
            assert await day(backend, 2) == 0
            await send(backend, "web", [seen("bo", 4)])
            assert await day(backend, 3) == 1
            assert [n for _, n in await ask(backend, ALL)] == [3, 1, 1]
            assert await ask(backend, ONCE) == [[5, 5]]

    play(play_all())


def test_who_was_joined_or_split_later_is_found_by_their_nodes(tmp_path: Path) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await send(
                backend,
                "web",
                [seen("anna", 1), seen("", 1, anonymousId="bo"), seen("carl", 1, anonymousId="x")],
            )
            await ready(backend)
            await day(backend, 0)
            before = {name for name, _ in await ask(backend, ALL)}
            await backend.merge("user_id:anna", "anonymous_id:bo", "t")
            await backend.split("user_id:carl", ["anonymous_id:x"], "", 0, "t")
            told = await day(backend, 1)
            assert told == 3, "the joined, and both parts of the split"
            today = (
                "SELECT DISTINCT o.person AS now, p.person, p.day FROM (SELECT *, unnest(nodes) AS node FROM profiles) p "
                "JOIN people_now o USING (node) ORDER BY ALL"
            )
            rows = await ask(backend, today)
            joined = person(backend, "user_id:anna")
            assert joined == person(backend, "anonymous_id:bo")
            first, second = sorted({row[2] for row in rows})
            assert len([r for r in rows if r[0] == joined and r[2] == first]) == 2, "both as they were"
            assert len([r for r in rows if r[0] == joined and r[2] == second]) == 1
            parts = {person(backend, "user_id:carl"), person(backend, "anonymous_id:x")}
            assert len(parts) == 2
            assert len([r for r in rows if r[0] in parts and r[2] == first]) == 2, (
                "one row, of two people today"
            )
            assert len([r for r in rows if r[0] in parts and r[2] == second]) >= 2
            assert {r[1] for r in rows if r[2] == first} == before

    play(play_all())


@pytest.mark.slow
@pytest.mark.parametrize("point", ["lake_in_round:2", "lake_before_round:1", "lake_after_round:1"])
def test_a_round_that_dies_is_taken_again_and_nobody_is_told_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await send(backend, "web", [seen(f"u{n}", 1) for n in range(250)])
            monkeypatch.setenv("PATRON_JOBS_CRASH_AT", point)
            jobs = await ready(backend)
            monkeypatch.delenv("PATRON_JOBS_CRASH_AT")
            while not jobs.deaths or backend.profiles.is_due() or not jobs.running:
                await asyncio.sleep(0.05)
            assert jobs.deaths == 1
            assert await ask(backend, ONCE) == [[250, 250]]
            await send(backend, "web", [seen("u7", 2)])
            await jobs.flush()
            await backend.step_clock(NOW + DAY)
            while backend.profiles.is_due():
                await asyncio.sleep(0.05)
            assert await ask(backend, ONCE) == [[251, 251]]

    monkeypatch.setattr(profiles, "LOOK", 0.05)
    monkeypatch.setattr(profiles, "REST", 0.05)
    monkeypatch.setenv("PATRON_LAKE_FLUSH_EVENTS", "60")
    play(play_all())


async def _erased(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found: dict[str, Any] = {}
    async with running(folder, now=NOW) as backend:
        await source(backend, "web")
        mail = {"email": "anna.rossi@mail.example"}
        await send(backend, "web", [
            seen("anna-77", 1, context={"traits": mail}), seen("", 1, anonymousId="b7"),
            *(seen(f"u{n}", 1) for n in range(250)),
        ])  # fmt: skip
        jobs = await ready(backend)
        await backend.merge("user_id:anna-77", "anonymous_id:b7", "t")
        await day(backend, 0)
        both = "SELECT count(*) FROM profiles WHERE contains(profile, '\"anna-77\"') AND contains(profile, '\"b7\"')"
        found["one"] = await ask(backend, both)
        await backend.split("user_id:anna-77", ["anonymous_id:b7"], "", 0, "t")
        await send(backend, "web", [seen(f"u{n}", 2) for n in range(250)])
        await jobs.flush()
        found["before"] = scan(folder / "lake" / "profiles", ["anna-77", "anna.rossi@mail.example"])
        # the erasure comes while a round has told of some, and has read others
        real, gate, read = backend.profiles._read, asyncio.Event(), asyncio.Event()

        async def slow(ids: list[str]) -> Any:
            rows = await real(ids)
            if any("anna-77" in row[-1] for row in rows):
                read.set()
                await gate.wait()
            return rows

        monkeypatch.setattr(backend.profiles, "_read", slow)
        await backend.step_clock(NOW + DAY)
        rounds = asyncio.ensure_future(backend.profiles.round())
        await read.wait()
        erasing = asyncio.ensure_future(backend.erase("user_id:anna-77", "t"))
        while not jobs.held:
            await asyncio.sleep(0.005)
        gate.set()
        receipt = await erasing
        found["told"] = await rounds
        found["stores"] = {name: count for name, count, _ in receipt.stores}
        found["left"] = scan(folder, ["anna-77", "anna.rossi@mail.example"])
        found["days"] = await ask(
            backend, "SELECT CAST(day AS VARCHAR), count(*) FROM profiles GROUP BY ALL ORDER BY ALL"
        )
        found["b7"] = await ask(backend, "SELECT count(*) FROM profiles WHERE contains(profile, '\"b7\"')")
    return found


def test_an_erasure_reaches_snapshots_also_those_of_a_round_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = play(_erased(tmp_path / "shop", monkeypatch))
    assert found["one"] == [[1]], "they were one person on the first day"
    assert found["before"]
    assert found["left"] == []
    assert found["days"] == [["2027-01-15", 250], ["2027-01-16", 251]], "nobody else lost a row"
    assert found["b7"] == [[1]], (
        "of the first day, the row of both is gone; of the second, the other's is there"
    )


@pytest.mark.slow
def test_a_killed_process_does_not_take_a_round_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told to a process that is gone is not told on to the next: that begins a round of its own."""

    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await send(backend, "web", [seen(f"u{n}", 1) for n in range(150)])
            jobs = await ready(backend)
            ids = await jobs.ask("begin_round", NOW, DAY)
            rows = await backend.profiles._told(ids)
            os.kill(jobs.pid, signal.SIGKILL)
            while not jobs.deaths or not jobs.running:
                await asyncio.sleep(0.05)
            with pytest.raises(profiles.PatronError, match="no round"):
                await jobs.ask("take_snapshots", rows)
            assert await ask(backend, ONCE) == [[0, 0]]
            assert await backend.profiles.round() == 150
            assert await ask(backend, ONCE) == [[150, 150]]

    play(play_all())


def test_a_lake_from_before_gets_the_columns_that_came_since(tmp_path: Path) -> None:
    async def play_all() -> None:
        folder = tmp_path / "shop"
        async with running(folder, now=NOW) as backend:
            await source(backend, "web")
            await send(backend, "web", [seen("anna", 1)])
        old = SCHEMAS["profiles"]
        kept = [old.field(name) for name in ("person", "taken", "position", "nodes", "profile")]
        DeltaTable.create(str(folder / "lake" / "profiles"), pa.schema(kept))
        async with running(folder, now=NOW) as backend:
            await ready(backend)
            assert await day(backend, 0) == 1
            assert await ask(backend, "SELECT events, CAST(day AS VARCHAR) FROM profiles") == [
                [1, "2027-01-15"]
            ]
        assert [field.name for field in DeltaTable(str(folder / "lake" / "profiles")).schema().fields][
            -1
        ] in PROFILES

    play(play_all())


def test_a_round_leaves_the_loop_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await send(backend, "web", [seen(f"u{n}", 1) for n in range(300)])
            await ready(backend)
            spent = list[float]()
            real = backend.profiles._row
            monkeypatch.setattr(profiles, "TURN", 0.0)

            def timed(one: Any) -> Any:
                began = time.thread_time()
                row = real(one)
                spent.append(time.thread_time() - began)
                return row

            monkeypatch.setattr(backend.profiles, "_row", timed)
            turns, rounds = 0, asyncio.ensure_future(backend.profiles.round())
            while not rounds.done():
                turns += len(spent) > 0
                await asyncio.sleep(0)
            assert await rounds == 300
            assert turns >= 300, "a turn of the loop ends after each person when it is used up"
            print(f"{1e6 * sum(spent) / len(spent):.0f} us a person, at most {1e6 * max(spent):.0f}")

    play(play_all())


def test_no_snapshots_where_none_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATRON_LAKE_PROFILE_SECONDS", "0")

    async def play_all() -> None:
        async with running(tmp_path / "shop", now=NOW) as backend:
            await source(backend, "web")
            await send(backend, "web", [seen("anna", 1)])
            await ready(backend)
            assert not backend.profiles.is_due()

    play(play_all())
