"""Tallies and standings of somebody who was erased hold nothing of them, and those of others no mention."""

import sqlite3
from pathlib import Path
from typing import Any

from patron.runtime.backend import LocalBackend
from patron.segments import tally
from tests.flow.inprocess import play, running, send, source
from tests.flow.scanner import scan

HERS = ["anna-rossi-77", "cookie-of-anna", "anna.rossi@mail.example"]
SAID = ["Nachtigall", "Via Appia 1", "Quartetto"]
"""What only her events say, kept in lists."""
LATELY = {"within": {"days": 300}}
RULES: dict[str, dict[str, Any]] = {
    "many": {"kind": "did", "event": "*", "measure": "distinct", "property": "nick", "op": ">=", "value": 1},
    "often": {
        "kind": "did",
        "event": "Product Viewed",
        "measure": "most_frequent",
        "property": "street",
        "op": "!=",
        "value": "Via Nuova",
    },
    "each": {
        "kind": "did",
        "event": "*",
        "measure": "distinct",
        "property": "products[].title",
        "op": ">=",
        "value": 1,
    },
    "friendly": {
        "kind": "did",
        "event": "*",
        "measure": "distinct",
        "property": "friend",
        "op": ">=",
        "value": 1,
    },
    "tempted": {"kind": "sequence", "steps": [{"event": "Product Viewed"}, {"event": "Order Completed"}]},
}


def _message(number: int, **fields: Any) -> dict[str, Any]:
    call = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}"}
    return {**call, "timestamp": f"2027-01-{number:02d}T10:00:00Z", **fields}


SHOWN = {"nick": SAID[0], "street": SAID[1], "products": [{"title": SAID[2]}]}
MESSAGES = [
    _message(
        1,
        type="identify",
        userId="anna-rossi-77",
        anonymousId="cookie-of-anna",
        traits={"email": "anna.rossi@mail.example"},
    ),
    _message(2, userId="anna-rossi-77", properties=SHOWN),
    _message(3, anonymousId="cookie-of-anna", properties={**SHOWN, "friend": "bob-of-old"}),
    _message(4, userId="anna-rossi-77", event="Order Completed"),
    _message(
        5,
        userId="bob-of-old",
        properties={"friend": "anna.rossi@mail.example", "nick": "Merlo", "street": "Via Po"},
    ),
    _message(6, userId="bob-of-old", properties={"nick": "Merlo"}),
    _message(7, userId="bob-of-old", event="Order Completed"),
]


async def _filled(backend: LocalBackend) -> None:
    for name, rule in RULES.items():
        definition = {"id": name, "name": name, "rule": {**rule, **LATELY}}
        data = {"id": name, "version": 1, "by": "test", "definition": definition}
        await backend.app.record("Segment Saved", data)
    assert not backend.workspace.definitions.active().unread
    backend.workspace.segments.finish()


def _tallies(folder: Path) -> bytes:
    """Everything in the tallies that are on the disk, as text."""
    base = sqlite3.connect(f"file:{folder / 'state.db'}?mode=ro", uri=True)
    try:
        rows = base.execute("select key, value from t_tallies").fetchall()
    finally:
        base.close()
    return repr([(key, tally.decode(bytes(value))) for key, value in rows]).encode()


async def _story(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    async with running(folder) as backend:
        await source(backend, "shop")
        await send(backend, "shop", MESSAGES[:3])
        await _filled(backend)
        await send(backend, "shop", MESSAGES[3:])
        segments, graph = backend.workspace.segments, backend.workspace.graph
        anna, bob = graph.person_of("user_id:anna-rossi-77"), graph.person_of("user_id:bob-of-old")
        assert anna is not None
        assert bob is not None
        seen["in"] = {"anna": segments.memberships(anna.id), "bob": segments.memberships(bob.id)}
        await backend.checkpoint()
        seen["before"] = _tallies(folder)
        await backend.erase("user_id:anna-rossi-77", "tester")
        seen["in after"] = {"anna": segments.memberships(anna.id), "bob": segments.memberships(bob.id)}
        seen["counts"] = {name: segments.count(name) for name in RULES}
        seen["changes"] = [one.person for one in segments.changes()]
        seen["standings"] = list(backend.workspace.state.table("standings").keys())
        seen["anna"], seen["bob"] = anna.id, bob.id
        seen["replay"] = await backend.verify_replay()
        await backend.checkpoint()
        seen["after"] = _tallies(folder)
    return seen


def test_lists_and_standings_of_an_erased_person_are_gone_and_those_of_others_lose_the_mention(
    tmp_path: Path,
) -> None:
    seen = play(_story(tmp_path / "shop"))
    assert seen["in"] == {"anna": sorted(RULES), "bob": sorted(RULES.keys() - {"each"})}
    for text in (*HERS, *SAID):
        assert text.encode() in seen["before"], text
        assert text.encode() not in seen["after"], text
    assert b"Merlo" in seen["after"]
    assert scan(tmp_path / "shop", [*HERS, *SAID]) == []
    assert seen["in after"] == {"anna": [], "bob": seen["in"]["bob"]}
    assert seen["counts"] == {name: int(name != "each") for name in RULES}
    assert seen["standings"] == [seen["bob"]]
    assert seen["anna"] not in seen["changes"]
    assert seen["replay"]["equal"], seen["replay"]["differences"]
