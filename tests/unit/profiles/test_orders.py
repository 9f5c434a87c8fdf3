"""Orders as a shop lives them: told twice, refunded by lines, by amount, before they come, from another node."""

import itertools

import pytest

from patron.model.events import Event
from patron.profiles.fold import fold
from patron.profiles.merge import Profile, merge
from patron.profiles.partial import Partial
from patron.profiles.rules import ProfileRules

RULES = ProfileRules()
BEANS = {"product_id": "P1", "price": 18.0, "quantity": 2}
JUG = {"product_id": "P2", "price": "5.30", "quantity": 1}


def event(name: str, time: int, channel: str = "web", **properties: object) -> Event:
    return Event(
        position=time,
        source=channel,
        channel=channel,
        type="track",
        name=name,
        message_id=f"m-{time}",
        time=time,
        received=time,
        properties={"order_id": "O1", **properties},
    )


def profile(*events: Event) -> Profile:
    """Each event in a node of its own: the hardest division."""
    nodes = []
    for number, one in enumerate(events):
        partial = Partial()
        fold(partial, one, RULES)
        nodes.append((f"anonymous_id:{number}", partial))
    return merge(nodes, RULES)


BOUGHT = event("Order Completed", 10, revenue=41.3, currency="EUR", products=[BEANS, JUG])


def test_a_web_order_collected_in_store_and_half_returned_there_nets_to_the_right_revenue():
    ready = event("Reservation Collected", 20, "pos", store_id="S07")
    back = event("Order Refunded", 30, "pos", products=[{"product_id": "P1", "quantity": 1}], place="S07")
    for order in itertools.permutations([BOUGHT, ready, back]):
        found = profile(*order)
        assert found.totals.net == {"EUR": 233_000}
        assert found.totals.refunded == {"EUR": 180_000}
        assert found.totals.orders == 1
        assert found.orders["O1"].channel == "web"


@pytest.mark.parametrize(
    ("refund", "net"),
    [
        ({"revenue": 10}, 313_000),
        ({"total": "10.00"}, 313_000),
        ({"refund": 10.0}, 313_000),
        ({"amount": -10}, 313_000),
        ({"revenue": 0}, 413_000),
        ({"revenue": 99}, 0),
        ({}, 0),
        ({"products": []}, 0),
        ({"products": [{"product_id": "P1"}]}, 233_000),
        ({"products": [{"product_id": "P1", "quantity": 9}]}, 53_000),
        ({"products": [{"product_id": "P1", "quantity": 0.5}]}, 323_000),
        ({"products": [{"product_id": "new", "price": 4}, {"product_id": "P2", "quantity": 1}]}, 320_000),
        ({"products": [{"product_id": "new"}]}, 0),
        ({"product_id": "P2"}, 360_000),
        ({"revenue": 10, "currency": "GBP"}, 413_000),
        ({"revenue": 10, "currency": "GBP", "products": [{"product_id": "P2"}]}, 360_000),
        ({"products": [{"product_id": "new", "price": 4}], "currency": "GBP"}, 0),
    ],
)
def test_what_a_refund_is_worth(refund, net):
    found = profile(event("Order Refunded", 30, **refund), BOUGHT)
    assert found.totals.net == {"EUR": net}
    assert found.totals.gross == {"EUR": 413_000}
    assert found.totals.orders == 1


def test_two_refunds_of_the_last_piece_give_it_back_once():
    one = {"products": [{"product_id": "P2", "quantity": 1}]}
    found = profile(BOUGHT, event("Order Refunded", 20, **one), event("Order Refunded", 30, **one))
    assert found.totals.net == {"EUR": 360_000}


def test_a_refund_told_twice_under_its_id_counts_once_and_the_later_figure_stands():
    early = event("Order Refunded", 20, refund_id="R1", revenue=5)
    late = event("Order Refunded", 30, "pos", refund_id="R1", revenue=6)
    assert profile(late, BOUGHT, early).totals.net == {"EUR": 353_000}
    assert profile(BOUGHT, event("Order Refunded", 20, revenue=5), late).totals.net == {"EUR": 303_000}


def test_an_order_told_by_web_and_till_counts_once_with_the_later_figures():
    again = event("Order Completed", 12, "pos", total="40.00", currency="eur")
    for events in ([BOUGHT, again], [again, BOUGHT]):
        found = profile(*events)
        assert found.totals.orders == 1
        assert found.totals.net == {"EUR": 400_000}
        assert found.counters == {"Order Completed": 2}


def test_a_cancelled_order_is_no_order_and_its_money_went_back_even_if_the_word_came_first():
    found = profile(event("Order Cancelled", 5), BOUGHT, event("Order Refunded", 30, revenue=5))
    assert (found.totals.orders, found.totals.net) == (0, {"EUR": 0})
    assert found.totals.refunded == found.totals.gross == {"EUR": 413_000}
    assert found.orders["O1"].cancelled


def test_orders_without_id_are_each_their_own_and_refunds_without_id_touch_none():
    a = event("Order Completed", 1, order_id=None, value=3)
    b = event("Order Completed", 2, order_id=" ", products=[BEANS])
    lost = event("Order Refunded", 3, order_id=None, revenue=1)
    found = profile(a, b, lost)
    assert (found.totals.orders, found.totals.net) == (2, {"EUR": 390_000})
    assert set(found.orders) == {"web/m-1", "web/m-2"}


def test_a_refund_of_an_unknown_order_waits_and_takes_nothing_below_zero():
    found = profile(event("Order Refunded", 3, revenue=1))
    assert found.totals.net == {}
    assert found.orders == {}


def test_two_currencies_stay_apart_and_the_days_are_those_of_the_orders():
    pounds = event("Order Completed", 86_400_000, order_id="O2", revenue="10.10", currency="gbp")
    found = profile(BOUGHT, pounds)
    assert found.totals.net == {"EUR": 413_000, "GBP": 101_000}
    assert found.revenue_days("GBP") == {1: 101_000}
    assert found.revenue_days("EUR") == {0: 413_000}


def test_one_product_on_two_lines_at_two_prices_comes_back_at_its_mean_price():
    dear = {"product_id": "P1", "price": 20, "quantity": 1}
    bought = event("Order Completed", 1, revenue=56, products=[BEANS, dear])
    found = profile(bought, event("Order Refunded", 2, products=[{"product_id": "P1", "quantity": 3}]))
    assert found.totals.net == {"EUR": 0}
    found = profile(bought, event("Order Refunded", 2, products=[{"product_id": "P1", "quantity": 1}]))
    assert found.totals.net == {"EUR": 560_000 - 186_667}


@pytest.mark.parametrize(
    "revenue", ["1e400", 10**30, "NaN", "-Infinity", [], {}, True, "٣x", "9" * 5000, "1e-999999", -5]
)
def test_figures_that_are_none_are_passed_over(revenue):
    found = profile(event("Order Completed", 1, revenue=revenue, products=[JUG]))
    expected = 0 if revenue in (-5, "1e-999999") else 53_000
    assert found.totals.net == {"EUR": expected}


@pytest.mark.parametrize("products", ["x", {}, [None, 1, "x"], [{}], [{"product_id": {}, "price": 1}]])
def test_lines_that_are_none_are_passed_over(products):
    assert profile(event("Order Completed", 1, products=products)).totals.net == {"EUR": 0}
