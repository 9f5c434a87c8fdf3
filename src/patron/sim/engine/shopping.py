"""Visits and purchases: who comes, through which channel, whom an associate meets, what they take (7.3, 7.4)."""

from functools import lru_cache

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import NEVER, STORE, Setting, State
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.world.catalogue import CATEGORIES, LIST_PRICES, promotion, season
from patron.sim.world.geography import STORE_LUCK
from patron.sim.world.people import EMAIL, Flags, Population, tastes
from patron.sim.world.weather import rain


class Shoppers(Struct):
    """The visitors of a day, one entry each."""

    rows: Ints
    channel: Ints
    """`STORE`, `WEB` or `APP`."""
    contacted: Flags
    """Whether an associate spoke with them."""
    associate: Ints
    """Number of that associate in the store, from 0."""
    prompted: Flags
    """Whether the tablet had drawn the associate's attention to them, at random."""
    follow_up: Flags
    """Whether that associate will write: they agreed to e-mails."""
    shown: Ints
    """Category shown at the touchpoint, -1 = none."""
    fitted: Flags
    """Whether they came for an appointment to try things on."""


def rain_at(setting: Setting, home: Ints, date: int) -> Floats:
    """How wet a date is in the city of each person's store, 0 to 1."""
    wet = np.array([rain(setting.seed, city.name, date) for city in setting.geography.cities])
    fallen: Floats = wet[setting.geography.city_of[home]]
    return fallen


def visit_rate(
    setting: Setting, people: Population, state: State, day: int, date: int, need: Floats
) -> Floats:
    """Lambda: how many visits a day each person is good for."""
    p = setting.parameters
    stores = setting.pull
    recent = (day - state.followed > 0) & (day - state.followed <= p.associates.follow_up_days)
    follow = recent * p.associates.follow_up_impulse * people.reach[:, EMAIL] * (1.0 + state.skill)
    mood = people.alpha + p.visits.need_weight * np.log1p(need.sum(axis=1)) + p.visits.weekday[(date + 3) % 7]
    mood = mood + stores[people.home] + state.memory + p.world.effect * follow
    rate: Floats = np.exp(mood - p.visits.rain * rain_at(setting, people.home, date))
    return rate


def channels(setting: Setting, people: Population, rows: Ints, day: int, date: int) -> Ints:
    """Where visitors go: the largest of liking and luck."""
    p, luck = setting.parameters, Luck(setting.seed, people.ids[rows])
    liking = people.taste[rows]
    if p.world.drift_day and day >= p.world.drift_day:
        liking = tastes(luck, p, people.app[rows], "taste after drift")
    scores = liking + luck.gumbel(day, "channel", 3)
    scores[:, STORE] -= p.channels.rain * rain_at(setting, people.home[rows], date)
    chosen: Ints = np.argmax(scores, axis=1)
    return chosen


def shoppers(
    setting: Setting,
    people: Population,
    state: State,
    rows: Ints,
    channel: Ints,
    need: Floats,
    shown: Ints,
    day: int,
) -> Shoppers:
    """Associates speak to a share of visitors that depends on how busy they are, and rather to eager ones."""
    p, luck = setting.parameters, Luck(setting.seed, people.ids[rows])
    a, here, (low, high) = p.associates, channel == STORE, p.associates.contact
    shift = low + (high - low) * busy(setting, day)[people.home[rows]]
    eager = a.eager_low + a.eager * need[rows].max(axis=1, initial=0.0)
    prompted = luck.uniform(day, "prompted") < a.prompted
    contacted = here & (luck.uniform(day, "contact") < np.where(prompted, shift, shift * eager))
    crew = setting.staff.crews[people.home[rows]]
    writes = contacted & (luck.uniform(day, "follow up") < a.follow_up)
    return Shoppers(
        rows,
        channel,
        contacted,
        (luck.uniform(day, "associate") * crew).astype(np.int64),
        prompted & contacted,
        writes & state.agreed[rows, EMAIL],
        shown,
        here & (luck.uniform(day, "appointment") < p.pain.appointments),
    )


