"""The greedy oracle: it reads the truth and does, each day, what brings most by the equations. A lower bound of the optimum."""

import numpy as np

from patron.sim.engine import shopping
from patron.sim.engine.letters import Send, creatives, impulse, unsubscribes
from patron.sim.engine.policy import Today
from patron.sim.engine.state import sigmoid
from patron.sim.luck import Floats, Ints
from patron.sim.policies.business_as_usual import BusinessAsUsual
from patron.sim.world.catalogue import LIST_PRICES, season
from patron.sim.world.people import CALL, CHANNELS

_LOSS = 6.0
"""What an unsubscription costs, in margin: the messages that can no longer be sent."""
_FLOOR = 0.30
"""What a message must gain, in margin, to be worth the patience it uses up."""
_REST = 13
"""Days of rest between two messages."""


class Oracle:
    """Greedy on the true parameters.

    Parameters
    ----------
    messages, slots
        Whether to choose these; what it does not choose is as usual.
    """

    def __init__(self, *, messages: bool = True, slots: bool = True) -> None:
        self._writes, self._shows, self._usual = messages, slots, BusinessAsUsual()

    def messages(self, today: Today) -> list[Send]:
        """For each person the message that gains most today, if it gains anything."""
        if not self._writes:
            return self._usual.messages(today)
        gain, category, creative = self._gains(today)
        best = gain.argmax(axis=1)
        rested = today.day - today.noted.reminded.max(axis=1) >= _REST
        chosen = (gain.max(axis=1) > 0) & today.state.here & rested
        sends = []
        for k in range(CALL):
            rows = np.flatnonzero(chosen & (best == k))
            none = np.zeros(len(rows), dtype=np.bool_)
            sends.append(
                Send(
                    k,
                    rows,
                    category[rows],
                    none,
                    np.full(len(rows), creative[k]),
                    today.people.hour[rows],
                    reminder=True,
                    campaign=f"oracle-{CHANNELS[k]}",
                )
            )
        return sends

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """The category whose odds grow most, by price."""
        if not self._shows:
            return self._usual.slots(today, rows, channel)
        p, need = today.setting.parameters, today.need
        zero = np.zeros((len(rows), need.shape[1]))
        price = shopping.prices(today.setting, today.date)
        logit = shopping.buy_logit(today.setting, today.people, rows, need, price, zero)
        logit = logit + np.log(season(today.date, p.buying.season))
        lift = p.world.effect * p.buying.slot * (p.buying.slot_low + (1.0 - p.buying.slot_low) * need[rows])
        best: Ints = ((sigmoid(logit + lift) - sigmoid(logit)) * LIST_PRICES * price).argmax(axis=1)
        return best

    def _gains(self, today: Today) -> tuple[Floats, Ints, list[int]]:
        """Margin gained by the best message of each channel, (n, 3), with its category and the channel's best creative."""
        setting, people, need = today.setting, today.people, today.need
        p, n = setting.parameters, len(people)
        everybody = np.arange(n)
        rate = shopping.visit_rate(setting, people, today.state, today.day, today.date, need)
        price = shopping.prices(setting, today.date)
        chance = sigmoid(shopping.buy_logit(setting, people, everybody, need, price, np.zeros_like(need)))
        value = chance * LIST_PRICES * price * people.size[:, None]
        worth = p.buying.margin * value.sum(axis=1)
        # a message works for some days, fading; a need that is met early is not met again later
        lasting = 1.0 / (1.0 - p.messages.memory)
        focus = (
            p.buying.margin
            * (sigmoid(np.log(chance / (1 - chance)) + p.buying.focus) - chance)
            * LIST_PRICES
            * people.size[:, None]
        )
        category = (need * LIST_PRICES * chance).argmax(axis=1)
        gains, best = np.full((n, CALL), -np.inf), []
        for k in range(CALL):
            adds, _ = creatives(setting, k)
            best.append(int(adds.argmax()))
            send = Send(
                k,
                everybody,
                category,
                np.zeros(n, dtype=np.bool_),
                np.full(n, best[k]),
                people.hour,
                reminder=True,
            )
            pull = p.world.effect * impulse(setting, people, today.state, need, send)
            more = rate * (np.exp(pull) - 1.0) * lasting * worth
            more = more + p.world.effect * rate * p.buying.focus_days * focus[everybody, category]
            lost = unsubscribes(setting, people, today.state, everybody) * _LOSS
            gains[:, k] = np.where(today.state.agreed[:, k], more - lost - p.messages.costs[k], -np.inf)
        return gains - _FLOOR, category, best
