"""The graph by examples: what links, what does not, and what people keep when they merge and part."""

import msgspec
import pytest

from patron.identity.graph import Graph, Group, Ident, Refusal
from patron.identity.rules import IdentityRules
from patron.testing import MemoryTable
from tests.unit.identity.graphs import DAY, graph_of, members, see


def test_anonymous_then_known_is_one_person_with_one_id():
    graph = graph_of()
    first = see(graph, 1, "anonymous_id:c1").after[0]
    change = see(graph, 3, "user_id:7", "anonymous_id:c1")
    assert change.before == (first,)
    assert change.after[0].id == first.id
    assert members(graph, "user_id:7") == {"anonymous_id:c1", "user_id:7"}


def test_ids_of_both_sides_of_a_merge_lead_to_the_person():
    graph = graph_of()
    one = see(graph, 1, "user_id:7").after[0]
    two = see(graph, 2, "anonymous_id:c1").after[0]
    change = see(graph, 3, "user_id:7", "anonymous_id:c1")
    assert {p.id for p in change.before} == {one.id, two.id}
    person = change.after[0]
    assert person.id == one.id
    assert graph.person_by_id(one.id) == graph.person_by_id(two.id) == person
    assert graph.retired_ids(person) == [two.id]
    graph.cut([("user_id:7", "anonymous_id:c1")], 4 * DAY, "hand")
    assert graph.person_by_id(two.id) == two
    assert graph.person_by_id(one.id) == one
    assert graph.person_by_id("p_aaaaaaaaaaaaaaaa") is None


def test_ids_depend_on_the_secret_and_look_like_ids():
    person = see(graph_of(), 1, "user_id:7").after[0]
    other = Graph(MemoryTable(), MemoryTable(), IdentityRules(), b"another secret of one")
    assert see(other, 1, "user_id:7").after[0].id != person.id
    assert len(person.id) == 18
    assert person.id.startswith("p_")
    assert person.id[2:].isalnum()
    with pytest.raises(ValueError, match="patron init"):
        Graph(MemoryTable(), MemoryTable(), IdentityRules(), b"short")


def test_a_cookie_of_two_users_links_nobody():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:tablet")
    see(graph, 2, "anonymous_id:tablet", "email:a@x.it/2")
    assert members(graph, "email:a@x.it") == {"user_id:7", "anonymous_id:tablet", "email:a@x.it"}
    see(graph, 3, "user_id:8", "anonymous_id:tablet")
    assert graph.is_shared("anonymous_id:tablet")
    for key in ("user_id:7", "user_id:8", "email:a@x.it", "anonymous_id:tablet"):
        assert members(graph, key) == {key}


def test_two_user_ids_of_one_account_count_as_one():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    see(graph, 2, "user_id:8", "anonymous_id:c1")
    assert graph.is_shared("anonymous_id:c1")
    see(graph, 3, "user_id:8", "user_id:7")
    assert not graph.is_shared("anonymous_id:c1")
    assert members(graph, "user_id:7") == {"user_id:7", "user_id:8", "anonymous_id:c1"}


def test_a_family_phone_with_two_names_links_nobody_but_a_nickname_is_no_conflict():
    graph = graph_of()
    see(graph, 1, "user_id:7", "phone:+391", name="alessandro")
    see(graph, 2, "anonymous_id:c1", "phone:+391", name="al")
    assert members(graph, "phone:+391") == {"user_id:7", "phone:+391", "anonymous_id:c1"}
    see(graph, 3, "anonymous_id:c2", "phone:+391", name="marta")
    assert graph.is_shared("phone:+391")
    assert members(graph, "user_id:7") == {"user_id:7"}


def test_different_birth_dates_keep_two_people_apart():
    graph = graph_of()
    see(graph, 1, "card:k1", birth="1980-02-01")
    see(graph, 1, "crm_id:9", birth="1991-05-06")
    see(graph, 2, "card:k1", "crm_id:9")
    assert members(graph, "card:k1") == {"card:k1"}


def test_a_sixth_record_makes_an_email_shared_and_cookies_count_apart():
    graph = graph_of()
    for n in range(20):
        see(graph, 1, f"anonymous_id:c{n}", "email:info.a@x.it/2")
    assert not graph.is_shared("email:info.a@x.it")
    for n in range(5):
        see(graph, 2, f"crm_id:{n}/1", "email:info.a@x.it/1")
    assert not graph.is_shared("email:info.a@x.it")
    see(graph, 3, "card:k1", "email:info.a@x.it/2")
    assert graph.is_shared("email:info.a@x.it")


def test_the_sixth_email_stays_out_and_keeps_its_link_on_record():
    graph = graph_of()
    for n in range(6):
        see(graph, n, "user_id:7", f"email:a{n}@x.it")
    assert members(graph, "user_id:7") == {"user_id:7", *(f"email:a{n}@x.it" for n in range(5))}
    assert graph.edge("user_id:7", "email:a5@x.it") is not None
    see(graph, 0, "user_id:7", "email:a5@x.it", uid="earlier")
    assert "email:a5@x.it" in members(graph, "user_id:7")
    assert members(graph, "email:a4@x.it") == {"email:a4@x.it"}


