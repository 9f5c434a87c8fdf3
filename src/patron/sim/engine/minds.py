"""People change their minds about what the shop may do: about one in fifty a month (7.4)."""

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import Setting, State
from patron.sim.luck import Ints, Luck
from patron.sim.people import EMAIL, SMS, Flags, Population

PURPOSES = ("email_marketing", "personalization", "sms_marketing")
"""What people change in their account."""


class Changes(Struct):
    """Consents given or taken back on a day, one entry each."""

    rows: Ints
    purpose: Ints
    """Index of `PURPOSES`."""
    granted: Flags


class Consents(Struct):
    """What differs on a day from what people said at first: (n, 4) by channel, and personalization."""

    agreed: Flags
    refused: Flags
    profiled: Flags


def change(setting: Setting, people: Population, state: State, day: int) -> Changes:
    """Those with an address in the files who change one consent today, and move `state`."""
    luck = Luck(setting.seed, people.ids)
    moved = luck.uniform(day, "changes mind") < setting.parameters.consent.changes / 30.0
    rows = np.flatnonzero(moved & people.listed & state.here)
    purpose = (luck.uniform(day, "which purpose")[rows] * len(PURPOSES)).astype(np.int64)
    granted = np.zeros(len(rows), dtype=np.bool_)
    for k, channel in ((0, EMAIL), (2, SMS)):
        mine = purpose == k
        granted[mine] = state.agreed[rows[mine], channel] = ~state.agreed[rows[mine], channel]
    mine = purpose == 1
    granted[mine] = state.profiled[rows[mine]] = ~state.profiled[rows[mine]]
    return Changes(rows, purpose, granted)


def consents(people: Population, state: State) -> Consents:
    """What stands at the end of a day, beside what was said at first."""
    asked = (~people.prospect | state.won)[:, None]
    refused = asked & people.agreed & ~state.agreed
    return Consents(state.agreed & ~people.agreed, refused, state.profiled.copy())
