"""Worlds in which something does not happen: a channel falls silent, a platform shows no ads; all other luck is the same."""

from collections.abc import Set as AbstractSet

import numpy as np
from msgspec import Struct, structs

from patron.sim.engine.day import live_day
from patron.sim.engine.letters import Send
from patron.sim.engine.media import PLATFORMS, live_media
from patron.sim.engine.policy import Today
from patron.sim.engine.state import Setting, State
from patron.sim.luck import Ints
from patron.sim.oracle.open_loop import morning
from patron.sim.oracle.tally import Tally, nothing_yet
from patron.sim.people import CHANNELS, Flags, Population
from patron.sim.policies import BusinessAsUsual
from patron.sim.town import Town

SLOTS, ASSOCIATES, ADS = "slots", "associates", "ads"
ALL = (*CHANNELS, SLOTS, ASSOCIATES, ADS)
"""Everything that can fall silent: messages of each channel, touchpoints, associates' contacts, paid media."""


class Days(Struct):
    """The days told, lived without something."""

    tally: Tally
    won: Flags
    """Prospects who became customers in these days."""
    seen: Ints
    """Impressions: (n, platforms)."""
    clicked: Ints


class Quiet:
    """Business as usual, less some channels."""

    def __init__(self, silent: AbstractSet[str]) -> None:
        self._usual, self._silent = BusinessAsUsual(), silent

    def messages(self, today: Today) -> list[Send]:
        """The usual messages on the channels that are left."""
        return [send for send in self._usual.messages(today) if CHANNELS[send.channel] not in self._silent]

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """The usual category, or none."""
        shown = self._usual.slots(today, rows, channel)
        return np.full(len(rows), -1, dtype=np.int64) if SLOTS in self._silent else shown


def live_without(town: Town, silent: AbstractSet[str], platforms: AbstractSet[int] = frozenset()) -> Days:
    """Live the days told without some of `ALL`, and without ads of some platforms (indices of `PLATFORMS`)."""
    people, (state, noted) = town.people, morning(town)
    dark = frozenset(range(len(PLATFORMS))) if ADS in silent else platforms
    setting, policy = _unattended(town.setting) if ASSOCIATES in silent else town.setting, Quiet(silent)
    before, tally = state.won.copy(), nothing_yet(len(people))
    seen, clicked = (np.zeros((len(people), len(PLATFORMS)), dtype=np.int64) for _ in range(2))
    for day in range(town.days):
        if dark:
            darken(setting, people, state, day, dark)
        plan = live_day(setting, people, state, noted, policy, day, town.first + day)
        tally.add(setting, people, plan)
        seen += plan.media.seen
        clicked += plan.media.clicked
    return Days(tally, state.won & ~before, seen, clicked)


def darken(setting: Setting, people: Population, state: State, day: int, platforms: AbstractSet[int]) -> None:
    """Take out of a morning what these platforms will show today, so that the evening is as if they had not.

    The day's impressions are luck that depends on nothing else; how they fade is read off the media model itself.
    """
    ahead = structs.replace(
        state,
        ads=np.ones(len(people)),
        here=state.here.copy(),
        won=state.won.copy(),
        agreed=state.agreed.copy(),
    )
    seen = live_media(setting, people, ahead, day).seen
    fades = ahead.ads - seen.sum(axis=1)
    state.ads -= seen[:, sorted(platforms)].sum(axis=1) / fades


def _unattended(setting: Setting) -> Setting:
    """The same world with associates who speak to nobody."""
    associates = structs.replace(setting.parameters.associates, contact=(0.0, 0.0))
    return structs.replace(setting, parameters=structs.replace(setting.parameters, associates=associates))
