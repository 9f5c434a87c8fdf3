"""Decisions, splits and joins name people too: an erasure finds them after every kind of restart, by the index alone.

The identifiers are shorter than what is looked for as text (`privacy.LONG`), and of letters that occur nowhere else.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from patron.model.offers import Ask
from patron.runtime import facts
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions.decided import decision_of
from patron.runtime.flow import KeyHash
from patron.runtime.people.people import find
from patron.runtime.privacy import privacy
from patron.storage.embedded import directory
from patron.storage.embedded.segments import NOTES
from tests.flow.inprocess import play, running, send, source
from tests.flow.scanner import scan

NOW = 1_800_000_000_000
USER, DEVICE, CARD = "田中花7", "機械壱", "札弐"
HERS = [f"user_id:{USER}", f"anonymous_id:{DEVICE}", f"card:{CARD}"]
LIBRARY = "anonymous_id:browser-in-the-library"
CATALOGUE = """
[[offer]]
id = "open"
name = "Open to all"
"""
FACTS = {"Offer Decided", "Identity Split", "Identity Joined"}


def _message(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{number}",
        "timestamp": f"2027-01-{number + 1:02d}T10:00:00Z",
        **fields,
    }


MESSAGES = [
    _message(1, type="identify", userId=USER, anonymousId=DEVICE, traits={"card": CARD}),
    _message(2, userId=USER),
    _message(3, anonymousId=DEVICE),
    _message(4, type="identify", userId="bob-of-old", anonymousId="browser-of-bob"),
    _message(5, userId="bob-of-old"),
    _message(6, anonymousId="browser-in-the-library"),
    _message(7, anonymousId="browser-of-carla"),
]


async def _decide(backend: LocalBackend, times: int = 1, **who: str) -> None:
    for _ in range(times):
        await backend.decide(Ask("till", channel="pos", **who), trusted=True, source=None, user_hash="")


async def _history(backend: LocalBackend) -> None:
    """Decisions for her and others, a join and splits: taken back, standing, and of a device cut at a time."""
    await source(backend, "shop", "web")
    await backend.set_catalogue(CATALOGUE)
    await send(backend, "shop", MESSAGES)
    await _decide(backend, facts.ASKED + 3, user_id=USER)
    await _decide(backend, user_id="bob-of-old")
    joined = await backend.merge(HERS[0], LIBRARY, "tester")
    assert joined["joined"], joined
    await _decide(backend, anonymous_id=DEVICE)
    undone = await backend.split(HERS[0], [HERS[1]], "", 0, "tester")
    await backend.undo_split(undone.id, "tester")
    await backend.split(HERS[0], [LIBRARY], "", 0, "tester")
    cut = await backend.split(HERS[0], [], HERS[1], "2027-01-03T00:00:00Z", "tester")
    await _decide(backend, anonymous_id=DEVICE)
    await backend.undo_split(cut.id, "tester")
    joined = await backend.merge("user_id:bob-of-old", "anonymous_id:browser-of-carla", "tester")
    assert joined["joined"], joined


def _facts(backend: LocalBackend) -> list[tuple[str, set[str]]]:
    """The facts in the log that speak of people: name, and whom."""
    found = []
    for entry, body in backend.workspace.log.read(1):
        if entry.kind == "fact" and body != b"null":
            name = "Offer Decided" if decision_of(body) else facts._decoder.decode(body).name
            if name in FACTS:
                found.append((name, facts.spoken_of(entry, body)[0]))
    return found


async def _before(folder: Path, kind: str) -> list[tuple[str, set[str]]]:
    async with running(folder, now=NOW) as backend:
        await _history(backend)
        told = _facts(backend)
        if kind == "killed after a checkpoint":
            await backend.checkpoint()
            await _decide(backend, user_id=USER)
        if kind.startswith("killed"):
            # what a SIGKILL leaves is what stands on the disk now
            shutil.copytree(folder, folder.with_name("left"), ignore=shutil.ignore_patterns("run.json"))
        if kind == "stopped with a checkpoint":
            await backend.checkpoint()
    if kind.startswith("killed"):
        shutil.rmtree(folder)
        folder.with_name("left").rename(folder)
    if kind == "left-over notes":
        (notes,) = (folder / "log").glob(f"*{NOTES}")
        shutil.copy(notes, notes.with_stem(f"{99:020d}"))
        assert _hashes_left(folder).count(notes.name) == 1
    if kind == "state deleted":
        directory.drop_state(folder)
    return told


async def _erased(folder: Path) -> tuple[list[tuple[str, set[str]]], dict[str, Any]]:
    async with running(folder, now=NOW) as backend:
        await backend.erase(HERS[0], "tester")
        assert find(backend.workspace, "user_id:bob-of-old")
        return _facts(backend), await backend.verify_replay()


def _hashes_left(folder: Path) -> list[str]:
    """Files that hold the index's own hash of one of her identifiers, as the index writes it."""
    hashes = KeyHash(directory.secret(folder))
    wanted = [hashes(key).to_bytes(8, "little") for key in HERS]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(mark in path.read_bytes() for mark in wanted)]


@pytest.mark.parametrize(
    "kind",
    [
        "no restart",
        "stopped",
        "stopped with a checkpoint",
        "killed",
        "killed after a checkpoint",
        "state deleted",
        "left-over notes",
    ],
)
def test_an_erasure_finds_decisions_splits_and_joins_after_any_restart(tmp_path: Path, kind: str) -> None:
    assert max(map(len, (USER, DEVICE, CARD))) < privacy.LONG
    folder = tmp_path / "shop"
    told = play(_before(folder, kind))
    hers = {name for name, keys in told if keys & set(HERS)}
    assert hers == FACTS
    assert scan(folder, [USER, DEVICE])
    rest, replay = play(_erased(folder))
    assert not [fact for fact in rest if any(USER in k or DEVICE in k or CARD in k for k in fact[1])]
    assert scan(folder, [USER, DEVICE, CARD]) == []
    assert _hashes_left(folder) == []
    assert replay["equal"], replay["differences"]
    assert (
        "Identity Joined",
        {"anonymous_id:browser-of-bob", "anonymous_id:browser-of-carla"},
    ) in rest  # what was said of others alone still stands
    assert ("Offer Decided", {"user_id:bob-of-old"}) in rest


DEVICES = ["機械壱", "機械弐", "機械参"]


async def _partly(folder: Path) -> None:
    async with running(folder, now=NOW) as backend:
        await source(backend, "shop", "web")
        seen = [_message(n, userId="bob-of-old", anonymousId=device) for n, device in enumerate(DEVICES)]
        await send(backend, "shop", seen)
        wrong = [f"anonymous_id:{device}" for device in DEVICES[:2]]
        made = await backend.split("user_id:bob-of-old", wrong, "", 0, "tester")
        await backend.erase(wrong[0], "tester")
        people = [find(backend.workspace, key).id for key in ("user_id:bob-of-old", wrong[1])]
        assert len(set(people)) == 2
        replay = await backend.verify_replay()
        assert replay["equal"], replay["differences"]
        assert ("Identity Split", {"user_id:bob-of-old", wrong[1]}) in _facts(backend)
        await backend.undo_split(made.id, "tester")
        assert wrong[1] in find(backend.workspace, "user_id:bob-of-old").members
        replay = await backend.verify_replay()
        assert replay["equal"], replay["differences"]


def test_a_split_of_several_keeps_the_others_apart_when_one_is_erased(tmp_path: Path) -> None:
    play(_partly(tmp_path / "shop"))
    assert scan(tmp_path / "shop", DEVICES[:1]) == []
