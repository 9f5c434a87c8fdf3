"""Dead letters and unknown channels through each of the three doors: command line, API and console."""

import html
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from patron.cli.main import main
from tests.flow.serving import basic, request
from tests.flow.shop import Shop


def patron(shop: Shop, *arguments: str, code: int = 0) -> str:
    """Run a command on the shop, which its server holds; gives its output."""
    done = CliRunner().invoke(main, [*arguments, "--data", str(shop.server.data)])
    assert done.exit_code == code, done.output
    return done.output


def cli_list(shop: Shop) -> list[dict[str, Any]]:
    return list(json.loads(patron(shop, "deadletter", "list", "--json"))["data"])


def cli_show(shop: Shop, letter: str) -> str:
    return str(json.loads(patron(shop, "deadletter", "show", letter, "--json"))["message"])


def cli_replay(shop: Shop, letter: str, text: str | None, folder: Path) -> bool:
    edit: list[str] = []
    if text is not None:
        (folder / "fixed.json").write_text(text, "utf-8")
        edit = ["--edit", str(folder / "fixed.json")]
    done = CliRunner().invoke(main, ["deadletter", "replay", letter, *edit, "--data", str(shop.server.data)])
    assert done.exit_code in {0, 2}, done.output
    return done.exit_code == 0


def cli_map(shop: Shop, unknown: str, channel: str) -> None:
    assert "2 replayed, 0 still refused" in patron(shop, "deadletter", "map", unknown, channel)


def api_list(shop: Shop) -> list[dict[str, Any]]:
    return list(shop.server.get("/v1/admin/deadletters?limit=200").json()["data"])


def api_show(shop: Shop, letter: str) -> str:
    return str(shop.server.get(f"/v1/admin/deadletters/{letter}").json()["message"])


def api_replay(shop: Shop, letter: str, text: str | None, _: Path) -> bool:
    reply = shop.server.post(f"/v1/admin/deadletters/{letter}/replay", {"message": text})
    assert reply.status == 200, reply
    assert reply.json()["message"]
    return bool(reply.json()["accepted"])


def api_map(shop: Shop, unknown: str, channel: str) -> None:
    reply = shop.server.post("/v1/admin/channels", {"unknown": unknown, "channel": channel})
    assert reply.json() == {"replayed": 2, "failing": 0}


def console_list(shop: Shop) -> list[dict[str, Any]]:
    page = shop.console.get("/console/data/quarantine")
    assert page.status_code == 200
    found = re.findall(r'href="/console/data/quarantine/(\d+)"', page.text)
    return [{"id": one, **shop.server.get(f"/v1/admin/deadletters/{one}").json()["letter"]} for one in found]


