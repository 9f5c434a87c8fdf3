"""The rule that many loyalty programmes have: the weekly letter speaks of what the catalogue says is due again."""

import numpy as np
from msgspec import structs

from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.engine.state import NEVER
from patron.sim.luck import Ints
from patron.sim.policies.business_as_usual import BusinessAsUsual
from patron.sim.world.catalogue import CYCLES
from patron.sim.world.people import EMAIL


class Rule:
    """A reminder in the weekly letter of what was last bought its catalogue cycle ago; all else as usual."""

    def __init__(self) -> None:
        self._usual = BusinessAsUsual()

    def messages(self, today: Today) -> list[Send]:
        """The usual messages; in letters the category that is longest overdue, if any is."""
        return [
            self._personal(today, send) if send.channel == EMAIL else send
            for send in self._usual.messages(today)
        ]

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """The best-seller, for everybody."""
        return self._usual.slots(today, rows, channel)

    def _personal(self, today: Today, send: Send) -> Send:
        last = today.noted.last[send.rows]
        overdue = np.where(last > NEVER, (today.day - last) / CYCLES, 0.0)
        due = overdue.max(axis=1, initial=0.0) >= 1.0
        category = np.where(due, overdue.argmax(axis=1), send.category)
        return structs.replace(send, category=category, reminder=True, campaign=f"reminder-{today.date}")
