"""The town against the figures of its specification, on seeds that were never used to set it.

Tolerances are four standard errors of the sample, computed over people (visits of one person hang together), plus
the rounding of the specification's own figure.
"""

import math

import numpy as np
import pytest

from patron.sim.engine.day import live_day
from patron.sim.engine.state import STORE, Setting, begin, nothing_noted
from patron.sim.luck import Luck
from patron.sim.policies import BusinessAsUsual
from patron.sim.telling.history import BURN_IN
from patron.sim.world.geography import TOWN
from patron.sim.world.identities import JUNK_EMAILS, dossier, noise_of, said_email, said_phone, till_email
from patron.sim.world.people import EMAIL, members, populate
from patron.sim.world.worlds import parameters

SEEDS = (1001, 1002, 1003)
DAYS = 90
START = 20_600
"""26 May 2026: the 90 days end before the season of weeks 46-52."""
HOUSES = 1_200
NOISE = noise_of(parameters())


class Tally:
    """Ninety days of a population, summed by person."""

    def __init__(self, seed, world="default", houses=HOUSES, mail=True):
        setting = Setting(seed, parameters(world), TOWN)
        ids = members(seed, range(100, 100 + houses), {})
        people = populate(seed, ids, setting.parameters, TOWN)
        if not mail:
            people.agreed[:] = False
        n, self.people = len(people), people
        self.charm = TOWN.pull(seed, setting.parameters)[people.home]
        self.visits, self.orders, self.value = np.zeros(n), np.zeros(n), np.zeros(n)
        self.store_orders, self.letters, self.browses = np.zeros(n), np.zeros(n), np.zeros(n)
        self.trace = []
        state, noted = begin(setting, people, -BURN_IN), nothing_noted(n)
        for day in range(-BURN_IN, DAYS):
            plan = live_day(setting, people, state, noted, BusinessAsUsual(), day, START + day)
            who = plan.shoppers
            self.trace.append((who.rows.tolist(), who.channel.tolist(), plan.bought.tolist()))
            if day < 0:
                continue
            bought = plan.bought.any(axis=1)
            self.visits[who.rows] += 1
            self.orders[who.rows] += bought
            self.value[who.rows] += (plan.spend * plan.bought).sum(axis=1)
            self.store_orders[who.rows] += bought & (who.channel == STORE)
            self.browses[plan.browsers] += 1
            for delivered in plan.delivered:
                self.letters[delivered.send.rows] += 1


@pytest.fixture(scope="module", params=SEEDS)
def tally(request):
    """One seed's ninety days."""
    return Tally(request.param)


def ratio(top, bottom):
    """A ratio of sums over people, and its standard error (linearised)."""
    value = top.sum() / bottom.sum()
    error = math.sqrt(((top - value * bottom) ** 2).sum()) / bottom.sum()
    return value, error


def test_offline_share_is_83_percent(tally):
    share, error = ratio(tally.store_orders, tally.orders)
    assert abs(share - 0.83) < 0.005 + 4 * error


def test_conversion_lies_between_42_and_45_percent(tally):
    share, error = ratio(tally.orders, tally.visits)
    assert 0.42 - 4 * error < share < 0.45 + 4 * error


def test_an_order_is_worth_about_39(tally):
    value, error = ratio(tally.value, tally.orders)
    assert abs(value - 39) < 2 + 4 * error


def test_people_order_about_5_times_in_90_days(tally):
    # six stores, some with more charm than others: what they draw is taken out
    orders = tally.orders / np.exp(tally.charm)
    assert abs(orders.mean() - 4.6 * 90 / 84) < 0.25 + 4 * orders.std() / math.sqrt(len(orders))


def test_household_sizes_and_adoption(tally):
    people = tally.people
    sizes = np.bincount(np.unique(people.household, return_counts=True)[1], minlength=5)[1:] / HOUSES
    expected = np.array([0.45, 0.30, 0.15, 0.10])
    assert np.all(np.abs(sizes - expected) < 4 * np.sqrt(expected * (1 - expected) / HOUSES))
    share = people.adopts.mean()
    assert abs(share - 0.38) < 4 * math.sqrt(0.38 * 0.62 / people.adopts.size)
    assert abs(people.alpha.mean() + 2.75) < 4 * 0.55 / math.sqrt(len(people))


