"""Erasing one person from every store of this directory (GOV-04, CORE.md section 5): what goes, and how.

The log is rewritten without the person's messages; messages of other people that mention them lose just the mention,
and what those people's profiles took from it. Positions stay, so everything else stays readable as it was.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from patron.collect.body import take_apart
from patron.collect.limits import UNLIMITED
from patron.collect.segment_api import blank, redact
from patron.identity.evidence import NO_EVIDENCE
from patron.identity.normalise import normalise
from patron.identity.once import around
from patron.model.log import Entry
from patron.model.people import Key, Person
from patron.model.views import EraseReceipt
from patron.profiles.fold import fold
from patron.profiles.partial import Partial
from patron.runtime import facts
from patron.runtime.exports import exporting
from patron.runtime.flow import settle_home, uncut
from patron.runtime.workspace import Workspace
from patron.storage.embedded import backup

LONG = 6
"""Identifiers of at least this many characters are also looked for as text, wherever they stand; shorter ones by the index."""


class Erasure(msgspec.Struct):
    """What an erasure will remove, worked out before anything is touched."""

    id: str
    ids: list[str]
    keys: list[Key]
    marks: list[str]
    time: int
    ghosts: dict[str, tuple[int, int, int, int]] = {}
    """Tombstone form of a neighbour that stays -> how many erased ones still count for it, so that what was shared
    stays shared, also when all is rebuilt from the log."""


def prepare(workspace: Workspace, person: Person) -> Erasure:
    """Name everything that goes: the identifiers of the group except those shared with other people."""
    keys = [k for k in person.members if not workspace.graph.is_shared(k)]
    whole = sorted({uncut(k, workspace.cuts) for k in keys})
    ids = {person.id, *workspace.graph.retired_ids(person)}
    marks = [workspace.tombstones.mark(k) for k in whole]
    now, name = workspace.clock.now(), f"erase-{workspace.log.last + 1}"
    erasure = Erasure(name, [], keys, marks, now)
    return msgspec.structs.replace(erasure, ids=sorted(ids | _former_groups(workspace, erasure)))


def wanted_of(workspace: Workspace, erasure: Erasure, positions: set[int]) -> dict[str, Any]:
    """Whom the lake must forget (`runtime.lake.erasing.Wanted`): nodes, each with its part of time if it was cut."""
    nodes = list[tuple[int, int | None, int | None]]()
    for key in erasure.keys:
        whole = uncut(key, workspace.cuts)
        times = workspace.cuts.get(whole) or []
        since = int(key.rpartition("~")[2]) if whole != key else None
        until = next((t for t in times if since is None or t > since), None)
        node = workspace.hashes(whole)
        nodes.append((node - (1 << 64) if node >> 63 else node, since, until))
    values = _values(workspace, erasure)
    return {
        "nodes": nodes,
        "positions": sorted(positions),
        "values": sorted(values),
        "keys": sorted({uncut(key, workspace.cuts) for key in erasure.keys}),
        "people": erasure.ids,
        "needles": sorted({needle.decode() for needle in _needles(values)}),
    }


def mentions(workspace: Workspace, erasure: Erasure, found: set[int], start: int = 1) -> Iterator[None]:
    """Collect into `found` every message from `start` on that mentions the person, also in free text; yields between
    entries."""
    hashes = {workspace.hashes(k) for k in _names(workspace, erasure)}
    found.update(row.position for row in workspace.log.find(hashes))
    needles = _needles(_values(workspace, erasure))
    for entry, body in workspace.log.read(start):
        if entry.last > workspace.applied:
            break
        if not needles or not _holds(body, needles):
            yield
            continue
        if entry.kind == "fact":
            found.add(entry.base)
        else:
            messages = take_apart(body, entry.route, UNLIMITED).messages
            found.update(entry.base + i for i, text in enumerate(messages) if _holds(bytes(text), needles))
        yield


def erase(workspace: Workspace, erasure: Erasure, positions: set[int]) -> EraseReceipt:
    """Remove a person from every store on this disk. Called when the tombstones are durable; safe to repeat."""
    touched = _rewrite(workspace, erasure, positions)
    stores = [
        ("log", len(positions), f"{len(positions)} messages removed or redacted"),
        ("state", *_erase_state(workspace, erasure)),
        ("other profiles", len(touched), f"{len(touched)} profiles of other people no longer mention them"),
        ("dead letters", *_erase_dead(workspace, positions)),
        ("exports", *exporting.forget(workspace.path / exporting.FOLDER, frozenset(erasure.ids))),
        ("backups", *_erase_backups(workspace, erasure)),
    ]
    for node in touched:
        refold(workspace, node)
    workspace.segments.settle("erasure", erasure.ids)
    workspace.from_lake.erased(erasure.ids)
    workspace.hashes.forget()
    workspace.bodies.forget()
    workspace.checkpoint()
    workspace.state.erase_pages()
    return EraseReceipt(erasure.id, erasure.time, stores)


def _rewrite(workspace: Workspace, erasure: Erasure, positions: set[int]) -> set[Key]:
    """Rewrite the log; gives the nodes of other people whose messages lost a mention."""
    whole = {uncut(k, workspace.cuts) for k in erasure.keys}
    values, nodes, touched = _values(workspace, erasure), set(erasure.keys), set[Key]()
    gone: set[int] = set()
    names = _names(workspace, erasure)

    mine = {row.position for row in workspace.log.find({workspace.hashes(k) for k in names}) if row.is_node}
    workspace.past.forget()  # the lake was written anew
    workspace.recall(positions)

    def same(text: str) -> bool:
        return any(_normal(workspace, kind, text) in whole for kind in ("email", "phone", "user_id"))

    def edit(entry: Entry, body: bytes, hit: list[int]) -> tuple[Entry, bytes]:
        if entry.kind == "fact":
            rest = facts.without(entry, body, names)
            if rest == facts.ERASED:
                gone.add(entry.base)
            return entry, rest
        own: list[int] = []
        found = {e.position: place.node for e, place, _ in workspace.decode(entry, body)}
        for position in hit:
            node = found.get(position)
            if node is None and position <= workspace.thinned and position not in mine:
                kept = workspace.event_at(position)  # in the lake, and redacted there
                if kept is not None:
                    touched.add(kept[1].node)
                    continue
            if node is None or node in nodes:
                own.append(position - entry.base)
            else:
                body = redact(body, entry.route, position - entry.base, values, same)
                touched.add(node)
        gone.update(entry.base + index for index in own)
        rejects = tuple(r for r in entry.rejects if r.index not in own)
        return msgspec.structs.replace(entry, rejects=rejects), blank(body, entry.route, own)

    workspace.log.rewrite(positions, edit, {workspace.hashes(k) for k in names}, gone)
    return touched


def refold(workspace: Workspace, node: Key) -> None:
    """Make a node's profile anew from its messages in the log, as a replay would."""
    partial = Partial()
    workspace.segments.drop(node)
    workspace.households.drop(node)
    workspace.interests.drop(node)
    workspace.trends.drop(node)
    rows = workspace.log.find({workspace.hashes(uncut(node, workspace.cuts))})
    workspace.recall(row.position for row in rows if row.is_node)
    for position in sorted({row.position for row in rows if row.is_node}):
        hit = workspace.event_at(position)
        if hit is not None and hit[1].node == node:
            fold(partial, hit[0], workspace.settings.profiles)
            settle_home(hit[0], node, workspace.world)
            workspace.segments.refold(hit[0], node)
            workspace.interests.event(hit[0], node)
            workspace.trends.event(hit[0], node)
    workspace.nodes.put(node, partial)
    workspace.segments.retold(node)


