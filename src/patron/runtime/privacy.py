"""Export and erasure of one person: everything that is held, or nothing of it (GOV-04, CORE.md section 5)."""

import io
import json
import zipfile
from collections.abc import Collection
from typing import Any

import msgspec

from patron.collect.segment_api import blank, message_at, redact
from patron.identity.normalise import normalise
from patron.model.log import Entry
from patron.model.people import Key, Person
from patron.model.views import EraseReceipt
from patron.profiles import public
from patron.runtime import people
from patron.runtime.flow import uncut
from patron.runtime.workspace import Workspace, plain
from patron.storage.embedded import backup

ERASED = b'{"name":"Erased","data":null}'


# --- export -------------------------------------------------------------------------------------------------


def export(workspace: Workspace, person: Person) -> bytes:
    """One ZIP with all that is held on a person: profile, identity with its reasons, every event, decisions.

    The events are the messages as received, so that nothing is lost in translation; README.txt says what each file is.
    """
    rows = people.rows(workspace, person)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        archive.writestr("profile.json", _pretty(_profile(workspace, person)))
        archive.writestr("identity.json", _pretty(_identity(workspace, person)))
        archive.writestr("decisions.json", _pretty(_decisions(workspace, person)))
        with archive.open("events.ndjson", "w") as out:
            for row in rows:
                message = _message(workspace, row.position)
                if message is not None:
                    out.write(message + b"\n")
    return buffer.getvalue()


_README = """All that is held about one person.

profile.json    traits with their origin, consents with their proof, totals
identity.json   identifiers, and why each belongs to this person
events.ndjson   every message, as received, in the order of time, one a line
decisions.json  what was decided for this person, and why
"""


def _profile(workspace: Workspace, person: Person) -> Any:
    return public.to_json(person, people.profile(workspace, person))


def _identity(workspace: Workspace, person: Person) -> Any:
    from patron.identity.explain import links

    return {
        "id": person.id,
        "identifiers": list(person.members),
        "links": plain(links(workspace.graph, person)),
    }


def _decisions(workspace: Workspace, person: Person) -> Any:
    return [
        plain(d)
        for key in person.members
        for i in workspace.asked.get(key) or []
        if (d := workspace.decisions.get(i))
    ]


def _message(workspace: Workspace, position: int) -> bytes | None:
    entry, body = workspace.log.at(position)
    return message_at(body, entry.route, position - entry.base)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


# --- erase --------------------------------------------------------------------------------------------------


class Erasure(msgspec.Struct):
    """What an erasure will remove, worked out before anything is touched."""

    id: str
    ids: list[str]
    keys: list[Key]
    marks: list[str]
    time: int


def prepare(workspace: Workspace, person: Person) -> Erasure:
    """Name everything that goes: the identifiers of the group except those shared with other people."""
    keys = [k for k in person.members if not workspace.graph.is_shared(k)]
    whole = sorted({uncut(k, workspace.cuts) for k in keys})
    ids = sorted({person.id, *workspace.graph.retired_ids(person)})
    marks = [workspace.tombstones.mark(k) for k in whole]
    return Erasure(f"erase-{workspace.log.last + 1}", ids, keys, marks, workspace.clock.now())


def erase(workspace: Workspace, erasure: Erasure) -> EraseReceipt:
    """Remove a person from every store on this disk. Called when the tombstones are durable; safe to repeat."""
    values = {uncut(k, workspace.cuts).partition(":")[2] for k in erasure.keys}
    stores = [
        ("log", *_erase_log(workspace, erasure, values)),
        ("dead letters", *_erase_dead(workspace, values)),
        ("state", *_erase_state(workspace, erasure)),
        ("backups", *_erase_backups(workspace, erasure)),
    ]
    workspace.hashes.forget()
    workspace.checkpoint()
    workspace.state.erase_pages()
    return EraseReceipt(erasure.id, erasure.time, stores)


def _erase_log(workspace: Workspace, erasure: Erasure, values: set[str]) -> tuple[int, str]:
    whole = {uncut(k, workspace.cuts) for k in erasure.keys}
    hashes = {workspace.hashes(k) for k in whole}
    rows = workspace.log.find(hashes)
    positions = {row.position for row in rows}
    nodes = set(erasure.keys)

    def same(text: str) -> bool:
        return any(_normal(workspace, kind, text) in whole for kind in ("email", "phone", "user_id"))

    def edit(entry: Entry, body: bytes, hit: list[int]) -> tuple[Entry, bytes]:
        if entry.kind == "fact":
            return entry, ERASED
        own: list[int] = []
        others: list[int] = []
        located = {e.position: place for e, place, _ in workspace.decode(entry, body)}
        for position in hit:
            place = located.get(position)
            (own if place is None or place.node in nodes else others).append(position - entry.base)
        for index in others:
            body = redact(body, entry.route, index, values, same)
        return entry, blank(body, entry.route, own)

    report = workspace.log.rewrite(positions, edit, hashes)
    return len(positions), f"{len(positions)} messages removed, {report.segments} log files rewritten"


def _normal(workspace: Workspace, kind: str, text: str) -> str:
    return f"{kind}:{normalise(kind, text, workspace.settings.identity)}"


def _erase_dead(workspace: Workspace, values: Collection[str]) -> tuple[int, str]:
    doomed: dict[int, str] = {}
    for key in list(workspace.dead.keys()):
        row = workspace.dead.get(key)
        message = None if row is None else _message(workspace, row.position)
        if row is not None and (message is None or _holds(message, values)):
            doomed[row.position] = key
    if doomed:

        def edit(entry: Entry, body: bytes, hit: list[int]) -> tuple[Entry, bytes]:
            return entry, blank(body, entry.route, [p - entry.base for p in hit])

        workspace.log.rewrite(set(doomed), edit, ())
    for key in doomed.values():
        workspace.dead.delete(key)
    return len(doomed), f"{len(doomed)} dead letters removed"


def _holds(message: bytes, values: Collection[str]) -> bool:
    text = message.decode("utf-8", "replace").casefold()
    return any(value.casefold() in text for value in values)


def _erase_state(workspace: Workspace, erasure: Erasure) -> tuple[int, str]:
    decisions = 0
    for key in erasure.keys:
        for decision in workspace.asked.get(key) or []:
            workspace.decisions.delete(decision)
            workspace.shown.delete(decision)
            decisions += 1
        for table in (workspace.asked, workspace.assigned, workspace.nodes, workspace.members):
            table.delete(key)
        workspace.cuts.delete(uncut(key, workspace.cuts))
    workspace.world.regrouped(workspace.graph.drop(*erasure.keys))
    gone = set(erasure.keys)
    for name in list(workspace.splits.keys()):
        record = workspace.splits.get(name)
        if record and (record.node in gone or any(gone & set(pair) for pair in record.pairs)):
            workspace.splits.delete(name)
    return len(
        erasure.keys
    ), f"{len(erasure.keys)} identifiers, their profiles and {decisions} decisions removed"


def _erase_backups(workspace: Workspace, erasure: Erasure) -> tuple[int, str]:
    lines = [f"{mark} {erasure.time}" for mark in erasure.marks]
    reached = backup.add_tombstones(workspace.path, lines)
    return len(reached), f"{len(reached)} backups told to leave this person out when restored"