def console_show(shop: Shop, letter: str) -> str:
    page = shop.console.get(f"/console/data/quarantine/{letter}")
    area = re.search(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
    assert area, page.text
    return html.unescape(area[1])


def console_replay(shop: Shop, letter: str, text: str | None, _: Path) -> bool:
    sent = console_show(shop, letter) if text is None else text
    answer = shop.submit(f"/console/data/quarantine/{letter}", message=sent)
    assert answer.status_code in {303, 422}, answer.text
    return answer.status_code == 303


def console_map(shop: Shop, unknown: str, channel: str) -> None:
    page = shop.console.get("/console/data/quarantine?code=unknown_channel").text
    shown = re.search(rf"<bdi>{unknown}</bdi>.*?name=\"unknown\" value=\"([^\"]+)\"", page, re.DOTALL)
    assert shown, page
    assert shop.submit("/console/data/quarantine/map", unknown=shown[1], channel=channel).status_code == 303
    assert "2 events accepted" in shop.console.get("/console/data/quarantine").text


DOORS: dict[str, tuple[Callable[..., Any], ...]] = {
    "cli": (cli_list, cli_show, cli_replay, cli_map),
    "api": (api_list, api_show, api_replay, api_map),
    "console": (console_list, console_show, console_replay, console_map),
}


def viewed(user: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Product Viewed", "userId": user, **more}


@pytest.mark.parametrize("door", DOORS)
def test_a_dead_letter_is_listed_shown_mended_and_replayed(shop: Shop, door: str, tmp_path: Path) -> None:
    listed, show, replay, _ = DOORS[door]
    user = f"mended by {door}"
    broken = viewed(user, messageId=f"broken-{door}", timestamp="yesterday", properties={"html": "<b>&amp;"})
    assert shop.server.track(shop.key, broken).json()["rejected"] == 1
    letter = listed(shop)[0]
    assert (letter["code"], letter["path"], letter["source"]) == ("bad_time", "$.timestamp", "web")
    assert json.loads(show(shop, letter["id"])) == broken
    assert not replay(shop, letter["id"], None, tmp_path), "as it is, it is refused again"
    assert [one["id"] for one in listed(shop)].count(letter["id"]) == 1, "and still stands, once"
    assert listed(shop)[0]["id"] == letter["id"], "the second refusal is no letter of its own"
    mended = {**broken, "timestamp": "2026-01-02T03:04:05Z"}
    assert replay(shop, letter["id"], json.dumps(mended), tmp_path)
    assert letter["id"] not in [one["id"] for one in listed(shop)]
    (event,) = shop.server.events(f"user_id:{user}")
    assert (event["messageId"], event["timestamp"]) == (f"broken-{door}", "2026-01-02T03:04:05.000Z")
    assert event["properties"] == {"html": "<b>&amp;"}
    page = shop.console.get(f"/console/data/quarantine/{letter['id']}")
    assert page.status_code in {200, 404}


@pytest.mark.parametrize("door", DOORS)
def test_an_unknown_channel_is_quarantined_mapped_and_replayed(shop: Shop, door: str) -> None:
    """Also where the whole batch names it; what the batch says for its messages goes along."""
    _, _, _, mapping = DOORS[door]
    user, name = f"mapped by {door}", f"tills-{door}"
    own = viewed(user, messageId=f"own-{door}", context={"channel": name}, timestamp="2026-02-03T04:05:06Z")
    assert shop.server.track(shop.key, own).json()["rejected"] == 1
    card = f"29-{door}"
    said = {"channel": name, "externalIds": [{"type": "card", "id": card}]}
    body = {
        "batch": [viewed(user, messageId=f"batch-{door}", timestamp="2026-02-03T04:05:07Z")],
        "context": said,
    }
    sent = request("POST", f"{shop.server.url}/v1/batch", json.dumps(body), basic(shop.key))
    assert sent.json()["rejected"] == 1
    assert shop.server.profile(f"user_id:{user}").status == 404
    mapping(shop, name, "pos")
    events = shop.server.events(f"user_id:{user}")
    assert {e["messageId"]: e["channel"] for e in events} == {f"own-{door}": "pos", f"batch-{door}": "pos"}
    assert shop.server.profile(f"card:{card}").status == 200
    shop.server.track(shop.key, viewed(user, messageId=f"later-{door}", context={"channel": name}))
    assert len(shop.server.events(f"user_id:{user}")) == 3, "from now on it is known"


def test_a_replay_keeps_the_time_that_the_message_had_when_it_came(shop: Shop) -> None:
    """Neither the wait in quarantine nor a wrong client clock may move an event."""
    said = {"type": "page", "userId": "timed", "context": {"channel": "sundial"}}
    now = int(time.time() * 1000)
    slow = {**said, "messageId": "slow", "timestamp": now - 3_600_000, "sentAt": now - 3_000_000}
    bare = {**said, "messageId": "bare"}
    for message in (slow, bare):
        shop.server.track(shop.key, message)
    came = {e["id"]: e["time"] for e in api_list(shop) if e["channel"] == "sundial"}
    assert len(came) == 2
    time.sleep(1.2)
    assert shop.server.post("/v1/admin/channels", {"unknown": "sundial", "channel": "kiosk"}).status == 200
    times = {e["messageId"]: e["time"] for e in shop.server.events("user_id:timed")}
    slow_came, bare_came = sorted(came.values())
    assert times == {"slow": slow_came - 600_000, "bare": bare_came}


def test_a_single_call_is_replayed_as_what_it_was(shop: Shop) -> None:
    """/v1/identify says the type by its address; the letter must not forget it."""
    body = {"userId": "single", "traits": {"city": "Lecce"}, "context": {"channel": "abacus"}}
    reply = request("POST", f"{shop.server.url}/v1/identify", json.dumps(body), basic(shop.key))
    assert reply.json()["rejected"] == 1
    shop.server.post("/v1/admin/channels", {"unknown": "abacus", "channel": "app"})
    assert shop.server.profile("user_id:single").json()["traits"] == {"city": "Lecce"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "17", "null", '{"type":"page"},{"type":"page"}', "{}{}", "\x00"]
)
def test_a_mended_text_that_is_no_message_changes_nothing(shop: Shop, text: str, tmp_path: Path) -> None:
    shop.server.track(shop.key, viewed("stubborn", messageId=f"s-{text}", timestamp="never"))
    letter = api_list(shop)[0]["id"]
    reply = shop.server.post(f"/v1/admin/deadletters/{letter}/replay", {"message": text})
    assert reply.status in {200, 400}, reply
    assert reply.status == 400 or not reply.json()["accepted"]
    assert api_list(shop)[0]["id"] == letter
    assert shop.submit(f"/console/data/quarantine/{letter}", message=text).status_code == 422
    assert api_list(shop)[0]["id"] == letter


@pytest.mark.parametrize(
    ("query", "code"),
    [("cursor=%C2%B2", "bad_cursor"), ("cursor=x", "bad_cursor"), ("cursor=" + "9" * 30, "bad_cursor"),
     ("limit=0", "bad_query"), ("limit=x", "bad_query"), ("limit=9999999", "bad_query")],
)  # fmt: skip
def test_a_wrong_question_about_letters_is_400(shop: Shop, query: str, code: str) -> None:
    reply = shop.server.get(f"/v1/admin/deadletters?{query}")
    assert (reply.status, reply.json()["code"]) == (400, code)


def test_letters_are_paged_and_counted(shop: Shop) -> None:
    shop.server.track(shop.key, *[viewed("paged", messageId="m" * 101) for _ in range(5)])
    first = shop.server.get("/v1/admin/deadletters?code=id_too_long&limit=2").json()
    assert first["counts"]["id_too_long"] >= 5
    seen, cursor = [one["id"] for one in first["data"]], first["cursor"]
    while cursor:
        page = shop.server.get(f"/v1/admin/deadletters?code=id_too_long&limit=2&cursor={cursor}").json()
        seen, cursor = seen + [one["id"] for one in page["data"]], page["cursor"]
    assert len(seen) == len(set(seen)) == first["counts"]["id_too_long"]
