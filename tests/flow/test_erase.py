"""Erasing one person: nothing of them is left anywhere, and nobody else loses a byte."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from patron.model.errors import Gone, NotFound
from patron.runtime.create import restore_backup
from patron.runtime.people.people import find
from tests.flow.inprocess import play, rows, running, send, source
from tests.flow.scanner import scan

NOW = 1_800_000_000_000
ANNA = [
    "anna.rossi@mail.example",
    "Anna.Rossi+shop@Mail.example",
    "anna-77",
    "cookie-of-anna",
    "+393331234567",
    "333 123 4567",
    "Rossi",
]


def _message(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "timestamp": "2026-03-02T10:00:00Z",
        **fields,
    }


HISTORY = [
    _message(1, anonymousId="cookie-of-anna"),
    _message(
        2,
        type="identify",
        userId="anna-77",
        anonymousId="cookie-of-anna",
        traits={"email": " Anna.Rossi+shop@Mail.example", "phone": "333 123 4567", "lastName": "Rossi"},
    ),
    _message(3, userId="bob-1", anonymousId="cookie-of-bob", properties={"product_id": "P7"}),
    _message(4, event="Order Completed", userId="anna-77", properties={"order_id": "o1", "revenue": 10.5}),
    _message(
        5,
        type="identify",
        userId="bob-1",
        traits={"email": "bob@mail.example", "friend": "anna.rossi@mail.example"},
    ),
    _message(
        6,
        type="identify",
        userId="carla-1",
        traits={"email": "anna.rossi@mail.example", "firstName": "Carla"},
    ),
    _message(7, userId=True, traits={"email": "anna.rossi@mail.example"}),
    _message(8, event="Order Completed", userId="bob-1", properties={"order_id": "o2", "revenue": 3}),
]


def _bobs(workspace: Any) -> dict[tuple[str, str], bytes]:
    return {k: v for k, v in rows(workspace, ("nodes",)).items() if "bob" in k[1]}


async def _story(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with running(folder) as backend:
        await source(backend, "shop", "web")
        await send(backend, "shop", HISTORY)
        await backend.checkpoint()
        seen["before"] = scan(folder, ANNA[:1] + ANNA[2:4] + ["+393331234567"])
        await backend.backup(str(folder.parent / "older"))
        seen["bob before"] = _bobs(backend.workspace)
        receipt = await backend.erase("user_id:anna-77", "tester")
        seen["stores"] = {name: count for name, count, _ in receipt.stores}
        seen["bob after"] = _bobs(backend.workspace)
        await send(backend, "shop", [{**m, "messageId": f"again-{m['messageId']}"} for m in HISTORY[:2]])
        for who in ("user_id:anna-77", "email:anna.rossi@mail.example", "anonymous_id:cookie-of-anna"):
            with pytest.raises((Gone, NotFound)):
                find(backend.workspace, who)
        seen["replay"] = await backend.verify_replay()
        await backend.checkpoint()
    seen["after"] = scan(folder, ANNA)
    return seen


def test_a_scanner_finds_the_person_before_and_nothing_after_and_others_keep_every_byte(
    tmp_path: Path,
) -> None:
    seen = play(_story(tmp_path / "shop"))
    assert seen["before"]
    assert seen["after"] == []
    assert seen["replay"]["equal"], seen["replay"]["differences"]
    assert seen["bob before"].keys() == seen["bob after"].keys()
    assert seen["stores"]["log"] > 0


async def _restored(folder: Path) -> None:
    async with running(folder) as backend:
        for who in ("user_id:anna-77", "anonymous_id:cookie-of-anna"):
            with pytest.raises((Gone, NotFound)):
                find(backend.workspace, who)
        assert find(backend.workspace, "user_id:bob-1")


@pytest.mark.parametrize("told", ["backup knows", "erasures given"])
def test_a_restore_of_an_older_backup_leaves_the_erased_person_out(tmp_path: Path, told: str) -> None:
    play(_story(tmp_path / "shop"))
    older = tmp_path / "older"
    if told == "erasures given":
        for name in ("tombstones",):
            (older / name).unlink(missing_ok=True)
    restore_backup(older, tmp_path / "restored", tmp_path / "shop" if told == "erasures given" else None)
    play(_restored(tmp_path / "restored"))
    assert scan(tmp_path / "restored", ANNA) == []


def test_the_state_on_disk_is_overwritten(tmp_path: Path) -> None:
    play(_story(tmp_path / "shop"))
    base = sqlite3.connect(tmp_path / "shop" / "state.db")
    assert base.execute("pragma secure_delete").fetchone()
    base.close()
    assert json.dumps(scan(tmp_path / "shop", ["anna-77"])) == "[]"
