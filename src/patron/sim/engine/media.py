"""Paid media and prospects: who sees ads, and who becomes a customer with or without them (7.4).

The usual campaign is broad: it reaches prospects and customers alike. An ad moves those who were not coming anyway, so
the platform's own count of conversions says little about its effect.
"""

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import Setting, State, sigmoid
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.world.people import Flags, Population

PLATFORMS = ("ads_a", "ads_b")
CAMPAIGN = "broad"


class Media(Struct):
    """The ads of one day, n rows each: impressions and clicks on each platform, and who came for the first time."""

    seen: Ints
    """(n, platforms)."""
    clicked: Flags
    """(n, platforms)."""
    acquired: Ints
    """Rows of prospects who become customers today."""
    unaided: Flags
    """Of these, who would have come today without any ad."""


def live_media(setting: Setting, people: Population, state: State, day: int) -> Media:
    """Show the day's ads, and let prospects become customers."""
    luck, p = Luck(setting.seed, people.ids), setting.parameters.prospects
    drawn = luck.uniform(day, "ad", len(PLATFORMS))
    seen = (drawn < np.array(p.impressions) / 7.0).astype(np.int64)
    clicked = (seen > 0) & (luck.uniform(day, "ad click", len(PLATFORMS)) < p.clicks)
    state.ads = state.ads * (1.0 - 1.0 / p.lasts) + seen.sum(axis=1)
    waiting = np.flatnonzero(people.prospect & ~state.here & ~state.won)
    u = luck.uniform(day, "acquired")[waiting]
    came = u < daily(setting, people, state, waiting, setting.parameters.world.effect)
    rows = waiting[came]
    state.here[rows] = state.won[rows] = True
    state.agreed[rows] = people.agreed[rows]
    return Media(seen, clicked, rows, (u < daily(setting, people, state, waiting, 0.0))[came])


def daily(setting: Setting, people: Population, state: State, rows: Ints, effect: float) -> Floats:
    """The chance of becoming a customer today, from the 28-day chance of the model."""
    p = setting.parameters.prospects
    pull = effect * p.ad * people.susceptible[rows] * np.log1p(state.ads[rows])
    within = sigmoid(p.base + people.intent[rows] + p.near * people.near[rows] + pull)
    chance: Floats = 1.0 - (1.0 - within) ** (1.0 / p.lasts)
    return chance
