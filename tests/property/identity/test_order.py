"""People are a function of the evidence: any order, any copies, and always what the slow oracle says."""

import random

from hypothesis import example, given
from hypothesis import strategies as st

from patron.identity.diff import partition as from_scratch
from patron.identity.evidence import ASSURANCE, proofs
from tests.property.identity.histories import (
    CAPPED,
    World,
    any_rules,
    capped_rules,
    histories,
    partition,
    said,
)
from tests.property.identity.oracle import Oracle, kind


def loaded(rules, seen) -> World:
    world = World(rules)
    for one in seen:
        world.observe(one)
    return world


@given(any_rules, histories())
def test_every_step_is_what_the_rule_says(rules, seen):
    world = World(rules)
    for one in seen:
        world.observe(one)
        world.check()


@given(any_rules | capped_rules, histories(most=24))
def test_incremental_equals_from_scratch(rules, seen):
    world = loaded(rules, seen)
    world.check()
    assert from_scratch(world.idents, rules) == partition(world.graph, world.idents)


ALIAS_COMES_BACK = said(
    (0, "user_id:u1 anonymous_id:a1"),
    (0, "user_id:u1 anonymous_id:a3"),
    (0, "user_id:u2 email:e1@x.it/1 phone:+391/1 anonymous_id:a3"),
    (8, "user_id:u2 user_id:u1"),
    (7, "user_id:u1 card:k1"),
    (0, "user_id:u1 user_id:u2"),
)
"""The card pushes the alias out of the full row of u1; told anew as of an earlier day it comes back, and a3 is one account's again."""

ALIAS_OF_FULL_ROWS = said(
    (1, "user_id:u1 email:e1@x.it phone:+391 card:k1"),
    (1, "user_id:u2 email:e2@x.it phone:+392 card:k2"),
    (5, "user_id:u1 anonymous_id:a1"),
    (5, "user_id:u2 anonymous_id:a1"),
    (6, "anonymous_id:a1 email:marco@x.it"),
    (0, "user_id:u1 user_id:u2"),
)
"""Neither full row keeps a1, which was seen with both users: when they become one account, nothing leads from them to it."""


@given(capped_rules, histories(most=24))
@example(CAPPED["capped devices"], ALIAS_COMES_BACK)
@example(CAPPED["capped devices"], ALIAS_OF_FULL_ROWS)
def test_a_full_row_keeps_the_same_links_in_any_order(rules, seen):
    for order in (seen, seen[::-1]):
        world = World(rules)
        for one in order:
            world.observe(one)
            world.check()


@given(any_rules | capped_rules, histories(most=24), st.randoms(use_true_random=False))
@example(CAPPED["capped devices"], ALIAS_OF_FULL_ROWS, random.Random(0))
def test_any_order_and_any_copies_give_the_same_people(rules, seen, rng: random.Random):
    shuffled = seen + rng.choices(seen, k=len(seen) // 2)
    rng.shuffle(shuffled)
    one, other = loaded(rules, seen), loaded(rules, shuffled)
    other.check_rows()
    assert partition(one.graph, one.idents) == partition(other.graph, other.idents)
    assert one.people == other.people


@given(any_rules, histories(), st.randoms(use_true_random=False))
def test_the_evidence_of_a_pair_is_a_function_of_the_set(rules, seen, rng: random.Random):
    shuffled = seen[:]
    rng.shuffle(shuffled)
    world, oracle = loaded(rules, shuffled), Oracle(seen, set(), rules)
    place = {one.uid: one.position for one in seen}
    for (a, b), by_strength in oracle.proofs.items():
        edge = world.graph.edge(a, b)
        assert {p.strength: (p.time, p.uid) for p in proofs(edge)} == by_strength
        assert all(p.position == place[p.uid] for p in proofs(edge))
        assert {p.strength: ASSURANCE[p.assurance] for p in proofs(edge)} == oracle.assured[a, b]
        assert edge.is_alias == (kind(a) == kind(b) == "user_id")


@given(any_rules, histories(most=16))
def test_what_is_known_changes_nothing(rules, seen):
    world = loaded(rules, seen)
    rows = {key: repr(world.idents.get(key)) for key in world.idents.keys()}
    world.idents.touched.clear()
    for one in seen:
        assert world.observe(one) is None
    assert not world.idents.touched
    assert rows == {key: repr(world.idents.get(key)) for key in world.idents.keys()}
