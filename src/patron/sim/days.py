"""One day of everybody's life at once: needs grow, letters arrive, people visit, buy, or go elsewhere (7.3, 7.4).

All draws are named by person, day and purpose, so a day needs nothing but the state it starts from. No text is
written here: a `Plan` says who did what, and `patron.sim.scenes` tells it in messages.
"""

import datetime as dt
from functools import lru_cache

import numpy as np
from msgspec import Struct

from patron.sim.catalogue import CATEGORIES, LIST_PRICES, promotion, season
from patron.sim.luck import Dice, Floats, Ints, Luck
from patron.sim.people import Flags, Population

STORE, WEB, APP = 0, 1, 2
_WEEKDAY = (-0.10, -0.10, -0.05, 0.0, 0.15, 0.35, 0.10)
NEWSLETTER_WEEKDAY = 1
BURN_IN = 45
"""Days lived before the first day that is told, so that needs have their usual spread."""
FOCUS_DAYS = 7
UNUSED = -1.6
"""Log-odds of buying in a category one never uses (a gift), beside one that one uses: brings conversion and basket to the
42-45 % and 39 of 7.8."""


class World(Struct, frozen=True):
    """What differs between the worlds of 7.1: how strong treatments are, and how dirty identities."""

    name: str = "default"
    effect: float = 1.0
    """Multiplies every treatment effect; 0 = nothing that is done to people changes what they do."""
    noise: float = 1.0
    """Multiplies every rate of wrongly written identifiers."""
    lost: float = 0.0
    """Share of messages that never arrive."""


WORLDS: dict[str, World] = {
    "default": World(),
    "null": World("null", effect=0.0),
    "messy": World("messy", noise=2.0, lost=0.05),
}


class State(Struct):
    """What a day hands to the next: n rows each."""

    since: Floats
    """Days since each need was last met: (n, 12)."""
    here: Flags
    """Still a customer."""
    memory: Floats
    """What the letters left behind (M of 7.4)."""
    fatigue: Floats
    listed: Flags
    """On the mailing list."""
    focus: Ints
    """Category of the last letter, -1 = none."""
    focus_since: Ints


class Mailing(Struct):
    """The newsletter of one day: its category, and what each addressee did."""

    category: int
    sent: Ints
    """Rows of the population."""
    opened: Flags
    clicked: Flags
    unsubscribed: Flags


class Plan(Struct):
    """What happens on one day: rows of those who visit, where, and what they take."""

    day: int
    """Day of the history, 0 = the first one told."""
    date: int
    """Days since 1970."""
    need: Floats
    visitors: Ints
    channel: Ints
    """`STORE`, `WEB` or `APP`, one a visitor."""
    contacted: Flags
    """Whether an associate spoke with the visitor."""
    bought: Flags
    """(visitors, 12)."""
    spend: Floats
    """What they meant to spend, in list-price EUR: (visitors, 12)."""
    browsers: Ints
    """Rows of those who only look around on the web that day."""
    mailing: Mailing | None = None


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def begin(seed: int, people: Population, first: int) -> State:
    """The state on a first day: needs at a random point of their cycle."""
    n = len(people)
    start = Luck(seed, people.ids).uniform(first, "since", len(CATEGORIES))
    return State(
        since=np.floor(start * people.tau),
        here=np.ones(n, dtype=np.bool_),
        memory=np.zeros(n),
        fatigue=np.zeros(n),
        listed=people.mail.copy(),
        focus=np.full(n, -1, dtype=np.int64),
        focus_since=np.full(n, -(10**6), dtype=np.int64),
    )


def needs(people: Population, state: State) -> Floats:
    """How much each person needs each category today, 0 to 1: (n, 12)."""
    need: Floats = people.adopts * sigmoid((state.since - people.tau) / (0.18 * people.tau))
    return need


def need_of(people: Population, state: State, row: int) -> Floats:
    """How much one person needs each category now: `needs` of a single row."""
    tau = people.tau[row]
    need: Floats = people.adopts[row] * sigmoid((state.since[row] - tau) / (0.18 * tau))
    return need


def buy_logit(people: Population, rows: Ints, need: Floats, price: Floats, extra: Floats) -> Floats:
    """Log-odds that visitors buy each category; `price` is relative to list, `extra` adds treatments."""
    logit: Floats = (
        -3.2
        + 3.3 * need[rows]
        + UNUSED * ~people.adopts[rows]
        - 0.9 * people.ps[rows][:, None] * np.log(price)[None, :]
        + extra
    )
    return logit


