"""The dry run of a rule change: counts and examples."""

from msgspec.structs import replace

from patron.identity.diff import dry_run, partition
from patron.identity.rules import IdentifierType, IdentityRules
from tests.unit.identity.graphs import graph_of, see


def shop():
    graph = graph_of()
    for n in range(3):
        see(graph, n, "user_id:7", f"email:a{n}@x.it")
    see(graph, 5, "user_id:8", "phone:+391/2")
    see(graph, 6, "user_id:9", "phone:+391/2")
    return graph


def test_a_lower_limit_splits_and_says_whom():
    graph, new = shop(), IdentityRules(declared=(IdentifierType("email", "contact", 2, 1),))
    told = dry_run(graph._idents, IdentityRules(), new)
    assert (told.people_before, told.people_after, told.merges, told.splits) == (3, 5, 0, 1)
    example = told.split_examples[0]
    assert len(example.parts) == 3
    assert ("email:a0@x.it", "user_id:7") in example.parts
    back = dry_run(graph._idents, new, IdentityRules())
    assert (back.merges, back.splits) == (1, 0)
    assert set(back.merge_examples[0].one) == set(example.one)


def test_newly_blocked_values_leave_the_count():
    graph, old = shop(), IdentityRules()
    new = replace(old, blocked={"phone": ("+391",)})
    assert "phone:+391" not in partition(graph._idents, new)
    assert dry_run(graph._idents, old, new).people_after == 3


def test_examples_are_bounded_and_nothing_is_changed():
    graph = graph_of()
    for n in range(50):
        see(graph, n, f"user_id:{n}", f"email:e{n}@x.it", f"email:f{n}@x.it")
    graph._idents.touched.clear()
    told = dry_run(graph._idents, IdentityRules(), IdentityRules(total_limit=1), examples=3)
    assert (told.splits, len(told.split_examples)) == (50, 3)
    assert not graph._idents.touched
