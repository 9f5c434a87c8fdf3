"""The till roll of a world: whole cents, refunds at the order's own prices, and no difference that hides another."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.sim.score.ledger import (
    ORDER,
    REFUND,
    Gap,
    Ledger,
    NoCents,
    Sums,
    by_currency,
    cents,
    gaps,
    milliseconds,
    offline_share,
)

LINES = [
    {"product_id": "P1", "price": Decimal("4.35"), "quantity": 2},
    {"product_id": "P2", "price": 3, "quantity": 1},
]
ORDERED = {
    "order_id": "T-1",
    "revenue": Decimal("11.7"),
    "currency": "EUR",
    "store_id": "S01",
    "products": LINES,
}


@given(st.integers(-(10**12), 10**12))
def test_every_amount_of_whole_cents_is_read_exactly(amount):
    assert cents(Decimal(amount) / 100) == amount


@pytest.mark.parametrize("wrong", [Decimal("0.005"), None, True, [1], Decimal("1e-9")])
def test_what_is_no_amount_of_cents_is_refused(wrong):
    with pytest.raises(NoCents):
        cents(wrong)


def test_an_order_without_an_amount_is_worth_its_lines():
    ledger = Ledger()
    ledger.take("web", ORDER, 86_400_000 * 3 + 5, {**ORDERED, "revenue": None})
    assert ledger.sums() == {(3, "web", "", "EUR"): Sums(1, 1170)}


@pytest.mark.parametrize(
    ("said", "worth"),
    [
        ({"revenue": Decimal("1.5")}, 150),
        ({"products": [{"product_id": "P1", "quantity": 1}]}, 435),
        ({"products": [{"product_id": "P1", "quantity": 2}, {"product_id": "P2"}]}, 1170),
        ({}, 1170),
    ],
)
@pytest.mark.parametrize("refund_first", [False, True])
def test_a_refund_is_worth_its_amount_else_its_lines_else_the_order(said, worth, refund_first):
    back = {"order_id": "T-1", "currency": "EUR", "place": "S02", **said}
    told = [("web", ORDER, 0, ORDERED), ("pos", REFUND, 90_000_000, back)]
    ledger = Ledger()
    for event in reversed(told) if refund_first else told:
        ledger.take(*event)
    assert ledger.sums() == {
        (0, "web", "", "EUR"): Sums(1, 1170),
        (1, "pos", "S02", "EUR"): Sums(0, 0, worth),
    }
    assert ledger.sums() == ledger.sums(), "asking twice adds nothing"
    assert not ledger.faults


def test_what_cannot_be_read_is_said_and_not_counted():
    ledger = Ledger()
    ledger.take("pos", ORDER, 0, {**ORDERED, "revenue": Decimal("1.001")})
    ledger.take("pos", REFUND, 0, {"order_id": "T-9", "currency": "EUR", "store_id": "S01"})
    assert [sums for sums in ledger.sums().values() if sums != Sums()] == []
    assert len(ledger.faults) == 2
    assert "T-1" in ledger.faults[0]
    assert "never told" in ledger.faults[1]


def test_gross_and_refunds_cannot_hide_each_other():
    place = (0, "pos", "S01", "EUR")
    (gap,) = gaps({place: Sums(1, 1000, 200)}, {place: Sums(1, 900, 100)})
    assert gap == Gap(place, Sums(1, 1000, 200), Sums(1, 900, 100))
    assert gap.cents == 200
    assert not list(gaps({place: Sums()}, {}))


def test_an_order_too_many_is_a_gap_even_when_it_cost_nothing():
    place = (0, "pos", "S01", "EUR")
    assert [gap.cents for gap in gaps({place: Sums(2, 100)}, {place: Sums(1, 100)})] == [0]


def test_shares_and_sums_by_currency():
    sums = {(0, "pos", "S01", "EUR"): Sums(1, 600, 50), (1, "web", "", "GBP"): Sums(2, 200), (1, "app", "", "EUR"): Sums(1, 200)}  # fmt: skip
    assert offline_share(sums) == 0.6
    assert offline_share({}) is None
    assert by_currency(sums) == {"EUR": Sums(2, 800, 50), "GBP": Sums(2, 200)}


def test_times_are_read_to_the_millisecond():
    assert milliseconds("2026-03-02T17:04:11.120Z") == 1_772_471_051_120
