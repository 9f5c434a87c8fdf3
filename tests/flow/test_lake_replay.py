"""The old part of the log is in the lake only; in another folder, with the state deleted, everything comes back the same."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from patron.runtime.people.history import history
from patron.runtime.people.people import find
from patron.storage.embedded import directory
from tests.flow.inprocess import LAWFUL, partition, play, rows, running, send, source
from tests.flow.scanner import scan
from tests.flow.test_erase import ANNA, HISTORY, _message

NOW = 1_800_000_000_000
CONTEXT = {
    "page": {"path": "/p"},
    "campaign": {"name": "spring", "source": "mail"},
    "consent": {"categoryPreferences": {"ads": True, "email": False}},
    "externalIds": [{"type": "card", "id": "4711-22", "collection": "users", "encoding": "none"}],
    "traits": {"vip": True},
}
MORE = [
    _message(
        30, userId="bob-1", context=CONTEXT, properties={"price": 1.0, "big": 2**60, "text": "naïve \u0000 x"}
    ),
    _message(31, type="group", userId="bob-1", groupId="acme", traits={"plan": "gold"}),
    _message(32, type="alias", userId="bob-2", previousId="cookie-of-bob"),
    _message(33, userId="dora", timestamp="2024-01-01T00:00:00Z", channel=None, context={"channel": "pos"}),
    _message(34, event="Consent Changed", userId="dora", properties={"purpose": "ads", "granted": False}),
    _message(3, userId="bob-1", anonymousId="cookie-of-bob", properties={"product_id": "P7"}),
    {"type": "track", "event": "Broken", "messageId": "m35", "userId": "dora", "timestamp": "yesterday"},
]


async def _fill(folder: Path) -> None:
    from patron.model.offers import Ask

    async with running(folder) as backend:
        await source(backend, "shop", "web")
        for part in (HISTORY[:4], HISTORY[4:], MORE):
            await send(backend, "shop", part)
        await backend.decide(
            Ask("web_home", "bob-1", None, "web", {}), trusted=True, source=None, user_hash=""
        )
        backend.workspace.log._committer.rotate()
        await send(backend, "shop", [_message(50, userId="bob-1"), _message(51, userId="late")])
        await backend.step_clock(NOW + 1000)
        backend.workspace.log.settle()
        done = await backend.log_prune(NOW + 500)
        assert done["segments"] == 1
        again = await backend.log_prune(NOW + 500)
        assert again["segments"] == 0
        assert (await backend.verify_replay())["equal"]
        await backend.checkpoint()


async def _look(folder: Path) -> dict[str, Any]:
    async with running(folder, now=NOW + 1000) as backend:
        workspace = backend.workspace
        bob = find(workspace, "user_id:bob-1")
        page = history(workspace, bob, None, "asc", 50)
        return {
            "rows": rows(workspace, (*LAWFUL, "decisions", "sources", "dead", "asked", "assigned")),
            "people": partition(workspace),
            "timeline": msgspec.to_builtins(page.data),
            "letters": [letter.code for letter in backend.dead_letters("", "", None, 50)[0]],
        }


def test_a_replay_from_the_lake_and_the_rest_of_the_log_gives_the_same(tmp_path: Path) -> None:
    play(_fill(tmp_path / "shop"))
    assert b"cookie-of-bob" not in b"".join(
        d for f in (tmp_path / "shop" / "log").iterdir() for _, d in _open(f)
    )
    before = play(_look(tmp_path / "shop"))
    shutil.copytree(tmp_path / "shop", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "shop")
    directory.drop_state(tmp_path / "elsewhere")
    after = play(_look(tmp_path / "elsewhere"))
    assert after["rows"] == before["rows"]
    assert after["people"] == before["people"]
    assert after["timeline"] == before["timeline"]
    assert len(after["timeline"]) >= 5
    assert after["letters"] == before["letters"]
    assert "bad_time" in after["letters"]


def _open(path: Path) -> Any:
    from tests.flow.scanner import layers

    return layers(path) if path.suffix == ".zst" else []


async def _erase(folder: Path) -> dict[str, Any]:
    async with running(folder, now=NOW + 1000) as backend:
        await backend.erase("user_id:anna-77", "tester")
        bob = find(backend.workspace, "user_id:bob-1")
        return {
            "replay": await backend.verify_replay(),
            "bob": len(history(backend.workspace, bob, None, "asc", 50).data),
        }


def test_an_erasure_reaches_what_only_the_lake_has(tmp_path: Path) -> None:
    play(_fill(tmp_path / "shop"))
    assert scan(tmp_path / "shop", ANNA)
    seen = play(_erase(tmp_path / "shop"))
    assert scan(tmp_path / "shop", ANNA) == []
    assert seen["bob"] >= 5
    assert seen["replay"]["equal"], seen["replay"]["differences"]
