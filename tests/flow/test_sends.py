"""Sends of a running workspace: a dry run that foretells, one ledger with those who ask, what comes out, and what stays."""

import asyncio
import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from patron.model.clock import DAY, HOUR
from patron.model.offers import Ask
from patron.runtime.sends import sent
from patron.runtime.settings import FILE
from tests.flow.inprocess import play, running, send, source
from tests.unit.serve.door import Door, door

NOON = 1_800_014_400_000  # 15 January 2027, 12:00 UTC: one in the afternoon in Rome, nine in the evening in Tokyo
PEOPLE = 1_000
CATALOGUE = """
[[placement]]
id = "mail"
name = "Newsletter"
channel = "email"
outbound = true
explore = false
reward = "click"

[[placement]]
id = "text"
name = "Text message"
channel = "sms"
outbound = true
explore = false
reward = "click"

[[placement]]
id = "call"
name = "Call"
channel = "call_centre"
outbound = true
reward = "order"

[[placement]]
id = "web_home"
name = "Web home"
channel = "web"

[[offer]]
id = "coupon"
name = "Coupon"
value = 50.0
cost = 0.02
stock = 10
content = {title = "Ten off for {first_name}"}

[[offer]]
id = "tea"
name = "Tea"
value = 20.0
products = ["P1"]
content = {title = "Tea"}
variant = [{content = {title = "Tè"}, languages = ["it"]}]

[[cap]]
id = "daily"
limit = 1
days = 1
outbound = true

[quiet]
start = "21:00"
end = "08:00"
"""
SPRING = {"id": "spring", "name": "Spring", "placements": ["mail", "text"], "holdout": 0.2}


def _person(n: int) -> list[dict[str, Any]]:
    """Every tenth has no address, every tenth refused, every tenth lives in Tokyo, every tenth comes in the evening."""
    traits: dict[str, Any] = {"language": "it" if n % 2 else "en"}
    if n % 10 != 0:
        traits |= {"email": f"u{n}@mail.example"} if n % 3 else {"phone": f"+39333{n:07}"}
    if n % 10 == 2:
        traits["timezone"] = "Asia/Tokyo"
    found = [{"type": "identify", "userId": f"u{n}", "traits": traits, "messageId": f"i-{n}"}]
    if n % 10 == 1:
        found.append({"type": "track", "event": "Consent Changed", "userId": f"u{n}", "properties": {"purpose": "personalization", "granted": False}, "messageId": f"c-{n}"})  # fmt: skip
    if n % 10 == 3:
        evening = ("2027-01-12T18:10:00Z", "2027-01-13T18:20:00Z", "2027-01-14T18:30:00Z")
        found += [{"type": "page", "userId": f"u{n}", "timestamp": when, "messageId": f"p-{n}-{when}"} for when in evening]  # fmt: skip
    return found


async def _filled(at: Door, people: int = PEOPLE) -> None:
    await source(at.backend, "shop")
    await at.backend.set_catalogue(CATALOGUE)
    for first in range(0, people, 200):
        await send(
            at.backend, "shop", [one for n in range(first, min(people, first + 200)) for one in _person(n)]
        )


def _shop(path: Path, holdout: float = 0.1) -> Path:
    async def made() -> None:
        async with running(path, now=NOON):
            pass

    play(made())
    told = f'[business]\ntimezone = "Europe/Rome"\n[decide]\nholdout = {holdout}\n'
    (path / FILE).write_text(told, "utf-8")
    return path


async def _begin(at: Door, body: dict[str, Any]) -> dict[str, Any]:
    status, told = await at.ask("POST", "/v1/sends", body)
    assert status == 202, told
    while (told := await at.get(f"/v1/sends/{body['id']}"))["state"] == "running":
        await asyncio.sleep(0.01)
    return told


async def _dry(at: Door, body: dict[str, Any]) -> dict[str, Any]:
    status, told = await at.ask("POST", "/v1/sends/dry-run", body)
    assert status == 200, told
    return told


