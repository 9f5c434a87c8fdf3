"""Splits and merges by hand, removal, and a change of rules: each exact, each undoable."""

from hypothesis import assume, given
from hypothesis import strategies as st

from patron.identity.diff import dry_run
from patron.identity.diff import partition as from_scratch
from patron.identity.graph import Graph, Refusal
from patron.model.people import Claim, Located
from tests.property.identity.histories import (
    CAPPED,
    RULES,
    SECRET,
    World,
    any_rules,
    histories,
    partition,
    said,
)
from tests.property.identity.oracle import Oracle, Seen, pair
from tests.property.identity.test_order import loaded


def some_pairs(seen: list[Seen], picks: list[int]) -> list[tuple[str, str]]:
    pairs = sorted(Oracle(seen, set(), RULES["open"]).proofs)
    return [pairs[p % len(pairs)] for p in picks] if pairs else []


picks = st.lists(st.integers(0, 10_000), min_size=1, max_size=5)


@given(any_rules, histories(), histories(most=12), picks)
def test_cutting_equals_never_having_seen(rules, seen, later, picked):
    cut = some_pairs(seen, picked)
    world = loaded(rules, seen)
    world.cut(cut)
    world.check()
    for one in later:
        one = Seen(one.time, f"later/{one.uid}", one.position + 100, one.assurance, one.located)
        world.observe(one)
        world.check()


@given(any_rules, histories(), histories(most=12), picks)
def test_restoring_a_cut_gives_back_what_was(rules, seen, later, picked):
    cut = some_pairs(seen, picked)
    world, straight = loaded(rules, seen), loaded(rules, seen)
    world.cut(cut)
    for one in later:
        one = Seen(one.time, f"later/{one.uid}", one.position + 100, one.assurance, one.located)
        world.observe(one)
        straight.observe(one)
    world.restore(cut)
    world.check()
    assert partition(world.graph, world.idents) == partition(straight.graph, straight.idents)


@given(any_rules, histories(most=24), st.integers(0, 10_000), st.integers(1, 2**6))
def test_a_split_separates_and_undoing_it_restores(rules, seen, who, mask):
    world = loaded(rules, seen)
    people = [p for p in world.people.values() if len(p.members) > 1]
    assume(people)
    person = sorted(people, key=lambda p: p.id)[who % len(people)]
    nodes = [k for i, k in enumerate(person.members) if mask >> (i % 6) & 1]
    assume(0 < len(nodes) < len(person.members))
    before = partition(world.graph, world.idents)
    pairs = world.graph.split_edges(person, nodes)
    world.cut(pairs)
    world.check()
    gone = set(nodes) | {leaf for leaf in person.members if leaf.startswith(("order_id:", "visit_id:"))}
    for a in nodes:
        for b in set(person.members) - gone:
            assert world.graph.person_of(a) != world.graph.person_of(b)
    world.restore(pairs)
    world.check()
    assert partition(world.graph, world.idents) == before


@given(any_rules, histories(most=14), st.integers(0, 100), histories(most=12))
def test_any_of_k_merges_can_be_undone_later(rules, seen, which, later):
    """Events that link are merges; undoing one equals never having had its links, also after later events."""
    world = loaded(rules, seen)
    merges = [one for one in seen if len(one.located.claims) > 1]
    assume(merges)
    undone = merges[which % len(merges)]
    keys = [c.key for c in undone.located.claims]
    for one in later:
        world.observe(Seen(one.time, f"later/{one.uid}", one.position + 100, one.assurance, one.located))
    cut = [pair(a, b) for i, a in enumerate(keys) for b in keys[i + 1 :]]
    world.cut(cut)
    world.check()


@given(any_rules, histories(most=24), picks)
def test_dropping_equals_never_having_seen(rules, seen, picked):
    world = loaded(rules, seen)
    keys = sorted(world.idents.keys())
    for pick in picked:
        gone = keys[pick % len(keys)]
        world.apply(world.graph.drop(gone, erased=False))
        assert gone not in world.idents
        world.seen = [
            without(one, gone)
            for one in world.seen
            if len(one.located.claims) > 1 or one.located.claims[0].key != gone
        ]
        world.check()


def without(one: Seen, gone: str) -> Seen:
    claims = tuple(c for c in one.located.claims if c.key != gone)
    place = one.located
    return Seen(
        one.time,
        one.uid,
        one.position,
        one.assurance,
        Located(place.node, claims, place.light, place.given_name, place.birth_date),
    )


