"""Intervals, verdicts, draws and holdouts on worlds whose truth is known. Tolerances follow from the sample sizes."""

import math
from collections import Counter
from statistics import NormalDist

import numpy as np
import pytest

from patron.decide.choose import choose, draw_seed
from patron.experiments.adjusted import Before, adjusted
from patron.experiments.assign import arm
from patron.experiments.compare import compare, srm_p
from patron.experiments.power import Plan, needed
from patron.experiments.verdicts import verdict
from patron.moments.sums import Sums
from patron.moments.variances import Spread

WORLDS = 1200


def share_below(share: float, n: int, deviations: float = 3.0) -> float:
    """A share that a true `share` undershoots in n worlds about once in 740 runs of this test."""
    return share - deviations * math.sqrt(share * (1 - share) / n)


@pytest.mark.parametrize(
    ("p_treated", "p_control", "n_treated", "n_control"),
    [(0.10, 0.10, 2000, 2000), (0.24, 0.20, 500, 500), (0.06, 0.05, 9000, 1000), (0.5, 0.4, 60, 60)],
)
def test_intervals_of_rates_cover_the_truth(
    p_treated: float, p_control: float, n_treated: int, n_control: int
) -> None:
    rng = np.random.default_rng(20_261)
    truth = p_treated / p_control - 1
    covered = Counter[str]()
    for t, c in zip(
        rng.binomial(n_treated, p_treated, WORLDS), rng.binomial(n_control, p_control, WORLDS), strict=True
    ):
        result = compare(Sums.of_rate(int(t), n_treated), Sums.of_rate(int(c), n_control))
        assert result.difference is not None
        assert result.lift is not None
        covered["difference"] += result.difference.low <= p_treated - p_control <= result.difference.high
        covered["lift"] += result.lift.low <= truth <= result.lift.high
    for kind in ("difference", "lift"):
        assert covered[kind] / WORLDS >= share_below(0.95, WORLDS), (kind, covered[kind] / WORLDS)
        assert covered[kind] / WORLDS >= 0.93
        assert covered[kind] / WORLDS <= 1 - share_below(0.05, WORLDS), (
            f"{kind} is too wide to be a 95% interval"
        )


def test_what_was_spent_before_narrows_the_interval_and_it_still_covers_the_truth() -> None:
    rng = np.random.default_rng(11)
    covered, widths = 0, np.zeros(2)
    for _ in range(WORLDS):
        need = rng.gamma(0.6, 60.0, 1200)
        before, since = (rng.gamma(6.0, need / 6.0 + 1e-9) for _ in range(2))
        treated = rng.random(1200) < 0.5
        since = np.where(treated, since * 1.1, since)
        arms = [Before(before[rows].tolist(), since[rows].tolist()) for rows in (treated, ~treated)]
        found = compare(*adjusted(*arms)).lift
        plain = compare(*(Spread.of(one.since) for one in arms)).lift
        assert found is not None
        assert plain is not None
        covered += found.low <= 0.1 <= found.high
        widths += (found.high - found.low, plain.high - plain.low)
    assert share_below(0.95, WORLDS) <= covered / WORLDS <= 1 - share_below(0.05, WORLDS)
    assert widths[0] < 0.7 * widths[1], "a correlation of .79 leaves .61 of the width"


def test_intervals_of_skewed_amounts_cover_the_truth() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(WORLDS):
        bought = rng.random(1600) < 0.3
        spent = np.where(bought, np.exp(rng.normal(3.0, 0.8, 1600)) * 10_000, 0).astype(np.int64)
        spent[:800] = (spent[:800] * 1.15).astype(np.int64)
        result = compare(Sums.of(spent[:800].tolist()), Sums.of(spent[800:].tolist()))
        assert result.lift is not None
        covered += result.lift.low <= 0.15 <= result.lift.high
    assert covered / WORLDS >= 0.93


def test_with_five_people_an_arm_the_normal_quantile_would_lie_and_student_does_not() -> None:
    rng = np.random.default_rng(11)
    values = np.rint(rng.normal(1000, 100, (WORLDS, 2, 5))).astype(int)
    student = normal = 0
    z = NormalDist().inv_cdf(0.975)
    for a, b in values:
        treated, control = Sums.of(a.tolist()), Sums.of(b.tolist())
        difference = compare(treated, control).difference
        assert difference is not None
        student += difference.low <= 0 <= difference.high
        normal += abs(difference.value) <= z * math.sqrt(treated.variance / 5 + control.variance / 5)
    assert student / WORLDS >= share_below(0.95, WORLDS)
    assert normal / WORLDS < 0.93


