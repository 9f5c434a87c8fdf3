"""The read side: who a key belongs to, their merged profile, and their events in the order of time."""

from collections.abc import Iterator
from typing import Any

from patron.identity.normalise import normalise
from patron.model.errors import BadRequest, Gone, NotFound
from patron.model.events import Event
from patron.model.people import Key, Person
from patron.model.ports import IndexRow
from patron.profiles.merge import Profile, merge, orders_of
from patron.profiles.orders import Purchase
from patron.runtime.flow import uncut
from patron.runtime.workspace import Workspace

ID_NAMES = ("id", "patron_id", "person")


def find(workspace: Workspace, name: str) -> Person:
    """The person of `namespace:value` or `p_...`, following retired ids.

    Raises NotFound when nobody has it, Gone (410) when that person was erased, BadRequest when it is no identifier.
    """
    namespace, colon, value = name.partition(":")
    if not colon and name.startswith("p_"):
        namespace, value = "id", name
    if not value:
        raise BadRequest(
            "bad_identifier", f"Write the person as namespace:value, for example email:{name or 'a@b.it'}."
        )
    if namespace in ID_NAMES:
        return _by_id(workspace, value)
    normal = normalise(namespace, value, workspace.settings.identity)
    person = None if normal is None else by_key(workspace, f"{namespace}:{normal}")
    if person is None:
        if normal is not None and workspace.tombstones.erased(f"{namespace}:{normal}") >= 0:
            raise Gone("erased", "That person was erased on request; nothing is kept.")
        raise NotFound(
            "unknown_person", f"Nobody has this {namespace}. Check the spelling, or that the event arrived."
        )
    return person


def by_key(workspace: Workspace, key: Key) -> Person | None:
    """The person who holds an identifier; of one that was cut at a time, the person who holds it now."""
    times = workspace.cuts.get(key)
    return workspace.graph.person_of(f"{key}~{times[-1]}" if times else key) or workspace.graph.person_of(key)


def _by_id(workspace: Workspace, pid: str) -> Person:
    person = workspace.graph.person_by_id(pid)
    if person is not None:
        return person
    if any(pid in receipt.get("ids", ()) for receipt in _receipts(workspace)):
        raise Gone("erased", "That person was erased on request; nothing is kept.")
    raise NotFound("unknown_person", f"There is no person {pid[:40]}.")


def _receipts(workspace: Workspace) -> Iterator[dict[str, Any]]:
    for key in workspace.receipts.keys():
        receipt = workspace.receipts.get(key)
        if receipt is not None:
            yield receipt


def profile(workspace: Workspace, person: Person) -> Profile:
    """Merge the partials of a person's nodes."""
    nodes = workspace.nodes
    parts = [(key, part) for key in person.members if (part := nodes.get(key)) is not None]
    return merge(parts, workspace.settings.profiles)


def orders(workspace: Workspace, person: Person) -> list[Purchase]:
    """The orders of a person alone, from all their nodes; for whoever looks through many people."""
    parts = [part for key in person.members if (part := workspace.nodes.peek(key)) is not None]
    return list(orders_of(parts, workspace.settings.profiles).values())


def node_profile(workspace: Workspace, key: Key) -> Profile:
    """What one node alone knows: all that may be shown to a device that has proved nothing."""
    part = workspace.nodes.get(key)
    return merge([(key, part)] if part is not None else [], workspace.settings.profiles)


def rows(workspace: Workspace, person: Person) -> list[IndexRow]:
    """Index rows of the person's own events, by time."""
    nodes = {workspace.hashes(uncut(key, workspace.cuts)) for key in person.members if key in workspace.nodes}
    return [row for row in workspace.log.find(nodes) if row.is_node]


def mentions(workspace: Workspace, keys: Iterator[Key] | tuple[Key, ...]) -> list[IndexRow]:
    """Index rows of every message that mentions one of the identifiers, whoever's event it is."""
    return workspace.log.find({workspace.hashes(uncut(key, workspace.cuts)) for key in keys})


def events(
    workspace: Workspace, person: Person, found: list[IndexRow]
) -> Iterator[tuple[Event, str, IndexRow]]:
    """Decode the events of index rows, in the order given; with the node of each."""
    for row in found:
        hit = workspace.event_at(row.position)
        if hit is not None and hit[1].node in person.members:
            yield hit[0], hit[1].node, row
