"""Reading back: true order, and which identifiers of a wrong merge can be told apart."""

from hypothesis import given
from hypothesis import strategies as st

from patron.sim.score.held import in_order
from patron.sim.score.sent import Sent
from patron.sim.score.splits import foreign_nodes
from tests.unit.sim.score.worlds import track, world


def longest(times: list[int]) -> int:
    """The same by the book: for every end, the best that leads to it."""
    best: list[int] = []
    for at, time in enumerate(times):
        best.append(1 + max((best[k] for k in range(at) if times[k] <= time), default=0))
    return max(best, default=0)


@given(st.lists(st.integers(0, 9), max_size=30))
def test_events_that_stand_in_order_are_the_longest_part_that_never_goes_back(times):
    assert in_order(times) == longest(times)
    assert in_order(sorted(times)) == len(times)


def held(tmp_path, owners: dict[str, int], nodes: dict[str, str]) -> tuple[str, ...]:
    sent = Sent(world(tmp_path / "w", {"web": [track(name) for name in owners]}, owners))
    return foreign_nodes([{"messageId": name, "node": node} for name, node in nodes.items()], sent)


def test_the_identifiers_of_whoever_has_fewest_messages_are_moved(tmp_path):
    owners = {"a": 1, "b": 1, "c": 2, "d": 2, "e": 2}
    nodes = {"a": "user_id:1", "b": "order_id:T", "c": "card:2", "d": "card:2", "e": "card:2"}
    assert held(tmp_path, owners, nodes) == ("order_id:T", "user_id:1")


def test_a_shared_identifier_cannot_be_told_apart(tmp_path):
    assert held(tmp_path, {"a": 1, "b": 2}, {"a": "card:1", "b": "card:1"}) == ()


def test_a_receipt_alone_names_nobody(tmp_path):
    assert held(tmp_path, {"a": 1, "b": 2, "c": 2}, {"a": "order_id:T", "b": "card:2", "c": "card:2"}) == (
        "card:2",
    )


def test_one_persons_timeline_is_no_wrong_merge(tmp_path):
    assert held(tmp_path, {"a": 1, "b": 1}, {"a": "card:1", "b": "user_id:1"}) == ()
