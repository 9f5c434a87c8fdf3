"""Potential outcomes against lives counted by hand with luck of their own, and against who knows the truth.

Tolerances are four standard errors of both sides.
"""

import numpy as np
import pytest
from msgspec import structs

from patron.sim.engine.day import live_day
from patron.sim.engine.ledger import Ledger
from patron.sim.engine.letters import Send
from patron.sim.engine.policy import Today
from patron.sim.engine.state import NEVER, needs
from patron.sim.luck import Dice, Floats, Ints
from patron.sim.oracle import lifetimes
from patron.sim.oracle.actions import named
from patron.sim.oracle.open_loop import relive
from patron.sim.oracle.points import MESSAGE, Points, Wanted
from patron.sim.oracle.potential import potential
from patron.sim.oracle.rows import Potential
from patron.sim.oracle.stack import take
from patron.sim.policies import BusinessAsUsual, Nothing, Oracle
from patron.sim.town import Town
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.people import CHANNELS
from tests.unit.sim.oracle.towns import town

DAY, HORIZON, BRANCHES, LIVES = 9, 28, 120, 1_200


@pytest.fixture(scope="module")
def place() -> Town:
    """A town of customers."""
    return town(customers=400, prospects=0, days=10)


@pytest.fixture(scope="module")
def points(place: Town) -> Points:
    """Decision points of one Wednesday, of people who use no app: which version of it they have is no luck."""
    cut = place.take(np.flatnonzero(~place.people.app))
    (found,) = relive(cut, {DAY: Wanted(16, 16)}).points
    return found


@pytest.fixture(scope="module")
def values(place: Town, points: Points) -> list[Potential]:
    """What each action there is worth."""
    return potential(place.setting, place.first, points, BRANCHES, HORIZON)[0]


