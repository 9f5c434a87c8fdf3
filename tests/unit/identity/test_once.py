"""What counts once: e-mails of one person on a browser, records of one name at an address."""

import pytest

from patron.identity.diff import partition
from patron.identity.explain import why
from patron.identity.graph import Graph
from patron.identity.normalise import is_slip, names_conflict
from patron.identity.rules import IdentityRules
from tests.unit.identity.graphs import graph_of, members, see

BROWSER = "anonymous_id:c1"
ANNA, WORK, MARCO = "email:anna.rossi@x.it", "email:anna@work.it", "email:marco.rossi@x.it"


def told(*emails: str) -> Graph:
    """A browser on which these were typed."""
    graph = graph_of()
    for day, email in enumerate(emails):
        see(graph, day, BROWSER, f"{email}/2")
    return graph


def test_two_addresses_that_nothing_joins_are_two_people():
    graph = told(ANNA, WORK)
    assert graph.is_shared(BROWSER)
    assert why(graph, BROWSER, ANNA).sentences == (
        "c1 and anna.rossi@x.it: not joined. The cookie c1 was seen with 2 e-mails, so it links nobody.",
    )


@pytest.mark.parametrize("holder", ["card:7", "crm_id:7", "user_id:7", "phone:+393331234567"])
def test_two_addresses_on_one_record_or_with_one_number_are_one_person(holder):
    graph = told(ANNA, WORK)
    see(graph, 5, holder, f"{ANNA}/1")
    assert graph.is_shared(BROWSER)
    see(graph, 6, holder, f"{WORK}/1")
    assert members(graph, BROWSER) == {BROWSER, ANNA, WORK, holder}


def test_what_links_nobody_joins_no_addresses():
    graph = told(ANNA, WORK)
    for day, (name, email) in enumerate((("anna", ANNA), ("marco", WORK)), 5):
        see(graph, day, "phone:+390512345678", f"{email}/1", name=name)
    assert graph.is_shared("phone:+390512345678")
    assert graph.is_shared(BROWSER)


def test_a_number_that_becomes_shared_parts_the_addresses_again():
    graph = told(ANNA, WORK)
    for day, email in enumerate((ANNA, WORK), 5):
        see(graph, day, "phone:+390512345678", f"{email}/1")
    assert not graph.is_shared(BROWSER)
    for day, name in enumerate(("anna", "marco"), 9):
        see(graph, day, "phone:+390512345678", name=name)
    assert graph.is_shared(BROWSER)
    assert partition(graph._idents, IdentityRules())[BROWSER] == BROWSER


def test_a_cut_parts_them_and_its_undoing_joins_them():
    graph = told(ANNA, WORK)
    for day, email in enumerate((ANNA, WORK), 5):
        see(graph, day, "card:7", f"{email}/1")
    graph.cut([("card:7", WORK)], 99, "hand")
    assert graph.is_shared(BROWSER)
    graph.restore([("card:7", WORK)])
    assert not graph.is_shared(BROWSER)
    graph.drop("card:7", erased=False)
    assert graph.is_shared(BROWSER)


def test_an_erasure_changes_no_count():
    graph = told(ANNA, WORK)
    for day, email in enumerate((ANNA, WORK), 5):
        see(graph, day, "card:7", f"{email}/1")
    graph.drop("card:7")
    assert not graph.is_shared(BROWSER)
    ghosts = graph.row(BROWSER).ghosts
    again = told(ANNA, WORK)
    assert again.is_shared(BROWSER)
    again.haunt(BROWSER, ghosts)
    assert members(again, BROWSER) == members(graph, BROWSER) == {BROWSER, ANNA, WORK}
    see(graph, 9, BROWSER, f"{MARCO}/2")
    assert graph.is_shared(BROWSER)
    graph.drop(ANNA, WORK)
    assert graph.is_shared(BROWSER)


@pytest.mark.parametrize("first", range(3))
def test_a_third_address_can_show_that_two_before_are_one_persons(first):
    slips = ["email:anna.rossi@x.it", "email:anna.rosis@x.it", "email:nana.rosis@x.it"]
    graph = told(*slips[first:], *slips[:first])
    assert not graph.is_shared(BROWSER)
    graph = told(slips[0], slips[2])
    assert graph.is_shared(BROWSER)
    see(graph, 5, BROWSER, f"{slips[1]}/2")
    assert not graph.is_shared(BROWSER)


