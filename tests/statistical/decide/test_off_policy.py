"""Intervals, verdicts and shrinkage of off-policy evaluation over many simulated logs whose truth is known."""

import math
from functools import cache
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from patron.cli.bench.offpolicy import COVERED, DATA, GOAL, WIDE, both_ways, mean_error, narrow
from patron.cli.bench.offpolicy_worlds import WORLDS, Population, World, cover, log, populate
from patron.decide.offpolicy.compare import compare
from patron.decide.offpolicy.diagnostics import diagnose
from patron.decide.offpolicy.estimators import estimate, ips
from patron.decide.offpolicy.evaluate import evaluate
from patron.decide.offpolicy.logged import Logged
from patron.decide.offpolicy.verdicts import CHANCE

BY_NAME = {world.name: world for world in WORLDS}
SEEDS = range(400)
REAL = Path(__file__).resolve().parents[3] / DATA
real = pytest.mark.skipif(
    not list(REAL.glob("*_random.parquet")), reason="data: no Open Bandit logs beside the project"
)


@cache
def logs(name: str, count: int) -> tuple[Population, list[Logged]]:
    population = populate(BY_NAME[name])
    return population, [log(population, seed) for seed in range(count)]


def slack(count: int, share: float = 0.95) -> float:
    """What a true share may be missed by in so many logs, once in 740 runs."""
    return 3 * math.sqrt(share * (1 - share) / count)


def test_intervals_cover_in_a_short_run() -> None:
    rows = cover(BY_NAME["clicks"], range(120))
    for row in rows:
        assert row.covered >= 0.95 - slack(120), row
        assert row.width <= WIDE, row


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_headline_intervals_cover_and_are_not_wide(world: World) -> None:
    for row in cover(world, SEEDS):
        if row.estimator in ("snips", "dr"):
            assert COVERED[0] <= row.covered <= COVERED[1], row
            assert row.width <= WIDE, row
        else:
            assert row.covered >= COVERED[0], row


def test_the_plain_interval_would_lie_where_few_rows_matter() -> None:
    """Why all that is in `intervals`: mean and standard error of IPS and 1.96 miss far more than one truth in twenty."""
    population, found = logs("greedy from exploring", 250)
    plain = ours = 0
    for rows in found:
        terms = ips(rows).top
        half = 1.96 * terms.std(ddof=1) / math.sqrt(len(rows))
        plain += abs(terms.mean() - population.value) <= half
        interval = estimate("ips", rows).interval
        ours += interval.low <= population.value <= interval.high
    assert plain / len(found) < 0.93
    assert ours / len(found) >= 0.95 - slack(len(found))


def test_difference_and_lift_cover_the_truth() -> None:
    population, found = logs("clicks", 200)
    before = float((population.logging * population.chance).sum(axis=1).mean())
    covered = {"difference": 0, "lift": 0, "logging": 0}
    for rows in found:
        one = compare(rows)
        assert one.difference
        assert one.lift
        assert one.logging
        covered["difference"] += one.difference.low <= population.value - before <= one.difference.high
        covered["lift"] += one.lift.low <= population.value / before - 1 <= one.lift.high
        covered["logging"] += one.logging.low <= before <= one.logging.high
    assert min(covered.values()) / len(found) >= 0.95 - slack(len(found)), covered


def test_a_policy_is_compared_on_the_same_rows() -> None:
    """Nearly the same policy: the difference is known far better than either value."""
    rng = np.random.default_rng(9)
    good = rng.random(4000) < 0.5
    reward = (rng.random(4000) < np.where(good, 0.5, 0.4)) * 1.0
    found = compare(Logged.of(reward, np.full(4000, 0.5), np.where(good, 0.52, 0.48)))
    assert found.difference
    assert found.evaluation.headline
    assert found.difference.error < found.evaluation.headline.interval.error / 10


def test_true_propensities_are_hardly_ever_refused_and_wrong_ones_are() -> None:
    _, found = logs("clicks", 200)
    chances = np.array([diagnose(rows).mean_weight_p for rows in found])
    assert (chances < CHANCE).sum() <= 2
    # Uniform, if it is a probability: Kolmogorov's distance, 1 in 1,000.
    steps = np.arange(1, len(chances) + 1) / len(chances)
    assert np.abs(np.sort(chances) - steps).max() < 1.95 / math.sqrt(len(chances))
    wrong = [Logged.of(rows.reward, np.sqrt(rows.propensity), rows.target) for rows in found[:50]]
    assert {evaluate(rows).verdict.why for rows in wrong} == {"mean_weight"}


def test_shrinking_brings_the_point_nearer_and_leaves_the_width() -> None:
    population, found = logs("greedy from exploring", 250)
    off = {
        name: [estimate(name, rows).value - population.value for rows in found]
        for name in ("dr", "dros", "switch")
    }
    error = {name: float(np.sqrt(np.mean(np.square(values)))) for name, values in off.items()}
    assert error["dros"] < 0.97 * error["dr"]
    assert error["switch"] < 1.02 * error["dr"]
    rows = found[0]
    widths = [estimate(name, rows).interval for name in ("dr", "dros")]
    assert widths[0].error == widths[1].error


def test_with_more_rows_shrinking_ends() -> None:
    """DRos does not stay off: what it takes away is seen once there is enough of it."""
    world = BY_NAME["clicks"]
    off = []
    for rows in (400, 40_000):
        population = populate(World(world.name, rows, world.rate))
        one = log(population, 1)
        off.append(
            abs(estimate("dros", one).value - estimate("dr", one).value) / estimate("dr", one).interval.error
        )
    assert max(off) < 1.0
    assert off[1] * estimate("dr", one).interval.error < 0.003


def test_a_wrong_model_does_not_bias_dr() -> None:
    population, found = logs("clicks", 200)
    values = []
    for rows in found:
        lie = Logged.of(
            rows.reward,
            rows.propensity,
            rows.target,
            predicted=np.full(len(rows), 0.5),
            expected=np.full(len(rows), 0.5),
        )
        values.append(estimate("dr", lie).value)
    z = (np.mean(values) - population.value) / (np.std(values) / math.sqrt(len(values)))
    assert abs(z) < NormalDist().inv_cdf(0.999)


@real
def test_open_bandit_is_judged_within_what_is_known() -> None:
    cases = list(both_ways(REAL))
    assert len(cases) >= 4
    assert all(case.evaluation.verdict.name == "accepted" for case in cases)
    assert mean_error(cases, "dr") <= GOAL
    for case in cases:
        headline = case.evaluation.headline
        assert headline
        assert headline.name == "dr"
        assert headline.interval.low <= case.truth <= headline.interval.high


@real
def test_open_bandit_s_narrow_policies_are_judged_by_what_the_log_holds() -> None:
    for case in narrow(REAL):
        found = case.evaluation
        assert found.diagnostics
        size = found.diagnostics.effective
        if size < 10:
            assert found.verdict.name == "refused"
        elif size < 100:
            assert found.verdict.name == "caution"
    names = [case.evaluation.verdict.name for case in narrow(REAL)]
    assert {"accepted", "caution", "refused"} == set(names)
