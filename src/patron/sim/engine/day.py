"""One day of everybody's life at once: messages arrive, people visit, buy, or go elsewhere; needs grow (7.3, 7.4).

All draws are named by person, day and purpose, so a day needs nothing but the state it starts from.
"""

import numpy as np
from msgspec import Struct

from patron.sim.engine import geofence, letters, minds, shopping
from patron.sim.engine.geofence import Crossings
from patron.sim.engine.letters import Delivered
from patron.sim.engine.media import Media, live_media
from patron.sim.engine.minds import Changes, Consents
from patron.sim.engine.policy import Policy, Today
from patron.sim.engine.shopping import Shoppers
from patron.sim.engine.state import APP, NEVER, STORE, Noted, Setting, State, needs
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.people import Flags, Population
from patron.sim.world.shops import COUNTRIES, OPENS, STORE_HOURS

EVENING = 17
"""Local hour from which a store with the evening fault sells badly."""


class Plan(Struct):
    """What happens on one day: rows of those who visit, where, and what they take."""

    day: int
    """Day of the history, 0 = the first one told."""
    date: int
    """Days since 1970."""
    need: Floats
    shoppers: Shoppers
    bought: Flags
    """(visitors, 12)."""
    wanted: Flags
    """What they would have taken, had the app let them pay: (visitors, 12)."""
    spend: Floats
    """What they meant to spend, in list-price EUR: (visitors, 12)."""
    offered: Flags
    """Lines bought at the discount of a message's offer: (visitors, 12)."""
    denied: Ints
    """Category whose coupon the till did not take from a visitor, -1 = none."""
    browsers: Ints
    """Rows of those who only look around on the web that day."""
    delivered: tuple[Delivered, ...]
    media: Media
    crossings: Crossings
    changes: Changes
    consents: Consents
    reviewed: Ints
    """Rows of those who are asked how yesterday's purchase was."""


def live_day(
    setting: Setting, people: Population, state: State, noted: Noted, policy: Policy, day: int, date: int
) -> Plan:
    """Live one day: returns what happens and moves `state` and `noted` on.

    `day` counts from the first day told and names the luck, so a history is the same on whatever date it is set; `date`
    (days since 1970) gives weekday, season and prices.
    """
    p = setting.parameters
    luck, need = Luck(setting.seed, people.ids), needs(p, people, state)
    state.memory *= p.messages.memory
    state.fatigue *= p.messages.fatigue
    today = Today(setting, people, state, noted, need, day, date, (date + 3) % 7)
    delivered = tuple(
        letters.deliver(setting, people, state, noted, day, need, send)
        for send in policy.messages(today)
        if len(send.rows)
    )
    changed, reviewed = minds.change(setting, people, state, day), _review(setting, state, day)
    media = live_media(setting, people, state, day)
    state.here &= day <= people.until
    rate = shopping.visit_rate(setting, people, state, day, date, need)
    near = geofence.passing(setting, people, state, rate, day)
    rate = geofence.drawn_in(setting, people, near, rate)
    going = state.here & (luck.uniform(day, "visit") < 1.0 - np.exp(-rate))
    going[media.acquired] = True
    rows = np.flatnonzero(going)
    channel = shopping.channels(setting, people, rows, day, date)
    shown = policy.slots(today, rows, channel)
    crossed = geofence.crossings(setting, people, near, rows, channel, day)
    who = shopping.shoppers(setting, people, state, rows, channel, need, shown, day)
    wanted, spend = _take(setting, people, state, who, need, day, date)
    bought = wanted & ~_fails(setting, people, who, day)[:, None]
    fresh = (day - state.focus_since[rows] < p.buying.focus_days) & state.focus_offer[rows]
    offered = bought & fresh[:, None] & (np.arange(len(CATEGORIES)) == state.focus[rows][:, None])
    refused = offered.any(axis=1) & _refuses(setting, people, who, day)
    denied = np.where(refused, state.focus[rows], -1)
    offered &= ~refused[:, None]
    looking = p.visits.browsing + p.visits.browsing_need * np.tanh(need.sum(axis=1))
    browsers = np.flatnonzero(
        (state.here | people.prospect) & ~going & (luck.uniform(day, "browse") < looking)
    )
    _close(setting, people, state, noted, day, need, who, bought)
    return Plan(
        day,
        date,
        need,
        who,
        bought,
        wanted,
        spend,
        offered,
        denied,
        browsers,
        delivered,
        media,
        crossed,
        changed,
        minds.consents(people, state),
        reviewed,
    )


