"""`clv`: what each customer brings in the year after the last day told, when nobody writes to them or shows them anything."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import Noted, Setting, State
from patron.sim.luck import Ints
from patron.sim.oracle.branches import branched, live
from patron.sim.oracle.potential import ROWS
from patron.sim.oracle.rows import Lifetime
from patron.sim.oracle.stack import take
from patron.sim.oracle.tally import cents
from patron.sim.policies import Nothing
from patron.sim.world.people import Population

HORIZON = 365


def groups(here: Ints, rollouts: int) -> Iterator[Ints]:
    """The rows of those who are still customers, in parts of about `ROWS` lives."""
    size = max(1, ROWS // rollouts)
    for at in range(0, len(here), size):
        yield here[at : at + size]


class Start(Struct, frozen=True):
    """The morning that lifetimes begin with, how many of each customer are lived, and for how many days."""

    day: int
    date: int
    rollouts: int
    horizon: int


def lifetimes(
    setting: Setting,
    people: Population,
    state: State,
    noted: Noted,
    start: Start,
) -> tuple[list[Lifetime], int]:
    """The lifetimes of some customers, and how many days of people were lived for it."""
    rollouts, horizon = start.rollouts, start.horizon
    at = np.repeat(np.arange(len(people)), rollouts)
    branch = np.arange(len(at)) % rollouts
    ahead = take(state, at)
    lives = branched(setting, people.take(at), branch)
    tally = live(
        setting, lives, ahead, take(noted, at), Nothing(), day=start.day, date=start.date, days=horizon
    )
    shape = (len(people), rollouts)
    margin, orders = tally.margin.reshape(shape), tally.orders.reshape(shape)
    error = margin.std(axis=1, ddof=1) / np.sqrt(rollouts)
    stays = ahead.here.reshape(shape).mean(axis=1)
    found = [
        Lifetime(
            int(people.ids[row]),
            cents(float(margin[row].mean())),
            cents(float(error[row])),
            cents(float(orders[row].mean())),
            cents(float(stays[row])),
        )
        for row in range(len(people))
    ]
    return found, len(at) * horizon


def gone(person: int) -> Lifetime:
    """The lifetime of somebody who has left: nobody comes back."""
    return Lifetime(person, 0.0, 0.0, 0.0, 0.0)
