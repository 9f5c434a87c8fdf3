"""Where the rules read from, and the first thing they ask: which user ids are names of one account."""

from typing import Protocol

from patron.identity.evidence import ALIAS, Ident
from patron.identity.plan import Plan
from patron.model.people import Key

_ALIASES = 100
"""Most user ids that aliases make one account; a bigger web of aliases is a fault and counts for nothing."""


class Evidence(Protocol):
    """Where the guards and the partition read: the graph itself, or a dry run over its rows."""

    @property
    def plan(self) -> Plan: ...
    def row(self, key: Key) -> Ident | None: ...
    def is_dead(self, key: Key, row: Ident) -> bool:
        """Whether the identifier links nobody."""
        ...


def account(evidence: Evidence, user: Key) -> Key:
    """The least name of the account that a user id stands for: user ids joined by an alias are one."""
    row = evidence.row(user)
    if row is None or not row.aliased:
        return user
    names = _aliases(evidence, user, ())
    return user if len(names) > _ALIASES else min(names)


def one_account(evidence: Evidence, a: Key, b: Key) -> set[Key]:
    """The user ids whose account changes when the alias of `a` and `b` comes or goes."""
    sides = (_aliases(evidence, a, (a, b)), _aliases(evidence, b, (a, b)))
    return set().union(*(side for side in sides if len(side) <= _ALIASES))


def _aliases(evidence: Evidence, user: Key, without: tuple[Key, ...]) -> set[Key]:
    """User ids that live aliases reach from `user`, the pair `without` left out; not many more than `_ALIASES`."""
    names, todo = {user}, [user]
    while todo and len(names) <= _ALIASES:
        name = todo.pop()
        row = evidence.row(name)
        for other, edge in row.links.items() if row else ():
            if edge is None or not edge.marks & ALIAS or edge.cut is not None or other in names:
                continue
            theirs = evidence.row(other)
            if theirs is None or name not in theirs.links or (name in without and other in without):
                continue
            names.add(other)
            todo.append(other)
    return names
