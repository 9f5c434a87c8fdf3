"""The bandit bake-off: one pass over each set, loss of the actions chosen, one configuration for all."""

import numpy as np
from patron.cli.bench.bandits_sets import Problem
from patron.decide.learn.choose import Choosing, draw
from patron.decide.learn.learner import Learner, Learning


def play(problem: Problem, seed: int, choosing: Choosing = Choosing(), rows: int | None = None, **learning: float) -> tuple[float, float]:
    """The share of wrong choices in one pass, and the smallest propensity that was logged."""
    asks, right, actions = problem
    learner = Learner(Learning(features=asks.shape[1], constant=float(asks[0, 0]), **learning))
    names = [str(action) for action in range(actions)]
    for name in names:
        learner.add(name)
    order = np.random.default_rng(100 + seed).permutation(len(asks))[:rows]
    numbers = np.random.default_rng(1000 + seed).random(len(order))
    every = learner.rows(names)
    wrong, least = 0, 1.0
    for seen, (place, u) in enumerate(zip(order, numbers, strict=True)):
        scores = learner.score(asks[place], every)
        chances = choosing.propensities(scores.means, scores.widths, seen)
        chosen = draw(chances, u)
        least = min(least, chances[chosen])
        learner.observe(names[chosen], asks[place])
        if chosen == right[place]:
            learner.reward(names[chosen], asks[place], 1.0)
        else:
            wrong += 1
    return wrong / len(order), float(least)
