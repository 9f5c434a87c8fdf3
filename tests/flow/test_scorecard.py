"""From a generated world to its scorecard, by the command line and over HTTP; and that the card sees what is wrong."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from patron.cli.sim import sim
from tests.flow.serving import PatronServer, run_patron

SENT_AGAINST = "mail-decided"


class Loaded(NamedTuple):
    """A world, the server it was loaded into, and what `patron sim load` printed."""

    world: Path
    server: PatronServer
    said: dict[str, Any]

    def score(self, world: Path, *arguments: str) -> tuple[int, dict[str, dict[str, Any]], str]:
        """Exit code, rows by name and the table of a scorecard."""
        card = world.with_suffix(".json")
        done = patron(
            "score", "--truth", str(world / "truth"), "--against", self.server.url,
            "--key", self.server.admin, "--json", str(card), *arguments,
        )  # fmt: skip
        assert done.exit_code in {0, 2}, done.output
        return done.exit_code, {row["name"]: row for row in json.loads(card.read_text())["rows"]}, done.stdout


def patron(*arguments: str) -> Result:
    """A command of `patron sim` in this process: what it talks to is real, and starting Python is not what is tested."""
    return CliRunner().invoke(sim, arguments)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def add_totals(world: Path) -> None:
    """The truth of money, reckoned here in a third way: whole cents from the text of each amount."""
    found: dict[tuple[int, str, str, str], Counter[str]] = {}
    for source in ("web", "app", "pos"):
        for message in {m["messageId"]: m for m in lines(world / "events" / f"{source}.ndjson")}.values():
            event, told = message.get("event"), message.get("properties", {})
            if event not in {"Order Completed", "Order Refunded"}:
                continue
            day = _day(message["timestamp"])
            store = (told.get("store_id") or told.get("place") or "") if source == "pos" else ""
            counts = found.setdefault((day, source, store, told["currency"]), Counter())
            cents = round(told["revenue"] * 100)
            counts["orders"] += event == "Order Completed"
            counts["gross_cents" if event == "Order Completed" else "refund_cents"] += cents
    rows = [
        {"day": day, "source": source, "store": store, "currency": currency, **{n: counts[n] for n in ("orders", "gross_cents", "refund_cents")}}
        for (day, source, store, currency), counts in found.items()
    ]  # fmt: skip
    write(world / "truth" / "totals.ndjson", rows)


def _day(text: str) -> int:
    import datetime as dt

    return (dt.date.fromisoformat(text[:10]) - dt.date(1970, 1, 1)).days


def add_decided_letter(world: Path) -> int:
    """One message that names a decision of the platform; gives its addressee."""
    letters = lines(world / "events" / "email.ndjson")
    like = next(m for m in letters if m.get("event") == "Message Sent")
    decided = {**like, "messageId": SENT_AGAINST, "properties": {**like["properties"], "decision_id": "d_1"}}
    at = letters.index(like)
    write(world / "events" / "email.ndjson", [*letters[: at + 1], decided, *letters[at + 1 :]])
    people = lines(world / "truth" / "person_map.ndjson")
    owner = next(row for row in people if row["messageId"] == like["messageId"])
    write(world / "truth" / "person_map.ndjson", [*people, {**owner, "messageId": SENT_AGAINST}])
    return int(owner["person"])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A small world with its money, its consents and one message sent on a decision, in a server of its own."""
    folder = tmp_path_factory.mktemp("score")
    world, server = folder / "world", PatronServer(folder / "shop")
    arguments = (
        "--size",
        "60",
        "--days",
        "20",
        "--seed",
        "1004",
        "--until",
        "2026-03-31",
        "--out",
        str(world),
    )
    assert patron("generate", *arguments).exit_code == 0
    (world / "truth" / "totals.ndjson").unlink(missing_ok=True)
    add_totals(world)
    person = add_decided_letter(world)
    agreed = {"person": person, "purpose": "email_marketing", "granted": True, "at": 0}
    write(world / "truth" / "consent.ndjson", [agreed])
    server.init()
    server.start()
    done = patron("load", str(world), "--data", str(server.data), "--json")
    yield Loaded(world, server, json.loads(done.stdout))
    assert not server.close()


@pytest.fixture
def other(loaded: Loaded, tmp_path: Path) -> Path:
    """A copy of the world, to be told otherwise than what was loaded."""
    return shutil.copytree(loaded.world, tmp_path / "other")