def store_hours(setting: Setting, people: Population, rows: Ints, day: int) -> Ints:
    """The local hour at which visitors walk into a store: the same that `shops.opening_time` tells."""
    drawn = Luck(setting.seed, people.ids[rows]).uniform(day, "store hour")
    hours: Ints = OPENS + np.minimum(
        np.searchsorted(STORE_HOURS, drawn * STORE_HOURS[-1], side="right"), len(STORE_HOURS) - 1
    )
    return hours


def _take(
    setting: Setting,
    people: Population,
    state: State,
    who: Shoppers,
    need: Floats,
    day: int,
    date: int,
) -> tuple[Flags, Floats]:
    """What visitors mean to buy, and for how much."""
    extra = shopping.treatments(setting, people, state, who, need, day)
    late = setting.faulty["evening"]
    if late.any():
        hurt = late[people.home[who.rows]] & (who.channel == STORE)
        hurt &= store_hours(setting, people, who.rows, day) >= EVENING
        extra[hurt] += setting.parameters.pain.evening_fault
    chance = shopping.odds(setting, people, who, need, day, date, extra)
    drawn = Luck(setting.seed, people.ids[who.rows]).uniform(day, "buy", len(CATEGORIES))
    return drawn < chance, shopping.spends(setting, people, who, day)


def _fails(setting: Setting, people: Population, who: Shoppers, day: int) -> Flags:
    """Whether the app's checkout breaks: one version of it does, now and then."""
    pain, luck = setting.parameters.pain, Luck(setting.seed, people.ids[who.rows])
    broken = luck.uniform(0, "app version") < pain.app_version_share
    failed: Flags = (
        (who.channel == APP) & broken & (luck.uniform(day, "checkout fails") < pain.checkout_failure)
    )
    return failed


def _refuses(setting: Setting, people: Population, who: Shoppers, day: int) -> Flags:
    """Whether the till would not take a visitor's coupon: in one country, now and then."""
    pain, luck = setting.parameters.pain, Luck(setting.seed, people.ids[who.rows])
    codes = [country.code for country in COUNTRIES]
    there = people.country[who.rows] == codes.index(pain.coupon_country)
    refused: Flags = (
        (who.channel == STORE) & there & (luck.uniform(day, "coupon refused") < pain.coupon_refused)
    )
    return refused


def _review(setting: Setting, state: State, day: int) -> Ints:
    """Rows of those who got a receipt by mail yesterday: being asked how it was does them good."""
    rows = np.flatnonzero((state.reviewed == day - 1) & state.here)
    state.memory[rows] += setting.parameters.world.effect * setting.parameters.pain.review
    return rows


def _close(
    setting: Setting,
    people: Population,
    state: State,
    noted: Noted,
    day: int,
    need: Floats,
    who: Shoppers,
    bought: Flags,
) -> None:
    """End the day: met needs start again (here or at a competitor), the others grow, some people leave."""
    luck, rows = Luck(setting.seed, people.ids), who.rows
    met = luck.uniform(day, "leak", len(CATEGORIES)) < setting.parameters.needs.leak * need
    met[rows] |= bought
    state.since = np.where(met, 0.0, state.since + 1.0)
    buyers = rows[bought.any(axis=1)]
    state.here[buyers] &= luck.uniform(day, "leave")[buyers] >= people.leaving[buyers]
    wrote = np.flatnonzero(who.follow_up)
    state.followed[rows[wrote]] = day
    state.skill[rows[wrote]] = setting.staff.skills(day)[people.home[rows[wrote]], who.associate[wrote]]
    asks = luck.uniform(day, "asks receipt")[buyers] < setting.parameters.touchpoints.asks_receipt
    mailed = asks & people.receipts[buyers] & (who.channel[bought.any(axis=1)] == STORE)
    state.reviewed[buyers[mailed]] = day
    last = noted.last[rows]
    again = bought & (last > NEVER)
    noted.gaps[rows] += np.where(again, day - last, 0)
    noted.count[rows] += bought
    noted.last[rows] = np.where(bought, day, last)