class Once:
    """One message to everybody on the first morning, then business as usual."""

    def __init__(self, name: str) -> None:
        self._usual = BusinessAsUsual()
        words = name.split(":")
        self._channel = CHANNELS.index(words[0]) if len(words) > 1 else None
        self._category = CATEGORIES.index(words[1]) if len(words) > 1 else 0
        self._offer = words[-1] == "offer"

    def messages(self, today: Today) -> list[Send]:
        if today.day > DAY:
            return self._usual.messages(today)
        if self._channel is None:
            return []
        rows = np.arange(len(today.people))
        creative = Dice(today.setting.seed, today.date // 7).below(8, "creative")
        category, offer = np.full(len(rows), self._category), np.full(len(rows), self._offer)
        hour = np.full(len(rows), {"email": 8.0, "sms": 11.0}.get(CHANNELS[self._channel], 15.0))
        return [Send(self._channel, rows, category, offer, np.full(len(rows), creative), hour, reminder=True)]

    def slots(self, today: Today, rows: Ints, channel: Ints) -> Ints:
        return self._usual.slots(today, rows, channel)


def by_hand(place: Town, points: Points, row: int, policy: object, days: int) -> Floats:
    """The margin of many lives of one person, each with a number, and so a luck, of its own."""
    at = np.full(LIVES, row)
    people = points.people.take(at)
    people = structs.replace(people, ids=people.ids + (1 + np.arange(LIVES)) * (1 << 46) + (1 << 23))
    state, noted, ledger = take(points.state, at), take(points.noted, at), Ledger()
    for day in range(DAY, DAY + days):
        plan = live_day(place.setting, people, state, noted, policy, day, place.first + day)
        ledger.add(place.setting, people, plan)
    return ledger.margin_by_person


def test_values_are_means_that_many_lives_counted_by_hand_have_too(
    place: Town, points: Points, values: list[Potential]
) -> None:
    beyond = tried = 0
    for row in (0, 7, 14):
        told = values[row]
        for name in ("none", told.actions[2], told.actions[-1]):
            margin = by_hand(place, points, row, Once(name), HORIZON)
            at, error = told.actions.index(name), margin.std() / np.sqrt(LIVES)
            assert abs(told.value[at] - margin.mean()) < 4 * np.hypot(told.error[at], error)
            beyond += abs(told.value[at] - margin.mean()) > 1.5 * np.hypot(told.error[at], error)
            tried += 1
    assert beyond < tried


def test_stated_errors_are_those_of_the_spread_between_seeds(place: Town, points: Points) -> None:
    # the same points with luck of another seed of branches: numbers that no other branch uses
    found = []
    for turn in range(8):
        other = structs.replace(
            points, people=structs.replace(points.people, ids=points.people.ids + turn * (1 << 30))
        )
        some = potential(place.setting, place.first, _only(other, slice(0, 4)), 40, 14)[0]
        found.append([(row.value[1], row.error[1]) for row in some])
    value, error = np.moveaxis(np.array(found), 2, 0)
    ratio = value.std(axis=0, ddof=1) / error.mean(axis=0)
    # four points of eight seeds each: the standard deviation is known to about one part in seven
    assert 0.55 < np.sqrt((ratio**2).mean()) < 1.6


def test_who_knows_the_truth_chooses_better_than_usual(
    place: Town, points: Points, values: list[Potential]
) -> None:
    chosen = greedy(place, points)
    better: dict[str, list[float]] = {"message": [], "slot": []}
    for row, name in zip(values, chosen, strict=True):
        gain = dict(zip(row.actions, row.gain, strict=True))
        better[row.kind].append(gain[name] - gain["usual"])
    assert np.mean(better["message"]) > 0
    assert np.mean(better["slot"]) > 0


def test_the_best_of_one_half_of_branches_is_good_in_the_other(values: list[Potential]) -> None:
    honest = [row.other_half[int(np.argmax(row.half))] for row in values]
    flattered = [max(row.half) for row in values]
    usual = [row.other_half[0] for row in values]
    assert np.mean(usual) < np.mean(honest) < np.mean(flattered)


def test_lifetimes_are_means_that_lives_counted_by_hand_have_too(place: Town, points: Points) -> None:
    start = lifetimes.Start(DAY, place.first + DAY, 150, days := 60)
    rows, _ = lifetimes.lifetimes(
        place.setting,
        points.people.take(np.array([0, 5])),
        take(points.state, np.array([0, 5])),
        take(points.noted, np.array([0, 5])),
        start,
    )
    for row, at in zip(rows, (0, 5), strict=True):
        margin = by_hand(place, points, at, Nothing(), days)
        assert abs(row.value - margin.mean()) < 4 * np.hypot(row.error, margin.std() / np.sqrt(LIVES))


def greedy(place: Town, points: Points) -> list[str]:
    """What the greedy oracle would do at each point, had nobody been reminded of anything before."""
    setting, people = place.setting, points.people
    state, noted = take(points.state, np.arange(len(people))), take(points.noted, np.arange(len(people)))
    state.memory *= setting.parameters.messages.memory
    state.fatigue *= setting.parameters.messages.fatigue
    noted.reminded[:] = NEVER
    need = needs(setting.parameters, people, state)
    today = Today(setting, people, state, noted, need, DAY, place.first + DAY, (place.first + DAY + 3) % 7)
    names = ["none"] * len(people)
    for send in Oracle().messages(today):
        for row, category in zip(send.rows.tolist(), send.category.tolist(), strict=True):
            names[row] = named((send.channel * 12 + category) * 2)
    rows = np.flatnonzero(points.kind != MESSAGE)
    for row, category in zip(
        rows.tolist(), Oracle().slots(today, rows, points.channel[rows]).tolist(), strict=True
    ):
        names[row] = f"slot:{CATEGORIES[category]}"
    return names


def _only(points: Points, rows: slice) -> Points:
    at = np.arange(len(points.day))[rows]
    plain = {name: getattr(points, name)[at] for name in ("day", "kind", "drawn", "channel", "did")}
    return Points(
        **plain, people=points.people.take(at), state=take(points.state, at), noted=take(points.noted, at)
    )
