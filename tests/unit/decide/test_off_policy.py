"""What an evaluation accepts, holds back and refuses, and what it says when it does."""

import math

import numpy as np
import pytest

from patron.decide.offpolicy.compare import compare
from patron.decide.offpolicy.diagnostics import diagnose
from patron.decide.offpolicy.estimators import estimate
from patron.decide.offpolicy.evaluate import Evaluation, evaluate
from patron.decide.offpolicy.faults import fault
from patron.decide.offpolicy.intervals import Luck, Ratio, student
from patron.decide.offpolicy.logged import Logged
from patron.decide.offpolicy.regress import cross_fit, folds
from patron.decide.offpolicy.shrinkage import optimistic
from patron.experiments.student import critical


def coin(rows: int, effective: int, **more: object) -> Logged:
    """A fair coin logged `rows` times; the other policy takes the same side in `effective` of every `rows` rows."""
    target = np.arange(rows) < effective
    reward = np.arange(rows) % 3 == 0
    return Logged.of(reward, np.full(rows, effective / rows), target * 1.0, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("effective", "said"),
    [(9, "refused"), (10, "caution"), (99, "caution"), (100, "accepted"), (400, "accepted")],
)
def test_the_effective_sample_decides(effective: int, said: str) -> None:
    found = evaluate(coin(1000, effective))
    assert found.verdict.name == said
    assert (found.headline is None) == (not found.estimates) == (said == "refused")
    assert found.diagnostics
    assert found.diagnostics.effective == pytest.approx(effective)


def test_people_count_and_not_their_rows() -> None:
    alone, crowd = coin(1000, 1000), coin(1000, 1000, person=np.arange(1000) // 20)
    assert evaluate(alone).verdict.name == "accepted"
    found = evaluate(crowd)
    assert found.verdict.name == "caution"
    assert found.verdict.sentence == (
        "Too little to say: 1,000 rows of 50 people count for this policy like 50 of its own, and 100 are needed."
    )


def test_rows_of_one_person_make_a_wider_interval() -> None:
    reward = np.repeat(np.arange(200) % 2, 20)
    ones = np.ones(4000)
    by_rows = evaluate(Logged.of(reward, ones, ones)).headline
    by_person = evaluate(Logged.of(reward, ones, ones, person=np.repeat(np.arange(200), 20))).headline
    assert by_rows
    assert by_person
    assert by_person.interval.error / by_rows.interval.error == pytest.approx(math.sqrt(20), rel=0.01)


def refusal(found: Evaluation) -> str:
    assert found.verdict.name == "refused"
    assert found.headline is None
    assert found.estimates == ()
    return found.verdict.sentence


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("propensity", 0.0, "Row 7 has the propensity 0: what was executed had a chance above 0."),
        ("propensity", -0.1, "Row 7 has the propensity -0.1"),
        ("propensity", 1e-300, "Row 7 has the propensity 1e-300"),
        ("propensity", 1.5, "Row 7 has the propensity 1.5: a probability lies between 0 and 1."),
        ("propensity", math.nan, "Row 7 has the propensity nan"),
        ("target", 1.01, "Row 7 has the target probability 1.01"),
        ("target", -1e-3, "Row 7 has the target probability -0.001"),
        ("target", math.nan, "Row 7 has the target probability nan"),
        ("reward", math.inf, "Row 7 has the reward inf: it must be a finite number."),
        ("reward", 1e200, "Row 7 has the reward 1e+200"),
        ("predicted", math.nan, "Row 7 has the predicted reward nan"),
        ("expected", -math.inf, "Row 7 has the expected reward -inf"),
        ("outside", 2.0, "Row 7 has the probability outside the log 2"),
    ],
)
def test_an_odd_number_is_refused_with_its_row(column: str, value: float, said: str) -> None:
    columns = {
        name: np.full(500, 0.5)
        for name in ("reward", "propensity", "target", "predicted", "expected", "outside")
    }
    columns["outside"] = np.zeros(500)
    assert fault(Logged.of(**columns)) is None
    columns[column] = columns[column].copy()
    columns[column][7] = value
    assert refusal(evaluate(Logged.of(**columns))).startswith(said)
    columns[column][9] = value
    assert "(2 rows are so)" in refusal(evaluate(Logged.of(**columns)))


def test_a_probability_a_hair_above_one_is_rounding() -> None:
    assert fault(Logged.of([1.0], [1 + 1e-12], [1 + 1e-12])) is None


def test_no_rows_are_refused() -> None:
    assert refusal(evaluate(Logged.of([], [], []))).startswith("There are no rows")