def _names(workspace: Workspace, erasure: Erasure) -> set[Key]:
    """Every name under which the person's identifiers stand in the log: as events carry them, and as decisions, splits
    and joins called a part that was cut off, also when the cut was undone since and nobody has that name any more."""
    whole = {uncut(k, workspace.cuts) for k in erasure.keys}
    records = [r for n in workspace.splits.keys() if (r := workspace.splits.get(n)) and r.node in whole]
    parts = {f"{record.node}~{record.at}" for record in records}
    return whole | set(erasure.keys) | {part for part in parts if part not in workspace.idents}


def _former_groups(workspace: Workspace, erasure: Erasure) -> set[str]:
    """Ids of people who were a part that was cut off, until the cut was undone."""
    former = {name for name in _names(workspace, erasure) if name not in workspace.idents}
    return {pid for pid, group in workspace.groups.items() if group.root in former} if former else set()


def _values(workspace: Workspace, erasure: Erasure) -> set[str]:
    return {uncut(k, workspace.cuts).partition(":")[2] for k in erasure.keys}


def _needles(values: Collection[str]) -> list[bytes]:
    """Values as they may stand in JSON: as text, and escaped."""
    long = [v.casefold() for v in values if len(v) >= LONG]
    return sorted({form for v in long for form in (v.encode(), json.dumps(v)[1:-1].encode())})


