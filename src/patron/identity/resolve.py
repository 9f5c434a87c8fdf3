"""The canonical partition: which identifiers of a connected component are one person.

Links are taken strongest first, then earliest, then by identifier; a link joins two groups unless the union would
break a limit. So the people depend on the evidence only, never on the order in which it arrived.
"""

from msgspec import Struct

from patron.identity.aliases import Evidence
from patron.identity.evidence import Edge, Ident, rank
from patron.identity.guards import Tally, broken_by, is_sound, tally_of
from patron.identity.people import NEW
from patron.model.people import Key


class Component(Struct):
    """Identifiers connected by live links, with their rows. `crowded`: there are more than the rules allow to
    settle as a whole, and `rows` is only the part that was visited."""

    rows: dict[Key, Ident]
    crowded: bool
    leaves: dict[Key, int]
    """How many leaves hang on each of those that hold some."""


def live(key: Key, edge: Edge | None, row: Ident | None) -> bool:
    """Whether an edge of `key` to the neighbour with this row links: kept on both sides and not cut."""
    return edge is not None and edge.cut is None and row is not None and key in row.links


def component(evidence: Evidence, seed: Key, most: int) -> Component:
    """Walk the live links from `seed`, which links; stop when more than `most` heavy identifiers were met."""
    first = evidence.row(seed)
    assert first is not None
    light = evidence.plan.light
    rows, todo = {seed: first}, [seed]
    leaves: dict[Key, int] = {}
    heavy = 0 if seed.startswith(light) else 1
    while todo:
        key = todo.pop()
        for other, edge in rows[key].links.items():
            if edge is None:
                leaves[key] = leaves.get(key, 0) + 1
                continue
            if edge.cut is not None or other in rows:
                continue
            row = evidence.row(other)
            if row is None or key not in row.links or evidence.is_dead(other, row):
                continue
            if not other.startswith(light):
                heavy += 1
                if heavy > most:
                    return Component(rows, True, leaves)
            rows[other] = row
            todo.append(other)
    return Component(rows, False, leaves)


def groups_of(evidence: Evidence, rows: dict[Key, Ident]) -> list[list[Key]]:
    """Divide one whole component into people, each a list of identifiers."""
    if len(rows) == 1:
        return [list(rows)]
    was_divided = len({row.group for row in rows.values()} - {NEW}) > 1  # then it mostly still is
    if not was_divided and is_sound(evidence.plan, tally_of(evidence, rows.items())):
        return [list(rows)]
    return _join(evidence, rows)


def _join(evidence: Evidence, rows: dict[Key, Ident]) -> list[list[Key]]:
    plan = evidence.plan
    head = {key: key for key in rows}
    members = {key: [key] for key in rows}
    tallies: dict[Key, Tally] = {key: tally_of(evidence, [(key, row)]) for key, row in rows.items()}
    for _, _, a, b in sorted(_ranks(rows)):
        ours, theirs = head[a], head[b]
        if ours == theirs or broken_by(plan, tallies[ours], tallies[theirs]):
            continue
        if len(members[ours]) < len(members[theirs]):
            ours, theirs = theirs, ours
        tallies[ours].take(tallies.pop(theirs))
        moved = members.pop(theirs)
        members[ours] += moved
        for key in moved:
            head[key] = ours
    return list(members.values())


def _ranks(rows: dict[Key, Ident]) -> list[tuple[int, int, Key, Key]]:
    """Every live link of the component, as its rank."""
    return [
        rank(edge, key, other)
        for key, row in rows.items()
        for other, edge in row.links.items()
        if edge is not None and key < other and other in rows and live(key, edge, rows[other])
    ]
