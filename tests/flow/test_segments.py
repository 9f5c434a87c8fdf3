"""Segments and computed traits from the command line, on a server that runs: from a file to the members."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.serving import PatronServer
from tests.flow.test_cli import BAD_USE, FAILED, NOT_FOUND, Desk

BUYERS = """
id = "buyers"
name = "Buyers"
[rule]
kind = "did"
event = "Order Completed"
value = 1
within = {days = 10}
"""
SPENT = {"id": "spent", "name": "Spent", "measure": {"event": "Order Completed", "measure": "sum", "property": "revenue"}}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    server = PatronServer(tmp_path_factory.mktemp("segments") / "shop")
    server.init()
    server.start()
    key = server.write_key("web", "web")
    for user in ("anna", "bo"):
        properties = {"order_id": f"o-{user}", "revenue": 12.5, "currency": "EUR"}
        server.track(
            key, {"type": "track", "event": "Order Completed", "userId": user, "properties": properties}
        )
    yield Desk(server.data, server)
    assert not server.close()


def settled(desk: Desk) -> None:
    """Wait until no segment reads the past any more."""
    until = time.monotonic() + 30
    while any(row["status"]["state"] == "filling" for row in desk.json("segment", "list")["data"]):
        assert time.monotonic() < until


def test_a_segment_from_a_file_to_its_members(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "buyers.toml"
    file.write_text(BUYERS)
    assert "About 2 of 2 people" in desk.run("segment", "check", str(file)).stdout
    told = desk.run("segment", "create", str(file)).stdout
    assert "Saved buyers, version 1." in told
    assert "People who ordered in the last 10 days." in told
    assert "Live, exact" in told
    assert "says just this already" in desk.run("segment", "create", str(file)).stdout
    settled(desk)
    assert "2 members." in desk.run("segment", "members", "buyers").stdout
    page = desk.run("segment", "members", "buyers", "--limit", "1").stdout
    assert "Next page: --cursor p_" in page
    assert "buyers  Buyers  2" in desk.run("segment", "list").stdout
    shown = desk.run("segment", "show", "buyers").stdout
    assert "2 members, live" in shown
    assert '"event": "Order Completed"' in shown
    explained = desk.run("segment", "explain", "buyers", "user_id:anna").stdout
    assert "a member, until 20" in explained
    assert "✓ Ordered in the last 10 days: yes, 1 time." in explained
    assert "Order Completed  web, web" in explained
    diff = desk.run("segment", "diff", "buyers", "--from", "2026-01-01").stdout
    assert "0 left." in diff
    assert "Nobody has this" in desk.run("segment", "explain", "buyers", "user_id:zoe", code=NOT_FOUND).stderr
    desk.run("segment", "show", "sellers", code=NOT_FOUND)
    assert "$schema" in desk.run("segment", "schema", "--kind", "trait").stdout


def test_versions_say_what_each_changed(desk: Desk) -> None:
    rule = {"kind": "did", "event": "Order Completed"}
    for name in ("One", "Two"):
        value = json.dumps({"id": "named", "name": name, "rule": rule})
        desk.run("segment", "create", "--definition", value)
    told = desk.run("segment", "versions", "named").stdout
    assert '-  "name": "One",' in told
    assert '+  "name": "Two",' in told
    assert "stay" in desk.run("segment", "remove", "named").stdout
    assert "removed by local" in desk.run("segment", "versions", "named").stdout
    desk.run("segment", "remove", "named", code=NOT_FOUND)


def test_a_bad_definition_names_every_fault_by_its_path(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    bad = {"kind": "did", "event": "A", "within": {"days": -3}, "evnet": 1}
    file.write_text(json.dumps({"id": "bad", "name": "", "rule": bad}))
    for command, code in (("check", BAD_USE), ("create", FAILED)):
        told = desk.run("segment", command, str(file), code=code).stderr
        for path in ("$.name", "$.rule.within.days", "$.rule.evnet"):
            assert path in told
    assert desk.json("segment", "check", str(file), code=BAD_USE)["ok"] is False
    file.write_text("id = ")
    assert "neither TOML nor JSON" in desk.run("segment", "check", str(file), code=BAD_USE).stderr
    file.write_text("[" * 100_000)
    assert "neither TOML nor JSON" in desk.run("segment", "check", str(file), code=BAD_USE).stderr
    file.write_text("")
    assert "empty" in desk.run("segment", "create", str(file), code=BAD_USE).stderr
    file.write_text('{"name": "no id"}')
    assert "needs an `id`" in desk.run("segment", "create", str(file), code=BAD_USE).stderr
    assert "not both" in desk.run("segment", "check", str(file), "--definition", "{}", code=BAD_USE).stderr


def test_computed_traits(desk: Desk) -> None:
    assert "Total revenue of orders." in desk.run("trait", "create", "--definition", json.dumps(SPENT)).stdout
    assert "spent" in desk.run("trait", "list").stdout
    assert "Total revenue" in desk.run("trait", "show", "spent").stdout
    until = time.monotonic() + 30
    while len(desk.json("trait", "values", "spent")["data"]) < 2:
        assert time.monotonic() < until
    assert "12.5" in desk.run("trait", "values", "spent").stdout
    assert "= 12.5" in desk.run("trait", "explain", "spent", "user_id:anna").stdout
    assert desk.json("person", "show", "user_id:anna")["computed"]["spent"] == 12.5
    user = {
        "id": "big",
        "name": "Big",
        "rule": {"kind": "fact", "field": "computed.spent", "op": ">", "value": 9},
    }
    desk.run("segment", "create", "--definition", json.dumps(user))
    assert "segment big uses it" in desk.run("trait", "remove", "spent", code=FAILED).stderr
    desk.run("segment", "remove", "big")
    desk.run("trait", "remove", "spent")
    assert "v2" in desk.run("trait", "versions", "spent").stdout


def test_a_folder_is_applied_whole_or_not_at_all(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "conditions").mkdir()
    (tmp_path / "conditions" / "often.toml").write_text(
        'id = "often"\nname = "Often"\nrule = {kind = "did", event = "Order Completed", op = ">=", value = 2}\n'
    )
    (tmp_path / "all.toml").write_text(
        '[[segment]]\nid = "loyal"\nname = "Loyal"\nrule = {kind = "use", condition = "often"}\n'
        '[[trait]]\nid = "orders"\nname = "Orders"\nmeasure = {event = "Order Completed"}\n'
    )
    dry = desk.run("segment", "apply", str(tmp_path), "--dry-run").stdout
    assert "+ condition often (version 1)" in dry
    assert "3 to save, 0 as they are. Nothing was saved" in dry
    desk.run("segment", "show", "loyal", code=NOT_FOUND)
    (tmp_path / "bad.json").write_text(
        '{"id": "bad", "name": "B", "rule": {"kind": "segment", "segment": "no"}}'
    )
    assert "segment bad" in desk.run("segment", "apply", str(tmp_path), code=FAILED).stderr
    desk.run("segment", "show", "loyal", code=NOT_FOUND)
    (tmp_path / "bad.json").unlink()
    assert "3 to save" in desk.run("segment", "apply", str(tmp_path)).stdout
    assert "0 to save, 3 as they are." in desk.run("segment", "apply", str(tmp_path)).stdout
    (tmp_path / "twice.toml").write_text(
        'id = "loyal"\nname = "L"\nrule = {kind = "use", condition = "often"}\n'
    )
    assert "already" in desk.run("segment", "apply", str(tmp_path), code=BAD_USE).stderr
    (tmp_path / "empty").mkdir()
    assert "holds no" in desk.run("segment", "apply", str(tmp_path / "empty"), code=BAD_USE).stderr


def test_the_library(desk: Desk) -> None:
    told = desk.run("library", "list").stdout
    assert "new-buyers" in told
    assert "needs Complaint Opened" in told
    assert "in force, version 1." in desk.run("library", "use", "new-buyers", "--as", "fresh").stdout
    assert "fresh" in desk.run("segment", "list").stdout
    desk.run("library", "use", "no-such", code=NOT_FOUND)
