"""The card of a closed loop: what it says of arms and weeks whose truth is known by construction."""

import numpy as np

from patron.sim.closed.card import difference, holdout, perverse, weekly
from patron.sim.closed.lived import Lived
from patron.sim.engine.state import NEVER

PEOPLE, DAYS = 400, 14


def lived(factor: np.ndarray, luck: np.ndarray) -> Lived:
    """Days on which everybody spends their own luck, times their factor."""
    days = [luck[day] * factor for day in range(DAYS)]
    return Lived(
        revenue=days, margin=days, sent=[np.full(PEOPLE, day < 7, dtype=float) for day in range(DAYS)]
    )


def arms() -> tuple[np.ndarray, np.ndarray]:
    odd = np.arange(PEOPLE) % 2 == 1
    return np.where(odd, 0, NEVER), np.where(odd, NEVER, 0)


def test_the_holdout_shows_what_those_treated_spend_more_and_what_was_spent_before_narrows_it() -> None:
    drawn = np.random.default_rng(3)
    habit = drawn.gamma(2.0, 10.0, PEOPLE)
    luck = habit * drawn.uniform(0.5, 1.5, (DAYS, PEOPLE))
    treated, control = arms()
    ours, usual = lived(np.where(treated > NEVER, 1.3, 1.0), luck), lived(np.ones(PEOPLE), luck)
    row = holdout(ours, usual, habit, treated, control)
    assert row.plain is not None
    assert row.adjusted is not None
    assert (row.treated, row.held_out) == (PEOPLE // 2, PEOPLE // 2)
    assert abs(row.truth - 0.3) < 1e-9
    assert row.covered
    assert row.adjusted.low > 0.0
    assert row.adjusted.high - row.adjusted.low < 0.5 * (row.plain.high - row.plain.low)


def test_it_counts_from_each_ones_first_question_on() -> None:
    treated, control = arms()
    luck = np.ones((DAYS, PEOPLE))
    luck[:7, :] = 1_000.0
    late = np.where(treated > NEVER, 7, NEVER), np.where(control > NEVER, 7, NEVER)
    ours = lived(np.where(treated > NEVER, 2.0, 1.0), luck)
    row = holdout(ours, lived(np.ones(PEOPLE), luck), np.zeros(PEOPLE), *late)
    assert row.truth == 1.0
    assert row.adjusted is None or abs(row.adjusted.value - 1.0) < 1e-9


def test_weeks_and_shares() -> None:
    luck, everybody = np.ones((DAYS, PEOPLE)), np.ones(PEOPLE, dtype=np.bool_)
    assert weekly(
        lived(np.full(PEOPLE, 1.5), luck).margin, lived(np.ones(PEOPLE), luck).margin, everybody
    ) == [
        0.5,
        0.5,
    ]
    row = perverse(lived(np.ones(PEOPLE), luck), lived(np.ones(PEOPLE), luck), everybody)
    assert (row.first, row.last, row.margin.value) == (7.0, 0.0, 0.0)
    same = difference(everybody, everybody)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
