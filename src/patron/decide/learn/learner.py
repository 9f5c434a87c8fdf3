"""What a policy learns with: each action's own ridge over features and waves, started from rules or the shared model.

An action is scored by the strongest of four that its evidence allows (`Basis`): its prior, its average, the shared
model, or its own model. All of it is a function of the choices and rewards alone, in whatever order they came, once
`settle` has run; between two settles the same calls give the same numbers to the bit.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.decide.learn.basis import WAVES, Waves
from patron.decide.learn.grid import REWARD_STEP, Floats, Row, snap
from patron.decide.learn.ridge import Ridge, Rows
from patron.decide.learn.shared import Shared

REFRESH_PRIORS = 32
"""Actions that nobody has seen take on what the shared model learned after so many choices."""


class Learning(Struct, frozen=True):
    """How a learner is set up; what it learned holds for this set-up alone."""

    features: int
    """How many, the constant included; feature 0 is the constant."""
    constant: float = 1.0
    """The value of feature 0 in every row."""
    waves: int = WAVES
    """Cosine waves beside the features: 0 for a plain linear model."""
    penalty: float = 0.2
    """The prior's precision in every direction; features are a row of length about 1."""
    traits: int = 0
    """How many traits describe an action; 0 = no shared model."""
    evidence: int = 10
    """Choices that an action needs before it is scored by its own model."""
    shared_evidence: int = 100
    """Choices of all actions before the shared model scores."""
    prior: float = 0.0
    """Expected reward of an action that nothing is known of."""
    half_life: int = 0
    """ms; 0 = nothing is forgotten."""
    seed: int = 7


class Basis(IntEnum):
    """What an action's score rests on."""

    PRIOR = 0
    AVERAGE = 1
    SHARED = 2
    PERSONAL = 3


_PRIOR, _AVERAGE, _SHARED, _PERSONAL = (int(basis) for basis in Basis)  # enums are slow inside numpy


class Scores(NamedTuple):
    """Expected rewards, their standard errors per unit of noise, and what each rests on (`Basis`)."""

    means: NDArray[np.float64]
    widths: NDArray[np.float64]
    bases: NDArray[np.int8]


