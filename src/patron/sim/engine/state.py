"""What a day hands to the next: needs, memories, consents; and what the retailer could note of it."""

from functools import cached_property

import numpy as np
from msgspec import Struct

from patron.sim.luck import Floats, Ints, Luck
from patron.sim.world.associates import Staff
from patron.sim.world.catalogue import CATEGORIES, Assortment
from patron.sim.world.geography import FAULTS, Geography
from patron.sim.world.parameters import Parameters
from patron.sim.world.people import Flags, Population

NEVER = -(10**6)
"""A day before all days."""
STORE, WEB, APP = 0, 1, 2


class Setting(Struct, frozen=True, dict=True):
    """The world that people live in: luck, parameters, places, goods. Nothing of it changes."""

    seed: int
    parameters: Parameters
    geography: Geography
    assortment: Assortment = Assortment()

    @cached_property
    def pull(self) -> Floats:
        """What each store adds to the log of visits."""
        return self.geography.pull(self.seed, self.parameters)

    @cached_property
    def staff(self) -> Staff:
        """Who works in the stores."""
        return Staff(self.seed, self.parameters.associates, self.geography)

    @cached_property
    def faulty(self) -> dict[str, Flags]:
        """Name of a fault -> whether each store has it."""
        stores = range(len(self.geography.stores))
        return {fault: np.array([self.geography.faults.get(n) == fault for n in stores]) for fault in FAULTS}


class State(Struct):
    """The truth of n people on a morning, n rows each."""

    since: Floats
    """Days since each need was last met: (n, 12)."""
    here: Flags
    """Still a customer."""
    memory: Floats
    """What messages left behind (M of 7.4)."""
    fatigue: Floats
    """How many messages they feel they got (F)."""
    agreed: Flags
    """Channels on which the shop may write to them: (n, 4)."""
    profiled: Flags
    """Whether the shop may personalize."""
    focus: Ints
    """Category of the last message, -1 = none."""
    focus_since: Ints
    focus_offer: Flags
    """Whether that message carried an offer."""
    followed: Ints
    """Day of the last follow-up by an associate."""
    greeted: Ints
    """Day of the last push for passing a store."""
    reviewed: Ints
    """Day on which the shop asked how the last purchase was."""
    skill: Floats
    """Skill of the associate who wrote it."""
    ads: Floats
    """Impressions of paid media, fading over 28 days."""
    won: Flags
    """Prospects who have become customers."""


class Noted(Struct):
    """What the retailer's own records say of n people: purchases by category, messages and clicks by channel."""

    last: Ints
    """Day of the last purchase: (n, 12); `NEVER` = none yet."""
    count: Ints
    """Purchases: (n, 12)."""
    gaps: Ints
    """Days between the first and the last of them: (n, 12)."""
    sent: Ints
    """Messages: (n, 4)."""
    clicked: Ints
    reminded: Ints
    """Day of the last reminder of each category: (n, 12)."""


def begin(setting: Setting, people: Population, first: int) -> State:
    """The state on a first day: needs at a random point of their cycle."""
    n = len(people)
    start = Luck(setting.seed, people.ids).uniform(first, "since", len(CATEGORIES))
    return State(
        since=np.floor(start * people.tau),
        here=~people.prospect,
        memory=np.zeros(n),
        fatigue=np.zeros(n),
        agreed=people.agreed & ~people.prospect[:, None],
        profiled=people.profiled.copy(),
        focus=np.full(n, -1, dtype=np.int64),
        focus_since=np.full(n, NEVER, dtype=np.int64),
        focus_offer=np.zeros(n, dtype=np.bool_),
        followed=np.full(n, NEVER, dtype=np.int64),
        greeted=np.full(n, NEVER, dtype=np.int64),
        reviewed=np.full(n, NEVER, dtype=np.int64),
        skill=np.zeros(n),
        ads=np.zeros(n),
        won=np.zeros(n, dtype=np.bool_),
    )


def nothing_noted(n: int) -> Noted:
    """The records of a retailer who has just opened."""
    wide = (n, len(CATEGORIES))
    return Noted(
        last=np.full(wide, NEVER, dtype=np.int64),
        count=np.zeros(wide, dtype=np.int64),
        gaps=np.zeros(wide, dtype=np.int64),
        sent=np.zeros((n, 4), dtype=np.int64),
        clicked=np.zeros((n, 4), dtype=np.int64),
        reminded=np.full(wide, NEVER, dtype=np.int64),
    )


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def needs(p: Parameters, people: Population, state: State) -> Floats:
    """How much each person needs each category today, 0 to 1: (n, 12)."""
    need: Floats = people.adopts * sigmoid((state.since - people.tau) / (p.needs.steepness * people.tau))
    return need


def need_of(p: Parameters, people: Population, state: State, row: int) -> Floats:
    """How much one person needs each category now: `needs` of a single row."""
    tau = people.tau[row]
    need: Floats = people.adopts[row] * sigmoid((state.since[row] - tau) / (p.needs.steepness * tau))
    return need
