"""Small towns for the oracle files: a few households, with people who are no customers yet."""

import numpy as np
from msgspec import structs

from patron.sim.engine.state import Setting
from patron.sim.luck import Ints
from patron.sim.town import Town
from patron.sim.world.people import PROSPECTS, crowd, populate
from patron.sim.world.sizes import places
from patron.sim.world.worlds import parameters

FIRST = 20_521
"""Monday, 9 March 2026: letters go out on days 1 and 8, the SMS with an offer on day 6."""


def town(
    world: str = "default",
    customers: int = 60,
    prospects: int = 60,
    days: int = 30,
    seed: int = 1_006,
    *,
    drift_day: int | None = None,
    near: float | None = None,
) -> Town:
    """A town of a world; `drift_day` moves the drift, `near` draws prospects nearer, so that few days are enough."""
    given = parameters(world)
    if drift_day is not None:
        given = structs.replace(given, world=structs.replace(given.world, drift_day=drift_day))
    if near is not None:
        given = structs.replace(given, prospects=structs.replace(given.prospects, base=near))
    setting = Setting(seed, given, places("S"))
    ids: Ints = np.concatenate([crowd(seed, customers, 10), crowd(seed, prospects, PROSPECTS)])
    return Town(setting, FIRST, days, world, populate(seed, ids, given, setting.geography))
