"""Ridges against the batch solution, choices taken back, actions that come and go, forgetting."""

import numpy as np
import pytest

from patron.decide.learn.forgetting import Forgetting
from patron.decide.learn.grid import snap
from patron.decide.learn.ridge import RESOLVE_EVERY, Ridge

DAY = 86_400_000


def batch(
    rows: np.ndarray, rewards: np.ndarray, penalty: float, prior: np.ndarray | None = None
) -> np.ndarray:
    d = rows.shape[1]
    start = np.zeros(d) if prior is None else prior
    gram = penalty * np.eye(d) + rows.T @ rows
    return np.linalg.solve(gram, rows.T @ rewards + penalty * start)


def worlds(count: int, d: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = np.array([snap(row).values for row in rng.standard_normal((count, d)) * d**-0.5], np.float64)
    return rows, np.round((rows @ rng.standard_normal(d) + rng.standard_normal(count)) * 2**16) / 2**16


def test_online_weights_are_the_batch_solution_after_many_updates() -> None:
    rows, rewards = worlds(6000, 16)
    ridge = Ridge(16, actions=["a"], penalty=0.5)
    for row, reward in zip(rows, rewards, strict=True):
        ridge.observe("a", row)
        ridge.reward("a", row, reward)
    assert np.abs(ridge.weights("a") - batch(rows, rewards, 0.5)).max() < 1e-4
    inverse = np.linalg.inv(0.5 * np.eye(16) + rows.T @ rows)
    x = rows[0]
    assert float(ridge.widths(x)[0]) == pytest.approx(float(np.sqrt(x @ inverse @ x)), rel=1e-3)


def test_between_two_solutions_the_online_path_holds() -> None:
    rows, rewards = worlds(RESOLVE_EVERY // 2 - 1, 8)
    ridge = Ridge(8, actions=["a"], penalty=0.1)
    for row, reward in zip(rows, rewards, strict=True):
        ridge.observe("a", row)
        ridge.reward("a", row, reward)
    assert np.abs(ridge.weights("a") - batch(rows, rewards, 0.1)).max() < 1e-4


def test_a_choice_taken_back_leaves_nothing() -> None:
    rows, _ = worlds(40, 6)
    ridge, untouched = Ridge(6, actions=["a"]), Ridge(6, actions=["a"])
    for row in rows:
        ridge.observe("a", row)
        ridge.reward("a", row, 0.3)
    for row in rows[::-1]:
        ridge.reward("a", row, -0.3)
        ridge.observe("a", row, times=-1)
    assert np.abs(ridge.weights("a")).max() < 1e-4
    ridge.settle()
    assert not ridge.squares.any()
    assert not ridge.crosses.any()
    assert (ridge.widths(rows[0]) == untouched.widths(rows[0])).all()


def test_a_prior_is_where_an_action_starts_and_evidence_moves_it() -> None:
    prior = np.array([0.5, -0.25, 0.0])
    ridge = Ridge(3, penalty=2.0)
    ridge.add("a", prior)
    x = [1.0, 0.5, 0.25]
    assert float(ridge.means(x)[0]) == pytest.approx(0.375)
    rows, rewards = worlds(50, 3)
    for row, reward in zip(rows, rewards, strict=True):
        ridge.observe("a", row)
        ridge.reward("a", row, reward)
    assert np.abs(ridge.weights("a") - batch(rows, rewards, 2.0, prior)).max() < 1e-4


def test_a_new_prior_moves_the_weights_as_if_it_had_always_been_there() -> None:
    rows, rewards = worlds(30, 4)
    moved, always = Ridge(4), Ridge(4)
    prior = np.array([0.3, 0.1, -0.2, 0.4], np.float32)
    moved.add("a", pseudo=3.0)
    always.add("a", prior, pseudo=3.0)
    for ridge in (moved, always):
        for row, reward in zip(rows, rewards, strict=True):
            ridge.observe("a", row)
            ridge.reward("a", row, reward)
    moved.reprior(0, prior)
    assert np.abs(moved.weights("a") - always.weights("a")).max() < 1e-5


def test_a_pseudo_count_is_worth_so_many_choices() -> None:
    ridge = Ridge(1, penalty=1e-9)
    ridge.add("a", [0.2], pseudo=8.0)
    for _ in range(2):
        ridge.observe("a", [1.0])
        ridge.reward("a", [1.0], 1.0)
    assert float(ridge.means([1.0])[0]) == pytest.approx((8 * 0.2 + 2) / 10, abs=1e-5)


def test_actions_come_and_go_and_their_rows_stay() -> None:
    ridge = Ridge(2)
    for number in range(11):
        ridge.add(f"a{number}")
        ridge.observe(f"a{number}", [1.0, 0.0])
        ridge.reward(f"a{number}", [1.0, 0.0], number)
    before = ridge.row("a9")
    ridge.remove("a3")
    assert "a3" not in ridge
    assert ridge.row("a9") == before
    ridge.add("new")
    assert float(ridge.means([1.0, 0.0], ridge.rows(["new"]))[0]) == 0.0
    assert ridge.count("new") == 0.0
    assert ridge.means([1.0, 0.0], ridge.rows(["a9", "a2"])).tolist() == [4.5, 1.0]


def test_an_action_in_the_place_of_a_removed_one_knows_nothing_of_it() -> None:
    ridge = Ridge(2, actions=["old"])
    ridge.observe("old", [1.0, 1.0])
    ridge.remove("old")
    ridge.add("new")
    assert ridge.row("new") == 0
    assert ridge.widths([1.0, 0.0]).tolist() == [1.0]
    assert ridge.seen == 0


@pytest.mark.parametrize("used", [3, 40])
def test_widths_of_some_rows_are_those_of_all(used: int) -> None:
    ridge = Ridge(80, actions=[f"a{number}" for number in range(used)])
    rows, _ = worlds(60, 80)
    for number, row in enumerate(rows):
        ridge.observe(f"a{number % used}", row)
    some = ridge.rows(["a2", "a0"])
    exact = [float(np.sqrt(rows[0] @ ridge._inverse[row] @ rows[0])) for row in some]
    assert ridge.widths(rows[0], some).tolist() == pytest.approx(exact, rel=1e-4)


def test_with_very_many_actions_the_diagonal_stands_for_the_inverse() -> None:
    ridge = Ridge(30, actions=[f"a{number}" for number in range(300)])
    rows, _ = worlds(600, 30)
    for number, row in enumerate(rows):
        ridge.observe(f"a{number % 2}", row)
    inverse = np.linalg.inv(np.eye(30) + rows[::2].T @ rows[::2])
    expected = np.sqrt((rows[0] ** 2) @ inverse.diagonal())
    assert float(ridge.widths(rows[0])[0]) == pytest.approx(expected, rel=1e-3)


def test_no_action_one_action_and_a_row_of_zeros() -> None:
    ridge = Ridge(3)
    assert ridge.means([0.0, 0.0, 0.0]).tolist() == []
    ridge.add("a")
    ridge.observe("a", [0.0, 0.0, 0.0])
    ridge.reward("a", [0.0, 0.0, 0.0], 1.0)
    assert ridge.means([0.0, 0.0, 0.0]).tolist() == [0.0]
    assert ridge.average("a") == 1.0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_bad_number_is_refused_by_place_and_changes_nothing(bad: float) -> None:
    ridge = Ridge(2, actions=["a"])
    with pytest.raises(ValueError, match="feature number 1 is"):
        ridge.means([0.0, bad])
    with pytest.raises(ValueError, match="feature number 1 is"):
        ridge.observe("a", [0.0, bad])
    with pytest.raises(ValueError, match="a reward lies within"):
        ridge.reward("a", [0.0, 1.0], bad)
    assert ridge.count("a") == 0.0
    assert not ridge.crosses.any()


def test_what_does_not_fit_is_refused_in_words() -> None:
    ridge = Ridge(2, actions=["a"])
    with pytest.raises(ValueError, match="3 features given, this ridge has 2"):
        ridge.means([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="not an array of shape"):
        ridge.means([[1.0, 2.0]])
    with pytest.raises(KeyError, match="no action `b` here"):
        ridge.observe("b", [1.0, 2.0])
    with pytest.raises(ValueError, match="a ridge has 1 feature or more"):
        Ridge(0)
    with pytest.raises(ValueError, match="a pseudo-count"):
        ridge.add("c", pseudo=-1.0)


def test_huge_but_finite_features_are_cut_not_refused() -> None:
    assert snap([1e200, -1e200]).values.tolist() == [7.999755859375, -7.999755859375]


def test_full_sums_are_an_error_before_they_are_wrong() -> None:
    ridge = Ridge(1, actions=["a"])
    ridge.squares[0, 0, 0] = 2**61 + 1
    with pytest.raises(OverflowError, match="a ridge is full"):
        ridge.resolve(0)


def test_half_as_much_after_a_half_life() -> None:
    ridge = Ridge(1, actions=["a"], penalty=1e-6, half_life=30 * DAY)
    ridge.observe("a", [1.0], 0)
    ridge.reward("a", [1.0], 1.0, 0)
    ridge.observe("a", [1.0], 30 * DAY)
    ridge.settle()
    assert float(ridge.means([1.0])[0]) == pytest.approx(0.5 / 1.5, abs=1e-4)
    assert ridge.count("a") == pytest.approx(1.5)


def test_a_late_reward_weighs_what_its_decision_weighs() -> None:
    late, at_once = (Ridge(1, actions=["a"], half_life=30 * DAY) for _ in range(2))
    at_once.observe("a", [1.0], 0)
    at_once.reward("a", [1.0], 1.0, 0)
    at_once.observe("a", [1.0], 100 * DAY)
    late.observe("a", [1.0], 0)
    late.observe("a", [1.0], 100 * DAY)
    late.reward("a", [1.0], 1.0, 0)
    assert (late.crosses == at_once.crosses).all()
    late.settle()
    at_once.settle()
    assert (late.means([1.0]) == at_once.means([1.0])).all()


def test_over_many_half_lives_the_sums_stay_small_and_the_recent_counts() -> None:
    ridge = Ridge(1, actions=["a"], half_life=DAY)
    for day in range(100):
        ridge.observe("a", [1.0], day * DAY)
        ridge.reward("a", [1.0], 0.0 if day < 90 else 1.0, day * DAY)
    assert ridge.count("a") == pytest.approx(2.0, abs=0.02)
    assert ridge.average("a") == pytest.approx(1 - 2.0**-10, abs=0.01)
    assert ridge.crosses.max() < 2**50


def test_weights_of_times_do_not_depend_on_what_was_seen_before() -> None:
    early, later = Forgetting(half_life=1000), Forgetting(half_life=1000)
    early.advance(6100)
    early.advance(11_900)
    later.advance(11_900)
    assert [early.weight(time) for time in (0, 5000, 9000)] == [
        later.weight(time) for time in (0, 5000, 9000)
    ]


def test_choices_learned_together_end_where_those_learned_one_by_one_do() -> None:
    rng = np.random.default_rng(3)
    rows, rewards = rng.normal(size=(50, 6)) / 3, rng.random(50) < 0.3
    together, alone = Ridge(6, actions=["a"], together=16), Ridge(6, actions=["a"])
    for x, paid in zip(rows, rewards, strict=True):
        for ridge in (together, alone):
            ridge.observe("a", x)
            if paid:
                ridge.reward("a", x, 1.0)
    together.catch_up(10)
    np.testing.assert_allclose(together.means(rows[0]), alone.means(rows[0]), atol=1e-5)
    np.testing.assert_allclose(together.widths(rows[0]), alone.widths(rows[0]), atol=1e-5)
    assert together.counts.tolist() == alone.counts.tolist()


def test_a_reward_counts_at_once_with_all_choices_that_waited() -> None:
    together, alone = Ridge(2, actions=["a"], together=16), Ridge(2, actions=["a"])
    for ridge in (together, alone):
        for _ in range(3):
            ridge.observe("a", [1.0, 0.5])
        ridge.reward("a", [1.0, 0.5], 1.0)
    assert together.means([1.0, 0.5])[0] == pytest.approx(float(alone.means([1.0, 0.5])[0]), abs=1e-6)


def test_choices_that_wait_are_learned_when_enough_do() -> None:
    ridge = Ridge(1, actions=["a"], together=4)
    for seen in range(1, 5):
        ridge.observe("a", [1.0])
        assert (ridge.widths([1.0])[0] < 1) == (seen == 4)


@pytest.mark.parametrize("rewarded", [False, True])
def test_sums_that_were_written_meanwhile_leave_no_choice_unlearned(rewarded: bool) -> None:
    together, alone = Ridge(2, actions=["a"], together=16), Ridge(2, actions=["a"])
    for ridge in (together, alone):
        for _ in range(3):
            ridge.observe("a", [1.0, 0.5])
        ridge.gather(ridge.row("a"))  # as a checkpoint does
        if rewarded:
            ridge.reward("a", [1.0, 0.5], 1.0)
    together.catch_up(10)
    np.testing.assert_allclose(together.means([1.0, 0.5]), alone.means([1.0, 0.5]), atol=1e-6)
    np.testing.assert_allclose(together.widths([1.0, 0.5]), alone.widths([1.0, 0.5]), atol=1e-6)
