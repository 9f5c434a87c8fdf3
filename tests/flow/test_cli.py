"""Every command, with the server running and without: what it prints, its exit code, and that a refusal says what to do."""

import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from patron.cli.main import COMMANDS, main
from tests.flow.serving import PATRON, PatronServer, run_patron

WELL, FAILED, BAD_USE, NOT_FOUND, NOT_ALLOWED, LOCKED = 0, 1, 2, 3, 4, 5


class Desk:
    """A directory and somebody who types commands at it; `server` serves it when it is set."""

    def __init__(self, data: Path, server: PatronServer | None) -> None:
        self.data, self.server = data, server

    def run(self, *arguments: str, code: int = WELL, env: dict[str, str] | None = None) -> Result:
        done = CliRunner().invoke(main, [*arguments, "--data", str(self.data)], env=env)
        assert done.exit_code == code, (arguments, done.exit_code, done.output, done.exception)
        assert "Traceback" not in done.output
        return done

    def json(self, *arguments: str, **options: Any) -> Any:
        return json.loads(self.run(*arguments, "--json", **options).stdout)


@pytest.fixture(scope="module", params=["running", pytest.param("stopped", marks=pytest.mark.slow)])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    server = PatronServer(tmp_path_factory.mktemp("cli") / "shop", arguments=("--clock", "stepped"))
    server.init()
    server.start()
    key = server.write_key("web", "web")
    server.post("/v1/admin/clock", {"now": 1_790_000_000_000})
    traits = {"email": "anna@mail.example", "first_name": "Anna", "phone": "+39 333 123 4567"}
    server.track(
        key,
        {"type": "identify", "userId": "anna", "anonymousId": "dev-1", "traits": traits, "messageId": "i1"},
        {"type": "track", "event": "Product Viewed", "anonymousId": "dev-1", "messageId": "v1"},
        {"type": "identify", "userId": "bruno", "traits": {"first_name": "Bruno"}, "messageId": "i2"},
        {"type": "track", "event": "X", "userId": "anna", "timestamp": "never", "messageId": "bad"},
        {"type": "identify", "userId": "zoe", "traits": {"email": "zoe@mail.example"}, "messageId": "i3"},
    )
    if request.param == "stopped":
        assert server.stop() == 0
    yield Desk(server.data, server if request.param == "running" else None)
    assert not server.close()


def test_sources(desk: Desk) -> None:
    key = desk.run(
        "source", "add", "tills", "--channel", "pos", "--assurance", "verified", "--rate", "9"
    ).stdout
    assert key.startswith("wk_")
    assert len(key.split()) == 1, "the key stands alone, for scripts"
    assert {s["name"] for s in desk.json("source", "list")} >= {"web", "tills"}
    assert "tills" in desk.run("source", "list").stdout
    assert key.strip() not in desk.run("source", "list", "--json").stdout
    again = desk.run("source", "add", "tills", "--channel", "pos", code=FAILED)
    assert "choose another name" in again.stderr
    assert desk.run("source", "rotate", "tills").stdout.startswith("wk_")
    desk.run("source", "revoke", "tills", key[:10])
    desk.run("source", "revoke", "tills", key[:10], code=NOT_FOUND)
    desk.run("source", "rotate", "no-such", code=NOT_FOUND)
    assert (
        "carrier-pigeon" in desk.run("source", "add", "x", "--channel", "carrier-pigeon", code=BAD_USE).stderr
    )
    assert "letters" in desk.run("source", "add", "../x", "--channel", "web", code=FAILED).stderr


