"""Branches: the same person, the same morning, another luck from then on.

All luck is named by a person's number. A branch gives the same number other high bits, so one day of many branches is one
day of many rows, and all actions of a branch share its luck. What is drawn once for a person and is no luck of a day (which
version of the app, the tastes after a drift) stays that of the person. Weather, prices, stock and how busy stores are belong
to the world, and are the same in all branches.
"""

import numpy as np
from msgspec import structs

from patron.sim.engine.day import live_day
from patron.sim.engine.policy import Policy
from patron.sim.engine.state import Noted, Setting, State
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.oracle.tally import Tally, nothing_yet
from patron.sim.world.people import Flags, Population, tastes

MOST = 1_000
"""The largest number of branches."""
_BITS = 44
"""Above the numbers of people, households, stores and creatives."""
_TRIES = 512
_CERTAIN = 50.0
"""Log of a rate of visits at which nobody stays away."""


def branched(setting: Setting, people: Population, branch: Ints) -> Population:
    """The same people, each with the luck of a branch of its own: whole numbers from 0 below `MOST`, one a row."""
    broken = _broken(setting, people.ids)
    ids = people.ids + ((1 + branch * _TRIES) << _BITS)
    for _ in range(1, _TRIES):
        other = np.flatnonzero(people.app & (_broken(setting, ids) != broken))
        if not len(other):
            break
        ids[other] += 1 << _BITS
    return structs.replace(people, ids=ids)


def live(
    setting: Setting,
    people: Population,
    state: State,
    noted: Noted,
    policy: Policy,
    *,
    day: int,
    date: int,
    days: int,
    visiting: Ints | None = None,
) -> Tally:
    """Live `days` days from the morning of `day` on; `state` and `noted` move on.

    Parameters
    ----------
    people : as `branched` gives them.
    visiting : the channel through which each row is certain to come on the first day; -1 = as luck has it.
    """
    tally, drift = nothing_yet(len(people)), setting.parameters.world.drift_day
    calm = _without_drift(setting)
    for n in range(days):
        if drift and day + n >= drift and (n == 0 or day + n == drift):
            people = structs.replace(people, taste=_drifted(setting, people))
        who = people if n or visiting is None else _arriving(people, visiting)
        plan = live_day(calm, who, state, noted, policy, day + n, date + n)
        tally.add(calm, people, plan)
    return tally


def _broken(setting: Setting, ids: Ints) -> Flags:
    """Who has the version of the app that cannot pay."""
    broken: Flags = (
        Luck(setting.seed, ids).uniform(0, "app version") < setting.parameters.pain.app_version_share
    )
    return broken


def _drifted(setting: Setting, people: Population) -> Floats:
    """The tastes after the drift, of the person and not of the branch."""
    own = Luck(setting.seed, people.ids & ((1 << _BITS) - 1))
    return tastes(own, setting.parameters, people.app, "taste after drift")


def _without_drift(setting: Setting) -> Setting:
    if not setting.parameters.world.drift_day:
        return setting
    world = structs.replace(setting.parameters.world, drift_day=0)
    return structs.replace(setting, parameters=structs.replace(setting.parameters, world=world))


def _arriving(people: Population, visiting: Ints) -> Population:
    """The same people, on the way to the channel where each is certain to be seen."""
    sure = visiting >= 0
    there = np.where(visiting[:, None] == np.arange(3), 0.0, -np.inf)
    return structs.replace(
        people,
        alpha=np.where(sure, _CERTAIN, people.alpha),
        taste=np.where(sure[:, None], there, people.taste),
    )
