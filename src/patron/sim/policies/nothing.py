"""No messages, nothing shown."""

import numpy as np

from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.luck import Ints


class Nothing:
    """The policy that does nothing: what would have happened anyway."""

    def messages(self, _today: Today) -> list[Send]:
        """None."""
        return []

    def slots(self, _today: Today, rows: Ints, _channel: Ints) -> Ints:
        """None."""
        return np.full(len(rows), -1, dtype=np.int64)