def test_keys(desk: Desk) -> None:
    key = desk.run(
        "key", "add", "crm", "--scope", "profiles:read", "--field", "city", "--mask", "email"
    ).stdout
    assert key.startswith("sk_")
    assert len(key.split()) == 1
    (held,) = [k for k in desk.json("key", "list") if k["name"] == "crm"]
    assert (held["scopes"], held["fields"], held["masked"]) == (["profiles:read"], ["city"], ["email"])
    assert "crm" in desk.run("key", "list").stdout
    desk.run("key", "add", "crm", "--scope", "decide", code=FAILED)
    desk.run("key", "revoke", "crm")
    desk.run("key", "revoke", "crm", code=NOT_FOUND)
    desk.run("key", "add", "x", "--scope", "everything", code=BAD_USE)


def test_users(desk: Desk) -> None:
    assert "may sign in" in desk.run("user", "add", "gino", "--password", "a long sentence").stdout
    assert "may sign in" in desk.run("user", "add", "pia", env={"PATRON_PASSWORD": "a long sentence"}).stdout
    assert "10 to 512" in desk.run("user", "add", "gino", "--password", "short", code=FAILED).stderr
    assert (
        "role"
        in desk.run(
            "user", "add", "gino", "--password", "a long sentence", "--role", "king", code=FAILED
        ).stderr
    )


def test_looking_at_a_person(desk: Desk) -> None:
    for query in ("anna@", "3331234", "333 123", "Anna"):
        (row,) = desk.json("person", "find", query)
        assert row["name"] == "Anna"
    assert desk.run("person", "find", "nobody-like-this").stdout.strip() == "Nobody found."
    shown = desk.json("person", "show", "email:anna@mail.example")
    assert shown["traits"]["first_name"] == "Anna"
    assert desk.json("person", "show", shown["id"]) == shown
    assert "email: anna@mail.example" in desk.run("person", "show", shown["id"]).stdout
    events = desk.json("person", "events", "user_id:anna", "--limit", "1", "--order", "asc")
    assert len(events["data"]) == 1
    assert events["cursor"]
    assert "web" in desk.run("person", "events", "user_id:anna").stdout
    assert desk.json("person", "events", "user_id:anna", "--channel", "pos")["data"] == []
    assert desk.json("person", "why", "user_id:anna", "email:anna@mail.example")["joined"] is True
    assert "Not one person" in desk.run("person", "why", "user_id:anna", "user_id:bruno").stdout
    assert "Nobody has this" in desk.run("person", "show", "user_id:nobody", code=NOT_FOUND).stderr
    assert "namespace:value" in desk.run("person", "show", "anna", code=FAILED).stderr
    desk.run("person", "events", "user_id:anna", "--limit", "0", code=FAILED)
    desk.run("person", "events", "user_id:anna", "--order", "up", code=BAD_USE)


def test_split_undo_and_merge(desk: Desk) -> None:
    split = desk.json("person", "split", "user_id:anna", "anonymous_id:dev-1")
    assert len(split["people"]) == 2
    ids = {desk.json("person", "show", one)["id"] for one in ("user_id:anna", "anonymous_id:dev-1")}
    assert ids == set(split["people"])
    assert "As it was" in desk.run("person", "undo", split["id"]).stdout
    assert (
        len({desk.json("person", "show", one)["id"] for one in ("user_id:anna", "anonymous_id:dev-1")}) == 1
    )
    assert "already" in desk.run("person", "undo", split["id"], code=FAILED).stderr
    desk.run("person", "undo", "split-999999", code=NOT_FOUND)
    told = desk.run(
        "person", "split", "user_id:anna", "--cut", "anonymous_id:dev-1", "--at", "2026-09-01T00:00:00Z"
    ).stdout
    assert "Undo: patron person undo split-" in told
    desk.run("person", "undo", told.partition("undo ")[2].split()[0])
    assert "--cut with --at" in desk.run("person", "split", "user_id:anna", code=BAD_USE).stderr
    desk.run("person", "split", "user_id:anna", "--cut", "anonymous_id:dev-1", code=BAD_USE)
    assert (
        "ISO 8601"
        in desk.run(
            "person", "split", "user_id:anna", "--cut", "anonymous_id:dev-1", "--at", "noon", code=FAILED
        ).stderr
    )
    assert (
        "name the person by that id"
        in desk.run("person", "split", "user_id:anna", "user_id:zoe", code=FAILED).stderr
    )
    refused = desk.json("person", "merge", "user_id:anna", "user_id:bruno")
    assert refused["joined"] is False
    assert "more than 1 user id" in refused["message"]
    assert (
        "one person already"
        in desk.run("person", "merge", "user_id:anna", "anonymous_id:dev-1", code=FAILED).stderr
    )