async def _rows(at: Door, name: str, **asked: Any) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        query = "&".join(f"{key}={value}" for key, value in {"limit": 90, "cursor": cursor, **asked}.items())
        page = await at.get(f"/v1/sends/{name}/decisions?{query}")
        found += page["data"]
        if page["cursor"] is None:
            return found
        cursor = page["cursor"]


def _why(report: dict[str, Any]) -> dict[str, int]:
    return {row["gate"]: row["people"] for row in report["why_not"]}


def test_a_dry_run_foretells_and_everybody_is_decided_for_once(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await _filled(at)
            workspace = at.backend.workspace
            before = (
                workspace.log.last,
                len(workspace.decisions),
                dict(workspace.given.stocks(at.backend.answers.index)),
            )
            foretold = await _dry(at, SPRING)
            assert before == (
                workspace.log.last,
                len(workspace.decisions),
                dict(workspace.given.stocks(at.backend.answers.index)),
            ), "a dry run leaves nothing behind"
            assert (await at.get("/v1/sends"))["data"] == []
            told = await _begin(at, SPRING)
            assert (told["looked"], told["unreachable"], told["decided"]) == (PEOPLE, 100, 900)
            report = await at.get("/v1/sends/spring/report")
            assert report == foretold

            rows = await _rows(at, "spring", everyone="true")
            assert len({row["person"] for row in rows}) == len({row["decision"] for row in rows}) == 900
            assert {what["id"]: what["people"] for what in report["what"]}["coupon"] == 10, (
                "no more than there are"
            )
            assert report["given"] == sum(what["people"] for what in report["what"])
            why = _why(report)
            assert why["address"] == 100
            assert why["consent"] > 50
            assert report["cost"] == 0.2
            assert report["expected"] > 0

            held = {row["person"] for row in rows if row["arm"] == "control"}
            assert 130 < len(held) < 230
            assert report["held_out"] == len(held)
            assert all(row["offer"] == "nothing" for row in rows if row["person"] in held)
            kept = [one for row in rows if row["arm"] == "control" and (one := workspace.decisions.get(row["decision"])).group == "treated"]  # fmt: skip
            assert {one.sent.would for one in kept} >= {"tea", "nothing"}, "what they would have got is kept"

            given = [row for row in rows if row["offer"] != "nothing"]
            assert all(8 <= row["hour"] < 21 and row["due"] >= "2027-01-15T12:00" for row in given)
            tokyo = [row for row in given if int(row["node"][9:]) % 10 == 2]
            assert {row["hour"] for row in tokyo} == {9}, "where it is late, in the morning of the next day"
            evening = [row for row in given if int(row["node"][9:]) % 10 == 3]
            assert {row["hour"] for row in evening} == {19}, "when they come by themselves"
            assert report["hours_known"] == len(evening)
            assert {row["variant"] for row in given if row["offer"] == "tea" and row["language"] == "it"} == {
                "0"
            }
            assert all(row["address"] and row["allowed"] for row in given)

            assert [row["decision"] for row in await _rows(at, "spring")] == [
                row["decision"] for row in given
            ]
            shown = await at.get(f"/v1/decisions/{given[0]['decision']}")
            assert shown["decision"]["action"] == given[0]["offer"]
            out = next(
                row["decision"]
                for row in rows
                if workspace.decisions.get(row["decision"]).sent.would == "tea" and row["arm"] == "control"
            )
            assert "held out from this send" in json.dumps(await at.get(f"/v1/decisions/{out}"))

            assert (await at.ask("POST", "/v1/sends", SPRING))[0] == 409
            again = await _begin(at, {**SPRING, "id": "again", "holdout": 0.0})
            assert again["decided"] == 900
            caps = _why(await at.get("/v1/sends/again/report"))
            assert caps["cap"] > 400, "one ledger over sends"
        async with door(path, NOON) as at:
            replay = await at.backend.verify_replay()
            assert replay["equal"], replay["differences"]
            assert await at.get("/v1/sends/spring/report") == report, "also after a start"

    play(story(_shop(tmp_path / "shop")))


def test_those_who_ask_meanwhile_share_caps_and_coupons(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await _filled(at, 200)
            asked = asyncio.gather(
                *(at.backend.decide(Ask("web_home", user_id=f"u{n}"), trusted=True, source=None, user_hash="") for n in range(200)),
                _begin(at, {**SPRING, "holdout": 0.0, "offers": ["coupon"]}),
            )  # fmt: skip
            *made, told = await asked
            by_ask = sum(one["action"] == "coupon" for one in made)
            report = await at.get("/v1/sends/spring/report")
            assert by_ask + report["given"] == 10
            assert {what["id"] for what in report["what"]} <= {"coupon"}
            assert told["state"] == "ended"

    play(story(_shop(tmp_path / "shop", 0.0)))


def test_exposures_come_back_and_what_is_not_sent_is_free_again(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await _filled(at, 60)
            await _begin(at, {**SPRING, "holdout": 0.0, "offers": ["coupon"]})
            rows = await _rows(at, "spring")
            assert len(rows) == 10
            sent = rows[0]
            event = {"type": "track", "event": "Message Sent", "userId": sent["node"][8:], "messageId": "s-1", "properties": {"decision_id": sent["decision"]}}  # fmt: skip
            await send(at.backend, "shop", [event])
            click = {**event, "event": "Message Clicked", "messageId": "s-2"}
            await send(at.backend, "shop", [click])
            assert at.backend.workspace.rewards.of(sent["decision"]) == 1.0
            assert _why(await _dry(at, {**SPRING, "id": "b", "offers": ["coupon"]}))["sold_out"] > 10
            await at.backend.step_clock(NOON + 3 * DAY)
            later = await _dry(at, {**SPRING, "id": "b", "offers": ["coupon"], "holdout": 0.0})
            assert later["given"] == 9, "all but the one that was sent are free again"

    play(story(_shop(tmp_path / "shop", 0.0)))


def test_a_send_to_a_segment_is_stopped_and_fetched_as_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await _filled(at, 120)
            buyers = {
                "name": "Italian",
                "rule": {"kind": "fact", "field": "traits.language", "op": "=", "value": "it"},
            }
            await at.put("/v1/segments/italian", buyers)
            while at.backend.workspace.segments.waiting:
                await asyncio.sleep(0.01)
            told = await _begin(at, {**SPRING, "segment": "italian"})
            assert told["looked"] == 48, "sixty speak it, of whom twelve refused"
            text = (await at.raw("/v1/sends/spring/decisions.csv?everyone=true")).decode()
            rows = list(csv.DictReader(io.StringIO(text)))
            lines = (await at.raw("/v1/sends/spring/decisions.ndjson?everyone=true")).decode().splitlines()
            assert [row["decision"] for row in rows] == [json.loads(line)["decision"] for line in lines]
            assert Counter(row["offer"] for row in rows)["nothing"] > 0
            assert (await at.ask("POST", "/v1/sends/spring/stop"))[0] == 409
            close = at.backend.sends._close

            async def slowly(name: str, state: sent.State, by: str) -> None:
                await asyncio.sleep(0.3)
                await close(name, state, by)

            monkeypatch.setattr(at.backend.sends, "_close", slowly)
            await at.ask("POST", "/v1/sends", {**SPRING, "id": "late"})
            status, stopped = await at.ask("POST", "/v1/sends/late/stop")
            monkeypatch.undo()
            assert stopped["decided"] < told["decided"], "nobody is decided for from the asking on"
            assert (status, stopped["state"]) == (200, "stopped")
            reached = stopped["decided"]
            await asyncio.sleep(0.2)
            assert (await at.get("/v1/sends/late"))["decided"] == reached
            gone = (await at.get("/v1/sends/spring/report"))["decided"]
            await at.ask("DELETE", f"/v1/profiles/{rows[0]['node']}")
            assert (await at.get("/v1/sends/spring/report"))["decided"] == gone - 1
            replay = await at.backend.verify_replay()
            assert replay["equal"], replay["differences"]

    play(story(_shop(tmp_path / "shop", 0.0)))


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"placements": ["nowhere"]}, "$.placements", "no placement `nowhere`"),
        ({"placements": ["web_home"]}, "$.placements", "outbound = true"),
        ({"placements": ["mail", "call"]}, "$.placements", "different successes"),
        ({"placements": ["mail", "mail"]}, "$.placements", "twice"),
        ({"placements": []}, "$.placements", "length"),
        ({"offers": ["coffee"]}, "$.offers", "no offer `coffee`"),
        ({"segment": "nobody"}, "$.segment", "no segment nobody"),
        ({"holdout": 1.5}, "$.holdout", "<= 0.9"),
        ({"hours": [24, 3]}, "$.hours", "0 to 23"),
        ({"within": 0}, "$.within", ">= 1"),
        ({"id": "Big Send"}, "$.id", "regex"),
        ({"colour": "red"}, "$", "colour"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(
    tmp_path: Path, change: dict[str, Any], path: str, says: str
) -> None:
    async def story(place: Path) -> None:
        async with door(place, NOON) as at:
            await at.backend.set_catalogue(CATALOGUE)
            for address in ("/v1/sends", "/v1/sends/dry-run"):
                status, told = await at.ask("POST", address, {**SPRING, **change})
                assert (status, told["code"]) == (400, "bad_send")
                assert told["faults"][0]["path"] == path
                assert says in told["faults"][0]["problem"]

    play(story(tmp_path / "shop"))


def test_who_may_not_and_what_is_not_there(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await at.backend.set_catalogue(CATALOGUE)
            assert (await at.ask("POST", "/v1/sends", [1]))[0] == 400
            assert (await at.ask("GET", "/v1/sends/none"))[0] == 404
            assert (await at.ask("POST", "/v1/sends/none/stop"))[0] == 404
            narrow = await at.key("admin", fields=("traits.city",))
            assert (await at.ask("GET", "/v1/sends", key=narrow))[0] == 403
            reader = await at.key("profiles:read")
            assert (await at.ask("GET", "/v1/sends", key=reader))[0] == 403
            await _filled(at, 20)
            told = await _begin(at, SPRING)
            assert told["decided"] == 18
            assert (await at.ask("GET", "/v1/sends/spring/decisions?cursor=x"))[0] == 400
            assert (await at.ask("GET", "/v1/sends/spring/decisions?everyone=maybe"))[0] == 400
            mix = await at.get("/v1/placements/mail/distinctness?days=7")
            assert mix["channels"] == 1
            assert (await at.ask("GET", "/v1/placements/nowhere/distinctness"))[0] == 404
            assert (await at.get("/v1/placements/web_home/distinctness"))["people"] == 0

    play(story(tmp_path / "shop"))


def test_no_hour_is_left_and_the_send_says_so(tmp_path: Path) -> None:
    async def story(path: Path) -> None:
        async with door(path, NOON) as at:
            await _filled(at, 40)
            told = await _dry(at, {**SPRING, "hours": [9, 10], "within": 2, "holdout": 0.0})
            assert _why(told)["quiet"] >= 20
            assert told["given"] == 0
            mail = {**SPRING, "hours": [22, 23], "within": 24, "holdout": 0.0}
            assert (await _dry(at, mail))["given"] == 0, "quiet hours hold inside the window, too"
            await at.backend.step_clock(NOON + 5 * HOUR)

    play(story(_shop(tmp_path / "shop", 0.0)))
