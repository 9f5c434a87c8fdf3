"""Who plays in the bandit bake-off: Patron's default learner and, where they are installed, two peers.

Peers are used as their guides show: Vowpal Wabbit with SquareCB over one set of features per action, MABWiser with
LinUCB. Neither is needed to run Patron; `pip install vowpalwabbit mabwiser` brings them.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from patron.decide.learn.choose import Choosing, draw
from patron.decide.learn.grid import Row
from patron.decide.learn.learner import Learner, Learning

Ask = NDArray[np.float64]


class Player(Protocol):
    """One who chooses among numbered actions and learns from the reward of the one chosen."""

    def act(self, ask: Ask, u: float) -> tuple[int, float]:
        """An action and the chance it had, drawn with the uniform number `u`."""

    def learn(self, ask: Ask, action: int, chance: float, reward: float) -> None:
        """Take up the reward of a choice."""


class Patron:
    """Patron's learner with its defaults."""

    def __init__(self, features: int, actions: int, constant: float) -> None:
        self._learner = Learner(Learning(features=features, constant=constant))
        self._names = [f"offer_{action:04d}" for action in range(actions)]
        for name in self._names:
            self._learner.add(name)
        self._rows = self._learner.rows(self._names)
        self._choosing = Choosing()
        self._seen = 0
        self._ask: Ask | None = None
        self._row: Row | None = None

    def act(self, ask: Ask, u: float) -> tuple[int, float]:
        """Score, give every action its chance, draw one."""
        scores = self._learner.score(ask, self._rows)
        chances = self._choosing.propensities(scores.means, scores.widths, self._seen)
        action = draw(chances, u)
        return action, float(chances[action])

    def learn(self, ask: Ask, action: int, chance: float, reward: float) -> None:  # noqa: ARG002 the peers use it
        """Count the choice and add its reward."""
        name = self._names[action]
        row = self._learner.basis(ask)
        self._learner.observe(name, row)
        if reward:
            self._learner.reward(name, row, reward)
        self._seen += 1


class VowpalWabbit:
    """VW: contextual bandit with action-dependent features, SquareCB, the ask crossed with the action."""

    def __init__(self, features: int, actions: int, constant: float) -> None:  # noqa: ARG002
        module = importlib.import_module("vowpalwabbit")
        self._vw = module.Workspace("--cb_explore_adf --squarecb --cb_type mtr -q sa --quiet")
        self._actions = [f"|a action_{action}" for action in range(actions)]

    def act(self, ask: Ask, u: float) -> tuple[int, float]:
        """VW's own probabilities, drawn with `u`."""
        chances = np.array(self._vw.predict([self._told(ask), *self._actions]))
        action = draw(chances / chances.sum(), u)
        return action, float(chances[action])

    def learn(self, ask: Ask, action: int, chance: float, reward: float) -> None:
        """A labelled example: action, cost, probability."""
        lines = [self._told(ask), *self._actions]
        lines[action + 1] = f"0:{-reward}:{chance} {lines[action + 1]}"
        self._vw.learn(lines)

    @staticmethod
    def _told(ask: Ask) -> str:
        return "shared |s " + " ".join(f"{place}:{value:.6g}" for place, value in enumerate(ask))


class MabWiser:
    """MABWiser's LinUCB; it chooses without chance, so it has no propensity to log."""

    def __init__(self, features: int, actions: int, constant: float) -> None:  # noqa: ARG002
        module: Any = importlib.import_module("mabwiser.mab")
        self._mab = module.MAB(
            list(range(actions)), module.LearningPolicy.LinUCB(alpha=1.0, l2_lambda=1.0), seed=7
        )
        self._mab.fit([0], [0], np.zeros((1, features)))

    def act(self, ask: Ask, u: float) -> tuple[int, float]:  # noqa: ARG002
        """The action of the highest bound."""
        return int(self._mab.predict(ask[None])), 1.0

    def learn(self, ask: Ask, action: int, chance: float, reward: float) -> None:  # noqa: ARG002
        """One row of its `partial_fit`."""
        self._mab.partial_fit([action], [reward], ask[None])


PEERS: Final[dict[str, tuple[str, Callable[[int, int, float], Player]]]] = {
    "VW squarecb": ("vowpalwabbit", VowpalWabbit),
    "MABWiser LinUCB": ("mabwiser", MabWiser),
}
"""Name -> the module it needs, and how to make it."""


def installed_peers() -> dict[str, Callable[[int, int, float], Player]]:
    """The peers that can play here."""
    return {name: make for name, (module, make) in PEERS.items() if importlib.util.find_spec(module)}