def test_export_and_erase(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "zoe.zip"
    assert "Wrote" in desk.run("person", "export", "user_id:zoe", "--out", str(out)).stdout
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert b"zoe@mail.example" in b"".join(archive.read(name) for name in archive.namelist())
    assert out.stat().st_mode & 0o077 == 0, "personal data for the owner's eyes"
    desk.run("person", "export", "user_id:nobody", "--out", str(tmp_path / "none.zip"), code=NOT_FOUND)
    assert not (tmp_path / "none.zip").exists()
    asked = desk.run("person", "erase", "user_id:zoe", code=FAILED)
    assert "cannot be undone" in asked.output, "without --yes it asks, and no answer is no"
    receipt = desk.json("person", "erase", "user_id:zoe", "--yes")
    assert {store for store, _, _ in receipt["stores"]} >= {"log", "state", "dead letters", "backups"}
    assert "erased" in desk.run("person", "show", "user_id:zoe", code=NOT_FOUND).stderr
    assert "erased" in desk.run("person", "erase", "user_id:zoe", "--yes", code=NOT_FOUND).stderr


def test_dead_letters(desk: Desk, tmp_path: Path) -> None:
    page = desk.json("deadletter", "list", "--code", "bad_time")
    letter = page["data"][0]["id"]
    assert "bad_time" in desk.run("deadletter", "list").stdout
    assert "$.timestamp" in desk.run("deadletter", "show", letter).stdout
    assert desk.json("deadletter", "show", letter)["letter"]["code"] == "bad_time"
    assert "no time" in desk.run("deadletter", "replay", letter, code=2).stdout
    fixed = tmp_path / "fixed.json"
    fixed.write_text('{"type": "track", "event": "X", "userId": "anna", "messageId": "bad"}')
    assert desk.json("deadletter", "replay", letter, "--edit", str(fixed))["accepted"] is True
    assert "already" in desk.run("deadletter", "replay", letter, code=FAILED).stderr
    assert "All fitted" in desk.run("deadletter", "list").stdout
    desk.run("deadletter", "show", "999999", code=NOT_FOUND)
    desk.run("deadletter", "show", "../x", code=NOT_FOUND)
    desk.run("deadletter", "replay", letter, "--edit", str(tmp_path / "absent.json"), code=BAD_USE)
    fixed.write_bytes(b"\xff\xfe")
    assert "UTF-8" in desk.run("deadletter", "replay", letter, "--edit", str(fixed), code=FAILED).stderr
    assert "channel" in desk.run("deadletter", "map", "pos", "pos", code=FAILED).stderr
    assert desk.json("deadletter", "map", "tablet-x", "kiosk") == {"replayed": 0, "failing": 0}


def test_catalogue(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    file.write_text('[[offer]]\nid = "tea"\nname = "Tea"\n')
    assert "1 offer, 0 placements" in CliRunner().invoke(main, ["catalogue", "check", str(file)]).stdout
    before = desk.json("catalogue", "show")
    dry = desk.json("catalogue", "load", str(file), "--dry-run")
    assert (dry["ok"], dry["loaded"], dry["changes"]["offers"]["added"]) == (True, False, ["tea"])
    assert desk.json("catalogue", "show") == before, "a dry run changes nothing"
    assert len(desk.json("catalogue", "load", str(file))["offers"]) == 1
    assert "tea" in desk.run("catalogue", "show").stdout
    assert desk.run("catalogue", "show", "--text").stdout == file.read_text()
    file.write_text('[[offer]]\nid = "tea"\ncolour = "green"\n')
    for command in (["check", str(file)], ["load", str(file), "--data", str(desk.data)]):
        refused = CliRunner().invoke(main, ["catalogue", *command])
        assert refused.exit_code == BAD_USE
        assert f"{file}:3: offer[0].colour: there is no such key" in refused.stderr
    assert len(desk.json("catalogue", "show")["offers"]) == 1, "a bad one changes nothing"


def test_every_version_of_a_catalogue_can_be_seen_and_compared(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    texts = [
        '[[offer]]\nid = "tea"\nname = "Tea"\n',
        '[[offer]]\nid = "tea"\nname = "Green tea"\n\n[[placement]]\nid = "till"\nname = "Till receipt"\n',
    ]
    names = []
    for text in texts:
        file.write_text(text)
        names.append(desk.json("catalogue", "load", str(file))["version"])
    rows = desk.json("catalogue", "versions")
    assert [row["version"] for row in rows[:2]] == names[::-1]
    assert (rows[0]["until"], rows[1]["until"]) == (None, rows[0]["since"])
    assert [(row["offers"], row["placements"], row["by"]) for row in rows[:2]] == [
        (1, 1, "local"),
        (1, 0, "local"),
    ]
    assert desk.run("catalogue", "show", "--version", names[0]).stdout == texts[0]
    told = desk.run("catalogue", "diff", names[0], names[1]).stdout
    assert "~ offer tea: name" in told
    assert "+ placement till" in told
    assert '+name = "Green tea"' in told
    assert desk.json("catalogue", "diff", names[1])["changes"]["other"] == []
    assert "They say the same." in desk.run("catalogue", "diff", names[1]).stdout
    desk.run("catalogue", "diff", "absent", code=NOT_FOUND)
    desk.run("catalogue", "show", "--version", "absent", code=NOT_FOUND)


def test_placements(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "offers.toml"
    file.write_text('[[offer]]\nid = "tea"\nname = "Tea"\n')
    desk.json("catalogue", "load", str(file))
    assert "any name may ask" in desk.run("placement", "list").stdout
    file.write_text(
        '[[offer]]\nid = "tea"\nname = "Tea"\n[[placement]]\nid = "app_push"\nname = "Push"\nneeds = ["title"]\n'
        'channel = "push"\noutbound = true\n[[placement]]\nid = "till"\nname = "Till receipt"\n'
    )
    desk.json("catalogue", "load", str(file))
    assert [(row["id"], row["offers"]) for row in desk.json("placement", "list")] == [
        ("app_push", []),
        ("till", ["tea"]),
    ]
    assert "sent out" in desk.run("placement", "list").stdout


def test_policies(desk: Desk, tmp_path: Path) -> None:
    offers, file = tmp_path / "offers.toml", tmp_path / "bold.toml"
    offers.write_text(
        '[[offer]]\nid = "tea"\nname = "Tea"\n[[placement]]\nid = "till"\nname = "Till receipt"\n'
    )
    desk.json("catalogue", "load", str(offers))
    assert "No policy yet" in desk.run("policy", "list").stdout
    assert desk.run("policy", "effect").stdout.startswith("Too early: ")
    assert desk.json("policy", "effect")["verdict"] == "early"
    file.write_text('[[policy]]\nid = "bold"\nname = "Tries more"\nplacements = ["web"]\nexplore = 3\n')
    assert "There are: till" in desk.run("policy", "put", str(file), code=FAILED).stderr
    file.write_text(file.read_text().replace("explore = 3", "explore = 99"))
    assert f"{file}: `explore` is 0.1 to 10" in desk.run("policy", "put", str(file), code=BAD_USE).stderr
    file.write_text(file.read_text().replace("99", "3").replace('"web"', '"till"'))
    assert desk.run("policy", "put", str(file)).stdout == "bold: version 1, draft.\n"
    assert "shadow" in desk.run("policy", "launch", "bold").stdout
    refused = desk.run("policy", "launch", "bold", code=FAILED).stderr
    assert "At till: There are no rows" in refused
    assert "give a reason" in refused
    assert "not skipped" in desk.run("policy", "launch", "bold", "--to", "50%", code=FAILED).stderr
    desk.run("policy", "launch", "bold", "--why", "seen elsewhere")
    assert desk.json("policy", "launch", "bold")["share"] == 0.01
    assert "decides for 1% of people" in desk.run("policy", "show", "bold").stdout
    assert "0 decisions" in desk.run("policy", "show", "till").stdout
    assert "stop it first" in desk.run("policy", "put", str(_changed(file)), code=FAILED).stderr
    assert desk.json("policy", "stop", "bold", "--why", "enough")["stage"] == "stopped"
    history = desk.json("policy", "history", "bold")
    assert [row["to"] for row in history] == ["stopped", "1%", "evaluated", "shadow", "draft"]
    assert (history[0]["why"], history[2]["why"]) == ("enough", "seen elsewhere")
    assert "no rows" in history[2]["overridden"]
    assert "because: enough" in desk.run("policy", "history", "bold").stdout
    assert desk.run("policy", "evaluate", "bold", "--placement", "till", code=BAD_USE).stdout
    desk.run("policy", "stop", "gone", code=NOT_FOUND)
    desk.run("policy", "show", "gone", code=NOT_FOUND)


def _changed(file: Path) -> Path:
    file.write_text(file.read_text().replace("Tries more", "Tries most"))
    return file


@pytest.mark.slow
def test_replay_backup_and_restore(desk: Desk, tmp_path: Path) -> None:
    assert "equal" in desk.run("replay").stdout
    assert desk.json("replay")["differences"] == []
    copy = tmp_path / "monday"
    report = desk.json("backup", str(copy))
    assert report["files"] > 3
    assert "exists" in desk.run("backup", str(copy), code=FAILED).stderr
    assert "inside" in desk.run("backup", str(desk.data / "log" / "x"), code=FAILED).stderr
    restored = Desk(tmp_path / "restored", None)
    told = restored.run("restore", str(copy)).stdout
    assert f"patron serve --data {restored.data}" in told
    assert restored.json("person", "show", "user_id:anna") == desk.json("person", "show", "user_id:anna")
    assert restored.run("restore", str(copy), code=FAILED).stderr.strip()
    assert Desk(tmp_path / "other", None).run("restore", str(tmp_path / "absent"), code=BAD_USE)
    damaged = next((copy / "log").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert damaged.name in Desk(tmp_path / "third", None).run("restore", str(copy), code=FAILED).stderr


def test_a_dry_run_of_other_rules_says_who_would_be_whom(desk: Desk, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[identity]\ndeclared = [{name = "card", limit = 3}]\n')
    assert "Nobody would come apart." in desk.run("config", "dry-run", str(rules)).stdout
    rules.write_text("[identity]\ntotal_limit = 1\n")
    told = desk.run("config", "dry-run", str(rules), code=BAD_USE).stdout
    people, apart = told.split("Would be several people, for example:")
    assert "of today would come apart." in people
    assert "  e-mail anna@mail.example\n" in apart
    value = desk.json("config", "dry-run", str(rules), code=BAD_USE)
    assert value["splits"] == len(value["split_examples"]) > 0
    assert value["people_after"] > value["people_before"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[identity", "not valid TOML"),
        ("total_limit = 5", "no [identity] table"),
        ("[identity]\ntotal = 5", "total"),
        ("[identity]\ntotal_limit = 0", "at least 1"),
        ("[identity]\ntotal_limit = 2026-01-01", "total_limit"),
    ],
)
def test_rules_that_cannot_be_tried_say_why(desk: Desk, tmp_path: Path, text: str, sentence: str) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(text)
    assert sentence in desk.run("config", "dry-run", str(rules), code=FAILED).stderr


def test_config_shows_each_value_with_its_origin(desk: Desk) -> None:
    rows = {
        r["key"]: (r["value"], r["origin"])
        for r in desk.json("config", "show", env={"PATRON_DECIDE_HOLDOUT": "0.1"})
    }
    assert rows["workspace.name"] == ("My shop", "patron.toml")
    assert rows["collect.queue"] == (5_000, "default")
    wanted = (0.5, "patron.toml") if desk.server else (0.1, "PATRON_DECIDE_HOLDOUT")
    assert rows["decide.holdout"] == wanted, "a server that runs keeps what it started with"
    assert "decide.holdout" in desk.run("config", "show").stdout


def test_doctor(desk: Desk) -> None:
    assert "ok   Log" in desk.run("doctor").stdout
    assert all(good for _, good, _ in desk.json("doctor")["checks"])


def test_clock(desk: Desk) -> None:
    if desk.server is None:
        assert "--clock stepped" in desk.run("clock", "step", "2026-12-01T00:00:00Z", code=FAILED).stderr
        return
    assert desk.run("clock", "step", "2026-12-01T00:00:00Z").stdout.strip().isdigit()
    assert desk.json("doctor")["now"] == 1_796_083_200_000
    assert "only goes forward" in desk.run("clock", "step", "2026-11-30", code=FAILED).stderr
    assert "2026-11-22T09:00:00Z" in desk.run("clock", "step", "tomorrow", code=FAILED).stderr
    assert "year 9000" in desk.run("clock", "step", "9" * 17, code=FAILED).stderr


def test_a_folder_that_is_no_directory_of_ours(tmp_path: Path) -> None:
    for arguments in (("source", "list"), ("person", "show", "user_id:a"), ("doctor",), ("replay",)):
        told = Desk(tmp_path, None).run(*arguments, code=FAILED).stderr
        assert "patron init" in told


def test_init_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("mine")
    done = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert done.exit_code == FAILED
    assert "not empty" in done.stderr
    zone = CliRunner().invoke(main, ["init", str(tmp_path / "new"), "--zone", "Mars/Base"])
    assert zone.exit_code == FAILED
    assert "Europe/Rome" in zone.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text",
    ["[decide", "[decide]\nholdout = 'much'", "[decide]\nholdut = 0.1", "decide = 1", "[nonsense]\na = 1"],
)
def test_a_wrong_setting_is_named_and_nothing_starts(tmp_path: Path, text: str) -> None:
    desk = Desk(tmp_path / "shop", None)
    assert CliRunner().invoke(main, ["init", str(desk.data)]).exit_code == WELL
    (desk.data / "patron.toml").write_text(text)
    told = desk.run("config", "show", code=FAILED).stderr
    assert "patron.toml" in told
    assert any(word in told for word in ("holdout", "holdut", "decide", "nonsense", "not valid TOML"))


@pytest.mark.slow
def test_real_processes_end_with_the_same_codes(desk: Desk) -> None:
    """What CliRunner runs in this process, a shell runs in its own: same words, same codes, nothing else on stdout."""
    data = ["--data", str(desk.data)]
    done = run_patron("person", "show", "user_id:anna", "--json", *data)
    assert json.loads(done.stdout)["traits"]["first_name"] == "Anna"
    missing = run_patron("person", "show", "user_id:nobody", *data, check=False)
    assert (missing.returncode, missing.stdout) == (NOT_FOUND, "")
    assert missing.stderr.startswith("patron: ")
    assert run_patron("person", "show", *data, check=False).returncode == BAD_USE
    if desk.server:
        second = run_patron("serve", "--port", str(desk.server.port + 7), *data, check=False)
        assert second.returncode != 0
        assert "is held by process" in second.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    done = subprocess.run(
        [PATRON, name, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert "Examples:" in done.stdout
    assert f"patron {name}" in done.stdout