def test_a_slip_beside_another_persons_address_is_two_people():
    assert told(ANNA, "email:anna.rosis@x.it", MARCO).is_shared(BROWSER)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("anna.rossi@x.it", "anna.rosis@x.it", True),
        ("anna.rossi@x.it", "nana.rossi@x.it", True),
        ("anna.rossi@x.it", "anna.rosis@y.it", False),
        ("anna12@x.it", "anna21@x.it", False),
        ("andre@x.it", "andrea@x.it", False),
        ("m.rossi@x.it", "a.rossi@x.it", False),
        ("m.rossi@x.it", ".mrossi@x.it", False),
        ("anna@x.it", "nana@x.it", False),
        ("anna.rossi@x.it", "anna.rossi@x.it", False),
        ("anna.rossi@x.it", "nana.rosis@x.it", False),
        ("rossi", "rossi@x.it", False),
    ],
)
def test_a_slip_of_the_keys(a, b, same):
    assert is_slip(a, b) is is_slip(b, a) is same


def records(graph: Graph, *names: str) -> None:
    for at, name in enumerate(names):
        see(graph, at, f"crm_id:C{at}", f"{ANNA}/1", name=name)


def test_six_records_of_one_name_are_a_customer():
    graph = graph_of()
    records(graph, *["anna"] * 9, *[""] * 4)
    assert not graph.is_shared(ANNA)
    assert len(members(graph, ANNA)) == 14
    see(graph, 20, "crm_id:C20", f"{ANNA}/1")
    assert graph.is_shared(ANNA)


def test_six_records_without_a_name_are_junk_and_a_name_told_later_counts():
    graph = graph_of()
    records(graph, *[""] * 6)
    assert graph.is_shared(ANNA)
    see(graph, 10, "crm_id:C0", "card:1", name="anna")
    assert graph.is_shared(ANNA)
    see(graph, 11, "crm_id:C1", "card:2", name="ann")
    assert not graph.is_shared(ANNA)
    see(graph, 12, "crm_id:C2", "card:3", name="marco")
    assert graph.is_shared(ANNA)


def test_two_names_of_one_account_are_one_record():
    graph = graph_of()
    records(graph, "anna", "", "", "")
    for user in ("u1", "u2"):
        see(graph, 7, f"user_id:{user}", f"{ANNA}/0", name="anna")
    see(graph, 8, "user_id:u1", "user_id:u2")
    see(graph, 9, "crm_id:C9", f"{ANNA}/1")
    assert not graph.is_shared(ANNA)
    see(graph, 10, "crm_id:C10", f"{ANNA}/1")
    assert graph.is_shared(ANNA)


def test_a_second_user_id_lends_its_name_to_an_account_counted_already():
    graph = graph_of()
    records(graph, "anna", "", "", "")
    see(graph, 7, "user_id:u1", f"{ANNA}/0")
    see(graph, 8, "user_id:u1", "user_id:u2")
    see(graph, 9, "user_id:u2", name="anna")
    see(graph, 10, "crm_id:C9", f"{ANNA}/1")
    assert graph.is_shared(ANNA)
    see(graph, 11, "user_id:u2", f"{ANNA}/0")
    assert not graph.is_shared(ANNA)


@pytest.mark.parametrize(
    ("a", "b", "conflict"),
    [
        ("cristiano", "rcistinao", False),
        ("isabella", "siabelal", False),
        ("marta", "amrat", False),
        ("irene", "reine", False),
        ("silvia", "olivia", True),
        ("laura", "paula", True),
        ("anna", "nnaa", True),
        ("roland", "arnold", True),
    ],
)
def test_names_two_swaps_apart(a, b, conflict):
    assert names_conflict(a, b) is names_conflict(b, a) is conflict


def test_the_tills_own_word_for_a_customer_is_no_address():
    from patron.identity.normalise import normalise

    rules = IdentityRules()
    for junk in ("cliente@shop.example", "Customer1@shop.example", "kunde@laden.example"):
        assert normalise("email", junk, rules) is None
    for real in ("clientela@x.it", "till@x.de", "c.liente@x.it"):
        assert normalise("email", real, rules) == real
