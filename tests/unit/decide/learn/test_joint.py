"""The joint regression finds what would have come anyway, what showing adds to whom, and what a fit adds."""

import numpy as np
import pytest

from patron.decide.learn.grid import snap
from patron.decide.learn.joint import Joint
from patron.decide.learn.ridge import Ridge

CONSTANT = 0.5
JOINT = Joint(4, CONSTANT, [2], 2)
MOVES, FITS = 10.0, 2.0


def _learned(choices: int) -> Ridge:
    """Reward = 0.2 + 0.3 x1 + shown (0.1 + 0.4 x2) + 0.5 of the second fit, without noise."""
    luck = np.random.default_rng(7)
    ridge = Ridge(JOINT.size, penalty=JOINT.precision(MOVES, FITS), together=16)
    ridge.add("all", JOINT.start([0.25, 0.0]))
    for _ in range(choices):
        x, fit, shown = luck.normal(size=3), luck.random(2), bool(luck.integers(2))
        row = JOINT.row(snap([CONSTANT, *x]), snap([1.0, *fit]), shown=shown)
        ridge.observe("all", row)
        ridge.reward("all", row, 0.2 + 0.3 * x[0] + shown * (0.1 + 0.4 * x[1] + 0.5 * fit[1]))
    ridge.settle()
    return ridge


def test_it_finds_each_part() -> None:
    weights = _learned(4_000).weights("all")
    shown, nothing = JOINT.starts(weights)
    assert nothing == pytest.approx([0.2 / CONSTANT, 0.3, 0.0, 0.0], abs=0.02)
    assert shown == pytest.approx([0.3 / CONSTANT, 0.3, 0.4, 0.0], abs=0.02)
    assert JOINT.of_fits(weights) == pytest.approx([0.0, 0.5], abs=0.03)


def test_before_anything_was_learned_only_the_fits_speak() -> None:
    weights = _learned(0).weights("all")
    assert [one.tolist() for one in JOINT.starts(weights)] == [[0.0] * 4] * 2
    assert JOINT.of_fits(weights).tolist() == [0.25, 0.0]


def test_precision_says_how_many_choices_a_belief_is_worth() -> None:
    assert JOINT.precision(MOVES, FITS).tolist() == [1.0] * 5 + [MOVES] + [FITS] * 2
