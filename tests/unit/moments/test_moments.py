"""Sufficient statistics: exact, mergeable in any slicing, equal to the definition."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patron.moments.ratios import PairSums, lift_variance
from patron.moments.sums import Sums
from patron.moments.variances import Spread

AMOUNTS = st.lists(st.integers(-(10**12), 10**12), max_size=30)
REALS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_sums_merge_in_any_order_to_the_same(a: list[int], b: list[int], c: list[int]) -> None:
    whole = Sums.of([*a, *b, *c])
    assert Sums.of(c).merge(Sums.of(a)).merge(Sums.of(b)) == whole
    assert Sums.of(a).merge(Sums.of(b).merge(Sums.of(c))) == whole
    one_by_one = Sums()
    for value in [*b, *c, *a]:
        one_by_one = one_by_one.add(value)
    assert one_by_one == whole


@given(st.lists(st.integers(-(10**15), 10**15), min_size=2, max_size=20))
def test_variance_is_the_definition_to_the_last_bit(values: list[int]) -> None:
    mean = Fraction(sum(values), len(values))
    exact = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    assert Sums.of(values).variance == float(exact)
    assert Sums.of(values).mean == float(mean)


def test_sums_do_not_cancel_where_floats_would() -> None:
    assert Sums.of([10**18 + 1, 10**18 + 2, 10**18 + 3]).variance == 1.0


def test_rates_are_sums_of_zeros_and_ones() -> None:
    assert Sums.of_rate(3, 10) == Sums.of([1, 1, 1, *[0] * 7])
    for successes, n in ((-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="neither fewer than 0"):
            Sums.of_rate(successes, n)


def test_nothing_and_one_value_have_no_variance() -> None:
    for empty in (Sums(), Sums.of([7]), Spread(), Spread.of([7.0])):
        assert empty.variance == 0.0
    assert (Sums().mean, Spread().mean) == (0.0, 0.0)


@given(REALS, REALS)
def test_spread_merges_to_the_spread_of_the_union(a: list[float], b: list[float]) -> None:
    merged, whole = Spread.of(a).merge(Spread.of(b)), np.array([*a, *b])
    scale = float(np.abs(whole).max()) + 1e-9
    assert merged.n == len(whole)
    assert merged.mean == pytest.approx(float(whole.mean()), abs=1e-9 * scale)
    assert merged.variance == pytest.approx(float(whole.var(ddof=1)), rel=1e-9, abs=1e-9 * scale**2)
    assert Spread().merge(merged) == merged == merged.merge(Spread())


def test_spread_survives_a_large_offset() -> None:
    values = [1e9 + x for x in (4.0, 7.0, 13.0, 16.0)]
    assert Spread.of(values).variance == pytest.approx(30.0, rel=1e-12)
    grown = Spread()
    for value in values:
        grown = grown.add(value)
    assert grown.variance == pytest.approx(30.0, rel=1e-9)


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(-500, 500)), min_size=2, max_size=30))
def test_the_ratio_and_its_variance_are_those_of_the_linearised_residuals(
    pairs: list[tuple[int, int]],
) -> None:
    half = len(pairs) // 2
    merged = PairSums.of(pairs[:half]).merge(PairSums.of(pairs[half:]))
    assert merged == PairSums.of(pairs)
    x, y = np.array(pairs, dtype=float).T
    residual = y - (y.sum() / x.sum()) * x
    expected = residual.var(ddof=1) / (len(x) * x.mean() ** 2)
    assert merged.ratio == pytest.approx(y.sum() / x.sum())
    assert merged.ratio_variance == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_ratio_over_nothing_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        _ = PairSums().ratio


def test_the_lift_variance_is_the_gradient_formula() -> None:
    step = 1e-6
    by_t = ((0.12 + step) / 0.1 - 0.12 / 0.1) / step
    by_c = (0.12 / (0.1 + step) - 0.12 / 0.1) / step
    assert lift_variance(0.12, 3e-4, 0.1, 2e-4) == pytest.approx(by_t**2 * 3e-4 + by_c**2 * 2e-4, rel=1e-4)
