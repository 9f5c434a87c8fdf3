"""The common way a graph grows: identifiers never seen before, alone or beside those of one person.

Nothing has to be settled then, as long as no guard or limit is met: the newcomers join that person, or make a new
one. Whatever is not that simple is left to a `Revision`, which decides the same in general.
"""

from collections.abc import Sequence

from msgspec import Struct

from patron.identity.aliases import Evidence
from patron.identity.change import Change
from patron.identity.evidence import Edge, Group, Ident, Proof, knows
from patron.identity.guards import seen_with
from patron.identity.people import People
from patron.identity.plan import Plan
from patron.identity.resolve import component
from patron.model.people import Claim, Key, Located, Person
from patron.model.ports import Table


class Newcomers(Struct, gc=False):
    """What one event brings, once it is found to be simple."""

    heavy: list[Claim]
    """Newcomers that link."""
    light: list[Claim]
    """Transactions and visits, to hang on the event's node."""
    known: list[tuple[Claim, Ident]]
    """Those seen before that link, all of one person."""
    hung: list[tuple[Claim, Ident]]
    """Transactions and visits seen before, of the same person."""
    pid: str
    """That person, "" when there is none."""


def grow(
    evidence: Evidence,
    idents: Table[Ident],
    groups: Table[Group],
    people: People,
    proof: Proof,
    located: Located,
) -> Change | None:
    """Take in an event that only brings newcomers; None (and nothing done) when it is not that simple."""
    plan = evidence.plan
    new = _newcomers(plan, idents, proof.time, located)
    if (
        new is None
        or not _is_known(new, proof, located.node)
        or not _has_room(evidence, groups, new, proof.time, people)
    ):
        return None
    if would_share(evidence, new):
        return None
    return _take_in(idents, groups, people, new, proof, located)


def _newcomers(plan: Plan, idents: Table[Ident], time: int, located: Located) -> Newcomers | None:
    new = Newcomers([], [], [], [], "")
    name, birth, light = located.given_name, located.birth_date, plan.light
    kinds = set()
    for claim in located.claims:
        key = claim.key
        is_light = key.startswith(light)
        row = idents.get(key)
        if row is None:
            (new.light if is_light else new.heavy).append(claim)
        else:
            if (
                row.shared
                or row.owner
                or not row.group
                or time < row.first
                or (new.pid and row.group != new.pid)
            ):
                return None
            if not is_light and ((name and row.names != (name,)) or (birth and row.births != (birth,))):
                return None
            new.pid = row.group
            (new.hung if is_light else new.known).append((claim, row))
        if not is_light:
            kinds.add(key[: key.index(":")])
    count, heavy = len(located.claims), len(new.heavy) + len(new.known)
    if plan.windows or not (new.heavy or new.light) or len(kinds) < heavy or count > plan.rules.neighbours:
        return None
    if count > 1 and located.node.startswith(light):
        return None
    return new


def _is_known(new: Newcomers, proof: Proof, node: Key) -> bool:
    """Whether the event says nothing new of those seen before."""
    known = new.known
    for leaf, row in new.hung:
        stem = next((claim for claim, _ in known if claim.key == node), None)
        edge = None if stem is None else row.links.get(stem.key)
        if stem is None or edge is None or not knows(edge, _of(proof, leaf, stem)):
            return False
    for at, (claim, row) in enumerate(known):
        for other, theirs in known[at + 1 :]:
            edge = theirs.links.get(claim.key) or row.links.get(other.key)
            if edge is None or not knows(edge, _of(proof, claim, other)):
                return False
    return True


def _of(proof: Proof, a: Claim, b: Claim) -> Proof:
    return Proof(max(a.strength, b.strength), proof.time, proof.uid, proof.position, proof.marks)


def _has_room(evidence: Evidence, groups: Table[Group], new: Newcomers, time: int, people: People) -> bool:
    """Whether the newcomers keep every limit, and lead nobody.

    Then they change nobody else, even where others are kept out of the person: all that was taken is still within the
    limits, and all that was refused would still break one. Only the component must not become crowded.
    """
    plan = evidence.plan
    rules, members, count = plan.rules, [], len(new.heavy)
    if new.pid:
        group = groups.get(new.pid)
        if group is None or group.crowded:
            return False
        whole = group.whole or not count
        if not whole and component(evidence, new.known[0][0].key, rules.crowded - count).crowded:
            return False
        members = group.members
        if any(people.would_lead(claim.key, time, group.root) for claim in new.heavy):
            return False
    most = min(rules.total_limit, rules.crowded)
    if len(members) + count > most and sum(not m.startswith(plan.light) for m in members) + count > most:
        return False
    for claim in new.heavy:
        kind = claim.key[: claim.key.index(":")]
        limit = plan.limits.get(kind, 0)
        if limit and sum(m.startswith(f"{kind}:") for m in members) >= limit:
            return False
    keys = [claim.key for claim in (*new.heavy, *new.light)]
    return all(
        len(row.links) + len(keys) <= rules.neighbours and not any(key in row.links for key in keys)
        for _, row in (*new.known, *new.hung)
    )


