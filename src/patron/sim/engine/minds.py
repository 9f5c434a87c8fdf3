"""People change their minds about what the shop may do: each consent of one in fifty, a month (7.4)."""

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import Setting, State
from patron.sim.luck import Ints, Luck
from patron.sim.world.people import EMAIL, SMS, Flags, Population

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
    """Those with an address in the files who change a consent today; moves `state`."""
    drawn = Luck(setting.seed, people.ids).uniform(day, "changes mind", len(PURPOSES))
    moved = (drawn < setting.parameters.consent.changes / 30.0) & (people.listed & state.here)[:, None]
    rows, purpose = np.nonzero(moved)
    granted = np.zeros(len(rows), dtype=np.bool_)
    for k, stands in enumerate((state.agreed[:, EMAIL], state.profiled, state.agreed[:, SMS])):
        mine = rows[purpose == k]
        stands[mine] = ~stands[mine]
        granted[purpose == k] = stands[mine]
    return Changes(rows, purpose, granted)


def consents(people: Population, state: State) -> Consents:
    """What stands at the end of a day, beside what was said at first."""
    asked = (~people.prospect | state.won)[:, None]
    refused = asked & people.agreed & ~state.agreed
    return Consents(state.agreed & ~people.agreed, refused, state.profiled.copy())
