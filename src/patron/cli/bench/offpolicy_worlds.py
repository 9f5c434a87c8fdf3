"""Simulated logs whose truth is known exactly: the ruler for intervals of off-policy estimators.

A world is a finite population of situations, each with an action's chance under the logging policy, under the other policy,
and of earning something. A log draws situations, actions and rewards; the value of the other policy is a plain sum.
"""

from collections import Counter
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.decide.offpolicy.evaluate import Evaluation, evaluate
from patron.decide.offpolicy.logged import Logged
from patron.decide.offpolicy.regress import cross_fit, folds

Table = NDArray[np.float64]
SITUATIONS = 2000
_WIDTH = 5
_AMOUNT = 1.0
"""Amounts are log-normal with this mean and deviation of their logarithm."""


class World(Struct, frozen=True):
    """What a simulated log is like."""

    name: str
    rows: int
    rate: float
    """About how often an action earns something."""
    actions: int = 8
    policies: Literal["near", "far", "greedy"] = "near"
    """`near`: two soft policies; `far`: the other one likes what the log rarely did; `greedy`: the other one is sure of
    itself, the log explored by inverse gap weighting."""
    amounts: bool = False
    """Rewards are skewed amounts, not 0 or 1."""
    visits: float = 1.0
    """Rows a person, on average; of one person they are alike."""


WORLDS = (
    World("clicks", 400, 0.1),
    World("rare clicks", 1500, 0.01),
    World("very rare, 80 actions", 10_000, 0.002, actions=80),
    World("amounts", 1000, 0.1, amounts=True),
    World("greedy from exploring", 1200, 0.1, policies="greedy"),
    World("far apart", 6000, 0.1, policies="far"),
    World("people with many rows", 2000, 0.1, visits=8.0),
)


class Population(Struct, frozen=True, eq=False):
    """A world's situations: features, the chance of earning by each action, both policies' probabilities."""

    world: World
    features: Table
    chance: Table
    logging: Table
    target: Table

    @property
    def value(self) -> float:
        """What the other policy earns per decision: the truth."""
        mean = float(np.exp(_AMOUNT + 0.5)) if self.world.amounts else 1.0
        return mean * float((self.target * self.chance).sum(axis=1).mean())


def populate(world: World) -> Population:
    """A world's population, always the same."""
    rng = np.random.default_rng(20_261)
    features = rng.normal(size=(SITUATIONS, _WIDTH))
    taste = features @ (rng.normal(size=(_WIDTH, world.actions)) / np.sqrt(_WIDTH))
    other = taste + 0.8 * features @ (rng.normal(size=(_WIDTH, world.actions)) / np.sqrt(_WIDTH))
    chance = 1 / (1 + np.exp(np.log(1 / world.rate - 1) - 0.7 * taste))
    if world.policies == "greedy":
        return Population(world, features, chance, _gap_weighted(taste), _one_hot(other))
    if world.policies == "far":
        return Population(world, features, chance, _soft(-1.5 * taste, 0.05), _soft(3 * taste, 0.0))
    return Population(world, features, chance, _soft(0.5 * taste, 0.1), _soft(2 * taste, 0.0))


def log(population: Population, seed: int) -> Logged:
    """One log, with a model of the reward fitted on it in folds."""
    world, rng = population.world, np.random.default_rng(seed)
    person, situation, luck = _asks(world, rng)
    rows = np.arange(world.rows)
    action = (population.logging[situation].cumsum(axis=1) > rng.random((world.rows, 1))).argmax(axis=1)
    earns = rng.random(world.rows) < np.minimum(1.0, population.chance[situation, action] * luck)
    reward = earns * (np.exp(rng.normal(_AMOUNT, 1.0, world.rows)) if world.amounts else 1.0)
    target = population.target[situation]
    fold = folds([f"p_{one}" for one in person.tolist()])
    fit = cross_fit(population.features[situation], action, reward, target, fold)
    return Logged.of(
        reward,
        population.logging[situation, action],
        target[rows, action],
        predicted=fit.predicted,
        expected=fit.expected,
        person=person if world.visits > 1 else None,
    )


class Coverage(Struct, frozen=True):
    """How an estimator's intervals did over many logs of one world."""

    world: str
    estimator: str
    seeds: int
    effective: float
    """Median effective sample."""
    covered: float
    """Share of intervals that contain the truth, of the logs that were not refused."""
    width: float
    """Median width over the width of the interval with the oracle's standard error (of the estimates themselves)."""
    verdicts: dict[str, int]


def cover(world: World, seeds: range, level: float = 0.95) -> list[Coverage]:
    """Every estimator with an interval, over logs with these seeds."""
    population = populate(world)
    found = [evaluate(log(population, seed), level) for seed in seeds]
    said = [one for one in found if one.headline is not None]
    verdicts = dict(Counter[str](one.verdict.name for one in found))
    effective = float(np.median([one.diagnostics.effective for one in found if one.diagnostics]))
    names = [each.name for each in said[0].estimates if each.name != "dm"]
    rows = []
    for name in names:
        covered, width = _against(said, name, population.value)
        rows.append(Coverage(world.name, name, len(seeds), effective, covered, width, verdicts))
    return rows


def _against(said: list[Evaluation], name: str, truth: float) -> tuple[float, float]:
    intervals = [each.interval for one in said for each in one.estimates if each.name == name]
    covered = np.mean([one.low <= truth <= one.high for one in intervals])
    oracle = 2 * 1.959964 * np.std([one.value for one in intervals])
    return float(covered), float(np.median([one.high - one.low for one in intervals]) / oracle)


def _asks(world: World, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64], Table]:
    """Person, situation and the person's own luck (mean 1) of each row; a person stays in one situation."""
    if world.visits <= 1:
        person = np.arange(world.rows)
        return person, rng.integers(0, SITUATIONS, world.rows), np.ones(world.rows)
    people = int(world.rows / world.visits)
    share = rng.gamma(2.0, size=people)
    person = np.sort(rng.choice(people, world.rows, p=share / share.sum()))
    luck = rng.gamma(4.0, 0.25, people)
    return person, rng.integers(0, SITUATIONS, people)[person], luck[person]


def _soft(score: Table, even: float) -> Table:
    weight: Table = np.exp(score - score.max(axis=1, keepdims=True))
    found: Table = (1 - even) * weight / weight.sum(axis=1, keepdims=True) + even / score.shape[1]
    return found


def _one_hot(score: Table) -> Table:
    found: Table = np.eye(score.shape[1])[score.argmax(axis=1)]
    return found


def _gap_weighted(score: Table) -> Table:
    gap = score.max(axis=1, keepdims=True) - score
    chance = np.where(gap == 0, 0.0, 1 / (score.shape[1] + 20 * gap))
    best = 1 - chance.sum(axis=1, keepdims=True)
    return np.where(gap == 0, best, chance)
