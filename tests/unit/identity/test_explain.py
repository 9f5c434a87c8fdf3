"""Why one person and why not, in sentences."""

from patron.identity.explain import links, why
from patron.identity.rules import IdentityRules
from tests.unit.identity.graphs import DAY, graph_of, see


def household():
    graph = graph_of()
    see(graph, 19_786, "user_id:anna", "anonymous_id:c1")
    see(graph, 19_787, "user_id:marco", "anonymous_id:c2")
    see(graph, 19_788, "user_id:anna", "phone:+391/1")
    see(graph, 19_789, "user_id:marco", "phone:+391/2")
    see(graph, 19_790, "user_id:anna", "anonymous_id:tablet")
    see(graph, 19_791, "user_id:marco", "anonymous_id:tablet")
    see(graph, 19_792, "user_id:anna", "order_id:o1")
    return graph


def test_every_link_of_a_person_is_listed_with_its_verdict():
    graph = household()
    found = {(x.a, x.b): (x.status, x.rule, x.reason) for x in links(graph, graph.person_of("user_id:anna"))}
    assert found == {
        ("user_id:anna", "anonymous_id:c1"): (
            "accepted",
            "strength 0",
            "Seen together when logging in on web, 4 Mar 2024",
        ),
        ("user_id:anna", "phone:+391"): ("accepted", "strength 1", "Told to staff on web, 6 Mar 2024"),
        ("user_id:marco", "phone:+391"): (
            "refused",
            "limit:user_id",
            "Together they would hold more than 1 user id",
        ),
        ("user_id:anna", "anonymous_id:tablet"): (
            "shared",
            "user_ids",
            "The cookie tablet was seen with 2 user ids, so it links nobody",
        ),
        ("user_id:anna", "order_id:o1"): (
            "accepted",
            "strength 0",
            "In one order or receipt on web, 10 Mar 2024",
        ),
    }


def test_links_carry_their_event():
    graph = household()
    first = links(graph, graph.person_of("user_id:anna"))[0]
    assert (first.time, first.position, first.assurance) == (19_786 * DAY, 19_787, "asserted")
    assert first.uid == "web/19786-user_id:anna-anonymous_id:c1"


def test_why_one_person_is_the_path():
    told = why(household(), "anonymous_id:c1", "phone:+391")
    assert told.same
    assert [link.status for link in told.path] == ["accepted", "accepted"]
    assert told.sentences[0] == "c1 and anna: Seen together when logging in on web, 4 Mar 2024."


def test_why_not_is_what_keeps_them_apart():
    told = why(household(), "anonymous_id:c1", "anonymous_id:c2")
    assert not told.same
    assert any("limit" in link.rule or link.status == "shared" for link in told.path)
    assert any("not joined" in sentence for sentence in told.sentences)


def test_a_cut_is_named_as_such():
    graph = household()
    graph.cut([("user_id:anna", "anonymous_id:c1")], 19_800 * DAY, "split-1")
    told = why(graph, "user_id:anna", "anonymous_id:c1")
    assert not told.same
    assert told.sentences == ("anna and c1: separated. Cut by hand on 18 Mar 2024.",)
    assert [x.status for x in links(graph, graph.person_of("anonymous_id:c1"))] == ["cut"]


def test_strangers_have_no_path_and_the_unknown_are_named():
    graph = household()
    see(graph, 1, "user_id:stranger")
    assert why(graph, "user_id:stranger", "user_id:anna").sentences == ("Nothing ever linked the two.",)
    assert why(graph, "user_id:nobody", "user_id:anna").sentences == ("user_id:nobody was never seen.",)


def test_names_births_crowds_and_full_rows_are_explained():
    graph = graph_of(IdentityRules(neighbours=2, crowded=2))
    see(graph, 1, "card:k1", name="anna")
    see(graph, 1, "crm_id:9", name="marco")
    see(graph, 2, "card:k1", "crm_id:9")
    for n in range(4):
        see(graph, 3 + n, "user_id:hub", f"anonymous_id:c{n}")
    reasons = {
        x.rule: x.reason
        for key in ("card:k1", "user_id:hub", "anonymous_id:c3")
        for x in links(graph, graph.person_of(key))
    }
    assert reasons["names"] == "Their given names differ"
    assert "more than 2 links" in reasons["neighbours"]
