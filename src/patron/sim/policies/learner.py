"""A simple learner on what a retailer sees: own cycles, the channel that is clicked, a personal slot."""

import numpy as np

from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.engine.state import NEVER, Noted, sigmoid
from patron.sim.luck import Floats, Ints
from patron.sim.policies.business_as_usual import best_seller
from patron.sim.world.catalogue import CYCLES, LIST_PRICES
from patron.sim.world.people import CALL, CHANNELS

_BELIEF = 2.0
"""How many intervals the catalogue's cycle is worth beside a person's own."""
_PRIOR = (0.6, 4.0)
"""Clicks and messages that every channel starts with."""
_REST = 7
"""Days between two messages to the same person."""
_STEEP = 0.30
_HOUR = 15.0
_UNKNOWN = 0.10
"""Need of a category that somebody has never bought."""


class Learner:
    """A message a week of what is probably needed most, on the channel that Thompson sampling over their clicks draws."""

    def messages(self, today: Today) -> list[Send]:
        """To everybody who can be written to and got none for a week; the best-seller when nothing was ever bought."""
        likely = _likely(today.noted, today.day)
        bought = (today.noted.last > NEVER).any(axis=1)
        category = np.where(bought, (likely * LIST_PRICES).argmax(axis=1), best_seller(today))
        rested = today.day - today.noted.reminded.max(axis=1) >= _REST
        due = rested & today.state.agreed[:, :CALL].any(axis=1)
        channel = self._channels(today)
        # it knows nothing of creatives, so it lets luck choose
        drawn = today.luck().uniform(today.day, "creative")
        creative = (drawn * today.setting.parameters.messages.creatives).astype(np.int64)
        return [self._send(k, np.flatnonzero(due & (channel == k)), category, creative) for k in range(CALL)]

    @staticmethod
    def _send(channel: int, rows: Ints, category: Ints, creative: Ints) -> Send:
        n, name = len(rows), f"personal-{CHANNELS[channel]}"
        none, hour = np.zeros(n, dtype=np.bool_), np.full(n, _HOUR)
        return Send(channel, rows, category[rows], none, creative[rows], hour, reminder=True, campaign=name)

    def slots(self, today: Today, rows: Ints, _channel: Ints) -> Ints:
        """What each visitor probably needs most, by price."""
        last = today.noted.last[rows]
        likely = np.where(last > NEVER, _likely(today.noted, today.day)[rows], _UNKNOWN)
        gain = (0.2 + 0.8 * likely) * (0.04 + likely * (1.0 - likely)) * LIST_PRICES
        best: Ints = gain.argmax(axis=1)
        return best

    def _channels(self, today: Today) -> Ints:
        """Thompson sampling: a draw of each channel's click rate (normal approximation of the Beta), the best reachable."""
        clicks, sent = today.noted.clicked[:, :CALL] + _PRIOR[0], today.noted.sent[:, :CALL] + _PRIOR[1]
        rate = clicks / sent
        spread = np.sqrt(rate * (1.0 - rate) / (sent + 1.0))
        drawn = rate + spread * today.luck().normal(today.day, "channel", CALL)
        drawn[~today.state.agreed[:, :CALL]] = -np.inf
        chosen: Ints = drawn.argmax(axis=1)
        return chosen


def _likely(noted: Noted, day: int) -> Floats:
    """How much each category is probably needed, by the time since it was bought; 0 for what never was."""
    due = (day - noted.last) / own_cycles(noted) - 1.0
    likely: Floats = np.where(noted.last > NEVER, sigmoid(due / _STEEP), 0.0)
    return likely


def own_cycles(noted: Noted) -> Floats:
    """Each person's cycle of each category: the mean of their own intervals, leaning on the catalogue's."""
    intervals = np.maximum(noted.count - 1, 0)
    cycle: Floats = (noted.gaps + _BELIEF * CYCLES) / (intervals + _BELIEF)
    return cycle
