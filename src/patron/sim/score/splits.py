"""Splitting wrong merges, looking at both halves, and taking the split back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from patron.sim.api import Api, Refused, part
from patron.sim.score.held import EVENTS_A_PAGE, LIGHT
from patron.sim.score.sent import Sent


class Tried(Struct, frozen=True):
    """One split that was tried: of whom, which identifiers were moved out, and what was found."""

    person: str
    moved: tuple[str, ...]
    apart: bool
    """Whether afterwards nobody held messages of both sides, and every message was there once."""
    undone: bool
    """Whether taking it back gave the very timeline from before."""
    note: str = ""


def try_splits(api: Api, sent: Sent, mixed: Iterable[str], number: int) -> list[Tried]:
    """Split up to `number` wrong merges by what the truth says, and undo each.

    A wrong merge is tried when some identifiers hold messages of one true person only, and the others hold none of them.

    Parameters
    ----------
    api : a key with the scopes `admin` (or `profiles:read` and `profiles:write`).
    mixed : ids of people on whose timelines two true people are.
    """
    found: list[Tried] = []
    for person in mixed:
        if len(found) >= number:
            break
        before = _timeline(api, person)
        moved = foreign_nodes(before, sent)
        if moved:
            found.append(_try(api, person, moved, before))
    return found


def foreign_nodes(events: Iterable[Mapping[str, Any]], sent: Sent) -> tuple[str, ...]:
    """The identifiers that hold messages of the true person who has fewest on a timeline, and of nobody else.

    Empty when no true person can be told apart by identifiers: every one shares one with somebody else.
    """
    owners: dict[str, Counter[int]] = {}
    messages: Counter[int] = Counter()
    for event in events:
        row = sent.row.get(event["messageId"])
        if row is not None:
            owners.setdefault(event["node"], Counter())[sent.person[row]] += 1
            messages[sent.person[row]] += 1
    for person, _ in sorted(messages.items(), key=lambda pair: (pair[1], pair[0])):
        mine = {node: held for node, held in owners.items() if person in held}
        heavy = [node for node in mine if node.partition(":")[0] not in LIGHT]
        if heavy and len(mine) < len(owners) and all(len(held) == 1 for held in mine.values()):
            return tuple(sorted(mine))
    return ()


def _try(api: Api, person: str, moved: tuple[str, ...], before: list[dict[str, Any]]) -> Tried:
    nodes = {event["node"] for event in before}
    try:
        made = api.post(f"/v1/profiles/{part(person)}/split", {"nodes": list(moved)})
    except Refused as refused:
        return Tried(person, moved, apart=False, undone=True, note=str(refused))
    try:
        note = _mixture(api, nodes, set(moved), before)
    except Refused as refused:
        note = str(refused)
    finally:
        api.delete(f"/v1/splits/{part(made['id'])}")
    undone = _timeline(api, person) == before
    return Tried(person, moved, apart=not note, undone=undone, note=note)


def _mixture(api: Api, nodes: set[str], moved: set[str], before: list[dict[str, Any]]) -> str:
    """What is wrong after a split; empty when each side holds exactly its own messages."""
    wanted = {
        True: _ids(e for e in before if e["node"] in moved),
        False: _ids(e for e in before if e["node"] not in moved),
    }
    got: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for one in sorted({api.get(f"/v1/profiles/{part(node)}")["id"] for node in nodes}):
        events = _timeline(api, one)
        sides = {event["node"] in moved for event in events}
        if len(sides) > 1:
            return f"{one} still holds messages of both"
        for side in sides:
            got[side] += _ids(events)
    for side, name in ((True, "what was moved out"), (False, "what stayed")):
        if got[side] != wanted[side]:
            return f"{name} has {got[side].total()} messages instead of {wanted[side].total()}"
    return ""


def _ids(events: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(event["messageId"] for event in events)


def _timeline(api: Api, person: str) -> list[dict[str, Any]]:
    return list(_events(api, person))


def _events(api: Api, person: str) -> Iterator[dict[str, Any]]:
    for page in api.pages(f"/v1/profiles/{part(person)}/events", EVENTS_A_PAGE, order="asc"):
        yield from page["data"]
