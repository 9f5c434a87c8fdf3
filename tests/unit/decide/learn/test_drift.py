"""The watch by hand: what alarms, what does not, and that days add up."""

import math

import numpy as np
import pytest

from patron.decide.learn.drift import DAY, Drift, PageHinkley


def filled(after: float, count: int = 400) -> Drift:
    drift, rng = Drift(), np.random.default_rng(4)
    for day in range(40):
        for residual in rng.normal(after if day >= 33 else 0.0, 1.0, count):
            drift.add(day * DAY, float(residual))
    return drift


def test_a_shift_is_found_with_its_size_and_direction() -> None:
    alarm = filled(-0.3).check(40 * DAY)
    assert alarm is not None
    assert alarm.since - alarm.before == pytest.approx(-0.3, abs=0.1)
    assert alarm.apart < -alarm.bar


def test_no_shift_and_too_little_to_see_are_no_alarm() -> None:
    assert filled(0.0).check(40 * DAY) is None
    assert filled(-0.3, count=2).check(40 * DAY) is None
    assert Drift().check(0) is None


def test_today_is_not_looked_at_before_it_is_over() -> None:
    drift = filled(0.0)
    for _ in range(100_000):
        drift.add(40 * DAY, -5.0)
    assert drift.check(40 * DAY + 1) is None
    assert drift.check(41 * DAY) is not None


def test_constant_residuals_that_jump_are_found() -> None:
    drift = Drift()
    for day in range(40):
        for _ in range(40):
            drift.add(day * DAY, float(day >= 33))
    alarm = drift.check(40 * DAY)
    assert alarm is not None
    assert alarm.apart > 20


def test_two_watches_are_one() -> None:
    whole, left, right = Drift(), Drift(), Drift()
    for number in range(1000):
        residual = (number % 7) / 8
        whole.add(number * DAY // 30, residual)
        (left if number % 3 else right).add(number * DAY // 30, residual)
    left.merge(right)
    assert left.cells.keys() == whole.cells.keys()
    for day, cell in whole.cells.items():
        merged = left.cells[day]
        assert merged.count == cell.count
        sums = (merged.total, merged.squares, merged.cubes)
        assert sums == pytest.approx((cell.total, cell.squares, cell.cubes))


def test_forgetting_keeps_what_a_look_reads() -> None:
    drift = filled(-0.3)
    before = drift.check(40 * DAY)
    drift.forget(40 * DAY)
    assert min(drift.cells) == 5
    assert drift.check(40 * DAY) == before


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_residuals_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        Drift().add(0, bad)
    with pytest.raises(ValueError, match="finite number"):
        PageHinkley(0.1, 1.0).add(bad)


def test_page_hinkley_sees_a_fall_and_no_rise() -> None:
    falls, rises = PageHinkley(0.05, 5.0), PageHinkley(0.05, 5.0)
    for _ in range(100):
        assert not falls.add(1.0)
        assert not rises.add(1.0)
    assert any(falls.add(0.0) for _ in range(8))
    assert not any(rises.add(2.0) for _ in range(100))
    falls.restart()
    assert not falls.add(0.0)


@pytest.mark.parametrize("clicks", range(24, 34))
def test_rare_clicks_alarm_where_the_exact_test_does(clicks: int) -> None:
    """45 clicks of 2,240 before and so many of 560 since: against Fisher's exact tail at the level of one look."""
    drift = Drift()
    for day, number in ((0, 45), (30, clicks)):
        shown = 2240 if day == 0 else 560
        for place in range(shown):
            drift.add(day * DAY, float(place < number) - 0.02)
    total = 45 + clicks
    ways = sum(math.comb(560, k) * math.comb(2240, total - k) for k in range(clicks, total + 1))
    exact = ways / math.comb(2800, total)
    assert (drift.check(35 * DAY) is not None) == (exact < 0.05 / 365 / 2)