def test_transactions_count_for_no_limit_and_hang_as_leaves():
    graph = graph_of(IdentityRules(total_limit=3, crowded=3))
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    for n in range(40):
        see(graph, 2 + n, "user_id:7", f"order_id:o{n}")
    person = graph.person_of("order_id:o17")
    assert len(person.members) == 42
    assert not person.crowded
    see(graph, 50, "order_id:o17")
    assert graph.person_of("order_id:o17") == person


def test_a_claimed_receipt_moves_to_its_customer_and_leads_nobody():
    graph = graph_of()
    receipt = see(graph, 1, "order_id:till-1/5").after[0]
    change = see(graph, 2, "user_id:7", "order_id:till-1/5")
    person = change.after[0]
    assert person.root == "user_id:7"
    assert change.before == (receipt,)
    assert graph.person_by_id(receipt.id) == person


def test_a_guest_order_claimed_by_a_login_joins_cookie_and_account():
    graph = graph_of()
    see(graph, 1, "anonymous_id:c1", "order_id:o1")
    see(graph, 2, "user_id:7", "order_id:o1")
    assert members(graph, "user_id:7") == {"user_id:7", "order_id:o1", "anonymous_id:c1"}


def test_a_cut_keeps_apart_what_is_seen_again():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    graph.cut([("anonymous_id:c1", "user_id:7")], 2 * DAY, "split-1")
    assert see(graph, 3, "user_id:7", "anonymous_id:c1") is None
    assert members(graph, "user_id:7") == {"user_id:7"}
    see(graph, 0, "user_id:7", "anonymous_id:c1")
    assert members(graph, "user_id:7") == {"user_id:7"}
    graph.restore([("user_id:7", "anonymous_id:c1")])
    assert members(graph, "user_id:7") == {"user_id:7", "anonymous_id:c1"}
    assert graph.edge("user_id:7", "anonymous_id:c1").time == 0


def test_a_cut_outlives_dropping_and_observing_again():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    graph.cut([("anonymous_id:c1", "user_id:7")], 2 * DAY, "split-1")
    graph.drop("anonymous_id:c1", erased=False)
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    assert members(graph, "user_id:7") == {"user_id:7"}
    graph.restore([("user_id:7", "anonymous_id:c1")])
    assert members(graph, "user_id:7") == {"user_id:7", "anonymous_id:c1"}


def test_splitting_takes_the_transactions_along():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    see(graph, 2, "anonymous_id:c1", "order_id:o1")
    see(graph, 2, "user_id:7", "order_id:o2")
    pairs = graph.split_edges(graph.person_of("user_id:7"), ["anonymous_id:c1"])
    assert pairs == [("anonymous_id:c1", "user_id:7")]
    graph.cut(pairs, 3 * DAY, "split-1")
    assert members(graph, "order_id:o1") == {"anonymous_id:c1", "order_id:o1"}
    assert members(graph, "order_id:o2") == {"user_id:7", "order_id:o2"}
    assert graph.split_edges(graph.person_of("user_id:7"), ["email:not@theirs.it"]) == []
    graph.cut([("user_id:7", "order_id:o2")], 4 * DAY, "split-2")
    assert members(graph, "order_id:o2") == {"order_id:o2"}


def test_joining_by_hand_is_verified_and_refused_with_the_limit():
    graph = graph_of()
    see(graph, 1, "user_id:7", "email:a@x.it/2")
    see(graph, 1, "user_id:8")
    see(graph, 1, "anonymous_id:c1")
    refused = graph.join("user_id:7", "user_id:8", 2 * DAY, "patron/5")
    assert refused == Refusal("limit:user_id", "Together they would hold more than 1 user id")
    assert graph.edge("user_id:7", "user_id:8") is None
    graph.join("user_id:8", "anonymous_id:c1", 2 * DAY, "patron/6", 6)
    edge = graph.edge("anonymous_id:c1", "user_id:8")
    assert (edge.assurance, edge.by_hand, edge.position) == ("verified", True, 6)
    assert members(graph, "user_id:8") == {"user_id:8", "anonymous_id:c1"}
    assert "never seen" in graph.join("user_id:7", "user_id:99", 2 * DAY, "patron/7").reason


def test_joining_lifts_a_cut_of_the_pair():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    graph.cut([("anonymous_id:c1", "user_id:7")], 2 * DAY, "split-1")
    graph.join("anonymous_id:c1", "user_id:7", 3 * DAY, "patron/5")
    assert members(graph, "user_id:7") == {"user_id:7", "anonymous_id:c1"}


def test_the_best_assurance_of_a_pair_is_kept():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1", assurance="observed")
    assert see(graph, 2, "user_id:7", "anonymous_id:c1", assurance="verified").moved is False
    edge = graph.edge("user_id:7", "anonymous_id:c1")
    assert (edge.assurance, edge.time, edge.uid) == ("verified", DAY, "web/1-user_id:7-anonymous_id:c1")


