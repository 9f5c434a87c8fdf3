"""Associates: what they are worth, what training adds, and contacts that never were."""

import datetime as dt
from collections import Counter

import numpy as np
import pytest
from msgspec import structs

from patron.model.clock import DAY
from patron.sim import make_town
from patron.sim.telling import cast
from patron.sim.telling.history import arrivals, days
from patron.sim.world.associates import QUARTER, Staff
from patron.sim.world.shops import associate
from patron.sim.world.sizes import places
from patron.sim.world.worlds import parameters

TODAY = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def staff() -> Staff:
    """That of a world of 24 stores."""
    return Staff(1_001, parameters().associates, places("S"))


def test_training_adds_to_skill_and_fades(staff: Staff) -> None:
    for day in (0, 37, 200):
        added = staff.skills(day) - staff.born
        assert added.min() >= 0.0
        just = (day - staff.trained) % QUARTER == 0
        assert np.allclose(added[just], staff.parameters.training)
    everyone = np.array([staff.skills(day) - staff.born for day in range(QUARTER)])
    assert np.allclose(everyone.max(axis=0), staff.parameters.training)
    assert np.allclose(everyone.mean(axis=0), staff.parameters.training / 2, rtol=0.02)


def test_few_associates_game_but_at_least_one(staff: Staff) -> None:
    share = [len(Staff(seed, staff.parameters, staff.geography).gaming) / 96 for seed in range(60)]
    assert min(share) > 0
    assert abs(np.mean(share) - 0.05) < 0.012  # at most one of a store is counted
    honest = structs.replace(staff.parameters, gaming=0.0)
    assert Staff(1_001, honest, staff.geography).gaming == {}
    assert len(Staff(1_001, structs.replace(staff.parameters, gaming=1e-9), staff.geography).gaming) == 1


def test_false_contacts_name_card_holders_who_were_not_there() -> None:
    town = make_town(1_001, TODAY, "S", 40)
    gaming = {
        associate(town.setting.geography.stores[store], 1 + number)
        for store, number in town.setting.staff.gaming.items()
    }
    came = {
        (int(town.people.ids[row]), plan.day) for plan in days(town) for row in plan.shoppers.rows.tolist()
    }
    liars, honest = Counter[str](), 0
    for _, _, told in arrivals(town):
        if told.message.get("event") != "Associate Contacted" or told.person in cast.DOSSIERS:
            continue
        if (told.person, told.at // DAY - town.first) in came:
            honest += 1
            continue
        liars[told.message["properties"]["associate_id"]] += 1
        assert {known["type"] for known in told.message["context"]["externalIds"]} == {"card"}
    assert set(liars) <= gaming
    assert liars.total() > 2 * len(gaming)
    assert honest > 100
