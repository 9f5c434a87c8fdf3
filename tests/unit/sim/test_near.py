"""The app near a store: whom it notices, whom it greets, and what that does."""

import datetime as dt

import numpy as np
import pytest

from patron.sim import make_town
from patron.sim.engine.day import Plan
from patron.sim.luck import Dice
from patron.sim.messages import Pen
from patron.sim.telling.floor import come_near
from patron.sim.telling.history import arrivals, days
from patron.sim.telling.occasion import Occasion
from patron.sim.town import Town
from patron.sim.world.shops import STORES

TODAY = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def lived() -> tuple[Town, list[Plan]]:
    """A town of 3,000 people for two months."""
    town = make_town(1_001, TODAY, "S", 60)
    return town, list(days(town))


def test_only_phones_that_may_tell_where_they_are(lived: tuple[Town, list[Plan]]) -> None:
    town, plans = lived
    for plan in plans:
        assert town.people.located[plan.crossings.rows].all()
        assert len(set(plan.crossings.rows.tolist())) == len(plan.crossings.rows)


def test_fences_miss_some_and_ring_for_passers_by(lived: tuple[Town, list[Plan]]) -> None:
    town, plans = lived
    g = town.parameters.geofence
    entered = np.concatenate([plan.crossings.entered for plan in plans])
    sensed = np.concatenate([plan.crossings.sensed for plan in plans])
    distance = np.concatenate([plan.crossings.distance for plan in plans])
    missed, n = 1.0 - sensed[entered].mean(), int(entered.sum())
    assert abs(missed - g.missed) < 4 * (g.missed * (1 - g.missed) / n) ** 0.5
    outside = ~entered & (distance > g.radius_m + 3 * g.noise_m)
    assert sensed[outside].mean() < 0.01
    assert (
        2.0 < (~entered).sum() / entered.sum() < g.passers_by / 0.8
    )  # some pass on a day on which they enter, too


def test_nobody_is_greeted_twice_within_a_week(lived: tuple[Town, list[Plan]]) -> None:
    town, plans = lived
    last, count = dict[int, int](), 0
    for plan in plans:
        for row in plan.crossings.rows[plan.crossings.greeted].tolist():
            assert plan.day - last.get(row, -100) >= town.parameters.geofence.entry_push_days
            last[row], count = plan.day, count + 1
    assert count > 50


def test_what_is_sensed_is_told_once() -> None:
    town = make_town(1_001, TODAY, 300, 20)
    sensed = sum(int(plan.crossings.sensed.sum()) for plan in days(town))
    messages = {
        told.message["messageId"]
        for _, _, told in arrivals(town)
        if told.message.get("event") == "Store Entered" and told.person != 8
    }
    assert abs(sensed - len(messages)) <= 0.02 * sensed + 8  # those of the last hours are still on their way


def test_where_the_phone_says_it_is_hangs_on_the_seed() -> None:
    spots = set()
    for seed in (1_001, 1_002):
        town = make_town(seed, TODAY, "S", 1)
        who = Occasion(town.setting, town.noise, Pen(7, 12, 3), Dice(seed, 12, 3), town.who(0), STORES[2], 3)
        come_near(who, 1_770_000_000_000, 40.0)
        (told,) = who.pen.told
        spot = told.message["properties"]
        spots.add((spot["lat"], spot["lon"], spot["accuracy_m"]))
        assert abs(spot["lat"] - STORES[2].lat) < 0.01
        assert abs(spot["lon"] - STORES[2].lon) < 0.01
    assert len(spots) == 2
