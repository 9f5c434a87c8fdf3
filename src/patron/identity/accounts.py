"""Accounts and memberships: what `group` calls say. They never link identifiers.

An account's traits are the last written by (event time, source and message id), like a person's, so any order of
arrival gives the same account. Memberships hang on the node of the event; a person is a member of what its nodes are.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from patron.model.events import Event
from patron.model.people import Key, Located
from patron.model.ports import Table

TRAITS = 200
"""Most traits kept of an account: those last written."""
MEMBERSHIPS = 1000
"""Most accounts that one node is a member of: those last seen."""


class Account(Struct, array_like=True):
    """One group (a company, a club, a team) and its traits: name -> (value, time, uid of the event)."""

    traits: dict[str, tuple[Any, int, str]]


class Membership(Struct, array_like=True):
    """The groups of one node: group id -> (first, last) time of a `group` call."""

    groups: dict[str, tuple[int, int]]


def observe_group(
    event: Event, located: Located, accounts: Table[Account], members: Table[Membership]
) -> None:
    """Fold one `group` call: the account's traits and the node's membership. Other events change nothing.

    >>> from patron.model.people import Claim
    >>> from patron.testing import MemoryTable
    >>> accounts, members = MemoryTable(), MemoryTable()
    >>> event = Event(1, "crm", "crm", "group", "Grouped", "m", 5, 5, group_id="acme", traits={"plan": "gold"})
    >>> observe_group(event, Located("user_id:7", (Claim("user_id:7", 0),)), accounts, members)
    >>> groups_of_nodes(["user_id:7"], accounts, members)
    [('acme', {'plan': 'gold'})]
    """
    if event.type != "group" or not event.group_id:
        return
    _join(event.group_id, event.time, located.node, members)
    account = accounts.get(event.group_id)
    if account is None:
        accounts.put(event.group_id, Account({}))
        account = accounts.get(event.group_id)
    assert account is not None
    uid = event.uid
    newer = {
        name: (value, event.time, uid)
        for name, value in event.traits.items()
        if (old := account.traits.get(name)) is None or (old[1], old[2]) < (event.time, uid)
    }
    if newer:
        accounts.touch(event.group_id)
        account.traits.update(newer)
        _trim(account)


def _trim(account: Account) -> None:
    traits = account.traits
    while len(traits) > TRAITS:
        del traits[min(traits, key=lambda name: (traits[name][1], traits[name][2], name))]


def _join(group: str, time: int, node: Key, members: Table[Membership]) -> None:
    membership = members.get(node)
    if membership is None:
        members.put(node, Membership({group: (time, time)}))
        return
    first, last = membership.groups.get(group, (time, time))
    spread = (min(first, time), max(last, time))
    if membership.groups.get(group) == spread:
        return
    members.touch(node)
    groups = membership.groups
    groups[group] = spread
    if len(groups) > MEMBERSHIPS:
        del groups[min(groups, key=lambda g: (groups[g][1], g))]


def groups_of_nodes(
    nodes: Iterable[Key], accounts: Table[Account], members: Table[Membership]
) -> list[tuple[str, dict[str, Any]]]:
    """The groups that a person's nodes are members of, by id, each with its traits."""
    ids = {group for node in nodes if (m := members.get(node)) is not None for group in m.groups}
    return [(group, account_traits(accounts.get(group))) for group in sorted(ids)]


def account_traits(account: Account | None) -> dict[str, Any]:
    """The plain traits of an account, by name."""
    return {name: account.traits[name][0] for name in sorted(account.traits)} if account else {}