class Learner:
    """Scores named actions at features, and learns from choices and their rewards.

    >>> learner = Learner(Learning(features=2))
    >>> learner.add("tea"); learner.add("mug", prior=0.25)
    >>> learner.observe("tea", [1.0, 0.0])
    >>> learner.reward("tea", [1.0, 0.0], 1.0)
    >>> scores = learner.score([1.0, 0.0], learner.rows(["tea", "mug"]))
    >>> bool(scores.means[0] > 0.5), float(scores.means[1])
    (True, 0.25)
    """

    def __init__(self, learning: Learning) -> None:
        if not 0 < abs(learning.constant) < np.inf:
            raise ValueError(f"feature 0 is a constant other than 0, not {learning.constant}")
        self.learning = learning
        self.basis = Waves(learning.features, waves=learning.waves, seed=learning.seed)
        self.ridge = Ridge(self.basis.size, penalty=learning.penalty, half_life=learning.half_life)
        self.shared: Shared | None = None
        if learning.traits:
            self.shared = Shared(
                learning.features,
                learning.traits,
                penalty=learning.penalty,
                half_life=learning.half_life,
                seed=learning.seed + 4,
            )
        self.declared: dict[str, tuple[float | None, float, Row]] = {}
        self._ruled: set[int] = set()
        self._since = 0

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions in the order they were added."""
        return self.ridge.actions

    def __contains__(self, action: object) -> bool:
        return action in self.ridge

    def add(self, action: str, *, traits: Any = (), prior: float | None = None, pseudo: float = 0.0) -> None:
        """Take up an action, or give one that is here other traits or another prior; what it learned stays.

        `prior` is its expected reward by a rule, worth `pseudo` choices. Without one it starts from the shared model.
        """
        described = self.shared.describe(traits) if self.shared else snap(traits)
        if prior is not None and not np.isfinite(prior):
            raise ValueError(f"the prior of `{action}` is {prior}: give a finite number")
        self.declared[action] = (prior, float(pseudo), described)
        row = self.ridge.add(action, self._prior_weights(action), pseudo * self.learning.constant**2)
        (self._ruled.discard if prior is None else self._ruled.add)(row)

    def remove(self, action: str) -> None:
        """Drop an action; the shared model keeps what it learned of it."""
        self._ruled.discard(self.ridge.row(action))
        self.ridge.remove(action)
        del self.declared[action]

    def rows(self, actions: Iterable[str]) -> Rows:
        """Rows of actions, for `score`. They hold until an action is removed."""
        return self.ridge.rows(actions)

    def score(self, x: Any, rows: Rows) -> Scores:
        """Score the actions in `rows` at features `x`. ValueError: a feature is NaN or infinite, or one too many."""
        row = self.basis(x)
        means = self.ridge.means(row, rows).astype(np.float64)
        widths = self.ridge.widths(row, rows).astype(np.float64)
        bases = np.full(len(rows), _PERSONAL, np.int8)
        bar = max(self.learning.evidence, 1) / self.ridge.forgetting.scale
        few = np.flatnonzero(self.ridge.counts[rows] < bar)
        if len(few):
            self._score_few(row, rows, few, means, bases)
        return Scores(means, widths, bases)

    def contributions(self, action: str, x: Any) -> NDArray[np.float64]:
        """What each feature adds to the expected reward of `action` at `x`, and last what all waves add together.

        They add up to the mean that `score` gives (within float32). An average rests on nothing but the constant.

        >>> learner = Learner(Learning(features=2, waves=0, evidence=0))
        >>> learner.add("tea", prior=0.25)
        >>> learner.contributions("tea", [1.0, 0.5]).tolist()
        [0.25, 0.0, 0.0]
        """
        row, place = self.basis(x), self.rows((action,))
        scores = self.score(row, place)
        parts = np.zeros(self.learning.features + 1)
        if scores.bases[0] == _AVERAGE:
            parts[0] = scores.means[0]
            return parts
        own = scores.bases[0] == _PERSONAL
        weights = self.ridge.weights(action) if own else self.ridge.priors[place[0]]
        products = weights.astype(np.float64) * row.values
        parts[:-1] = products[: self.learning.features]
        parts[-1] = products[self.learning.features :].sum()
        return parts

    def observe(self, action: str, x: Any, time: int = 0, times: int = 1) -> None:
        """Count that `action` was chosen at `x` at `time` (ms UTC); `times=-1` takes it back."""
        row = self.basis(x)
        self.ridge.observe(action, row, time, times)
        if self.shared:
            self.shared.observe(row, self.declared[action][2], time, times)
            self._refresh(action)

    def reward(self, action: str, x: Any, delta: float, time: int = 0) -> None:
        """Add `delta` to the reward of the choice of `action` at `x` at `time`; below 0 for what was returned."""
        row = self.basis(x)
        self.ridge.reward(action, row, delta, time)
        if self.shared:
            self.shared.reward(row, self.declared[action][2], delta, time)
            self._refresh(action)

    def advance(self, now: int) -> None:
        """Let time pass up to `now`, ms UTC; only a half-life asks for it, and `observe` and `reward` do it too."""
        self.ridge.advance(now)
        if self.shared:
            self.shared.ridge.advance(now)

    def seen(self) -> float:
        """How many choices it saw (with a half-life: remembers) over the actions it holds."""
        return self.ridge.seen * self.ridge.forgetting.scale

    def settle(self) -> None:
        """Solve all anew from exact sums: what is scored then depends on choices and rewards alone, not their order."""
        if self.shared:
            self.shared.ridge.settle()
            for action in self.actions:
                self.ridge.reprior(self.ridge.row(action), self._prior_weights(action))
        self.ridge.settle()
        self._since = 0

    def _score_few(
        self, row: Row, rows: Rows, few: Rows, means: NDArray[np.float64], bases: NDArray[np.int8]
    ) -> None:
        """Score those of too little evidence (`few`, places in `rows`) by what they start from, or their average."""
        chosen, constant = rows[few], self.learning.constant
        shared: Any = False
        if self.shared is None:
            starts = self.ridge.priors[chosen, 0] * constant
        else:
            starts = np.vecdot(self.ridge.priors[chosen], row.values).astype(np.float64)
        if self._sharing():
            shared = np.fromiter((place not in self._ruled for place in chosen), bool, len(few))
        scale = self.ridge.forgetting.scale
        counts, totals = self.ridge.counts[chosen] * scale, self.ridge.totals[chosen] * (scale * REWARD_STEP)
        pseudo = self.ridge.pseudo[chosen] / constant**2
        known = (counts > 0) & np.logical_not(shared)
        averages = (totals + pseudo * starts) / np.where(known, counts + pseudo, 1.0)
        means[few] = np.where(known, averages, starts)
        bases[few] = np.where(shared, _SHARED, np.where(known, _AVERAGE, _PRIOR))

    def _prior_weights(self, action: str) -> Floats:
        prior, _, traits = self.declared[action]
        weights = np.zeros(self.basis.size, np.float32)
        if prior is None and self._sharing():
            assert self.shared is not None
            weights[: self.learning.features] = self.shared.priors(
                traits.values[None], self.learning.constant
            )[0]
        else:
            weights[0] = (self.learning.prior if prior is None else prior) / self.learning.constant
        return weights

    def _sharing(self) -> bool:
        return self.shared is not None and self.shared.count() >= max(self.learning.shared_evidence, 1)

    def _refresh(self, action: str) -> None:
        self._since += 1
        if not self._sharing():
            return
        if self._since >= REFRESH_PRIORS:
            self._since = 0
            self._refresh_unseen()
        if self.declared[action][0] is None:
            self.ridge.reprior(self.ridge.row(action), self._prior_weights(action))

    def _refresh_unseen(self) -> None:
        """Give all actions that nobody has seen what the shared model expects of them now, in one product."""
        assert self.shared is not None
        unseen = [
            (self.ridge.row(action), traits.values)
            for action, (prior, _, traits) in self.declared.items()
            if prior is None and not self.ridge.counts[self.ridge.row(action)]
        ]
        if unseen:
            rows = np.array([row for row, _ in unseen], np.intp)
            traits = np.array([values for _, values in unseen], np.float32)
            self.ridge.reprior_unseen(rows, self.shared.priors(traits, self.learning.constant))
