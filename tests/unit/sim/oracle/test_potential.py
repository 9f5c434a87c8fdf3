"""Potential outcomes: the same luck for every action of a branch, another for every branch, and nothing else changed."""

import numpy as np
import pytest
from msgspec import structs

from patron.sim.engine.day import live_day
from patron.sim.engine.state import STORE
from patron.sim.luck import Luck
from patron.sim.oracle import potential as potentials
from patron.sim.oracle.actions import Acting
from patron.sim.oracle.branches import _arriving, _broken, _drifted, branched, live
from patron.sim.oracle.open_loop import relive
from patron.sim.oracle.points import MESSAGE, SLOT, Points, Wanted, fewest, gathered, schedule
from patron.sim.oracle.stack import take
from patron.sim.oracle.tally import Tally
from patron.sim.policies import Nothing
from patron.sim.town import Town
from patron.sim.world.people import tastes
from tests.unit.sim.oracle.towns import town

BRANCHES = 6
TUESDAY = 8
"""A day on which everybody who can be gets the weekly letter."""


@pytest.fixture(autouse=True)
def little_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few days before the first day told are enough here."""
    monkeypatch.setattr("patron.sim.oracle.open_loop.BURN_IN", 4)


def drawn(place: Town, day: int = TUESDAY, wanted: Wanted | None = None) -> Points:
    """Decision points of one day."""
    (found,) = relive(place, {day: wanted or Wanted(6, 6)}).points
    return found


def lived(place: Town, found: Points) -> tuple[Tally, list[int]]:
    """Every action at some points in every branch, as `potential` lays them out; how many actions each point has."""
    choices = [potentials.actions_at(found, row) for row in range(len(found.day))]
    at = np.repeat(np.arange(len(choices)), [len(some) * BRANCHES for some in choices])
    tally = live(
        place.setting,
        branched(place.setting, found.people.take(at), np.arange(len(at)) % BRANCHES),
        take(found.state, at),
        take(found.noted, at),
        Acting(TUESDAY, [one for some in choices for one in some for _ in range(BRANCHES)]),
        day=TUESDAY,
        date=place.first + TUESDAY,
        days=28,
        visiting=np.where(found.kind == MESSAGE, -1, found.channel)[at],
    )
    return tally, [len(some) for some in choices]


@pytest.fixture(scope="module")
def place() -> Town:
    """A town."""
    return town(days=12)


def test_the_action_that_was_taken_is_worth_what_the_world_as_lived_is_worth(place: Town) -> None:
    for day in (TUESDAY, TUESDAY + 1):
        rows, _ = potentials.potential(place.setting, place.first, drawn(place, day), BRANCHES, 12)
        told = [row for row in rows if row.did is not None]
        assert len(told) >= 10
        silent = [row.did == "none" for row in told if row.kind == "message"]
        assert all(silent) is (day != TUESDAY)
        for row in told:
            at, usual = row.actions.index(row.did or ""), row.actions.index("usual")
            for column in (row.value, row.gain, row.error, row.half, row.other_half):
                assert column[at] == column[usual]
        assert any(len(set(row.value)) > 3 for row in told)


def test_in_the_null_world_no_action_changes_what_anybody_buys(place: Town) -> None:
    for world, same in (("null", True), ("default", False)):
        other = town(world, days=12)
        tally, counts = lived(other, drawn(other))
        ends = np.cumsum([count * BRANCHES for count in counts])[:-1]
        for column in (tally.orders, tally.sales):
            found = [part.reshape(-1, BRANCHES) for part in np.split(column, ends)]
            assert all((part == part[:1]).all() for part in found) is same
            # branches differ, whatever the world
            assert any(len(np.unique(part[0])) > 1 for part in found)


def test_gain_is_the_value_beside_nothing_and_halves_make_the_whole(place: Town) -> None:
    rows, days = potentials.potential(place.setting, place.first, drawn(place), BRANCHES, 9)
    assert days == sum(len(row.actions) for row in rows) * BRANCHES * 9
    for row in rows:
        none = row.actions.index("none")
        assert row.gain[none] == row.gain_error[none] == 0
        for n in range(len(row.actions)):
            assert row.gain[n] == pytest.approx(row.value[n] - row.value[none], abs=2e-4)
            assert row.gain[n] == pytest.approx((row.half[n] + row.other_half[n]) / 2, abs=2e-4)


def test_a_message_point_offers_every_channel_agreed_and_no_other(place: Town) -> None:
    rows, _ = potentials.potential(place.setting, place.first, found := drawn(place), 2, 1)
    for n, row in enumerate(rows):
        kinds = {name.split(":")[0] for name in row.actions[2:]}
        if row.kind == "message":
            agreed = found.state.agreed[n]
            assert kinds == {name for k, name in enumerate(("email", "sms", "push", "call")) if agreed[k]}
            assert len(row.actions) == 2 + 24 * agreed.sum()
        else:
            assert kinds == {"slot"}
            assert len(row.actions) == 14


def test_a_message_costs_what_it_costs() -> None:
    # a person who never comes: what is left of a message is its price
    place = town(days=12)
    found = drawn(place, wanted=Wanted(8, 0))
    found.people.until[:] = -1
    rows, _ = potentials.potential(place.setting, place.first, found, 2, 1)
    costs = dict(zip(("email", "sms", "push", "call"), place.parameters.messages.costs, strict=True))
    for row in rows:
        for name, gain in zip(row.actions[2:], row.gain[2:], strict=True):
            assert gain == -costs[name.split(":")[0]]


@pytest.mark.parametrize("drift_day", [0, 5])
def test_visitors_of_a_slot_point_come_for_certain_and_where_they_came(drift_day: int) -> None:
    place = town(
        "drift" if drift_day else "default", customers=200, prospects=0, days=12, drift_day=drift_day
    )
    found = drawn(place, wanted=Wanted(4, 40))
    assert len(np.unique(found.channel[found.kind == SLOT])) > 1
    world = structs.replace(place.parameters.world, drift_day=0)
    calm = structs.replace(place.setting, parameters=structs.replace(place.parameters, world=world))
    for branch in range(3):
        lives = branched(place.setting, found.people, np.full(len(found.day), branch))
        coming = _arriving(lives, np.where(found.kind == SLOT, found.channel, -1))
        state, noted = take(found.state, np.arange(len(lives))), take(found.noted, np.arange(len(lives)))
        who = live_day(calm, coming, state, noted, Nothing(), TUESDAY, place.first + TUESDAY).shoppers
        came = dict(zip(who.rows.tolist(), who.channel.tolist(), strict=True))
        for row in np.flatnonzero(found.kind == SLOT).tolist():
            assert came[row] == found.channel[row]
        assert set(who.channel.tolist()) >= {STORE}


def test_a_branch_changes_luck_and_no_trait() -> None:
    place = town("drift", customers=200, prospects=0, drift_day=3)
    people, setting = place.people, place.setting
    seen = set()
    for branch in (0, 1, 999):
        lives = branched(setting, people, np.full(len(people), branch))
        broken = _broken(setting, people.ids)
        assert np.array_equal(_broken(setting, lives.ids)[people.app], broken[people.app])
        own = tastes(Luck(setting.seed, people.ids), setting.parameters, people.app, "taste after drift")
        assert np.array_equal(_drifted(setting, lives), own)
        assert (lives.ids >= 0).all()
        assert len(np.unique(lives.ids)) == len(people)
        seen.add(tuple(Luck(setting.seed, lives.ids).uniform(4, "visit").tolist()))
    assert len(seen) == 3
    again = branched(setting, people.take(np.array([7, 7])), np.array([1, 1]))
    assert again.ids[0] == again.ids[1]


def test_points_are_the_same_whoever_else_lives() -> None:
    place, wanted = town(customers=120, days=12), Wanted(7, 5)
    whole = relive(place, {TUESDAY: wanted}).points[0]
    cut = np.arange(len(place.people)) < 70
    some = [relive(place.take(np.flatnonzero(rows)), {TUESDAY: wanted}).points[0] for rows in (cut, ~cut)]
    joined = fewest(gathered(some), wanted)
    assert joined.people.ids.tolist() == whole.people.ids.tolist()
    assert np.array_equal(joined.state.since, whole.state.since)
    assert (whole.kind == MESSAGE).sum() == 7
    assert (whole.kind == SLOT).sum() == 5


def test_a_schedule_draws_what_is_asked_on_dates_spread_over_all_days() -> None:
    for days, sample in ((180, 2_000), (365, 2_000), (3, 500), (90, 2), (10, 31)):
        found = schedule(days, sample)
        assert sum(one.messages + one.slots for one in found.values()) == sample
        assert all(0 <= day < days for day in found)
    assert len({day % 7 for day in schedule(180, 2_000)}) == 7


def test_blocks_hold_every_point_once(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    found = drawn(place)
    for size in (1, 400, 10**6):
        monkeypatch.setattr(potentials, "ROWS", size)
        some = list(potentials.blocks(found, BRANCHES))
        assert [one for block in some for one in block.people.ids.tolist()] == found.people.ids.tolist()
        assert len(some) == {1: len(found.day), 10**6: 1}.get(size, len(some))