def _mail(seed: int, world: World, people: Population, state: State, day: int, need: Floats) -> Mailing:
    """Send the weekly newsletter and move what it leaves behind: memory, focus, fatigue, the list itself."""
    luck, category = Luck(seed, people.ids), Dice(seed, 0, day).below(len(CATEGORIES), "newsletter")
    sent = np.flatnonzero(state.listed)  # the shop does not know who has left
    wanted = need[:, category]
    creative = 0.15 * Dice(seed, category, 0).normal("creative")
    impulse = people.reach * (0.15 + 1.35 * wanted) + people.reach * creative
    impulse -= 0.10 * people.irritable * state.fatigue
    clicked = state.here & (
        luck.uniform(day, "click") < np.minimum(0.9, 0.75 * people.reach * (0.3 + 0.7 * wanted))
    )
    opened = clicked | (luck.uniform(day, "open") < 0.10 + state.here * (0.06 + 0.35 * people.reach))
    weary = sigmoid(-7.2 + 0.9 * state.fatigue * people.irritable)
    unsubscribed = state.here & (luck.uniform(day, "unsubscribe") < weary)
    state.memory[sent] += world.effect * impulse[sent]
    state.fatigue[sent] += 1.0
    state.focus[sent], state.focus_since[sent] = category, day
    state.listed[sent] &= ~unsubscribed[sent]
    return Mailing(category, sent, opened[sent], clicked[sent], unsubscribed[sent])


def _channels(luck: Luck, people: Population, rows: Ints, day: int) -> Ints:
    scores = people.taste[rows] + luck.gumbel(day, "channel", 3)[rows]
    chosen: Ints = np.argmax(scores, axis=1)
    return chosen


def _contacts(luck: Luck, rows: Ints, channel: Ints, need: Floats, day: int) -> Flags:
    """Associates speak to a share of visitors that depends on how busy they are, and rather to eager ones."""
    shift = 0.12 + 0.28 * luck.uniform(day, "shift")[rows]
    eager = 0.4 + 0.8 * need[rows].max(axis=1, initial=0.0)
    met: Flags = (channel == STORE) & (luck.uniform(day, "contact")[rows] < shift * eager)
    return met


def _treatments(world: World, state: State, rows: Ints, contacted: Flags, day: int) -> Floats:
    """What was done to the visitors, in log-odds of buying: the letter's category, and the associate's word."""
    extra = np.zeros((len(rows), len(CATEGORIES)))
    fresh = (day - state.focus_since[rows] < FOCUS_DAYS) & (state.focus[rows] >= 0)
    extra[fresh, state.focus[rows][fresh]] += 0.35
    extra[contacted] += 0.20
    return world.effect * extra


def prices(seed: int, date: int) -> Floats:
    """Price of each category on a date relative to list (promotions by week)."""
    return _prices(seed, date // 7)


@lru_cache(maxsize=256)
def _prices(seed: int, week: int) -> Floats:
    known = np.array([promotion(seed, category, week) for category in range(len(CATEGORIES))])
    known.flags.writeable = False
    return known


def live_day(
    seed: int, world: World, people: Population, state: State, day: int, date: int, rows: Ints | None = None
) -> Plan:
    """Live one day: returns what happens and moves `state` on.

    `day` counts from the first day told and names the luck, so a history is the same on whatever date it is
    set; `date` (days since 1970) gives weekday, season and prices. `rows` is for rehearsals in tests.
    """
    luck, need = Luck(seed, people.ids), needs(people, state)
    calendar = dt.date(1970, 1, 1) + dt.timedelta(days=date)
    state.memory *= 0.75
    state.fatigue *= 0.90
    mailing = None
    if calendar.weekday() == NEWSLETTER_WEEKDAY:
        mailing = _mail(seed, world, people, state, day, need)
    mood = np.exp(
        people.alpha + 1.25 * np.log1p(need.sum(axis=1)) + _WEEKDAY[calendar.weekday()] + state.memory
    )
    state.here &= day <= people.until
    going = state.here & (luck.uniform(day, "visit") < 1.0 - np.exp(-mood))
    visitors = np.flatnonzero(going) if rows is None else rows
    channel = _channels(luck, people, visitors, day)
    contacted = _contacts(luck, visitors, channel, need, day)
    extra = _treatments(world, state, visitors, contacted, day) + np.log(season(calendar.isocalendar().week))
    odds = sigmoid(buy_logit(people, visitors, need, prices(seed, date), extra))
    bought = luck.uniform(day, "buy", len(CATEGORIES))[visitors] < odds
    spend = LIST_PRICES * people.size[visitors][:, None]
    spend = spend * np.exp(0.35 * luck.normal(day, "basket", len(CATEGORIES))[visitors])
    looking = 0.02 + 0.05 * np.tanh(need.sum(axis=1))
    browsers = np.flatnonzero(state.here & ~going & (luck.uniform(day, "browse") < looking))
    _close(luck, people, state, day, need, visitors, bought)
    return Plan(day, date, need, visitors, channel, contacted, bought, spend, browsers, mailing)


def _close(
    luck: Luck, people: Population, state: State, day: int, need: Floats, visitors: Ints, bought: Flags
) -> None:
    """End the day: met needs start again (here or at a competitor), the others grow, some people leave."""
    met = luck.uniform(day, "leak", len(CATEGORIES)) < 0.09 * need
    met[visitors] |= bought
    state.since = np.where(met, 0.0, state.since + 1.0)
    buyers = visitors[bought.any(axis=1)]
    state.here[buyers] &= luck.uniform(day, "leave")[buyers] >= people.leaving[buyers]
