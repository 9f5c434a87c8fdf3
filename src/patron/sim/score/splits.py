"""Splitting wrong merges, looking at both halves, and taking the split back."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from patron.sim.score.held import EVENTS_A_PAGE, LIGHT, Event
from patron.sim.score.sent import Sent
from patron.sim.server.api import Api, Refused, part


class Tried(Struct, frozen=True):
    """One split that was tried: of whom, which identifiers were moved out, and what was found."""

    person: str
    moved: tuple[str, ...]
    apart: bool
    """Whether afterwards every message was there once, and nobody held messages of both sides or got those of others."""
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
        moved = foreign_nodes(_timeline(api, person), sent)
        if moved:
            found.append(_try(api, sent, person, moved))
    return found


def foreign_nodes(events: Iterable[Event], sent: Sent) -> tuple[str, ...]:
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


def _try(api: Api, sent: Sent, person: str, moved: tuple[str, ...]) -> Tried:
    before = _timeline(api, person)
    try:
        made = api.post(f"/v1/profiles/{part(person)}/split", {"nodes": list(moved)})
    except Refused as refused:
        return Tried(person, moved, apart=False, undone=True, note=str(refused))
    try:
        note = _mixture(api, sent, set(moved), before)
    except Refused as refused:
        note = str(refused)
    finally:
        api.delete(f"/v1/splits/{part(made['id'])}")
    undone = _timeline(api, person) == before
    return Tried(person, moved, apart=not note, undone=undone, note=note)


def _mixture(api: Api, sent: Sent, moved: set[str], before: list[Event]) -> str:
    """What is wrong after a split; empty when each side holds its own messages and no other person's."""
    side_of = {event["messageId"]: event["node"] in moved for event in before}
    seen: Counter[str] = Counter()
    for person in sorted({api.get(f"/v1/profiles/{part(event['node'])}")["id"] for event in before}):
        names = [event["messageId"] for event in _timeline(api, person)]
        sides = {side_of[name] for name in names if name in side_of}
        if len(sides) > 1:
            return f"{person} still holds messages of both"
        # a link that the wrong merge had stood in the way of may count now, and bring more of the same person
        wanted = _owners(sent, (name for name, side in side_of.items() if side in sides))
        strange = _owners(sent, names) - wanted
        if strange:
            return f"{person} has got messages of {len(strange)} others"
        seen.update(name for name in names if name in side_of)
    if seen != Counter(dict.fromkeys(side_of, 1)):
        return f"of {len(side_of)} messages {len(seen)} are there, {seen.total() - len(seen)} of them twice"
    return ""


def _owners(sent: Sent, names: Iterable[str]) -> set[int]:
    return {sent.person[row] for name in names if (row := sent.row.get(name)) is not None}


def _timeline(api: Api, person: str) -> list[Event]:
    path = f"/v1/profiles/{part(person)}/events"
    return [event for page in api.pages(path, EVENTS_A_PAGE, order="asc") for event in page["data"]]
