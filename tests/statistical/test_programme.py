"""The verdict of all deciding, looked at every day while the same people go on buying, on worlds whose truth is known."""

from collections import Counter

import numpy as np
import pytest

from patron.experiments.adjusted import Before
from patron.experiments.power import Plan
from patron.runtime.decisions.bought import spent

WORLDS, PEOPLE, DAYS, WINDOW = 100, 2_000, 60, 7


def _looks(rng: np.random.Generator, lift: float) -> list[str]:
    """What the page says, day after day, of people who come within the first 20 days. Revenue is in whole units."""
    habit = rng.gamma(3.0, 0.02, PEOPLE)
    treated, come = rng.random(PEOPLE) < 0.5, rng.integers(0, 20, PEOPLE)
    before = rng.gamma(1.0 + 90 * habit, 40.0)
    since, said = np.zeros(PEOPLE), list[str]()
    for day in range(DAYS):
        orders = rng.poisson(habit * np.where(treated, 1.0 + lift, 1.0)) * (come <= day)
        since += np.where(orders > 0, rng.gamma(np.maximum(orders, 1) * 2.0, 20.0), 0.0)
        closed = come + WINDOW <= day
        arms = [
            Before(before[closed & arm].tolist(), since[closed & arm].tolist()) for arm in (treated, ~treated)
        ]
        said.append(spent(arms[0], arms[1], Plan()).verdict)
    return said


@pytest.mark.parametrize("lift", [0.0, 0.4])
def test_a_verdict_looked_at_every_day_calls_an_effect_only_where_there_is_one(lift: float) -> None:
    rng = np.random.default_rng(20_268)
    worlds = [_looks(rng, lift) for _ in range(WORLDS)]
    called = Counter(name for said in worlds for name in set(said))
    last = Counter(said[-1] for said in worlds)
    if lift:
        assert last["up"] >= 0.95 * WORLDS, "twice the change that is planned for is seen"
        assert not called["down"]
        return
    at_most = 0.05 * WORLDS + 3 * (0.05 * 0.95 * WORLDS) ** 0.5
    assert called["up"] + called["down"] <= at_most, "one in twenty, however often somebody looks"
    assert last["none"] >= 0.8 * WORLDS, "enough people for a band of 20%"