def test_a_policy_that_never_does_what_was_logged_is_refused() -> None:
    rows = Logged.of([1.0] * 300, [0.5] * 300, [0.0] * 300, predicted=[1.0] * 300, expected=[1.0] * 300)
    assert refusal(evaluate(rows)) == (
        "Refused: 300 rows count for this policy like 0 of its own, and below 10 chance decides."
    )


def test_one_row_that_outweighs_all_is_named() -> None:
    rows = Logged.of([1, 0] * 100, [1e-3] + [1.0] * 199, [1.0] * 200)
    assert refusal(evaluate(rows)).endswith("One row alone holds 83 % of all weight.")


@pytest.mark.parametrize(("outside", "said"), [(0.0, "accepted"), (0.02, "caution"), (0.2, "refused")])
def test_what_lies_outside_the_log_is_never_guessed(outside: float, said: str) -> None:
    ones = np.ones(1000)
    rows = Logged.of(np.arange(1000) % 2, ones, ones - outside, outside=np.full(1000, outside))
    found = evaluate(rows)
    assert found.verdict.name == said
    assert found.verdict.why == ("outside" if outside else "")
    assert found.diagnostics
    assert found.diagnostics.mean_weight.value == pytest.approx(1.0), (
        "what lies outside is no sign of wrong propensities"
    )


@pytest.mark.parametrize(
    ("factor", "said"),
    [(0.8, "smaller than they really were"), (1.2, "could not show part"), (1.0, None)],
)
def test_wrong_propensities_are_noticed_by_the_mean_weight(factor: float, said: str | None) -> None:
    rng = np.random.default_rng(4)
    first = rng.random(4000) < 0.4
    propensity = np.where(first, 0.4, 0.6)
    rows = Logged.of(rng.random(4000), propensity * factor, np.where(first, 0.6, 0.4))
    found = evaluate(rows)
    if said is None:
        assert found.verdict.name == "accepted"
    else:
        assert found.verdict.why == "mean_weight"
        assert said in refusal(found)


def test_a_mean_weight_off_by_less_than_a_hundredth_is_no_reason_to_refuse() -> None:
    # In 4,000,000 rows this little is 14 standard errors.
    target = np.tile([0.497, 0.497], 20_000)
    rows = Logged.of(np.tile([1, 0], 20_000), np.full(40_000, 0.5), target)
    assert diagnose(rows).mean_weight_p < 0.001
    assert evaluate(rows).verdict.name == "accepted"


def test_rewards_that_never_differ_say_too_little() -> None:
    found = evaluate(Logged.of([0] * 5000, [0.5] * 5000, [0.5] * 5000))
    assert (found.verdict.name, found.verdict.why) == ("caution", "constant")


def test_the_headline_is_settled_by_what_the_rows_hold() -> None:
    plain = coin(1000, 500)
    guessed = coin(1000, 500, predicted=np.zeros(1000), expected=np.zeros(1000))
    assert [one.name for one in evaluate(plain).estimates] == ["ips", "snips"]
    for rows, name in ((plain, "snips"), (guessed, "dr")):
        best = evaluate(rows).headline
        assert best
        assert best.name == name
    names = [one.name for one in evaluate(guessed).estimates]
    assert names == ["ips", "snips", "dr", "dros", "switch", "dm"]


def test_the_direct_method_has_no_interval() -> None:
    rows = coin(1000, 500, predicted=np.zeros(1000), expected=np.full(1000, 0.7))
    found = estimate("dm", rows)
    assert found.value == pytest.approx(0.7)
    assert math.isnan(found.interval.low)
    assert math.isnan(found.interval.error)


def test_columns_that_do_not_fit_are_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="same number of rows"):
        Logged.of([1, 2], [1], [1, 1])
    with pytest.raises(ValueError, match="belong together"):
        Logged.of([1], [1], [1], predicted=[1])
    with pytest.raises(ValueError, match="`reward` must be numbers"):
        Logged.of(["tea"], [1], [1])
    with pytest.raises(ValueError, match="one column"):
        Logged.of([[1]], [1], [1])
    with pytest.raises(ValueError, match="no predictions"):
        estimate("dr", Logged.of([1], [1], [1]))
    with pytest.raises(ValueError, match="between 0 and 1"):
        evaluate(coin(1000, 500), level=95)


def test_student_s_quantile_is_near_the_exact_one() -> None:
    for freedom in (3, 6, 10, 30, 1000):
        assert student(0.95, freedom) == pytest.approx(
            critical(0.05, freedom), rel=0.02 if freedom < 6 else 0.002
        )


