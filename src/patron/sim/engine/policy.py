"""What a policy is asked, and what it may look at."""

from typing import Protocol

import numpy as np
from msgspec import Struct

from patron.sim.engine.letters import Send
from patron.sim.engine.state import Noted, Setting, State
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.world.people import Population


class Today(Struct, frozen=True):
    """A day as a policy finds it. `noted`, `agreed` and the calendar are what a retailer knows; the rest is the truth."""

    setting: Setting
    people: Population
    state: State
    noted: Noted
    need: Floats
    day: int
    date: int
    weekday: int
    """0 = Monday."""

    def reachable(self, channel: int) -> Ints:
        """Rows of those who agreed to a channel. The shop does not know who has left."""
        return np.flatnonzero(self.state.agreed[:, channel])

    def luck(self) -> Luck:
        """The luck of a policy's own draws, named by person."""
        return Luck(self.setting.seed ^ 0x9A7, self.people.ids)


class Policy(Protocol):
    """A policy decides for each person by what is known of them alone, so that any subset of people fares the same."""

    def messages(self, today: Today) -> list[Send]:
        """What is sent this morning."""
        ...

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """Category shown to each visitor, -1 = none."""
        ...
