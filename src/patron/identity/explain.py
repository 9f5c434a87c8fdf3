"""Why one person, and why not: every link with the rule that decided on it, and the path between two identifiers."""

from collections import deque
from collections.abc import Iterator

from msgspec import Struct

from patron.identity.evidence import NO_EVIDENCE, Edge, Ident
from patron.identity.graph import Graph
from patron.identity.guards import broken_by, counted, sharing_rule, tally_of
from patron.identity.sentences import day, limit_sentence, met_sentence, shared_sentence
from patron.model.people import Key, Link, Person

_VISITS = 2000
"""Most identifiers looked at for a path."""


class Explanation(Struct, frozen=True, gc=False):
    """Whether two identifiers are one person, by which links, or what keeps them apart."""

    same: bool
    path: tuple[Link, ...]
    """Links from the one to the other: all accepted when they are one person."""
    sentences: tuple[str, ...]
    """One sentence for each step, for people."""


def links(graph: Graph, person: Person) -> list[Link]:
    """Every link that touches a person, by time: accepted, refused (and the limit it met), shared, cut.

    >>> from patron.identity.rules import IdentityRules
    >>> from patron.model.people import Claim, Located
    >>> from patron.testing import MemoryTable
    >>> graph = Graph(MemoryTable(), MemoryTable(), IdentityRules(), b"0123456789abcdef")
    >>> place = Located("user_id:7", (Claim("user_id:7", 0), Claim("anonymous_id:c1", 0)))
    >>> change = graph.observe(1709510400000, "web/m1", 1, "asserted", place)
    >>> [(l.status, l.reason) for l in links(graph, change.after[0])]
    [('accepted', 'Seen together when logging in on web, 4 Mar 2024')]
    """
    found = {}
    for key in person.members:
        for other, edge in _edges(graph, key):
            pair = (key, other) if graph.plan.rank(key) < graph.plan.rank(other) else (other, key)
            if pair not in found:
                found[pair] = _link(graph, *pair, edge)
    return sorted(found.values(), key=lambda link: (link.time, link.a, link.b))


def why(graph: Graph, a: Key, b: Key) -> Explanation:
    """Why two identifiers are one person, or are not.

    The path runs over accepted links when there is one, else over as few refused, shared or cut links as possible:
    those are what keeps the two apart.
    """
    ours, theirs = graph.person_of(a), graph.person_of(b)
    for key, person in ((a, ours), (b, theirs)):
        if person is None:
            return Explanation(False, (), (f"{key} was never seen.",))
    assert ours is not None
    assert theirs is not None
    path = _path(graph, a, b)
    same = ours.id == theirs.id
    if path is None:
        return Explanation(same, (), ("Nothing ever linked the two.",))
    return Explanation(same, tuple(path), tuple(_sentence(link) for link in path))


def apart(graph: Graph, a: Key, b: Key) -> str:
    """What keeps a link by hand from making one person of two: a shared identifier, or the limit they would break.

    >>> from patron.identity.rules import IdentityRules
    >>> from patron.model.people import Claim, Located
    >>> from patron.testing import MemoryTable
    >>> graph = Graph(MemoryTable(), MemoryTable(), IdentityRules(), b"0123456789abcdef")
    >>> for uid in ("user_id:7", "user_id:8"):
    ...     change = graph.observe(0, uid, 1, "asserted", Located(uid, (Claim(uid, 0),)))
    >>> apart(graph, "user_id:7", "user_id:8")
    'Together they would hold more than 1 user id.'
    """
    people = [p for p in (graph.person_of(a), graph.person_of(b)) if p is not None]
    for key in (a, b):
        row = graph.row(key)
        if row is not None and row.shared:
            return f"{_why_shared(graph, key, row)[1]}."
    tallies = [tally_of(graph, ((k, r) for k in p.members if (r := graph.row(k)))) for p in people]
    crowded = any(person.crowded for person in people)
    rule = (broken_by(graph.plan, *tallies) if len(tallies) == 2 else "") or (
        "crowded" if crowded else "neighbours"
    )
    return f"{limit_sentence(rule, graph.plan)}."


def _edges(graph: Graph, key: Key) -> Iterator[tuple[Key, Edge]]:
    row = graph.row(key)
    for other, edge in (row.links if row else {}).items():
        there = edge if edge is not None else graph.edge(key, other)
        if there is not None and graph.row(other) is not None:
            yield other, there


def _link(graph: Graph, a: Key, b: Key, edge: Edge) -> Link:
    status, rule, reason = _verdict(graph, a, b, edge)
    return Link(a, b, edge.strength, edge.time, edge.uid, edge.position, edge.assurance, status, rule, reason)


def _verdict(graph: Graph, a: Key, b: Key, edge: Edge) -> tuple[str, str, str]:
    """(status, rule, reason) of one link."""
    if edge.cut is not None:
        return "cut", "split", f"Cut by hand on {day(edge.cut[0])}"
    first, second = graph.row(a), graph.row(b)
    assert first is not None
    assert second is not None
    for key, row in ((a, first), (b, second)):
        if row.shared:
            return "shared", *_why_shared(graph, key, row)
    ours, theirs = graph.person_of(a), graph.person_of(b)
    assert ours is not None
    assert theirs is not None
    if ours.id == theirs.id:
        return "accepted", f"strength {edge.strength}", met_sentence(a, b, edge)
    if b not in first.links or a not in second.links:
        rule = "neighbours"
    else:
        tallies = [
            tally_of(graph, ((k, r) for k in p.members if (r := graph.row(k)))) for p in (ours, theirs)
        ]
        rule = broken_by(graph.plan, *tallies) or "crowded"
    return "refused", rule, limit_sentence(rule, graph.plan)


def _why_shared(graph: Graph, key: Key, row: Ident) -> tuple[str, str]:
    rule = sharing_rule(graph, key, row) or row.shared
    users, emails, records, devices = counted(graph, key, row)
    counts = {"user_ids": users, "emails": emails, "records": records, "devices": devices}
    return rule, shared_sentence(key, rule, counts.get(rule, 0))


def _sentence(link: Link) -> str:
    pair = f"{link.a.partition(':')[2]} and {link.b.partition(':')[2]}"
    if link.status == "accepted":
        return f"{pair}: {link.reason}."
    stands = {"refused": "not joined", "shared": "not joined", "cut": "separated"}[link.status]
    return f"{pair}: {stands}. {link.reason}."


def _path(graph: Graph, a: Key, b: Key) -> list[Link] | None:
    """The links from `a` to `b` with the fewest that do not count, then the fewest at all."""
    came: dict[Key, tuple[Key, Link] | None] = {a: None}
    cost = {a: 0}
    queue = deque([a])
    done: set[Key] = set()
    while queue and len(done) < _VISITS:
        key = queue.popleft()
        if key in done:
            continue
        done.add(key)
        if key == b:
            return _walk_back(came, b)
        for other, edge in _edges(graph, key):
            if edge.strength == NO_EVIDENCE:
                continue
            link = _link(graph, key, other, edge)
            price = cost[key] + (link.status != "accepted")
            if price < cost.get(other, price + 1):
                cost[other], came[other] = price, (key, link)
                (queue.appendleft if price == cost[key] else queue.append)(other)
    return None


def _walk_back(came: dict[Key, tuple[Key, Link] | None], end: Key) -> list[Link]:
    path = []
    step = came[end]
    while step is not None:
        key, link = step
        path.append(link)
        step = came[key]
    return path[::-1]