def test_an_interval_without_skewness_is_student_s() -> None:
    values = np.array([-1.0, 1.0] * 50) + 5
    found = Ratio.of(values, np.ones(100)).interval()
    half = critical(0.05, 99) / math.sqrt(99)
    assert (found.low, found.high) == (pytest.approx(5 - half, abs=1e-4), pytest.approx(5 + half, abs=1e-4))


def test_an_interval_is_longer_towards_the_tail() -> None:
    values = np.array([0.0] * 95 + [1.0] * 5)
    up, down = Ratio.of(values, np.ones(100)).interval(), Ratio.of(-values, np.ones(100)).interval()
    assert up.high - up.value > 1.2 * (up.value - up.low)
    assert (down.low, down.high) == (pytest.approx(-up.high), pytest.approx(-up.low))


def test_a_higher_level_is_wider_and_the_unit_does_not_matter() -> None:
    rows = coin(900, 300)
    widths = [
        found.interval.high - found.interval.low
        for found in (estimate("ips", rows, x) for x in (0.8, 0.95, 0.99))
    ]
    assert widths == sorted(widths)
    tenths = Logged.of(rows.reward * 1e4, rows.propensity, rows.target)
    for name in ("ips", "snips"):
        one, other = estimate(name, rows).interval, estimate(name, tenths).interval
        assert (other.low, other.high) == (pytest.approx(one.low * 1e4), pytest.approx(one.high * 1e4))


def test_a_rare_reward_not_seen_where_it_counts_is_no_certainty() -> None:
    """Nine rows in ten count little and hold every reward; the tenth counts much and holds none."""
    heavy = np.arange(5000) % 10 == 0
    reward = (np.arange(5000) % 50 == 1) * 1.0
    rows = Logged.of(reward, np.where(heavy, 0.1, 0.9), np.where(heavy, 0.9, 0.1))
    weight = rows.weight
    alone = Ratio.of(weight * reward, weight).interval()
    moderated = estimate("snips", rows).interval
    assert moderated.high > alone.high
    pooled = reward.std() * math.sqrt(np.mean(weight**2) / 5000) / weight.mean()
    assert moderated.error > alone.error
    assert moderated.error < pooled * 1.05


def test_no_interval_reaches_beyond_the_rewards_seen() -> None:
    rows = Logged.of([0] * 297 + [1] * 3, [0.5] * 300, [0.5] * 300)
    for name in ("ips", "snips"):
        found = estimate(name, rows).interval
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_luck_that_counts_nowhere_changes_nothing() -> None:
    values, ones = np.arange(50.0) ** 2, np.ones(50)
    none = Luck(np.zeros(50), ones, np.zeros(50))
    assert Ratio.of(values, ones, none).interval() == Ratio.of(values, ones, none).interval()
    assert Ratio.of(values, ones).value == Ratio.of(values, ones, none).value


class TestComparing:
    def test_the_logging_policy_is_no_better_than_itself(self) -> None:
        rng = np.random.default_rng(3)
        p = rng.uniform(0.2, 1, 500)
        found = compare(Logged.of(rng.random(500), p, p))
        assert found.outcome == "unclear"
        assert found.difference
        assert found.lift
        assert (found.difference.low, found.difference.high, found.lift.value) == (0, 0, 0)
        assert found.sentence.startswith("No difference shown")

    def test_a_better_and_a_worse_policy(self) -> None:
        rng = np.random.default_rng(5)
        good = rng.random(3000) < 0.5
        reward = (rng.random(3000) < np.where(good, 0.6, 0.3)) * 1.0
        for chance, outcome in ((0.9, "better"), (0.1, "worse")):
            rows = Logged.of(reward, np.full(3000, 0.5), np.where(good, chance, 1 - chance))
            found = compare(rows)
            assert found.outcome == outcome
            assert found.difference
            assert found.lift
            truth = chance * 0.6 + (1 - chance) * 0.3 - 0.45
            assert found.difference.low <= truth <= found.difference.high
            assert found.lift.low <= truth / 0.45 <= found.lift.high

    def test_a_refusal_and_a_caution_say_no_more_here(self) -> None:
        refused = compare(coin(1000, 5))
        assert (refused.outcome, refused.difference, refused.lift) == ("refused", None, None)
        caution = compare(coin(1000, 50))
        assert caution.outcome == "unclear"
        assert caution.sentence.startswith("Too little to say")

    def test_a_log_that_earned_next_to_nothing_is_no_denominator(self) -> None:
        rows = Logged.of([0] * 598 + [1] * 2, [0.5] * 600, [0.6, 0.4] * 300)
        found = compare(rows)
        assert found.lift is None
        assert found.difference is not None


