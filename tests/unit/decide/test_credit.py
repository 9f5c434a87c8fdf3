"""What followed a decision."""

import itertools

import pytest

from patron.decide.credit import WINDOW, Order, outcome
from patron.model.clock import DAY
from patron.model.offers import Decision, Outcome

DECISION = Decision("d", 1000, "n", "p", "till", "pos", "tea", 0.5, "treated", 0.5, "tea")


@pytest.mark.parametrize(
    ("time", "credited"), [(999, False), (1000, False), (1001, True), (1500, True), (1501, False)]
)
def test_the_window_is_open_at_the_decision_and_closed_at_its_end(time: int, credited: bool) -> None:
    followed = outcome(DECISION, [Order("o", time, "EUR", 50)], [], 500)
    assert followed.orders == (("o",) if credited else ())
    assert followed.revenue == ({"EUR": 50} if credited else {})


def test_refunds_are_net_whenever_they_came_and_a_full_one_undoes_the_order() -> None:
    orders = [
        Order("part", 1200, "EUR", 500_000, 120_000),
        Order("full", 1300, "EUR", 90_000, 90_000),
        Order("dollars", 1400, "USD", 10_000),
        Order("free", 1450, "EUR", 0),
    ]
    assert outcome(DECISION, orders, []) == Outcome(
        None, ("part", "dollars", "free"), {"EUR": 380_000, "USD": 10_000}
    )


def test_orders_of_any_arrival_order_and_copies_from_merged_nodes_give_the_same() -> None:
    orders = [Order("b", 1200, "EUR", 5), Order("a", 1200, "EUR", 7), Order("c", 1100, "EUR", 1)]
    results = {repr(outcome(DECISION, [*p, p[0]], [])) for p in itertools.permutations(orders)}
    assert results == {repr(Outcome(None, ("c", "a", "b"), {"EUR": 13}))}


@pytest.mark.parametrize(
    ("times", "shown"),
    [([], None), ([1400, 1200], 1200), ([900], 1000), ([1000], 1000), ([1501], None), ([1500], 1500)],
)
def test_the_first_time_it_was_shown_inside_the_window(times: list[int], shown: int | None) -> None:
    assert outcome(DECISION, [], times, 500).shown == shown


def test_a_sale_in_the_store_two_days_later_counts_by_default() -> None:
    assert WINDOW == 7 * DAY
    assert outcome(DECISION, [Order("o", 1000 + 2 * DAY, "EUR", 5)], []).orders == ("o",)
