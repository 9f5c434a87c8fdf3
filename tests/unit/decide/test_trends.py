"""Trends as numbers: few sales say nothing, what sells as elsewhere is no trend, and more is never less."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from patron.decide.trends import SCALE, WEIGHTS, lift, popular, shares


def at(count: float, total: float, usual: float) -> float:
    return float(lift(np.array([count]), total, np.array([usual]))[0])


def test_three_sales_in_a_tiny_store_say_nothing_and_a_dozen_do() -> None:
    assert at(3, 3, 0.0) == 0.0
    assert at(7, 7, 0.0) < 0.05
    assert at(12, 12, 0.001) > 0.1
    assert at(200, 300, 0.001) == 1.0


def test_what_sells_as_it_does_elsewhere_is_no_trend_however_much_that_is() -> None:
    assert at(1000, 5000, 0.2) == 0.0
    assert at(100, 5000, 0.2) == 0.0


@given(st.integers(0, 10_000), st.integers(0, 100), st.floats(0, 1, allow_nan=False), st.integers(0, 100_000))
def test_more_sales_are_never_less_of_a_trend(count: int, more: int, usual: float, others: int) -> None:
    before, after = at(count, count + others, usual), at(count + more, count + others + more, usual)
    assert 0.0 <= before <= 1.0
    assert after >= before - 0.02  # what all sell grows with it


def test_one_sale_in_a_whole_chain_is_no_bestseller() -> None:
    assert popular(shares(np.array([1.0]), 1.0))[0] < 0.5
    assert popular(shares(np.array([300.0]), 1000.0))[0] > 0.8


def test_an_hour_weighs_half_after_four_hours() -> None:
    assert WEIGHTS[0] == SCALE
    assert WEIGHTS[4] == SCALE // 2
    assert all(a > b for a, b in pairwise(WEIGHTS))
