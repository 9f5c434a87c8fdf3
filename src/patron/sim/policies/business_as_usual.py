"""Business as usual: a weekly letter to everybody, a monthly SMS with an offer, the week's best-seller on every screen."""

import numpy as np

from patron.sim.engine.letters import Send, broadcast
from patron.sim.engine.policy import Today
from patron.sim.engine.shopping import prices
from patron.sim.luck import Dice, Ints
from patron.sim.world.catalogue import CYCLES, LIST_PRICES, season
from patron.sim.world.people import EMAIL, SMS

LETTER_WEEKDAY, LETTER_HOUR = 1, 8.0
SMS_DAYS, SMS_HOUR = 28, 11.0
_AMONG = 6


def best_seller(today: Today) -> int:
    """The category that the shop pushes this week: one of those that turn over most, at this week's prices."""
    week = today.date // 7
    wanted = season(today.date, today.setting.parameters.buying.season)
    turnover = LIST_PRICES / CYCLES * wanted / prices(today.setting, today.date)
    first = np.argsort(-turnover, kind="stable")[:_AMONG]
    return int(first[Dice(today.setting.seed, week).below(_AMONG, "best-seller")])


class BusinessAsUsual:
    """What most retailers do: the same for everybody."""

    def messages(self, today: Today) -> list[Send]:
        """The letter on Tuesdays; the SMS every four weeks."""
        sends, pushed = [], best_seller(today)
        creative = Dice(today.setting.seed, today.date // 7).below(
            today.setting.parameters.messages.creatives, "creative"
        )
        if today.weekday == LETTER_WEEKDAY:
            rows, name = today.reachable(EMAIL), f"newsletter-{today.date}"
            sends.append(
                broadcast(
                    EMAIL, rows, pushed, offer=False, creative=creative, hour=LETTER_HOUR, campaign=name
                )
            )
        if today.date % SMS_DAYS == 3:
            rows, name = today.reachable(SMS), f"sms-offer-{today.date}"
            sends.append(
                broadcast(SMS, rows, pushed, offer=True, creative=creative, hour=SMS_HOUR, campaign=name)
            )
        return sends

    def slots(self, today: Today, rows: Ints, _channel: Ints) -> Ints:
        """The best-seller, for everybody."""
        return np.full(len(rows), best_seller(today), dtype=np.int64)