class TestFitting:
    def test_nobody_is_fitted_on_themselves(self) -> None:
        """One person's reward is moved: no guess about that person moves."""
        rng = np.random.default_rng(8)
        who = [f"p_{i % 30}" for i in range(300)]
        features, action, target = (
            rng.normal(size=(300, 2)),
            rng.integers(0, 3, 300),
            np.full((300, 3), 1 / 3),
        )
        fold = folds(who)
        reward = rng.random(300)
        mine = np.array([one == "p_7" for one in who])
        before = cross_fit(features, action, reward, target, fold).every
        after = cross_fit(features, action, reward + 50.0 * mine, target, fold).every
        assert np.array_equal(before[mine], after[mine])
        assert not np.allclose(before[~mine], after[~mine])

    def test_folds_are_even_and_do_not_depend_on_the_order(self) -> None:
        ids = [f"d_{i}" for i in range(5000)]
        counts = np.bincount(folds(ids), minlength=5)
        assert counts.min() > 900
        assert folds(ids[::-1]).tolist() == folds(ids)[::-1].tolist()

    def test_a_linear_reward_is_learnt(self) -> None:
        rng = np.random.default_rng(2)
        features, action = rng.normal(size=(2000, 2)), rng.integers(0, 2, 2000)
        slopes = np.array([[1.0, -2.0], [0.5, 3.0]])
        reward = np.einsum("ij,ji->i", features, slopes[:, action]) + action
        fit = cross_fit(
            features, action, reward, np.full((2000, 2), 0.5), folds([str(i) for i in range(2000)])
        )
        assert np.abs(fit.predicted - reward).max() < 0.2

    def test_an_action_never_seen_says_what_all_say(self) -> None:
        fit = cross_fit(
            np.zeros((50, 1)), np.zeros(50, int), np.full(50, 3.0), np.full((50, 2), 0.5), np.arange(50) % 5
        )
        assert np.allclose(fit.every, 3.0)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"action": np.full(10, 2)}, "actions run from 0 to 1"),
            ({"features": np.full((10, 1), np.nan)}, "finite"),
            ({"features": np.zeros((9, 1))}, "same rows"),
            ({"ridge": 0.0}, "above 0"),
        ],
    )
    def test_what_does_not_fit_is_an_error(self, change: dict[str, object], said: str) -> None:
        given: dict[str, object] = {
            "features": np.zeros((10, 1)),
            "action": np.zeros(10, int),
            "reward": np.zeros(10),
            "target": np.full((10, 2), 0.5),
            "fold": np.arange(10) % 5,
        }
        with pytest.raises(ValueError, match=said):
            cross_fit(**(given | change))  # type: ignore[arg-type]


class TestShrinking:
    def test_shrinking_moves_the_interval_and_does_not_narrow_it(self) -> None:
        rng = np.random.default_rng(1)
        p = rng.uniform(0.02, 1, 800)
        guess = np.full(800, 0.4)
        reward = rng.random(800)
        rows = Logged.of(reward, p, p * rng.uniform(0, 1, 800) ** 2, predicted=guess, expected=guess)
        whole = estimate("dr", rows).interval
        for name in ("dros", "switch"):
            found = estimate(name, rows).interval
            assert found.high - found.low == pytest.approx(whole.high - whole.low)
            assert found.error == whole.error

    def test_a_bias_that_cancels_by_chance_is_not_believed(self) -> None:
        """Surprises cancel at every size of the weights: without caution everything would be shrunk away."""
        surprise = np.tile([1.0, -1.0], 200)
        weight = np.repeat([1.0, 20.0], 200)
        zero = np.zeros(400)
        rows = Logged.of(surprise, np.full(400, 0.05), weight * 0.05, predicted=zero, expected=zero)
        _, kept = optimistic(rows, weight * surprise, surprise)
        assert kept.max() > 0.02 * weight.max()

    def test_an_exact_model_leaves_nothing_to_shrink(self) -> None:
        weight = np.linspace(0, 5, 100)
        rows = Logged.of(
            np.ones(100), np.full(100, 0.2), weight * 0.2, predicted=np.ones(100), expected=np.ones(100)
        )
        assert optimistic(rows, np.ones(100), np.zeros(100))[0] == math.inf


def test_the_same_policy_with_a_model_has_no_difference_either() -> None:
    rng = np.random.default_rng(3)
    p, guess = rng.uniform(0.2, 1, 500), rng.random(500)
    found = compare(Logged.of(rng.random(500), p, p, predicted=guess, expected=guess))
    assert found.difference
    assert (found.difference.low, found.difference.high) == (
        pytest.approx(0, abs=1e-12),
        pytest.approx(0, abs=1e-12),
    )
