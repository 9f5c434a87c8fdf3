"""What keeps strangers apart: identifiers that link nobody because many use them, and limits that a person cannot break.

All of it is a function of the evidence set. A limit is monotone: what breaks it still breaks it with more members,
so a refused link stays refused.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Protocol

from patron.identity.evidence import ALIAS, MORE, Ident
from patron.identity.normalise import births_conflict, names_conflict
from patron.identity.plan import Plan
from patron.model.people import Key

_USERS, _EMAILS, _RECORDS, _DEVICES = range(4)
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


def sharing_rule(evidence: Evidence, key: Key, row: Ident) -> str:
    """The rule by which an identifier links nobody; "" when it links.

    One of `user_ids`, `emails`, `records`, `devices`, `names`, `births`.
    """
    plan = evidence.plan
    rule = plan.sharing.get(key.partition(":")[0])
    if rule is None:
        return ""  # the type is not declared any more
    if rule.names:
        if conflict(row.names, names_conflict, plan.rules.names_kept):
            return "names"
        if conflict(row.births, births_conflict, plan.rules.names_kept):
            return "births"
    if not (rule.user_ids or rule.emails or rule.records or rule.devices):
        return ""
    counts = seen_with(evidence, row)
    for name, most, count in (
        ("user_ids", rule.user_ids, counts[_USERS]),
        ("emails", rule.emails, counts[_EMAILS]),
        ("records", rule.records, counts[_RECORDS]),
        ("devices", rule.devices, counts[_DEVICES]),
    ):
        if most and count >= most:
            return name
    return ""


def seen_with(evidence: Evidence, row: Ident) -> list[int]:
    """How many user ids, e-mails, records and devices an identifier was seen with, erased ones counted."""
    counts = list(row.ghosts or (0, 0, 0, 0))
    users, kinds = [], evidence.plan.kinds
    for other, edge in row.links.items():
        if edge is None or edge.cut is not None:
            continue
        kind = other.partition(":")[0]
        if kind == "user_id":
            users.append(other)
        elif kind == "email":
            counts[_EMAILS] += 1
        elif kinds.get(kind) == "account":
            counts[_RECORDS] += 1
        elif kinds.get(kind) == "device":
            counts[_DEVICES] += 1
    accounts = len({account(evidence, u) for u in users}) if len(users) > 1 else len(users)
    counts[_USERS] += accounts
    counts[_RECORDS] += accounts
    return counts


def ghost_count(
    ghosts: tuple[int, int, int, int] | None, before: list[int], after: list[int]
) -> tuple[int, int, int, int] | None:
    """Ghosts of a row after an erased neighbour went: what no longer shows still counts.

    >>> ghost_count(None, [2, 0, 2, 0], [1, 0, 1, 0])
    (1, 0, 1, 0)
    """
    old = ghosts or (0, 0, 0, 0)
    users, emails, records, devices = (o + max(0, b - a) for o, b, a in zip(old, before, after, strict=True))
    new = (users, emails, records, devices)
    return new if any(new) else None


def conflict(values: tuple[str, ...], differ: "Differ", most: int) -> bool:
    """Whether the values (names or birth dates) cannot be one person's: some two differ, or they are more than `most`."""
    if not values or (len(values) == 1 and values[0] != MORE):
        return False
    return MORE in values or len(values) > most or any(differ(a, b) for a, b in combinations(values, 2))


class Differ(Protocol):
    """Whether two values cannot be one person's."""

    def __call__(self, a: str, b: str, /) -> bool: ...


_NONE: frozenset[str] = frozenset()