def would_share(evidence: Evidence, new: Newcomers) -> bool:
    """Whether one of them would come to be seen with too many others."""
    plan = evidence.plan
    fresh = [plan.weight(claim.key) for claim in new.heavy]
    for claim, row in new.known:
        if plan.shareable(claim.key) and _too_many(
            plan, claim.key, seen_with(evidence, claim.key, row), fresh
        ):
            return True
    if not new.heavy or len(new.heavy) + len(new.known) < 2:
        return False
    beside = fresh + [plan.weight(claim.key) for claim, _ in new.known]
    return any(
        plan.shareable(claim.key) and _too_many(plan, claim.key, [0, 0, 0, 0], beside[:at] + beside[at + 1 :])
        for at, claim in enumerate(new.heavy)
    )


def _too_many(plan: Plan, key: Key, counts: Sequence[int], more: list[tuple[int, int, int, int]]) -> bool:
    rule = plan.sharing[key[: key.index(":")]]
    users, emails, records, devices = (count + sum(m[i] for m in more) for i, count in enumerate(counts))
    return (
        (0 < rule.user_ids <= users)
        or (0 < rule.emails <= emails)
        or (0 < rule.records <= records)
        or (0 < rule.devices <= devices)
    )


def _take_in(
    idents: Table[Ident], groups: Table[Group], people: People, new: Newcomers, proof: Proof, located: Located
) -> Change:
    before = people.by_group(new.pid) if new.pid else None
    names = (located.given_name,) if located.given_name else ()
    births = (located.birth_date,) if located.birth_date else ()
    alone = not new.heavy and not new.known
    members = new.light if alone else new.heavy
    pid = new.pid or people.person_id(min(claim.key for claim in members))
    for claim in members:
        row = Ident(proof.time, pid, {}) if alone else Ident(proof.time, pid, {}, names=names, births=births)
        idents.put(claim.key, row)
    _link(idents, new, proof, located)
    _enrol(groups, pid, [claim.key for claim in members], 0 if alone else len(new.light))
    keys = [claim.key for claim in (*new.heavy, *new.light)]
    if before is None:
        return Change((), (Person(pid, min(claim.key for claim in members), tuple(sorted(keys))),))
    return Change((before,), (Person(pid, before.root, tuple(sorted((*before.members, *keys)))),))


def _enrol(groups: Table[Group], pid: str, keys: list[Key], leaves: int) -> None:
    group = groups.get(pid)
    if group is None or not group.members:
        groups.put(pid, Group(min(keys), sorted(keys), leaves=leaves))
        return
    groups.touch(pid)
    group.members = sorted((*group.members, *keys))
    group.leaves += leaves


def _link(idents: Table[Ident], new: Newcomers, proof: Proof, located: Located) -> None:
    """Write the new pairs: every two heavy ones of which one is new, and each new leaf on the node."""
    heavy = [claim for claim, _ in new.known]
    for at, claim in enumerate(new.heavy):
        mine = idents.get(claim.key)
        assert mine is not None
        for other in (*heavy, *new.heavy[:at]):
            edge = _edge(proof, claim, other)
            idents.touch(other.key)
            theirs = idents.get(other.key)
            assert theirs is not None
            mine.links[other.key] = theirs.links[claim.key] = edge
            theirs.worst = None
    if len(located.claims) > 1 and new.light:
        node = next(claim for claim in located.claims if claim.key == located.node)
        idents.touch(node.key)
        stem = idents.get(node.key)
        assert stem is not None
        stem.worst = None
        for leaf in new.light:
            stem.links[leaf.key] = None
            idents.put(leaf.key, Ident(proof.time, "", {node.key: _edge(proof, leaf, node)}))


def _edge(proof: Proof, a: Claim, b: Claim) -> Edge:
    return Edge(max(a.strength, b.strength), proof.time, proof.uid, proof.position, proof.marks)
