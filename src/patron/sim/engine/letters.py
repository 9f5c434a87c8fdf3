"""Messages to people and what they do: impulse, memory, clicks, weariness (7.4)."""

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import Noted, Setting, State, sigmoid
from patron.sim.luck import Dice, Floats, Ints, Luck
from patron.sim.world.people import CALL, SMS, Flags, Population


class Send(Struct):
    """Messages of one channel that a policy sends on a day; rows of the population, one entry each."""

    channel: int
    """Index of `people.CHANNELS`."""
    rows: Ints
    category: Ints
    offer: Flags
    creative: Ints
    hour: Floats
    """Local hour of sending."""
    reminder: bool = False
    """Whether it reminds of something they buy, rather than being the same for everybody."""
    campaign: str = "newsletter"
    decisions: tuple[str, ...] = ()
    """Ids of the platform's decisions that these are, one entry each; empty when the retailer sends them by itself."""


class Delivered(Struct):
    """What the addressees of a `Send` did; one entry each, in its order."""

    send: Send
    opened: Flags
    clicked: Flags
    replied: Flags
    unsubscribed: Flags


def broadcast(
    channel: int, rows: Ints, category: int, *, offer: bool, creative: int, hour: float, campaign: str
) -> Send:
    """The same message to many."""
    n = len(rows)
    return Send(
        channel,
        rows,
        np.full(n, category, dtype=np.int64),
        np.full(n, offer, dtype=np.bool_),
        np.full(n, creative, dtype=np.int64),
        np.full(n, hour),
        campaign=campaign,
    )


def creatives(setting: Setting, channel: int) -> tuple[Floats, Floats]:
    """What each creative of a channel adds to the impulse, and to the chance of a click.

    The last `bait` ones get clicks but no sales: their click bonus is high, what they add to the impulse is not.
    """
    m, dice = setting.parameters.messages, Dice(setting.seed, (1 << 43) + channel)
    impulse = np.array([m.creative_spread * dice.normal("creative", k) for k in range(m.creatives)])
    clicks = impulse.copy()
    for k in range(max(0, m.creatives - m.bait), m.creatives):
        impulse[k], clicks[k] = -abs(impulse[k]), 2.0 * m.creative_spread
    return impulse, clicks


def impulse(setting: Setting, people: Population, state: State, need: Floats, send: Send) -> Floats:
    """What each message adds to the memory of its addressee, before the world's effect."""
    m, rows = setting.parameters.messages, send.rows
    reach, wanted = people.reach[rows, send.channel], need[rows, send.category]
    adds, _ = creatives(setting, send.channel)
    pull = reach * (m.low + m.need * wanted + adds[send.creative] / max(m.own, 1e-9))
    pull = pull + send.offer * m.offer * people.ps[rows] * wanted
    pull = pull * (1.0 + m.hour * np.cos(2.0 * np.pi * (send.hour - people.hour[rows]) / 24.0))
    if send.reminder:
        pull = np.where(people.annoyed[rows], -pull, pull)
    pushed: Floats = pull - m.weariness * people.irritable[rows] * state.fatigue[rows]
    return pushed


def unsubscribes(setting: Setting, people: Population, state: State, rows: Ints) -> Floats:
    """The chance that a message now makes its addressee unsubscribe."""
    m = setting.parameters.messages
    return sigmoid(m.unsubscribe + m.unsubscribe_fatigue * state.fatigue[rows] * people.irritable[rows])


def clicks(setting: Setting, people: Population, need: Floats, send: Send) -> Floats:
    """The chance of a click (seen by the retailer)."""
    m, rows = setting.parameters.messages, send.rows
    wanted, (_, lure) = need[rows, send.category], creatives(setting, send.channel)
    base = m.click * people.reach[rows, send.channel] * (m.click_low + (1.0 - m.click_low) * wanted)
    chance: Floats = np.clip(base * (1.0 + lure[send.creative]), 0.0, m.click_most)
    return chance


def deliver(
    setting: Setting, people: Population, state: State, noted: Noted, day: int, need: Floats, send: Send
) -> Delivered:
    """Send, and move what it leaves behind: memory, focus, fatigue, consents; and the retailer's own notes."""
    m, rows, k = setting.parameters.messages, send.rows, send.channel
    luck, here = Luck(setting.seed, people.ids[rows]), state.here[rows]
    effect = setting.parameters.world.effect
    pull = impulse(setting, people, state, need, send)
    clicked = here & (luck.uniform(day, f"click {k}") < clicks(setting, people, need, send))
    # mail programs open letters by themselves, those of people who left the shop, too
    by_machine = m.machine_opens * 0.25
    seen = by_machine + here * (0.06 + 0.35 * people.reach[rows, k])
    opened = clicked | (luck.uniform(day, f"open {k}") < seen)
    replied = clicked & (k == SMS) & (luck.uniform(day, "reply") < m.reply)
    state.memory[rows] += effect * pull
    state.fatigue[rows] += 1.0
    gone = here & (luck.uniform(day, f"unsubscribe {k}") < unsubscribes(setting, people, state, rows))
    gone &= k != CALL
    state.focus[rows], state.focus_since[rows], state.focus_offer[rows] = send.category, day, send.offer
    state.agreed[rows[gone], k] = False
    noted.sent[rows, k] += 1
    noted.clicked[rows, k] += clicked
    noted.reminded[rows, send.category] = day
    return Delivered(send, opened, clicked, replied, gone)
