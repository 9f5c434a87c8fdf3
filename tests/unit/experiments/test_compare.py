"""Intervals and tests against published figures, closed forms and numeric integration."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from patron.experiments.compare import compare, srm_p
from patron.experiments.student import critical, two_sided
from patron.moments.sums import Sums
from patron.moments.variances import Spread


def test_the_published_relative_lift() -> None:
    lift = compare(Sums.of_rate(1100, 10_000), Sums.of_rate(1000, 10_000)).lift
    assert lift is not None
    assert round(lift.value, 3) == 0.1
    assert (round(lift.low, 4), round(lift.high, 4), round(lift.p, 4)) == (0.0109, 0.1891, 0.0279)


def test_the_published_sample_ratio() -> None:
    assert round(srm_p(50_000, 50_500, 0.5), 3) == round(srm_p(50_500, 50_000, 0.5), 3) == 0.115
    assert srm_p(0, 0, 0.5) == srm_p(900, 100, 0.1) == 1.0
    assert srm_p(500, 500, 0.1) < 1e-100
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match="only one arm"):
            srm_p(1, 1, share)


def test_welch_on_a_worked_example() -> None:
    # Means 23.0 and 22.1 would be hidden by pooling; reference computed from Welch's formulas by hand.
    a, b = [27, 20, 21, 26, 24, 20], [28, 29, 22, 30, 31, 25, 26]
    result = compare(Spread.of(map(float, a)), Spread.of(map(float, b)))
    va, vb = np.var(a, ddof=1) / 6, np.var(b, ddof=1) / 7
    df = (va + vb) ** 2 / (va**2 / 5 + vb**2 / 6)
    difference = result.difference
    assert difference is not None
    assert difference.value == pytest.approx(np.mean(a) - np.mean(b))
    half = (difference.high - difference.low) / 2
    assert half == pytest.approx(critical(0.05, df) * math.sqrt(va + vb))
    assert two_sided(difference.value / math.sqrt(va + vb), df) == pytest.approx(difference.p)
    assert 10.5 < df < 11


def test_swapping_the_arms_turns_the_difference() -> None:
    a, b = Sums.of([1, 4, 9, 9, 2]), Sums.of([3, 3, 8, 1, 1, 7])
    one, other = compare(a, b).difference, compare(b, a).difference
    assert one is not None
    assert other is not None
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.p == pytest.approx(other.p)


@pytest.mark.parametrize(
    ("treated", "control"),
    [
        (Sums(), Sums()),
        (Sums.of([1]), Sums.of([0, 1])),
        (Sums.of([0, 0]), Sums.of([0, 0, 0])),
        (Sums.of([5, 5]), Sums.of([4, 4])),
    ],
)
def test_what_the_data_cannot_say_is_none_not_zero_width(treated: Sums, control: Sums) -> None:
    result = compare(treated, control)
    assert result.difference is None
    assert result.lift is None


def test_a_control_near_zero_is_no_denominator() -> None:
    near = compare(Sums.of_rate(20, 100), Sums.of_rate(8, 1000))
    assert near.difference is not None
    assert near.lift is None
    assert compare(Sums.of_rate(20, 100), Sums.of_rate(0, 100)).lift is None
    assert compare(Sums.of_rate(20, 100), Sums.of_rate(12, 1000)).lift is not None


TABLE = [
    (1, 0.05, 12.7062047364),
    (2, 0.05, 4.3026527297),
    (5, 0.05, 2.5705818356),
    (10, 0.05, 2.2281388520),
    (30, 0.05, 2.0422724563),
    (120, 0.05, 1.9799304050),
    (10, 0.01, 3.1692726726),
    (4, 0.01, 4.6040948713),
]


@pytest.mark.parametrize(("df", "alpha", "t"), TABLE)
def test_critical_values_of_the_tables(df: float, alpha: float, t: float) -> None:
    assert critical(alpha, df) == pytest.approx(t, rel=1e-9)
    assert two_sided(t, df) == pytest.approx(alpha, rel=1e-8)


@pytest.mark.parametrize("t", [0.0, 0.1, 1.0, 2.5, 12.0, 400.0])
def test_closed_forms_of_one_and_two_degrees(t: float) -> None:
    assert two_sided(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), abs=1e-12)
    assert two_sided(t, 2) == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-12)
    assert two_sided(-t, 2) == two_sided(t, 2)


@pytest.mark.parametrize("df", [3.0, 7.5, 33.3, 199.0, 201.0, 5e3, 9e4, 2e5])
def test_tails_by_numeric_integration(df: float) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(200)
    log_scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    for t in (0.3, 1.0, 1.96, 3.5):
        x = (nodes + 1) * t / 2
        inside = 2 * float(weights @ np.exp(log_scale - (df + 1) / 2 * np.log1p(x * x / df))) * t / 2
        assert two_sided(t, df) == pytest.approx(1 - inside, abs=1e-9)


@pytest.mark.parametrize("df", [1.0, 1.5, 3.0, 40.0, 199.9, 200.0, 1e4, 1e7])
@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.005, 1e-4])
def test_critical_inverts_the_tail(df: float, alpha: float) -> None:
    assert two_sided(critical(alpha, df), df) == pytest.approx(alpha, rel=1e-6)


def test_many_degrees_are_normal() -> None:
    assert critical(0.05, 1e12) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-10)
