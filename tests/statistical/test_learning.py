"""Learning on worlds whose truth is known: chances, draws, regret, widths, false alarms. Tolerances follow from sizes."""

import math

import numpy as np
import pytest

from patron.decide.learn.choose import Choosing, draw, thompson
from patron.decide.learn.drift import DAY, Cell, Drift, PageHinkley
from patron.decide.learn.learner import Learner, Learning
from patron.decide.learn.ridge import Ridge


def error(share: float, n: int, deviations: float = 4.0) -> float:
    """What the share seen in n draws is off by less than once in 15,000 runs."""
    return deviations * math.sqrt(share * (1 - share) / n) + deviations / n


@pytest.mark.parametrize("actions", [2, 3, 8, 32])
def test_thompson_chances_are_how_often_each_is_best(actions: int) -> None:
    rng = np.random.default_rng(actions)
    draws = 40_000
    for _ in range(4):
        means, spreads = rng.normal(0, 0.5, actions), np.exp(rng.normal(-1, 1, actions))
        best = (means + spreads * rng.standard_normal((draws, actions))).argmax(1)
        seen = np.bincount(best, minlength=actions) / draws
        for chance, share in zip(thompson(means, spreads), seen, strict=True):
            assert abs(chance - share) <= error(max(chance, 1e-4), draws) + 0.001


@pytest.mark.parametrize("rule", ["inverse_gap", "thompson", "epsilon_greedy", "uniform"])
def test_draws_come_as_often_as_their_chance(rule: str) -> None:
    rng = np.random.default_rng(17)
    chances = Choosing(rule=rule).propensities([0.1, 0.11, 0.05, 0.3], [0.3, 0.1, 0.2, 0.1], 50)  # type: ignore[arg-type]
    n = 20_000
    seen = np.bincount([draw(chances, u) for u in rng.random(n)], minlength=4) / n
    for chance, share in zip(chances, seen, strict=True):
        assert abs(chance - share) <= error(chance, n)


def test_weighing_by_logged_chances_finds_the_value_of_another_policy() -> None:
    """Inverse propensity scoring over a learner's own log has no bias: its chances are what was drawn with."""
    rng = np.random.default_rng(23)
    worth = np.array([0.2, 0.5, 0.35])
    learner, choosing = Learner(Learning(features=1, waves=0)), Choosing(floor=0.3)
    for name in "abc":
        learner.add(name)
    rows, n = learner.rows("abc"), 2500
    weighted = np.zeros((n, 3))
    for turn in range(n):
        scores = learner.score([1.0], rows)
        chances = choosing.propensities(scores.means, scores.widths, learner.seen())
        action = draw(chances, rng.random())
        reward = float(rng.random() < worth[action])
        learner.observe("abc"[action], [1.0])
        learner.reward("abc"[action], [1.0], reward)
        weighted[turn, action] = reward / chances[action]
    deviations = np.abs(weighted.mean(0) - worth) / (weighted.std(0) / math.sqrt(n))
    assert deviations.max() < 4


def played(turns: int, seed: int, context: bool) -> tuple[float, float]:
    """Regret a turn in the first and the last quarter of a world in which two kinds of people like other things."""
    rng = np.random.default_rng(seed)
    likes = np.array([[0.1, 0.2, 0.6], [0.6, 0.2, 0.1]])
    learner, choosing = Learner(Learning(features=2, constant=0.7)), Choosing()
    for name in "abc":
        learner.add(name)
    rows = learner.rows("abc")
    regrets = []
    for _ in range(turns):
        kind = int(rng.integers(2))
        x = [0.7, (0.7 if kind else -0.7) if context else 0.0]
        scores = learner.score(x, rows)
        action = draw(choosing.propensities(scores.means, scores.widths, learner.seen()), rng.random())
        learner.observe("abc"[action], x)
        learner.reward("abc"[action], x, float(rng.random() < likes[kind, action]))
        regrets.append(likes[kind].max() - likes[kind, action])
    quarter = turns // 4
    return float(np.mean(regrets[:quarter])), float(np.mean(regrets[-quarter:]))


def test_regret_goes_down_to_what_the_floor_costs() -> None:
    found = np.array([played(800, seed, context=True) for seed in range(3)])
    # The floor gives away 1 % of chance at a mean gap of 0.3; the rest of the bar is what the gaps' weighting costs.
    assert found[:, 1].mean() < 0.03
    assert found[:, 0].mean() > 2 * found[:, 1].mean()
    blind = np.array([played(300, seed, context=False) for seed in range(2)])
    assert blind[:, 1].mean() > 0.15


def test_a_width_is_the_standard_error_of_its_mean() -> None:
    """Over worlds drawn from the prior, (mean - truth) / (width x noise) is standard normal."""
    rng = np.random.default_rng(29)
    noise, d, worlds = 0.5, 4, 250
    scores = []
    for _ in range(worlds):
        truth = rng.standard_normal(d) * noise  # penalty 1 is the prior of variance noise**2
        ridge = Ridge(d, actions=["a"])
        for _ in range(20):
            x = rng.standard_normal(d) * d**-0.5
            ridge.observe("a", x)
            ridge.reward("a", x, float(x @ truth + noise * rng.standard_normal()))
        x = rng.standard_normal(d) * d**-0.5
        scores.append(float((ridge.means(x)[0] - x @ truth) / (ridge.widths(x)[0] * noise)))
    assert abs(np.mean(scores)) < 4 / math.sqrt(worlds)
    assert abs(np.var(scores) - 1) < 4 * math.sqrt(2 / worlds)


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_a_year_without_drift_alarms_as_seldom_as_it_says(rate: float) -> None:
    rng = np.random.default_rng(31)
    years, alarmed = 50, 0
    for _ in range(years):
        drift = Drift(false_alarms=0.05)
        for day, rewards in enumerate(rng.binomial(80, rate, 365)):
            clicks, rest = int(rewards), 80 - int(rewards)
            drift.cells[day] = Cell(
                80,
                clicks * (1 - rate) - rest * rate,
                clicks * (1 - rate) ** 2 + rest * rate**2,
                clicks * (1 - rate) ** 3 - rest * rate**3,
            )
        alarmed += any(drift.check(day * DAY) for day in range(36, 366))
    assert alarmed / years <= 0.05 + error(0.05, years, 3.0)


def test_a_drop_of_a_third_is_found_within_a_week() -> None:
    rng = np.random.default_rng(37)
    found, worlds = 0, 20
    for _ in range(worlds):
        drift = Drift()
        for day in range(48):
            for reward in rng.binomial(1, 0.2 if day >= 40 else 0.3, 200):
                drift.add(day * DAY, float(reward) - 0.3)
        found += any(drift.check(day * DAY) for day in range(41, 48))
    assert found / worlds > 0.95


@pytest.mark.parametrize(("fall", "within"), [(0.5, 400), (1.0, 150)])
def test_page_hinkley_on_noise_and_on_a_fall(fall: float, within: int) -> None:
    rng = np.random.default_rng(41)
    quiet, found, streams = 0, 0, 30
    for _ in range(streams):
        watch = PageHinkley(slack=0.1, threshold=50.0)
        quiet += not any(watch.add(float(value)) for value in rng.standard_normal(3000))
        watch.restart()
        assert not any(watch.add(float(value)) for value in rng.standard_normal(500))
        found += any(watch.add(float(value)) for value in rng.standard_normal(within) - fall)
    assert quiet >= streams - 2
    assert found == streams