def test_letters_move_people_and_in_the_null_world_nothing_does():
    written, unwritten = (Tally(1004, houses=300, mail=mail) for mail in (True, False))
    assert written.trace != unwritten.trace
    # paired luck: what letters do to those who answer to them is seen without noise
    answers = written.people.kind == EMAIL
    assert written.orders[answers].sum() > 1.01 * unwritten.orders[answers].sum()
    null_written, null_unwritten = (Tally(1004, "null", houses=300, mail=mail) for mail in (True, False))
    assert null_written.letters.sum() > 0
    assert null_written.trace == null_unwritten.trace


@pytest.fixture(scope="module")
def crowd():
    """3,000 people who share their homes."""
    return [dossier(1005, number, number % 3, True, parameters()) for number in range(20_000, 23_000)]


def near(count, n, share):
    """Whether a count is within four standard errors of a share."""
    return abs(count / n - share) < 4 * math.sqrt(share * (1 - share) / n)


def test_who_has_what(crowd):
    n = len(crowd)
    assert near(sum(p.install is not None for p in crowd), n, 0.35)
    assert near(sum(p.card is not None for p in crowd), n, 0.55)
    assert near(sum(bool(p.records) for p in crowd), n, 0.60)
    assert near(sum(p.second_email is not None for p in crowd), n, 0.25)
    assert near(sum(p.caller for p in crowd), n, 0.15)
    cardless = [p for p in crowd if p.card is None]
    assert near(sum(p.receipts for p in cardless), len(cardless), 0.40)
    homes = {p.household: p for p in crowd}.values()
    assert near(sum(p.family_email is not None for p in homes), len(homes), 0.30)
    assert near(sum(p.landline is not None for p in homes), len(homes), 0.10)
    cookies = [len(p.cookies) for p in crowd]
    # Poisson(2), at least one; second and further visits to the one tablet of a home add no cookie
    assert 1.9 < np.mean(cookies) < 2.2
    told = [c.told for p in crowd for c in p.cookies]
    assert near(sum(told), len(told), 0.45)
    # a third of them in each country, of which each agrees by its own share
    assert near(sum(p.consents["email_marketing"] for p in crowd), n, (0.72 + 0.78 + 0.64) / 3)
    copies = [len(p.records) - 1 for p in crowd if p.records]
    assert abs(np.mean(copies) - 0.6) < 4 * math.sqrt(0.6 / len(copies))


def test_identifiers_of_strangers_differ(crowd):
    for values in (
        [p.email for p in crowd],
        [p.phone for p in crowd],
        [p.card for p in crowd if p.card],
        [p.user_id for p in crowd if p.user_id],
        [p.install for p in crowd if p.install],
        [record for p in crowd for record in p.records],
    ):
        assert len(values) == len(set(values))


def test_how_addresses_are_written_wrong(crowd):
    plain = [p for p in crowd if not p.second_email and not p.family_email]
    n = len(plain)
    written = [(p, said_email(p, 0, NOISE)) for p in plain]
    assert near(sum("+shop" in w.lower() for _, w in written), n, 0.05)
    assert near(sum(w != w.strip() for _, w in written), n, 0.03)
    assert near(sum(w.strip().lower() != w.strip() for _, w in written), n, 0.10)
    typos = sum(w.strip().lower().replace("+shop", "") != p.email.lower() for p, w in written)
    # a swap of two equal letters is no typo: a little less than 2.5 %
    assert 0.015 - 4 * math.sqrt(0.025 / n) < typos / n < 0.025 + 4 * math.sqrt(0.025 / n)
    at_till = [till_email(p, 0, NOISE) for p in plain]
    assert near(sum(w in JUNK_EMAILS for w in at_till), n, 0.04)
    other = [p for p in crowd if p.second_email and not p.family_email]
    used = sum("@work.example" in said_email(p, 0, NOISE).lower() for p in other)
    assert near(used, len(other), 0.30)


def test_how_phones_are_written(crowd):
    mobile = [p for p in crowd if not p.landline]
    written = [(p, said_phone(p, 0, NOISE)) for p in mobile]
    n = len(written)
    assert near(sum(not w.startswith("+") for _, w in written), n, 0.55)
    assert near(sum("".join(w.split())[-8:] != p.phone[-8:] for p, w in written), n, 0.015)
    messy = [said_phone(p, 0, noise_of(parameters("messy"))) for p in mobile]
    assert sum(not w.startswith("+") for w in messy) > 0.9 * n


def test_a_day_draws_the_same_luck_for_any_subset():
    everybody = np.arange(4_000, 4_400)
    some = everybody[::7]
    for purpose in ("visit", "buy"):
        whole, part = (
            Luck(1010, everybody).uniform(33, purpose, 12),
            Luck(1010, some).uniform(33, purpose, 12),
        )
        assert np.array_equal(whole[::7], part)