def treatments(
    setting: Setting, people: Population, state: State, who: Shoppers, need: Floats, day: int
) -> Floats:
    """What was done to the visitors, in log-odds of buying each category: message, touchpoint, associate."""
    p, rows = setting.parameters, who.rows
    b, a = p.buying, p.associates
    extra = np.zeros((len(rows), len(CATEGORIES)))
    fresh = (day - state.focus_since[rows] < b.focus_days) & (state.focus[rows] >= 0)
    at = np.flatnonzero(fresh)
    extra[at, state.focus[rows][at]] += (
        b.focus + b.focus_offer * people.ps[rows][at] * state.focus_offer[rows][at]
    )
    at = np.flatnonzero(who.shown >= 0)
    what = who.shown[at]
    extra[at, what] += b.slot * (b.slot_low + (1.0 - b.slot_low) * need[rows[at], what])
    met = np.flatnonzero(who.contacted)
    if len(met):
        skill = setting.staff.skills(day)[people.home[rows[met]], who.associate[met]]
        again = (day - state.followed[rows[met]] <= a.follow_up_days) & (state.followed[rows[met]] > NEVER)
        extra[met] += (a.effect + skill + a.tablet + a.interaction * again)[:, None]
    return p.world.effect * extra


def buy_logit(
    setting: Setting, people: Population, rows: Ints, need: Floats, price: Floats, extra: Floats
) -> Floats:
    """Log-odds that visitors buy each category; `price` is relative to list, `extra` adds treatments."""
    p = setting.parameters
    logit: Floats = (
        p.buying.base
        + p.buying.need * need[rows]
        + p.needs.unused * ~people.adopts[rows]
        - p.buying.price * people.ps[rows][:, None] * np.log(price)[None, :]
        + extra
    )
    return logit


def busy(setting: Setting, day: int) -> Floats:
    """How busy each store is on a day, 0 to 1: it decides how many people are spoken to."""
    stores = np.arange(len(setting.geography.stores))
    return Luck(setting.seed, stores + STORE_LUCK).uniform(day, "shift")


def shelves(setting: Setting, day: int) -> Flags:
    """Whether each category is on the shelf of each store: (stores, 12)."""
    pain, bad = setting.parameters.pain, setting.faulty["stock"]
    missing = np.where(bad, pain.stock_fault, pain.out_of_stock)
    drawn = Luck(setting.seed, np.arange(len(bad)) + STORE_LUCK).uniform(day, "stock", len(CATEGORIES))
    there: Flags = drawn >= missing[:, None]
    return there


def stocked(setting: Setting, home: Ints, channel: Ints, day: int) -> Flags:
    """Whether each category is there where somebody stands: (visitors, 12). The web is never out."""
    there: Flags = shelves(setting, day)[home] | (channel != STORE)[:, None]
    return there


def odds(
    setting: Setting,
    people: Population,
    who: Shoppers,
    need: Floats,
    day: int,
    date: int,
    extra: Floats,
) -> Floats:
    """The chance that each visitor takes each category: (visitors, 12)."""
    logit = buy_logit(setting, people, who.rows, need, prices(setting, date), extra)
    logit = logit + np.log(season(date, setting.parameters.buying.season))[None, :]
    chance = 0.5 * (1.0 + np.tanh(0.5 * logit))
    better = 1.0 + setting.parameters.world.effect * setting.parameters.pain.try_on * who.fitted
    chance = np.minimum(1.0, chance * better[:, None])
    taken: Floats = chance * stocked(setting, people.home[who.rows], who.channel, day)
    return taken


def spends(setting: Setting, people: Population, who: Shoppers, day: int) -> Floats:
    """What each visitor would spend on each category, in list-price EUR: (visitors, 12)."""
    p, luck = setting.parameters, Luck(setting.seed, people.ids[who.rows])
    value = LIST_PRICES * people.size[who.rows][:, None]
    value = value * np.exp(p.buying.value_spread * luck.normal(day, "basket", len(CATEGORIES)))
    value = value * np.where(who.contacted, 1.0 + p.world.effect * (p.associates.basket - 1.0), 1.0)[:, None]
    poor = setting.faulty["basket"][people.home[who.rows]] & (who.channel == STORE)
    spent: Floats = value * np.where(poor, p.pain.basket_fault, 1.0)[:, None]
    return spent


def prices(setting: Setting, date: int) -> Floats:
    """Price of each category on a date relative to list (promotions by week)."""
    b = setting.parameters.buying
    return _prices(setting.seed, date // 7, b.promotion_weeks, b.promotion)


@lru_cache(maxsize=256)
def _prices(seed: int, week: int, share: float, factor: float) -> Floats:
    known = np.array([promotion(seed, category, week, share, factor) for category in range(len(CATEGORIES))])
    known.flags.writeable = False
    return known
