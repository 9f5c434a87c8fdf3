"""What keeps strangers apart: identifiers that link nobody because many use them, and limits that a person cannot break.

All of it is a function of the evidence set. A limit is monotone: what breaks it still breaks it with more members,
so a refused link stays refused.
"""

from collections.abc import Iterable
from itertools import combinations

from patron.identity.aliases import Evidence, account
from patron.identity.evidence import Ident
from patron.identity.normalise import births_conflict, names_conflict
from patron.identity.once import conflict, keeps, spare_emails, spare_records
from patron.identity.plan import Plan
from patron.identity.settings import Sharing
from patron.model.people import Key

_USERS, _EMAILS, _RECORDS, _DEVICES = range(4)


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
    if not exceeded(rule, seen_with(evidence, key, row)):
        return ""
    return exceeded(rule, counted(evidence, key, row))


def exceeded(rule: Sharing, counts: list[int]) -> str:
    """The first threshold that the counts reach; "" when none."""
    for name, most, count in zip(
        ("user_ids", "emails", "records", "devices"),
        (rule.user_ids, rule.emails, rule.records, rule.devices),
        counts,
        strict=True,
    ):
        if most and count >= most:
            return name
    return ""


def counted(evidence: Evidence, key: Key, row: Ident) -> list[int]:
    """The counts of `seen_with` by which an identifier is judged: what is plainly one person's counts once.

    On a device, the e-mails of one person (`once.spare_emails`); of an e-mail or phone, the records of one person
    (`once.spare_records`).
    """
    counts = seen_with(evidence, key, row)
    kind = evidence.plan.kinds.get(key.partition(":")[0])
    if kind == "device" and counts[_EMAILS] > 1:
        counts[_EMAILS] -= spare_emails(evidence, key, row)
    elif kind == "contact" and counts[_RECORDS] > 1:
        counts[_RECORDS] -= spare_records(evidence, key, row)
    return counts


def seen_with(evidence: Evidence, key: Key, row: Ident) -> list[int]:
    """How many user ids, e-mails, records and devices an identifier was seen with, erased ones counted; each by itself."""
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
    accounts = _accounts(evidence, key, users) if len(users) > 1 else len(users)
    counts[_USERS] += accounts
    counts[_RECORDS] += accounts
    return counts


def _accounts(evidence: Evidence, key: Key, users: list[Key]) -> int:
    """How many accounts these user ids are for an identifier that was seen with them.

    One whose full row does not keep the identifier counts by itself, whatever aliases say: from that row nobody could
    tell that the identifier must be judged again when an alias comes or goes.
    """
    kept = [user for user in users if keeps(evidence, user, key)]
    return len(users) - len(kept) + len({account(evidence, user) for user in kept})


def ghost_count(
    ghosts: tuple[int, int, int, int] | None, before: list[int], after: list[int]
) -> tuple[int, int, int, int] | None:
    """Ghosts of a row after somebody was erased: by them it counts as before. Less than nothing where the erased had shown
    that two are one person's.

    >>> ghost_count(None, [2, 0, 2, 0], [1, 0, 1, 0])
    (1, 0, 1, 0)
    >>> ghost_count(None, [0, 1, 0, 0], [0, 2, 0, 0])
    (0, -1, 0, 0)
    """
    old = ghosts or (0, 0, 0, 0)
    users, emails, records, devices = (o + b - a for o, b, a in zip(old, before, after, strict=True))
    new = (users, emails, records, devices)
    return new if any(new) else None


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