def _holds(message: bytes, needles: Collection[bytes]) -> bool:
    low = message.lower()
    return any(needle in low for needle in needles)


def _normal(workspace: Workspace, kind: str, text: str) -> str:
    return f"{kind}:{normalise(kind, text, workspace.settings.identity)}"


def _erase_dead(workspace: Workspace, positions: set[int]) -> tuple[int, str]:
    gone = [key for key in map(str, positions) if key in workspace.dead]
    for key in gone:
        workspace.dead.delete(key)
    return len(gone), f"{len(gone)} dead letters removed"


def _erase_state(workspace: Workspace, erasure: Erasure) -> tuple[int, str]:
    names = _names(workspace, erasure)
    for pid in _former_groups(workspace, erasure):
        workspace.groups.delete(pid)
    # all of them: a node remembers only the newest that were made for it
    made = {name: row for name, row in workspace.decisions.items() if row.node in names}
    for decision, one in made.items():
        workspace.sent.forget(decision, one)
        workspace.rewards.forget(decision)
        workspace.decisions.delete(decision)
        workspace.shown.delete(decision)
    for key in sorted(names):
        for table in (
            workspace.asked,
            workspace.assigned,
            workspace.grants,
            workspace.nodes,
            workspace.members,
        ):
            table.delete(key)
        workspace.segments.drop(key)
        workspace.households.drop(key)
        workspace.interests.drop(key)
        workspace.trends.drop(key)
        workspace.entered.drop(key)
        workspace.cuts.delete(uncut(key, workspace.cuts))
    graph = workspace.graph
    rows = [(key, row) for key in erasure.keys if (row := graph.row(key)) is not None]
    _forget_cuts(workspace, names)
    beside = set[Key]().union(*(around(graph, k, r) for k, r in rows)) - set(erasure.keys)
    workspace.world.regrouped(graph.drop(*erasure.keys))
    for key in beside:
        row = graph.row(key)
        if row is not None and row.ghosts is not None:
            erasure.ghosts[workspace.tombstones.mark(uncut(key, workspace.cuts))] = row.ghosts
    return len(
        erasure.keys
    ), f"{len(erasure.keys)} identifiers, their profiles and {len(made)} decisions removed"


def _forget_cuts(workspace: Workspace, names: set[Key]) -> None:
    """Forget what splits said of the erased: the records, and the marks that stay with others while a cut pair is unseen."""
    for name in list(workspace.splits.keys()):
        record = workspace.splits.get(name)
        rest = record and facts.spared(record, names)
        if record is None or rest == record:
            continue
        for a, b in record.pairs:
            edge = workspace.graph.edge(a, b) if {a, b} & names else None
            if edge is not None and edge.strength == NO_EVIDENCE:
                workspace.world.regrouped(workspace.graph.restore([(a, b)]))
        if rest is None:
            workspace.splits.delete(name)
        else:
            workspace.splits.put(name, rest)


def _erase_backups(workspace: Workspace, erasure: Erasure) -> tuple[int, str]:
    lines = [f"{mark} {erasure.time}" for mark in erasure.marks]
    reached = backup.add_tombstones(workspace.path, lines)
    return len(reached), f"{len(reached)} backups told to leave this person out when restored"
