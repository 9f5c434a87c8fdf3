"""What counts once: addresses and records that are plainly one person's, where many would mean many people.

A browser on which two e-mails were told is shared, unless both are one person's: the same address mistyped, or two
that some card, account, record or phone holds. An e-mail on six records is junk, unless one name stands on them all.
A function of the links around an identifier, two steps far. What joins two e-mails here (an account, an e-mail or phone)
is itself judged without looking at devices, so there is no circle.
"""

from collections.abc import Callable, Iterable
from itertools import combinations

from patron.identity.aliases import Evidence, account
from patron.identity.evidence import MORE, Ident
from patron.identity.normalise import is_slip, names_conflict
from patron.model.people import Key

Differ = Callable[[str, str], bool]
"""Whether two values cannot be one person's."""
EMAIL = "email:"


def conflict(values: tuple[str, ...], differ: Differ, most: int) -> bool:
    """Whether the values (names or birth dates) cannot be one person's: some two differ, or they are more than `most`.

    >>> conflict(("anna", "marco"), names_conflict, 8), conflict(("a", "anna"), names_conflict, 8)
    (True, False)
    """
    if not values or (len(values) == 1 and values[0] != MORE):
        return False
    return MORE in values or len(values) > most or any(differ(a, b) for a, b in combinations(values, 2))


def spare_emails(evidence: Evidence, device: Key, row: Ident) -> int:
    """Of the e-mails that a device was seen with, how many are one more of a person who is counted already."""
    emails = [key for key in _seen(row) if key.startswith(EMAIL) and keeps(evidence, key, device)]
    people: list[list[Key]] = []
    for email in emails:
        same = [one for one in people if any(_one_owner(evidence, email, other) for other in one)]
        people = [one for one in people if one not in same]
        people.append([email, *(other for one in same for other in one)])
    return len(emails) - len(people)


def around(evidence: Evidence, key: Key, row: Ident) -> set[Key]:
    """Identifiers whose counts may hang on this one: those it was seen with, devices that an e-mail seen with it was told
    on, and addresses of the records seen with it."""
    found: set[Key] = set()
    for other, edge in row.links.items():
        theirs = evidence.row(other)
        if edge is None or theirs is None:
            continue
        found.add(other)
        kind = evidence.plan.kinds.get(other.partition(":")[0])
        wanted = {"account": "contact"}.get(kind or "", "device" if other.startswith(EMAIL) else "")
        if wanted:
            found.update(
                k
                for k, e in theirs.links.items()
                if e is not None and evidence.plan.kinds.get(k.partition(":")[0]) == wanted
            )
    return found - {key}


def keeps(evidence: Evidence, key: Key, other: Key) -> bool:
    """Whether an identifier's row holds another: a full row holds its best links only, and speaks for no others."""
    row = evidence.row(key)
    return row is not None and other in row.links


def _seen(row: Ident) -> list[Key]:
    return [key for key, edge in row.links.items() if edge is not None and edge.cut is None]


def _one_owner(evidence: Evidence, a: Key, b: Key) -> bool:
    """Whether two e-mails are plainly one person's: a slip of the keys, or some account or contact holds both."""
    if is_slip(a[len(EMAIL) :], b[len(EMAIL) :]):
        return True
    first, second = evidence.row(a), evidence.row(b)
    if first is None or second is None:
        return False
    return any(
        key in second.links and _holds(evidence, key, (a, first), (b, second))
        for key in _seen(first)
        if joins(evidence, key)
    )


def joins(evidence: Evidence, key: Key) -> bool:
    """Whether an identifier of this type can show that two e-mails are one person's: a record or an address, no device.

    >>> from patron.identity.rules import IdentityRules
    >>> from patron.testing import MemoryTable
    >>> from patron.identity.graph import Graph
    >>> graph = Graph(MemoryTable(), MemoryTable(), IdentityRules(), b"0123456789abcdef")
    >>> joins(graph, "card:7"), joins(graph, "phone:+391"), joins(graph, "anonymous_id:c1"), joins(graph, "order_id:1")
    (True, True, False, False)
    """
    return evidence.plan.kinds.get(key.partition(":")[0]) in {"account", "contact"}


def _holds(evidence: Evidence, key: Key, *emails: tuple[Key, Ident]) -> bool:
    """Whether an identifier that links was seen with each of these: kept on both sides, not cut."""
    row = evidence.row(key)
    if row is None or evidence.is_dead(key, row):
        return False
    for email, theirs in emails:
        there, back = theirs.links.get(key), row.links.get(email)
        if there is None or back is None or there.cut is not None:
            return False
    return True


def spare_records(evidence: Evidence, address: Key, row: Ident) -> int:
    """Of the records that an e-mail or phone was seen with, how many are one more of a person who is counted already:
    those that state a given name, as long as all their names can be one person's."""
    named: dict[Key, tuple[str, ...]] = {}
    for key in _seen(row):
        if evidence.plan.kinds.get(key.partition(":")[0]) != "account" or not keeps(evidence, key, address):
            continue
        names = _names(evidence, key)
        if names:
            record = account(evidence, key) if key.startswith("user_id:") else key
            named[record] = (*named.get(record, ()), *names)
    everything = tuple(sorted(set(_chain(named.values()))))
    most = evidence.plan.rules.names_kept
    return 0 if len(named) < 2 or conflict(everything, names_conflict, most) else len(named) - 1


def _names(evidence: Evidence, key: Key) -> tuple[str, ...]:
    """Names that a record states; none where its own conflict, since somebody corrected them."""
    row = evidence.row(key)
    if row is None or conflict(row.names, names_conflict, evidence.plan.rules.names_kept):
        return ()
    return row.names


def _chain(names: Iterable[tuple[str, ...]]) -> list[str]:
    return [name for some in names for name in some]
