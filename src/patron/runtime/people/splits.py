"""Undoing wrong merges: cutting edges between identifiers, or one node at a time, exactly and undoably."""

from patron.model.errors import BadRequest
from patron.model.people import Key, Person
from patron.model.views import SplitPreview, SplitView
from patron.profiles.fold import fold
from patron.profiles.partial import Partial
from patron.runtime.flow import settle_home, uncut
from patron.runtime.tables import SplitRecord
from patron.runtime.workspace import Workspace


def plan(
    workspace: Workspace, person: Person, nodes: tuple[Key, ...], cut_node: Key, cut_at: int, by: str
) -> SplitRecord:
    """Work out a split before making it. Raises BadRequest when it would separate nothing."""
    unknown = [n for n in (*nodes, *([cut_node] if cut_node else [])) if n not in person.members]
    if unknown:
        raise BadRequest("not_theirs", _not_theirs(workspace, person, unknown[0]))
    pairs: tuple[tuple[Key, Key], ...] = ()
    if cut_node:
        if "~" in cut_node:
            raise BadRequest(
                "cut_twice", "This identifier was cut before; undo that cut and choose one time."
            )
    elif not nodes or len(nodes) >= len(person.members):
        raise BadRequest(
            "nothing_left", "Choose at least one identifier to move out, and leave at least one."
        )
    else:
        pairs = tuple(workspace.graph.split_edges(person, nodes))
    now = workspace.clock.now()
    number = workspace.log.last + 1
    return SplitRecord(f"split-{number}", now, by, person.id, pairs, cut_node, cut_at)


def _not_theirs(workspace: Workspace, person: Person, key: Key) -> str:
    said = f"{key} is not an identifier of {person.id}"
    holder = workspace.graph.person_of(key)
    if holder is None:
        return f"{said}, and of nobody else. See all of theirs with GET /v1/profiles/{person.id} or reload the page."
    cuts = workspace.cuts.get(uncut(key, workspace.cuts)) or []
    parts = (
        f"; it was cut, and its parts are {', '.join([key, *(f'{key}~{at}' for at in cuts)])}" if cuts else ""
    )
    return f"{said}: it belongs to {holder.id}{parts}. To split it from them, name the person by that id."


def enact(workspace: Workspace, record: SplitRecord) -> None:
    """Apply a split: cut the edges, or fold the cut node's events again into two."""
    if record.pairs:
        workspace.world.regrouped(workspace.graph.cut(record.pairs, record.time, record.id))
    if record.node:
        times = sorted({*(workspace.cuts.get(record.node) or []), record.at})
        _recut(workspace, record.node, times)


def standing(workspace: Workspace, members: tuple[Key, ...]) -> list[SplitView]:
    """The splits of these nodes that were not taken back."""
    found = []
    for name in workspace.splits.keys():
        record = workspace.splits.get(name)
        if record is None or record.undone is not None:
            continue
        touched = {key for pair in record.pairs for key in pair} | ({record.node} if record.node else set())
        if touched & set(members):
            after = effect(workspace, record)
            found.append(
                SplitView(record.id, after, list(record.pairs), f"Split by {record.by}", record.time)
            )
    return found


def undo(workspace: Workspace, record: SplitRecord) -> None:
    """Take a split back: everyone stands as if it had never been made."""
    if record.pairs:
        workspace.world.regrouped(workspace.graph.restore(record.pairs))
    if record.node:
        times = [t for t in (workspace.cuts.get(record.node) or []) if t != record.at]
        _recut(workspace, record.node, times)


def _recut(workspace: Workspace, key: Key, times: list[int]) -> None:
    """Fold every event that mentions `key` again, under other cut times. Exact: nothing else changes."""
    before = workspace.cuts.get(key) or []
    positions = sorted({row.position for row in workspace.log.find([workspace.hashes(key)])})
    for name in [key, *(f"{key}~{t}" for t in {*before, *times})]:
        workspace.world.regrouped(workspace.graph.drop(name, erased=False))
        workspace.nodes.delete(name)
        workspace.segments.drop(name)
        workspace.households.drop(name)
        workspace.interests.drop(name)
        workspace.trends.drop(name)
    if times:
        workspace.cuts.put(key, times)
    else:
        workspace.cuts.delete(key)
    workspace.world.split = len(workspace.cuts) > 0
    workspace.recall(positions)
    for position in positions:
        if position <= workspace.applied:
            _again(workspace, position, key)


def _again(workspace: Workspace, position: int, key: Key) -> None:
    entry, _ = workspace.log.at(position)
    if entry.kind != "track" or position - entry.base in entry.duplicates:
        return
    hit = workspace.event_at(position)
    if hit is None:
        return
    event, located = hit
    graph = workspace.graph
    workspace.world.regrouped(graph.observe(event.time, event.uid, event.position, event.assurance, located))
    if uncut(located.node, workspace.cuts) != key:
        return
    partial = workspace.nodes.get(located.node) or Partial()
    workspace.nodes.touch(located.node)
    fold(partial, event, workspace.settings.profiles)
    settle_home(event, located.node, workspace.world)
    workspace.nodes.put(located.node, partial)
    workspace.segments.refold(event, located.node)
    workspace.interests.event(event, located.node)
    workspace.trends.event(event, located.node)


def effect(workspace: Workspace, record: SplitRecord) -> list[str]:
    """Ids of the people that a split record's identifiers belong to now."""
    keys = {k for pair in record.pairs for k in pair}
    if record.node:
        keys |= {record.node, f"{record.node}~{record.at}"}
    people = {p.id for k in keys if (p := workspace.graph.person_of(k)) is not None}
    return sorted(people)


def preview(
    workspace: Workspace, person: Person, nodes: tuple[Key, ...], cut_node: Key, cut_at: int
) -> SplitPreview:
    """Each side's identifiers and events as a split would leave them, without making it."""
    try:
        plan(workspace, person, nodes, cut_node, cut_at, "")
    except BadRequest as error:
        return SplitPreview([], error.message, possible=False)
    if cut_node:
        rows = [r for r in workspace.log.find({workspace.hashes(cut_node)}) if r.is_node]
        before = sum(row.time < cut_at for row in rows)
        sides = [([cut_node], before), ([f"{cut_node} from then on"], len(rows) - before)]
    else:
        rest = [k for k in person.members if k not in nodes]
        sides = [(rest, _events(workspace, rest)), (list(nodes), _events(workspace, list(nodes)))]
    return SplitPreview(sides, "Every event goes with its identifier. You can undo this.")


def _events(workspace: Workspace, keys: list[Key]) -> int:
    return sum(part.events for k in keys if (part := workspace.nodes.get(k)) is not None)
