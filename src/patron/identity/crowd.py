"""Crowded components: where too much hangs together to settle it as a whole, each identifier follows one owner.

The owner of an identifier is its best-ranked live neighbour among the more senior ones (by type, then by key, which never
changes). A person is an owner with what follows it, directly or through others, taken best link first while the
limits hold; what is refused heads a group of its own. Like the other rule it is a function of the links alone, but a
change moves only the groups it touches: about 1 ms at worst, whatever the size of the component.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from patron.identity.aliases import Evidence
from patron.identity.evidence import NO_OWNER, Ident, rank
from patron.identity.guards import broken_by, tally_of
from patron.identity.resolve import live
from patron.model.people import Key

Owner = Callable[[Key, Ident], Key]
"""The stored or computed owner of an identifier."""


def owner_of(evidence: Evidence, key: Key, row: Ident) -> Key:
    """Whom an identifier of a crowded component follows; `NO_OWNER` when no neighbour is more senior."""
    mine = evidence.plan.rank(key)
    best, found = None, NO_OWNER
    for other, edge in row.links.items():
        if edge is None or edge.cut is not None or evidence.plan.rank(other) > mine:
            continue
        place = rank(edge, key, other)
        if best is not None and place > best:
            continue
        theirs = evidence.row(other)
        if theirs is not None and live(key, edge, theirs) and not evidence.is_dead(other, theirs):
            best, found = place, other
    return found


def following(evidence: Evidence, head: Key, owner: Owner) -> tuple[list[Key], list[Key]]:
    """The members of the group that `head` heads, and the followers it refused."""
    row = evidence.row(head)
    assert row is not None
    tally = tally_of(evidence, [(head, row)])
    members, refused = [head], []
    queue = _followers(evidence, head, row, owner)
    heapify(queue)
    while queue:
        _, key = heappop(queue)
        row = evidence.row(key)
        assert row is not None
        own = tally_of(evidence, [(key, row)])
        if broken_by(evidence.plan, tally, own):
            refused.append(key)
            continue
        tally.take(own)
        members.append(key)
        for follower in _followers(evidence, key, row, owner):
            heappush(queue, follower)
    return members, refused


def _followers(
    evidence: Evidence, key: Key, row: Ident, owner: Owner
) -> list[tuple[tuple[int, int, Key, Key], Key]]:
    found = []
    for other, edge in row.links.items():
        if edge is None or edge.cut is not None:
            continue
        theirs = evidence.row(other)
        if theirs is not None and owner(other, theirs) == key:
            found.append((rank(edge, key, other), other))
    return found


def settle(
    evidence: Evidence, pending: Iterable[Key], owner: Owner, group_mates: Callable[[Key], Iterable[Key]]
) -> list[list[Key]]:
    """The groups of the pending identifiers, and of those that they take over or give up.

    Parameters
    ----------
    pending
        Identifiers of crowded components whose group must be found again: whole groups, so that what is not
        pending keeps its group unless another one takes it.
    owner
        Owners as they are now.
    group_mates
        Members of the group that holds an identifier before the change.
    """
    waiting = set(pending)
    queue = [evidence.plan.rank(key) for key in waiting]
    heapify(queue)
    done: set[Key] = set()
    groups = []
    while queue:
        _, head = heappop(queue)  # the most senior first: whoever could take it has had its turn
        if head in done:
            continue
        members, _ = following(evidence, head, owner)
        groups.append(members)
        done.update(members)
        for taken in members:
            if taken not in waiting:
                for mate in group_mates(taken):
                    if mate not in waiting:
                        waiting.add(mate)
                        heappush(queue, evidence.plan.rank(mate))
    return groups
