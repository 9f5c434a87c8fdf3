"""The guards of a launch over many simulated launches whose truth is known, looked at all the time."""

import numpy as np
import pytest

from patron.decide.launch.guards import STAGES, look, tripped
from patron.decide.launch.tally import Tally
from patron.decide.learn.grid import reward_steps
from patron.model.policies import Guard, Policy

ALPHA = 0.3
"""Of the policy; one guard at one placement has a third of it in each stage."""
LAUNCHES = 100


def _launch(
    seed: int, share: float, rate: float, *, harm: float = 0.0, money: bool = False, goodbye: float = 0.0
) -> int | None:
    """People come back as they like, and differ in taste; after how many decisions the guard tripped."""
    luck = np.random.default_rng(seed)
    people, decisions = 2_000, 4_000
    group = (luck.random(people) >= share).astype(int)
    taste, comes = luck.gamma(2.0, 0.5, people), luck.dirichlet(np.full(people, 0.5))
    metric = "unsubscribed" if goodbye else "reward"
    policy = Policy("a", "A", ("till",), guards=(Guard(metric),), alpha=ALPHA)
    tally = Tally()
    for n, person in enumerate(luck.choice(people, decisions, p=comes).tolist()):
        worse = group[person] == 0
        tally.decided(person, int(group[person]), 0)
        if luck.random() < rate * taste[person] * (1 - harm * worse):
            tally.rewarded(
                person, int(group[person]), reward_steps(luck.lognormal(3, 1) / 20 if money else 1.0)
            )
        if luck.random() < goodbye * (1 + 5 * harm * worse):
            tally.left(person)
        if n % 10 == 9 and tripped(look(policy, {"till": tally})):
            return n
    return None


def _tripped(**world: float) -> list[int]:
    found = [_launch(seed, **world) for seed in range(LAUNCHES)]  # type: ignore[arg-type]
    return [one for one in found if one is not None]


@pytest.mark.slow
@pytest.mark.parametrize(
    "world",
    [
        {"share": 0.01, "rate": 0.02}, {"share": 0.1, "rate": 0.1}, {"share": 0.5, "rate": 0.1},
        {"share": 0.5, "rate": 0.05, "money": True}, {"share": 0.1, "rate": 0.1, "goodbye": 0.005},
    ],
    ids=str,
)  # fmt: skip
def test_a_policy_that_is_no_worse_is_rarely_rolled_back(world: dict[str, float]) -> None:
    """At most alpha of each stage, and what chance adds to it in so many launches once in 740 runs."""
    share = ALPHA / STAGES
    assert len(_tripped(**world)) <= LAUNCHES * share + 3 * (LAUNCHES * share * (1 - share)) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "at_least"),
    [
        ({"share": 0.5, "rate": 0.1, "harm": 0.5}, 95), ({"share": 0.1, "rate": 0.2, "harm": 0.7}, 90),
        ({"share": 0.5, "rate": 0.1, "harm": 1.0, "goodbye": 0.01}, 95),
    ],
    ids=str,
)  # fmt: skip
def test_a_harmful_policy_is_stopped(world: dict[str, float], at_least: int) -> None:
    found = _tripped(**world)
    assert len(found) >= at_least