@given(any_rules, histories(most=24), picks)
def test_dropping_and_observing_again_changes_nothing(rules, seen, picked):
    world = loaded(rules, seen)
    world.cut(some_pairs(seen, picked))
    before = partition(world.graph, world.idents)
    keys = sorted(world.idents.keys())
    gone = {keys[p % len(keys)] for p in picked}
    assume(
        not any(a in gone and b in gone for a, b in world.cuts)
    )  # a cut is remembered by the one that stays
    world.apply(world.graph.drop(*sorted(gone), erased=False))
    world.check_rows()
    for one in seen:
        if any(c.key in gone for c in one.located.claims):
            world.observe(one)
    world.seen = seen
    world.check()
    assert partition(world.graph, world.idents) == before


@given(any_rules, histories(most=24), st.integers(0, 10_000))
def test_erasing_a_person_keeps_what_was_shared_shared_and_joins_nobody(rules, seen, who):
    world = loaded(rules, seen)
    people = sorted(world.people.values(), key=lambda p: p.id)
    person = people[who % len(people)]
    keys = [k for k in person.members if not world.graph.is_shared(k)]
    assume(keys)
    shared = {k for k in world.idents.keys() if world.graph.is_shared(k)} - set(keys)
    crowded = any(p.crowded for p in people)
    before = partition(world.graph, world.idents)
    world.apply(world.graph.drop(*keys))
    assert not set(keys) & set(world.idents.keys())
    assert all(gone not in repr(world.idents.get(k)) for k in world.idents.keys() for gone in keys)
    assert {k for k in world.idents.keys() if world.graph.is_shared(k)} >= shared
    world.check_rows()
    if not crowded:  # a component that is no longer crowded is settled as a whole
        after = partition(world.graph, world.idents)
        assert all(before[a] == before[b] for a in after for b in after if after[a] == after[b])