def looks(rng: np.random.Generator, effect: float, plan: Plan, base: float, until: float) -> list[str]:
    """Verdicts of one world looked at again and again, to `until` times the planned size; 400 people at a time."""
    planned = needed(base, plan)
    assert planned is not None
    n_t = n_c = x_t = x_c = 0
    said = []
    while n_t < planned[0] * until:
        drawn = int(rng.binomial(400, plan.holdout))
        n_c, n_t = n_c + drawn, n_t + 400 - drawn
        x_c += int(rng.binomial(drawn, base))
        x_t += int(rng.binomial(400 - drawn, base * (1 + effect)))
        said.append(verdict(Sums.of_rate(x_t, n_t), Sums.of_rate(x_c, n_c), plan).name)
    return said


def test_a_null_world_looked_at_every_day_is_falsely_called_in_at_most_one_of_twenty() -> None:
    rng, plan, worlds = np.random.default_rng(3), Plan(effect=0.25), 250
    called = no_effect = 0
    for _ in range(worlds):
        said = looks(rng, 0.0, plan, 0.2, until=6.0)
        called += bool({"up", "down"} & set(said))
        no_effect += said[-1] == "none"
    assert called / worlds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / worlds)
    assert no_effect / worlds > 0.9, "a world without effect must end in that verdict, not in silence"


def test_the_same_looks_with_the_single_look_width_would_be_false_far_more_often() -> None:
    rng, plan, worlds = np.random.default_rng(3), Plan(effect=0.25, any_time=False), 100
    called = sum(bool({"up", "down"} & set(looks(rng, 0.0, plan, 0.2, until=6.0))) for _ in range(worlds))
    assert called / worlds > 0.10


@pytest.mark.parametrize("any_time", [True, False])
def test_the_planned_size_has_the_planned_power_and_a_single_look_its_false_calls(any_time: bool) -> None:
    rng, plan, worlds = np.random.default_rng(5), Plan(any_time=any_time), 1500
    size = needed(0.2, plan)
    assert size is not None
    # 12% more people, so that the size planned from the data itself is reached in nearly every world.
    n = math.ceil(size[0] * 1.12)
    seen = wrong = 0
    for _ in range(worlds):
        null, lifted, control = (int(rng.binomial(n, p)) for p in (0.2, 0.24, 0.2))
        seen += verdict(Sums.of_rate(lifted, n), Sums.of_rate(control, n), plan).name == "up"
        wrong += verdict(Sums.of_rate(null, n), Sums.of_rate(control, n), plan).name in ("up", "down")
    assert seen / worlds >= share_below(0.80, worlds)
    assert wrong / worlds <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / worlds)


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_actions_are_drawn_as_often_as_their_propensity_says(count: int) -> None:
    offers, draws = [f"o{i}" for i in range(count)], 30_000
    drawn = Counter(choose(offers, draw_seed(b"workspace", f"d_{i}"))[0] for i in range(draws))
    expected = draws * choose(offers, 1)[1]
    chi_square = sum((drawn[action] - expected) ** 2 / expected for action in [*offers, "nothing"])
    # Wilson-Hilferty quantile at 1 in 10,000, set before the first run.
    z = NormalDist().inv_cdf(1 - 1e-4)
    assert chi_square < count * (1 - 2 / (9 * count) + z * math.sqrt(2 / (9 * count))) ** 3


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_holdout_has_its_share_overall_and_in_every_kind_of_unit(share: float) -> None:
    kinds = ["user_id:{}", "anonymous_id:{}", "email:person{}@mail.example", "card:{:016d}"]
    for kind in kinds:
        arms = Counter(arm(b"secret", "programme", kind.format(i), share) for i in range(20_000))
        assert srm_p(arms["treated"], arms["control"], share) > 1e-4


def test_the_holdout_is_independent_of_what_is_drawn_for_a_decision() -> None:
    table = Counter(
        (arm(b"secret", "programme", f"d_{i}", 0.5), choose(["a"], draw_seed(b"secret", f"d_{i}"))[0])
        for i in range(20_000)
    )
    assert all(abs(count - 5000) < 5 * math.sqrt(20_000 * 0.25 * 0.75) for count in table.values())
