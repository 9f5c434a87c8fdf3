"""The app notices a store: who comes near, what the phone makes of it, and the push that greets them (7.4).

A phone knows its place with some noise, so a fence rings for people who only pass, and misses some who enter.
"""

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import STORE, Setting, State
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.world.people import PUSH, Flags, Population

INSIDE_M = 30.0
"""How far from the middle of a store its visitors are, at most."""


class Passing(Struct):
    """Who comes near their store on a day with the app on, one entry each; those who enter are told by `Crossings`."""

    rows: Ints
    distance: Floats
    """Nearest distance, m."""
    sensed: Flags
    """Whether the phone says that they are within the radius."""
    greeted: Flags
    """Whether a push greets them."""


class Crossings(Struct):
    """Everybody near a store with the app on: the truth that `Store Entered` is a report of."""

    rows: Ints
    distance: Floats
    sensed: Flags
    entered: Flags
    """Whether they really went in that day."""
    greeted: Flags


def passing(setting: Setting, people: Population, state: State, rate: Floats, day: int) -> Passing:
    """Who passes their store, `passers_by` for each who would visit; notes whom a push greets."""
    g, luck = setting.parameters.geofence, Luck(setting.seed, people.ids)
    near = np.minimum(0.9, g.passers_by * (1.0 - np.exp(-rate)))
    rows = np.flatnonzero(people.located & state.here & (luck.uniform(day, "passes") < near))
    distance = g.reach_m * luck.uniform(day, "passes at")[rows]
    seen = sensed(setting, people, rows, distance, day)
    rested = day - state.greeted[rows] >= g.entry_push_days
    greeted = seen & rested & state.agreed[rows, PUSH]
    state.greeted[rows[greeted]] = day
    state.fatigue[rows[greeted]] += 1.0
    return Passing(rows, distance, seen, greeted)


def sensed(setting: Setting, people: Population, rows: Ints, distance: Floats, day: int) -> Flags:
    """Whether phones at these distances say that they are within the radius."""
    g, luck = setting.parameters.geofence, Luck(setting.seed, people.ids[rows])
    measured = np.abs(distance + g.noise_m * luck.normal(day, "gps"))
    seen: Flags = (measured <= g.radius_m) & (luck.uniform(day, "fence") >= g.missed)
    return seen


def drawn_in(setting: Setting, people: Population, near: Passing, rate: Floats) -> Floats:
    """The rate of visits, higher for those who were greeted."""
    p, rows = setting.parameters, near.rows[near.greeted]
    rate = rate.copy()
    rate[rows] *= np.exp(p.world.effect * p.geofence.entry_push * people.reach[rows, PUSH])
    return rate


def crossings(
    setting: Setting, people: Population, near: Passing, rows: Ints, channel: Ints, day: int
) -> Crossings:
    """Who came near, the visitors (`rows`, `channel`) among them."""
    inside = rows[(channel == STORE) & people.located[rows]]
    walked = ~np.isin(near.rows, inside)
    distance = INSIDE_M * Luck(setting.seed, people.ids[inside]).uniform(day, "stands at")
    greeted = np.isin(inside, near.rows[near.greeted])
    return Crossings(
        np.concatenate([inside, near.rows[walked]]),
        np.concatenate([distance, near.distance[walked]]),
        np.concatenate([greeted | sensed(setting, people, inside, distance, day), near.sensed[walked]]),
        np.repeat([True, False], [len(inside), int(walked.sum())]),
        np.concatenate([greeted, near.greeted[walked]]),
    )