@given(any_rules, histories(), st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_join_makes_one_person_or_leaves_no_trace(rules, seen, one, two):
    world = loaded(rules, seen)
    keys = sorted(world.idents.keys())
    a, b = keys[one % len(keys)], keys[two % len(keys)]
    assume(a != b)
    before = partition(world.graph, world.idents)
    result = world.graph.join(a, b, 10**9, "hand/1", 500)
    if isinstance(result, Refusal):
        assert result.reason
        assert partition(world.graph, world.idents) == before
        world.check()
        return
    world.apply(result)
    assert world.graph.person_of(a) == world.graph.person_of(b)
    assert world.graph.edge(a, b).best_assurance == "verified"
    assert world.graph.edge(a, b).by_hand
    world.check_rows()
    assert from_scratch(world.idents, rules) == partition(world.graph, world.idents)


@given(any_rules, any_rules, histories(most=24))
def test_a_change_of_rules_does_what_its_dry_run_says(old, new, seen):
    assume(old.names_kept >= new.names_kept)  # names that were not kept cannot be judged again
    world = loaded(old, seen)
    told = dry_run(world.idents, old, new)
    assert told.people_before == len(world.people)
    world.graph, world.rules = Graph(world.idents, world.groups, new, SECRET), new
    world.apply(world.graph.resettle())
    world.check()
    assert told.people_after == len(world.people)
    if told.merges == told.splits == 0:
        assert told.people_after == told.people_before


def told(rules: str, *events: tuple[int, str]) -> World:
    """A world told by hand: (day, "user_id:u1 email:e1@x.it/2"), checked after each event."""
    world = World(RULES[rules])
    for one in said(*events):
        world.observe(one)
        world.check()
    return world


def test_a_link_inside_a_conflicted_component_settles_it_again():
    """The phone hangs on u2 by a stronger link than on u1's cookie; then a still stronger link to that cookie comes.

    Both ends stood in one component all the time, in two people: only settling it again moves the phone.
    """
    events = [
        (1, "user_id:u1 anonymous_id:a2"),
        (2, "user_id:u2 phone:+391/1"),
        (3, "anonymous_id:a2 phone:+391/2"),
    ]
    world = told("open", *events)
    assert world.graph.person_of("phone:+391") == world.graph.person_of("user_id:u2")
    world = told("open", *events, (9, "anonymous_id:a2 phone:+391"))
    assert world.graph.person_of("phone:+391") == world.graph.person_of("user_id:u1")
    assert world.graph.person_of("user_id:u2").members == ("user_id:u2",)


def test_an_earlier_link_inside_a_conflicted_component_settles_it_again():
    events = [(5, "user_id:u1 email:e1@x.it"), (6, "user_id:u2 email:e1@x.it")]
    world = told("open", *events)
    assert set(world.graph.person_of("email:e1@x.it").members) == {"user_id:u1", "email:e1@x.it"}
    world = told("open", *events, (1, "user_id:u2 email:e1@x.it"))
    assert set(world.graph.person_of("email:e1@x.it").members) == {"user_id:u2", "email:e1@x.it"}


def test_a_newcomer_makes_a_conflicted_component_crowded():
    events = [
        (1, "user_id:u1 email:e1@x.it"),
        (2, "user_id:u2 email:e1@x.it"),
        (3, "user_id:u1 anonymous_id:a1"),
    ]
    world = told("crowded open", *events[:2])
    assert not world.graph.person_of("user_id:u2").crowded
    assert told("crowded open", *events).graph.person_of("user_id:u2").crowded


def test_a_better_link_inside_a_crowded_group_changes_whom_one_follows():
    events = [
        (1, "user_id:u1 email:e1@x.it"),
        (2, "user_id:u1 phone:+391"),
        (5, "user_id:u1 anonymous_id:a1/2"),
    ]
    world = told("crowded open", *events)
    assert world.idents.get("anonymous_id:a1").owner == "user_id:u1"
    world = told("crowded open", *events, (6, "anonymous_id:a1 email:e1@x.it"))
    assert world.idents.get("anonymous_id:a1").owner == "email:e1@x.it"
    assert len(world.people) == 1


def test_a_newcomer_beside_a_known_pair_may_bring_better_evidence_of_it():
    world = told(
        "open", (1, "anonymous_id:a1 email:e1@x.it/2"), (2, "anonymous_id:a1 email:e1@x.it phone:+391")
    )
    assert world.graph.edge("anonymous_id:a1", "email:e1@x.it").strength == 0


def test_the_worst_link_of_a_full_row_is_found_again_when_it_got_better(monkeypatch):
    monkeypatch.setitem(RULES, "full", CAPPED["capped"])
    events = [
        (5, "user_id:u1 anonymous_id:a1"),
        (6, "user_id:u1 anonymous_id:a2"),
        (9, "user_id:u1 anonymous_id:a3"),
    ]
    world = told("full", *events, (1, "user_id:u1 anonymous_id:a2"), (4, "user_id:u1 anonymous_id:a4"))
    assert set(world.idents.get("user_id:u1").links) == {"anonymous_id:a2", "anonymous_id:a4"}


def test_a_link_that_finds_room_in_a_full_row_again_joins(monkeypatch):
    """An erasure made room; weaker evidence of a pair that was pushed out is as good a reason to keep it as any."""
    monkeypatch.setitem(RULES, "full", CAPPED["capped"])
    world = told(
        "full",
        (0, "user_id:u1 anonymous_id:a1"),
        (1, "user_id:u1 anonymous_id:a2"),
        (5, "user_id:u1 email:e1@x.it"),
    )
    world.apply(world.graph.drop("anonymous_id:a2"))
    assert world.graph.person_of("email:e1@x.it").members == ("email:e1@x.it",)
    world.observe(said((6, "user_id:u1 email:e1@x.it/2"))[0])
    world.check_rows()
    assert world.graph.person_of("email:e1@x.it") == world.graph.person_of("user_id:u1")
    assert from_scratch(world.idents, world.rules) == partition(world.graph, world.idents)


def test_a_transaction_observed_again_keeps_its_cut_beside_its_new_leaf():
    events = [(1, "user_id:u1 order_id:o1"), (2, "user_id:u2 order_id:o1")]
    world = told("open", *events)
    world.cut([("order_id:o1", "user_id:u2")])
    world.apply(world.graph.drop("order_id:o1", erased=False))
    for one in world.seen[:]:
        world.observe(one)
    world.check()
    assert world.graph.person_of("order_id:o1") == world.graph.person_of("user_id:u1")


def test_windows_are_open_at_their_end():
    """Two e-mails within 3 days are one too many; after exactly 3 days they are not."""
    assert len(told("loose", (1, "user_id:u1 email:e1@x.it"), (3, "user_id:u1 email:e2@x.it")).people) == 2
    assert len(told("loose", (1, "user_id:u1 email:e1@x.it"), (4, "user_id:u1 email:e2@x.it")).people) == 1


@given(st.permutations(["a", "an", "ann", "anna"]), st.integers(1, 4))
def test_too_many_names_are_a_conflict_in_any_order(names, count):
    world = World(RULES["tight"])
    for number, name in enumerate(names[:count]):
        claims = (Claim("user_id:u1", 0), Claim("anonymous_id:a1", 0))
        world.observe(
            Seen(number, f"s/{number}", number, "asserted", Located(claims[0].key, claims, False, name))
        )
        world.check()
    assert world.graph.is_shared("anonymous_id:a1") == (count > 2)