class Tally:
    """What counts against the limits of one group, and adds up when groups join."""

    __slots__ = ("births", "counts", "names", "times", "total", "users")

    def __init__(self) -> None:
        self.total = 0
        self.counts: dict[str, int] | None = None
        self.users = _NONE
        self.names = _NONE
        self.births = _NONE
        self.times: dict[str, list[int]] | None = None

    def add(self, evidence: Evidence, key: Key, row: Ident) -> None:
        """Count one identifier. Transactions and visits count for nothing."""
        plan = evidence.plan
        if key.startswith(plan.light):
            return
        kind = key[: key.index(":")]
        self.total += 1
        if kind == "user_id":
            self.users |= {account(evidence, key)}
        elif kind in plan.limits:
            self.counts = self.counts or {}
            self.counts[kind] = self.counts.get(kind, 0) + 1
        # an account whose own names conflict (somebody corrected them) cannot speak against others
        most = plan.rules.names_kept
        if row.names and not conflict(row.names, names_conflict, most):
            self.names |= set(row.names)
        if row.births and not conflict(row.births, births_conflict, most):
            self.births |= set(row.births)
        if plan.windows and kind in plan.windows:
            linked = [
                e.time for o, e in row.links.items() if e and e.cut is None and not o.startswith(plan.light)
            ]
            if linked:
                self.times = self.times or {}
                self.times.setdefault(kind, []).append(min(linked))

    def take(self, other: "Tally") -> None:
        """Add another group's tally to this one."""
        self.total += other.total
        self.users |= other.users
        self.names |= other.names
        self.births |= other.births
        if other.counts:
            mine = self.counts or {}
            self.counts = {
                kind: mine.get(kind, 0) + other.counts.get(kind, 0) for kind in {*mine, *other.counts}
            }
        if other.times:
            lists = self.times or {}
            self.times = {
                kind: lists.get(kind, []) + other.times.get(kind, []) for kind in {*lists, *other.times}
            }

    def count(self, kind: str) -> int:
        """How many of a type (user ids apart)."""
        return self.counts.get(kind, 0) if self.counts else 0

    def linked(self, kind: str) -> list[int]:
        """When identifiers of a type with a window were first linked."""
        return self.times.get(kind, []) if self.times else []


def tally_of(evidence: Evidence, rows: Iterable[tuple[Key, Ident]]) -> Tally:
    """The tally of several identifiers."""
    tally = Tally()
    for key, row in rows:
        tally.add(evidence, key, row)
    return tally


def broken_by(plan: Plan, a: Tally, b: Tally) -> str:
    """The limit that joining two groups would break; "" when they may join.

    One of `limit:TYPE`, `limit:total`, `names`, `births`, `window:TYPE`. `a` and `b` themselves keep the limits.
    """
    if plan.user_limit and a.users and b.users and len(a.users | b.users) > plan.user_limit:
        return "limit:user_id"
    if a.counts and b.counts:
        for kind, most in plan.counted:
            if a.count(kind) + b.count(kind) > most:
                return f"limit:{kind}"
    if a.total + b.total > plan.rules.total_limit:
        return "limit:total"
    if a.names and b.names and any(names_conflict(x, y) for x in a.names for y in b.names):
        return "names"
    if a.births and b.births and any(births_conflict(x, y) for x in a.births for y in b.births):
        return "births"
    for kind, (most, span) in plan.windows.items():
        if _crammed(sorted(a.linked(kind) + b.linked(kind)), most, span):
            return f"window:{kind}"
    return ""


def is_sound(plan: Plan, tally: Tally) -> bool:
    """Whether a group keeps every limit by itself."""
    if plan.user_limit and len(tally.users) > plan.user_limit:
        return False
    if tally.total > plan.rules.total_limit or any(tally.count(k) > most for k, most in plan.counted):
        return False
    if any(names_conflict(x, y) for x, y in combinations(sorted(tally.names), 2)):
        return False
    if any(births_conflict(x, y) for x, y in combinations(sorted(tally.births), 2)):
        return False
    return not any(_crammed(sorted(tally.linked(k)), m, s) for k, (m, s) in plan.windows.items())


def _crammed(times: list[int], most: int, span: int) -> bool:
    """Whether more than `most` of the sorted times lie within less than `span` milliseconds."""
    return any(late - early < span for early, late in zip(times, times[most:], strict=False))