def test_a_loaded_world_meets_every_bar_but_perhaps_those_of_identity(loaded: Loaded, tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    _, rows, table = loaded.score(loaded.world, "--html", str(page))
    missed = {name for name, row in rows.items() if row["verdict"] == "missed" and row["group"] != "Identity"}
    assert not missed, table
    for exact in ("totals off the truth", "totals off what was sent", "profiles off what was sent", "offline share off the truth", "messages missing", "messages there more than once", "dead letters", "sent by Patron against a refusal"):  # fmt: skip
        assert (rows[exact]["value"], rows[exact]["verdict"]) == (0, "met"), rows[exact]
    assert rows["pairwise F1 of the evidence ceiling"]["value"] > 0.8
    assert rows["person precision"]["value"] > 0.85
    assert rows["household precision"]["value"] > 0.9
    assert rows["CLV"]["verdict"] == "not computed"
    assert 0.5 < rows["offline share of revenue"]["value"] < 0.99
    assert rows["unidentified share of revenue"]["value"] > 0
    assert "Scorecard: default" in page.read_text("utf-8")


def test_loading_again_doubles_nothing(loaded: Loaded) -> None:
    before = loaded.server.get("/v1/profiles?limit=1000").json()
    done = patron(
        "load", str(loaded.world), "--to", loaded.server.url, "--key", loaded.server.admin, "--json"
    )
    again = json.loads(done.stdout)
    assert again["sent"] == loaded.said["sent"]
    assert again["duplicates"] == again["sent"] - again["rejected"]
    assert loaded.server.get("/v1/profiles?limit=1000").json() == before


def test_sources_are_imports_and_let_nobody_in_afterwards(loaded: Loaded) -> None:
    sources = loaded.server.get("/v1/admin/sources").json()
    told = json.loads((loaded.world / "manifest.json").read_text())["sources"]
    assert {s["name"] for s in sources} == {f"{source['name']}-history" for source in told}
    assert {s["kind"] for s in sources} == {"import"}
    assert all(key["revoked"] for s in sources for key in s["keys"])


def test_one_cent_and_one_message_off_are_seen(loaded: Loaded, other: Path) -> None:
    till = lines(other / "events" / "pos.ndjson")
    order = next(m for m in till if m.get("event") == "Order Completed")
    order["properties"]["revenue"] = round(order["properties"]["revenue"] + 0.01, 2)
    never = {**order, "messageId": "till-never", "event": "Receipt Printed"}
    write(other / "events" / "pos.ndjson", [*till, never])
    totals = lines(other / "truth" / "totals.ndjson")
    totals[0]["gross_cents"] -= 1
    write(other / "truth" / "totals.ndjson", totals)
    code, rows, table = loaded.score(other)
    assert code == 2
    off = {name: rows[name]["value"] for name in ("totals off the truth", "totals off what was sent", "profiles off what was sent", "messages missing")}  # fmt: skip
    assert off == {"totals off the truth": 1, "totals off what was sent": 1, "profiles off what was sent": 1, "messages missing": 1}  # fmt: skip
    assert all(rows[name]["verdict"] == "missed" for name in off)
    assert "Patron 1 orders" in table or "orders, not" in table


def test_a_message_sent_on_a_decision_against_a_refusal_is_a_violation(loaded: Loaded, other: Path) -> None:
    refused = [{**row, "granted": False} for row in lines(other / "truth" / "consent.ndjson")]
    write(other / "truth" / "consent.ndjson", refused)
    code, rows, _ = loaded.score(other)
    assert code == 2
    assert (rows["sent by Patron against a refusal"]["value"], rows["sent by Patron against a refusal"]["verdict"]) == (1, "missed")  # fmt: skip
    assert rows["sent by the retailer's own tools against a refusal"]["value"] >= 1


def test_other_owners_ruin_identity(loaded: Loaded, other: Path) -> None:
    people = lines(other / "truth" / "person_map.ndjson")
    for number, row in enumerate(people):
        row["person"] = row["household"] = number % 50
    write(other / "truth" / "person_map.ndjson", people)
    code, rows, _ = loaded.score(other)
    assert code == 2
    assert rows["person precision"]["value"] < 0.1
    assert rows["household precision"]["verdict"] == "missed"


def test_a_wrong_merge_is_split_exactly_and_left_as_it_was(loaded: Loaded) -> None:
    server = loaded.server
    owners = {row["messageId"]: row["person"] for row in lines(loaded.world / "truth" / "person_map.ndjson")}
    cards = [m for m in lines(loaded.world / "events" / "pos.ndjson") if m["context"].get("externalIds")]
    named = {owners[m["messageId"]]: m["context"]["externalIds"][0] for m in cards if m["context"]["externalIds"][0]["type"] == "card"}  # fmt: skip
    one, *others = (f"card:{external['id']}" for external in named.values())
    assert any(server.post(f"/v1/profiles/{one}/merge", {"other": two}).json()["joined"] for two in others)
    before = server.events(one)
    _, rows, table = loaded.score(loaded.world, "--try-splits", "3")
    assert (rows["split exactness"]["value"], rows["split exactness"]["verdict"]) == (1.0, "met"), table
    assert server.events(one) == before


def test_what_cannot_be_reached_says_what_to_do(loaded: Loaded, tmp_path: Path) -> None:
    run_patron("init", str(tmp_path / "idle"))
    truth = ["--truth", str(loaded.world / "truth")]
    for arguments, code, words in (
        (["score", *truth, "--against", str(tmp_path / "idle")], 1, "Start one"),
        (["score", *truth, "--against", str(tmp_path / "none")], 1, "patron init"),
        (["score", *truth, "--against", loaded.server.url], 1, "--key"),
        (["score", *truth, "--against", loaded.server.url, "--key", "sk_wrong"], 1, "secret key"),
        (["score", "--truth", str(tmp_path), "--against", str(loaded.server.data)], 1, "patron sim generate"),
        (["load", str(loaded.world)], 1, "--to URL"),
        (["load", str(tmp_path), "--data", str(loaded.server.data)], 1, "patron sim generate"),
        (["load", str(loaded.world), "--data", str(tmp_path / "idle")], 1, "patron serve --data"),
    ):
        done = patron(*arguments)
        assert (done.exit_code, words in done.stderr) == (code, True), (arguments, done.output)
        assert isinstance(done.exception, SystemExit), arguments
