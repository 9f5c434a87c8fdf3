"""`group` calls build accounts and memberships, in any order, and never link anybody."""

from itertools import permutations

from patron.identity.accounts import MEMBERSHIPS, TRAITS, groups_of_nodes, observe_group
from patron.model.events import Event
from patron.model.people import Claim, Located
from patron.testing import MemoryTable


def group(time, group_id="acme", message="m", **traits):
    return Event(
        1,
        "crm",
        "crm",
        "group",
        "Grouped",
        message,
        time,
        time,
        user_id="7",
        group_id=group_id,
        traits=traits,
    )


def at(node="user_id:7"):
    return Located(node, (Claim(node, 0),))


def test_the_last_written_trait_stands_in_any_order():
    calls = [
        group(1, plan="free", size=3, message="a"),
        group(2, plan="gold", message="b"),
        group(2, plan="pro", message="c"),
    ]
    told = set()
    for order in permutations(calls):
        accounts, members = MemoryTable(), MemoryTable()
        for call in order:
            observe_group(call, at(), accounts, members)
        told.add(repr(groups_of_nodes(["user_id:7"], accounts, members)))
        assert members.get("user_id:7").groups == {"acme": (1, 2)}
    assert told == {"[('acme', {'plan': 'pro', 'size': 3})]"}


def test_a_person_is_a_member_of_what_its_nodes_are():
    accounts, members = MemoryTable(), MemoryTable()
    observe_group(group(1), at("user_id:7"), accounts, members)
    observe_group(group(2, "club"), at("anonymous_id:c1"), accounts, members)
    assert [
        g for g, _ in groups_of_nodes(["user_id:7", "anonymous_id:c1", "email:x@y.it"], accounts, members)
    ] == ["acme", "club"]


def test_other_events_are_no_memberships():
    accounts, members = MemoryTable(), MemoryTable()
    observe_group(
        Event(1, "s", "web", "track", "Cart Viewed", "m", 1, 1, group_id="acme"), at(), accounts, members
    )
    observe_group(group(1, ""), at(), accounts, members)
    assert len(accounts) == len(members) == 0


def test_rows_are_bounded_and_touched():
    accounts, members = MemoryTable(), MemoryTable()
    for n in range(TRAITS + 50):
        observe_group(group(n, **{f"t{n}": n}), at(), accounts, members)
    assert sorted(accounts.get("acme").traits) == sorted(f"t{n}" for n in range(50, TRAITS + 50))
    accounts.touched.clear()
    observe_group(group(0, t0=1), at(), accounts, members)
    for n in range(MEMBERSHIPS + 5):
        observe_group(group(1000 + n, f"g{n}"), at(), accounts, members)
    assert len(members.get("user_id:7").groups) == MEMBERSHIPS
    assert "g0" not in members.get("user_id:7").groups