def test_erasing_keeps_the_mark_of_a_shared_device_and_no_trace():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:tablet", name="anna")
    see(graph, 2, "user_id:8", "anonymous_id:tablet", name="anna")
    graph.drop("user_id:7")
    row = graph.row("anonymous_id:tablet")
    assert graph.is_shared("anonymous_id:tablet")
    assert row.ghosts == (1, 0, 1, 0)
    assert "anna" not in repr(row)
    assert "user_id:7" not in repr(row)
    assert members(graph, "user_id:8") == {"user_id:8"}
    assert graph.person_of("user_id:7") is None


def test_erasing_a_name_conflict_keeps_the_mark_without_the_names():
    graph = graph_of()
    see(graph, 1, "user_id:7", "phone:+391", name="anna")
    see(graph, 2, "crm_id:8", "phone:+391", name="marco")
    graph.drop("user_id:7")
    assert graph.row("phone:+391").names == ("*",)
    assert members(graph, "crm_id:8") == {"crm_id:8"}


def test_an_erased_person_has_no_id_left():
    graph = graph_of()
    first = see(graph, 1, "anonymous_id:c1").after[0]
    second = see(graph, 2, "user_id:7").after[0]
    person = see(graph, 3, "user_id:7", "anonymous_id:c1").after[0]
    change = graph.drop(*person.members)
    assert change.before == (person,)
    assert change.after == ()
    assert graph.person_by_id(first.id) is None
    assert graph.person_by_id(second.id) is None


def test_a_hub_keeps_its_best_links_and_counts_the_rest():
    graph = graph_of(IdentityRules(neighbours=10, total_limit=50, crowded=50))
    for n in range(30):
        see(graph, 30 - n, "user_id:hub", f"anonymous_id:c{n}")
    row = graph.row("user_id:hub")
    assert sorted(row.links) == sorted(f"anonymous_id:c{n}" for n in range(20, 30))
    assert row.refused == 20
    assert members(graph, "anonymous_id:c3") == {"anonymous_id:c3"}
    assert members(graph, "user_id:hub") == {"user_id:hub", *row.links}


def test_a_crowd_is_settled_by_owners_and_comes_back_whole():
    rules = IdentityRules(crowded=6)
    graph = graph_of(rules)
    for n in range(4):
        see(graph, n, f"user_id:u{n}", f"anonymous_id:c{n}")
        see(graph, n, f"user_id:u{n}", f"email:e{n}@x.it/2")
        see(graph, 20 + n, f"user_id:u{n}", f"email:e{(n + 1) % 4}@x.it/2")
    people = [graph.person_of(f"user_id:u{n}") for n in range(4)]
    assert all(p.crowded for p in people)
    assert [set(p.members) for p in people] == [
        {f"user_id:u{n}", f"anonymous_id:c{n}", f"email:e{n}@x.it"} for n in range(4)
    ]
    graph.cut([(f"user_id:u{n}", f"email:e{(n + 1) % 4}@x.it") for n in range(4)], 30 * DAY, "hand")
    assert not any(graph.person_of(f"user_id:u{n}").crowded for n in range(4))


def test_rows_are_compact_and_come_back_from_bytes():
    graph = graph_of()
    uid = "web/ajs-next-1712345678901-0b1c2d3e-4f5a-6b7c-8d9e-0f1a2b3c4d5e"
    see(
        graph,
        20_000,
        "user_id:10023",
        "email:ana.rossi@x.it/2",
        "anonymous_id:0b1c2d3e-4f5a-6b7c-8d9e-0f1a2b3c4d5e",
        uid=uid,
    )
    for table, kind in ((graph._idents, Ident), (graph._groups, Group)):
        for key in table.keys():
            raw = msgspec.msgpack.encode(table.get(key))
            assert len(raw) <= 300, key
            assert msgspec.msgpack.decode(raw, type=kind) == table.get(key)


def test_rows_are_touched_before_they_change_and_not_when_nothing_does():
    graph = graph_of()
    see(graph, 1, "user_id:7", "anonymous_id:c1")
    see(graph, 1, "user_id:8")
    graph._idents.touched.clear()
    see(graph, 2, "user_id:7", "anonymous_id:c1")
    assert not graph._idents.touched
    see(graph, 3, "user_id:7", "email:a@x.it/2")
    assert graph._idents.touched == {"user_id:7", "email:a@x.it"}


@pytest.mark.parametrize("day", range(3))
def test_the_order_of_two_users_on_one_order_does_not_matter(day):
    events = [(1, "user_id:7"), (2, "user_id:8"), (0, "anonymous_id:c1")]
    graph = graph_of()
    for when, who in events[day:] + events[:day]:
        see(graph, when, who, "order_id:gift", uid=who)
    assert members(graph, "user_id:7") == {"user_id:7", "anonymous_id:c1", "order_id:gift"}
    assert members(graph, "user_id:8") == {"user_id:8"}
