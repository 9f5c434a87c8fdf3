"""What a retailer can do at a decision point, and the policy that does one of these to each row, then goes on as usual."""

import numpy as np
from msgspec import Struct, structs

from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.luck import Dice, Ints
from patron.sim.policies import BusinessAsUsual
from patron.sim.policies.business_as_usual import LETTER_HOUR, SMS_HOUR
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.people import CHANNELS, EMAIL, SMS, Flags

USUAL, NONE, MANY = -2, -1, -3
"""In place of a channel or category: as usual; nothing; several things at once."""
_HOUR = 15.0
"""Local hour of messages on channels that business as usual does not use."""


class Action(Struct, frozen=True):
    """One action: a message, or what a touchpoint shows; the other of the two is as usual."""

    name: str
    channel: int = USUAL
    category: int = NONE
    offer: bool = False
    slot: int = USUAL


def messages(agreed: Flags) -> tuple[Action, ...]:
    """What can be written to somebody: on each channel that they agreed to, each category, with an offer and without.

    >>> [len(messages(np.array(agreed))) for agreed in ([0, 0, 0, 0], [1, 0, 0, 1])]
    [2, 50]
    """
    found = [Action("usual"), Action("none", channel=NONE)]
    for k in np.flatnonzero(agreed).tolist():
        for category in range(len(CATEGORIES)):
            found += [Action(named(code(k, category, offer)), k, category, offer) for offer in (False, True)]
    return tuple(found)


def slots() -> tuple[Action, ...]:
    """What a touchpoint can show to a visitor."""
    shown = [Action(f"slot:{name}", slot=category) for category, name in enumerate(CATEGORIES)]
    return (Action("usual"), Action("none", slot=NONE), *shown)


def code(channel: int, category: int | Ints, offer: bool | Flags) -> Ints:
    """A message as one number."""
    found: Ints = (channel * len(CATEGORIES) + np.asarray(category)) * 2 + np.asarray(offer)
    return found


def named(said: int | Ints) -> str:
    """The name of a message's code.

    >>> named(code(1, 0, True))
    'sms:coffee:offer'
    """
    rest, offer = divmod(int(said), 2)
    channel, category = divmod(rest, len(CATEGORIES))
    return f"{CHANNELS[channel]}:{CATEGORIES[category]}" + ":offer" * offer


class Acting:
    """Does one action to each row on one day, and business as usual on all others.

    Parameters
    ----------
    day : when.
    actions : one for each row of the population.

    Messages carry the creative of the week that business as usual would carry, at its hour, and are reminders.
    """

    def __init__(self, day: int, actions: list[Action]) -> None:
        self._day, self._usual = day, BusinessAsUsual()
        self._channel = np.array([one.channel for one in actions])
        self._category = np.array([one.category for one in actions])
        self._offer = np.array([one.offer for one in actions], dtype=np.bool_)
        self._slot = np.array([one.slot for one in actions])

    def messages(self, today: Today) -> list[Send]:
        """The actions' messages, and the usual ones to rows whose action is another."""
        usual = self._usual.messages(today)
        if today.day != self._day:
            return usual
        kept = [only(send, self._channel[send.rows] == USUAL) for send in usual]
        creative = Dice(today.setting.seed, today.date // 7).below(
            today.setting.parameters.messages.creatives, "creative"
        )
        return kept + [self._send(k, creative) for k in range(len(CHANNELS))]

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        """The actions' categories, and the usual one elsewhere."""
        usual = self._usual.slots(today, rows, channel)
        if today.day != self._day:
            return usual
        ours = self._slot[rows]
        shown: Ints = np.where(ours == USUAL, usual, ours)
        return shown

    def _send(self, channel: int, creative: int) -> Send:
        rows = np.flatnonzero(self._channel == channel)
        hour = {EMAIL: LETTER_HOUR, SMS: SMS_HOUR}.get(channel, _HOUR)
        return Send(
            channel,
            rows,
            self._category[rows],
            self._offer[rows],
            np.full(len(rows), creative),
            np.full(len(rows), hour),
            reminder=True,
            campaign="oracle",
        )


def only(send: Send, keep: Flags) -> Send:
    """The same messages to some of the addressees."""
    columns = {name: getattr(send, name)[keep] for name in ("rows", "category", "offer", "creative", "hour")}
    return structs.replace(send, **columns)
