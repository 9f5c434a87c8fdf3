"""Needs and latent parameters: what the files say is what the engine lives by."""

import io
from pathlib import Path

import numpy as np
import pytest

from patron.sim.engine import state as engine
from patron.sim.engine.day import live_day
from patron.sim.oracle import needs
from patron.sim.oracle.latent import latent
from patron.sim.oracle.needs import BEFORE, ELSEWHERE, HERE, Needs
from patron.sim.oracle.open_loop import morning, relive
from patron.sim.policies import BusinessAsUsual
from patron.sim.town import Town
from tests.unit.sim.oracle.towns import town

NEAR = -2.0
"""Prospects so near that some come within a month."""


@pytest.fixture(scope="module")
def place() -> Town:
    """A town in which somebody becomes a customer, and somebody leaves."""
    return town(near=NEAR, customers=240, days=40)


@pytest.fixture(scope="module")
def found(place: Town) -> Needs:
    """Its needs."""
    return relive(place, {}).needs


def test_needs_and_customers_are_those_of_every_morning_lived_again(place: Town, found: Needs) -> None:
    people, (state, noted) = place.people, morning(place)
    came = left = 0
    for day in range(place.days):
        assert np.array_equal(found.since(day), state.since)
        assert np.array_equal(found.need(day), engine.needs(place.parameters, people, state))
        assert np.array_equal(found.customers(day), state.here)
        before = state.here.copy()
        live_day(place.setting, people, state, noted, BusinessAsUsual(), day, place.first + day)
        came, left = came + int((~before & state.here).sum()), left + int((before & ~state.here).sum())
    assert np.array_equal(found.since(place.days), state.since)
    assert came > 5
    assert left > 0


def test_a_need_that_nothing_meets_is_half_grown_on_the_day_it_is_due(found: Needs) -> None:
    due, uses = found.due(0), found.adopts
    for day in range(1, found.days):
        untouched = uses & (found.since(day) == found.since(0) + day)
        assert np.array_equal((due <= day)[untouched], (found.need(day) >= 0.5)[untouched])
    assert (due[~uses] == needs.FOREVER).all()


def test_what_was_bought_here_and_elsewhere_is_told_apart(place: Town, found: Needs) -> None:
    met = found.met
    assert (np.bincount(met.how, minlength=3) > 0).all()
    assert set(met.day[met.how == BEFORE]) <= set(range(-10_000, 0))
    people, (state, noted) = place.people, morning(place)
    bought = set()
    for day in range(place.days):
        plan = live_day(place.setting, people, state, noted, BusinessAsUsual(), day, place.first + day)
        at, category = np.nonzero(plan.bought)
        rows = plan.shoppers.rows[at]
        bought |= {(row, one, day) for row, one in zip(rows.tolist(), category.tolist(), strict=True)}
    here = met.how == HERE
    assert bought == set(
        zip(met.row[here].tolist(), met.category[here].tolist(), met.day[here].tolist(), strict=True)
    )
    assert (met.how[(met.day >= 0) & ~here] == ELSEWHERE).all()


def test_parts_of_the_people_join_to_the_whole_and_a_file_gives_back_what_was_written(
    place: Town, found: Needs, tmp_path: Path
) -> None:
    cut = np.arange(len(place.people)) < 130
    some = [relive(place.take(np.flatnonzero(rows)), {}).needs for rows in (cut, ~cut)]
    whole, again = io.BytesIO(), io.BytesIO()
    needs.write(found, whole)
    needs.write(needs.joined(some), again)
    assert whole.getvalue() == again.getvalue()
    (tmp_path / "needs.npz").write_bytes(whole.getvalue())
    read = needs.load(tmp_path / "needs.npz")
    assert np.array_equal(read.need(33), found.need(33))
    assert np.array_equal(read.due(33), found.due(33))
    with pytest.raises(ValueError, match="day 41 is not told"):
        read.need(41)


def test_latent_parameters_are_those_of_the_population() -> None:
    place = town("drift", customers=30, prospects=10)
    people, rows = place.people, list(latent(place))
    assert [row.person for row in rows] == people.ids.tolist()
    for name, column in {
        "alpha": people.alpha,
        "tau": people.tau,
        "adopts": people.adopts,
        "reach": people.reach,
        "price_sensitivity": people.ps,
        "irritable": people.irritable,
        "hour": people.hour,
        "size": people.size,
        "leaving": people.leaving,
        "intent": people.intent,
        "susceptible": people.susceptible,
        "prospect": people.prospect,
    }.items():
        assert np.array_equal(np.array([getattr(row, name) for row in rows]), column), name
    assert [row.answers_to for row in rows] == [
        ("email", "sms", "push", "call", "none")[kind] for kind in people.kind.tolist()
    ]
    stores = place.setting.geography.stores
    assert [row.home for row in rows] == [stores[home].id for home in people.home.tolist()]
    for row, app, taste in zip(rows, people.app.tolist(), people.taste.tolist(), strict=True):
        assert list(row.taste) == (taste if app else [*taste[:2], None])
        assert row.taste_after_drift is not None
        assert row.taste_after_drift[0] != row.taste[0]
    assert next(latent(town(customers=1, prospects=0))).taste_after_drift is None
