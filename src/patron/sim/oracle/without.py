"""Worlds in which something does not happen: a channel falls silent, a platform shows no ads; all other luck is the same."""

from collections.abc import Set as AbstractSet

import numpy as np
from msgspec import Struct, structs

from patron.sim.engine.day import live_day
from patron.sim.engine.letters import Send
from patron.sim.engine.media import PLATFORMS
from patron.sim.engine.policy import Today
from patron.sim.engine.state import Setting
from patron.sim.luck import Ints
from patron.sim.oracle.open_loop import morning
from patron.sim.oracle.tally import Tally, nothing_yet
from patron.sim.policies import BusinessAsUsual
from patron.sim.town import Town
from patron.sim.world.people import CHANNELS, PUSH, Flags

SLOTS, ASSOCIATES, ADS = "slots", "associates", "ads"
ALL = (*CHANNELS, SLOTS, ASSOCIATES, ADS)
"""Everything that can fall silent: messages of each channel, touchpoints, associates' contacts, paid media.

The push that greets people near a store is a push, too; what an associate writes after a contact is the associate's.
"""
_NEVER_AGAIN = 1 << 40
"""Days of rest between two such pushes that nobody lives to see the end of."""


class Days(Struct):
    """The days told, lived without something."""

    tally: Tally
    won: Flags
    """Prospects who became customers in these days."""
    seen: Ints
    """Impressions: (n, platforms)."""
    clicked: Ints
    greeted: int
    """Pushes to people who came near a store."""


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
    setting, policy = quiet(town.setting, silent, dark), Quiet(silent)
    found = Days(
        nothing_yet(len(people)), np.zeros(len(people), dtype=np.bool_), *_no_ads(len(people)), greeted=0
    )
    for day in range(town.days):
        plan = live_day(setting, people, state, noted, policy, day, town.first + day)
        found.tally.add(setting, people, plan)
        found.won[plan.media.acquired] = True
        found.seen += plan.media.seen
        found.clicked += plan.media.clicked
        found.greeted += int(plan.crossings.greeted.sum())
    return found


def _no_ads(people: int) -> tuple[Ints, Ints]:
    shape = (people, len(PLATFORMS))
    return np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)


def quiet(setting: Setting, silent: AbstractSet[str], dark: AbstractSet[int] = frozenset()) -> Setting:
    """The same world in which associates speak to nobody, phones do not ring near stores, platforms show nothing.

    What a policy decides, messages and slots, is left to `Quiet`.
    """
    p = setting.parameters
    if ASSOCIATES in silent:
        p = structs.replace(p, associates=structs.replace(p.associates, contact=(0.0, 0.0)))
    if CHANNELS[PUSH] in silent:
        p = structs.replace(p, geofence=structs.replace(p.geofence, entry_push_days=_NEVER_AGAIN))
    if dark:
        shown = tuple(0.0 if k in dark else often for k, often in enumerate(p.prospects.impressions))
        p = structs.replace(p, prospects=structs.replace(p.prospects, impressions=shown))
    return structs.replace(setting, parameters=p)
