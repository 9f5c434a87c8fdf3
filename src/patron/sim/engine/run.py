"""A policy over some days on people of a world: what `patron sim calibrate` and the built-in policies are judged by."""

from collections.abc import Callable

import numpy as np

from patron.sim.engine.day import live_day
from patron.sim.engine.ledger import Ledger
from patron.sim.engine.policy import Policy
from patron.sim.engine.state import Setting, begin, nothing_noted
from patron.sim.world.people import Population, members, populate

CHUNK = 4_000
"""People lived together: few enough for the caches, whatever the size of the world."""


def rehearse(
    setting: Setting,
    people: Population,
    policy: Callable[[], Policy],
    *,
    start: int,
    days: int,
    count_from: int,
) -> Ledger:
    """Let a policy act for `days` from date `start`; the ledger counts from day `count_from` on."""
    total = Ledger()
    for at in range(0, len(people), CHUNK):
        some = people.take(np.arange(at, min(at + CHUNK, len(people))))
        state, noted, own, ledger = begin(setting, some, 0), nothing_noted(len(some)), policy(), Ledger()
        before = state.agreed.copy()
        for day in range(days):
            plan = live_day(setting, some, state, noted, own, day, start + day)
            if day >= count_from:
                ledger.add(setting, some, plan)
        ledger.unsubscribed = int((before & ~state.agreed).any(axis=1).sum())
        total = total.merge(ledger)
    return total


def customers(setting: Setting, count: int) -> Population:
    """The first `count` people of a world."""
    ids = members(setting.seed, range(count), {})[:count]
    return populate(setting.seed, ids, setting.parameters, setting.geography)
