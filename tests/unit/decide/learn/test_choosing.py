"""Chances by hand, and draws at the edges."""

import numpy as np
import pytest

from patron.decide.learn.choose import (
    THOMPSON_MOST,
    Choosing,
    draw,
    epsilon_greedy,
    greedy,
    inverse_gap,
    normal_cdf,
    spread,
    thompson,
    uniform,
    unit,
)

RULES = ["inverse_gap", "thompson", "epsilon_greedy", "greedy", "uniform"]


def test_inverse_gaps_by_hand() -> None:
    chances = inverse_gap([0.5, 0.25, 0.0], gamma=4.0)
    assert chances.tolist() == pytest.approx([1 - 1 / 4 - 1 / 5, 1 / 4, 1 / 5])
    assert inverse_gap([0.1, 0.9], 0.0).tolist() == [0.5, 0.5]
    assert inverse_gap([0.3, 0.3, 0.3], 100.0).tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("rule", RULES)
def test_nobody_and_one_alone(rule: str) -> None:
    choosing = Choosing(rule=rule)  # type: ignore[arg-type]
    assert choosing.propensities([], [], 0).tolist() == []
    assert choosing.propensities([-3.0], [0.5], 10).tolist() == [1.0]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "greedy"])
def test_no_chance_is_below_the_floor(rule: str) -> None:
    chances = Choosing(rule=rule, floor=0.02).propensities([0.9, 0.1, -5.0, 0.2], [0.01] * 4, 1e6)  # type: ignore[arg-type]
    assert chances.min() >= 0.02 / 4
    assert chances.sum() == pytest.approx(1, abs=1e-12)


def test_the_unknown_is_tried_before_the_known() -> None:
    chances = Choosing().propensities([0.5, 0.45], [0.01, 1.0], 1000)
    assert chances[1] > 0.9


def test_more_choices_seen_make_it_greedier() -> None:
    few, many = (Choosing().propensities([0.5, 0.4], [0.0, 0.0], seen)[0] for seen in (10, 10_000))
    assert few < many


def test_greedy_takes_the_first_best_and_epsilon_spreads() -> None:
    assert greedy([0.1, 0.7, 0.7]).tolist() == [0.0, 1.0, 0.0]
    assert epsilon_greedy([0.1, 0.7], 0.2).tolist() == pytest.approx([0.1, 0.9])


def test_thompson_of_two_is_exact() -> None:
    gap, widths = 0.3, (0.2, 0.5)
    expected = 0.7113  # normal distribution function at 0.3 / hypot(0.2, 0.5) = 0.5571
    assert thompson([gap, 0.0], widths).tolist() == pytest.approx([expected, 1 - expected], abs=1e-4)


@pytest.mark.parametrize(
    ("means", "spreads"),
    [
        ([0.0, 0.0, 0.0], [1.0, 0.1, 3.0]),
        ([0.3, 0.25, 0.1, -0.4], [0.05, 0.2, 0.4, 1.0]),
        ([0.0] * 4, [1.0, 2.0, 4.0, 8.0]),
    ],
)
def test_thompson_of_several_is_the_integral(means: list[float], spreads: list[float]) -> None:
    at = np.linspace(-40, 40, 400_001)
    below = np.array([normal_cdf((at - mean) / spread) for mean, spread in zip(means, spreads, strict=True)])
    for number, chance in enumerate(thompson(means, spreads)):
        others = np.delete(below, number, 0).prod(0)
        exact = float((np.diff(below[number]) * (others[1:] + others[:-1]) / 2).sum())
        assert chance == pytest.approx(exact, abs=1e-3)


def test_thompson_of_equals_is_uniform_and_of_the_certain_greedy() -> None:
    assert thompson([1.0] * 5, [0.3] * 5).tolist() == pytest.approx([0.2] * 5, abs=1e-6)
    assert thompson([1.0, 0.0, 0.5], [0.0] * 3)[0] > 1 - 1e-6


def test_thompson_refuses_large_sets() -> None:
    with pytest.raises(ValueError, match=f"up to {THOMPSON_MOST} actions"):
        thompson(np.zeros(THOMPSON_MOST + 1), np.ones(THOMPSON_MOST + 1))


@pytest.mark.parametrize("bad", [[0.1, float("nan")], [[0.1], [0.2]], [float("inf"), 0.0]])
def test_bad_means_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="one row of finite numbers"):
        inverse_gap(bad, 1.0)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="gamma is"):
        inverse_gap([0.0, 1.0], -1.0)
    with pytest.raises(ValueError, match="epsilon is"):
        epsilon_greedy([0.0, 1.0], 1.5)
    with pytest.raises(ValueError, match="the floor is"):
        spread(uniform(2), 2.0)


@pytest.mark.parametrize("name", ["gamma", "exponent", "optimism", "floor"])
@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_a_choice_that_cannot_be_set_up_is_refused_by_name(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=name):
        Choosing(**{name: bad})


def test_draws_at_the_edges() -> None:
    last = 1 - 2.0**-53
    assert draw([0.0, 1.0, 0.0], 0.0) == 1
    assert draw([0.0, 1.0, 0.0], last) == 1
    assert draw([0.1] * 10, last) == 9
    assert draw([1 / 3, 1 / 3, 1 / 3, 0.0], last) == 2
    assert [draw([0.5, 0.5], u) for u in (0.0, 0.49999, 0.5, 0.99999)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("chances", "u"), [([], 0.5), ([0.0, 0.0], 0.5), ([1.0], 1.0), ([1.0], -0.1), ([1.0], float("nan"))]
)
def test_bad_draws_are_refused(chances: list[float], u: float) -> None:
    with pytest.raises(ValueError, match=r"nothing to draw|uniform number"):
        draw(chances, u)


def test_seeds_are_uniform_numbers() -> None:
    assert unit(0) == 0.0
    assert unit(2**53 - 1) < 1.0
    with pytest.raises(ValueError, match="53 bits"):
        unit(2**53)
