"""Decision points: mornings of people who can be written to, and visits to a touchpoint, drawn from the world as lived."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from patron.sim.engine.day import Plan
from patron.sim.engine.state import Noted, State
from patron.sim.luck import Floats, Ints, Luck
from patron.sim.oracle.actions import MANY, NONE, code
from patron.sim.oracle.stack import join, take
from patron.sim.town import Town
from patron.sim.world.people import Population

MESSAGE, SLOT = 0, 1
KINDS = ("message", "slot")
DATES = 84
"""At most so many dates are drawn from: twelve of each weekday, spread over all days told."""
_A_DATE = 24
"""Points wanted of each date, when there are dates enough."""


class Wanted(Struct, frozen=True):
    """How many points of each kind to keep of a day."""

    messages: int
    slots: int


class Points(Struct):
    """Some decision points of one day, as its morning finds them; one row each."""

    day: Ints
    kind: Ints
    drawn: Floats
    """The luck that chose them: the smallest are kept."""
    channel: Ints
    """Of slots: where they came, as in `Shoppers.channel`."""
    did: Ints
    """What the retailer did, as `actions.code`."""
    people: Population
    state: State
    noted: Noted


def schedule(days: int, sample: int) -> dict[int, Wanted]:
    """The days to draw from, spread evenly, and how many points of each.

    >>> schedule(90, 48)
    {22: Wanted(messages=12, slots=12), 67: Wanted(messages=12, slots=12)}
    """
    dates = max(1, min(days, DATES, sample // _A_DATE))
    slots = sample // 2
    found = {}
    for n in range(dates):
        day = (2 * n + 1) * days // (2 * dates)
        found[day] = Wanted((sample - slots + n) // dates, (slots + n) // dates)
    return found


def points(town: Town, state: State, noted: Noted, plan: Plan, wanted: Wanted) -> Points:
    """The points of one day; `state` and `noted` are those of its morning."""
    luck = Luck(town.seed, town.people.ids)
    reached = np.flatnonzero(state.agreed.any(axis=1))
    # who is won by an ad today comes for the first time: in the morning they were nobody's customer
    known = state.here[plan.shoppers.rows]
    visits, shown = plan.shoppers.rows[known], plan.shoppers.shown[known]
    channel = np.full(len(town.people), NONE)
    channel[visits] = plan.shoppers.channel[known]
    seen = np.full(len(town.people), NONE)
    seen[visits] = shown
    kept = []
    for kind, rows, count, did in (
        (MESSAGE, reached, wanted.messages, _sent(plan, len(town.people))),
        (SLOT, visits, wanted.slots, seen),
    ):
        drawn = luck.uniform(plan.day, f"oracle {KINDS[kind]}")
        chosen = np.sort(rows[np.argsort(drawn[rows], kind="stable")[:count]])
        n = len(chosen)
        kept.append(
            Points(
                np.full(n, plan.day),
                np.full(n, kind),
                drawn[chosen],
                channel[chosen],
                did[chosen],
                town.people.take(chosen),
                take(state, chosen),
                take(noted, chosen),
            )
        )
    return gathered(kept)


def gathered(some: Sequence[Points]) -> Points:
    """All points of several stacks."""
    plain = {
        name: np.concatenate([getattr(one, name) for one in some])
        for name in ("day", "kind", "drawn", "channel", "did")
    }
    return Points(
        **plain,
        people=join([one.people for one in some]),
        state=join([one.state for one in some]),
        noted=join([one.noted for one in some]),
    )


def chosen(some: Points, rows: Ints) -> Points:
    """Some of the points."""
    plain = {name: getattr(some, name)[rows] for name in ("day", "kind", "drawn", "channel", "did")}
    return Points(
        **plain,
        people=some.people.take(rows),
        state=take(some.state, rows),
        noted=take(some.noted, rows),
    )


def fewest(some: Points, wanted: Wanted) -> Points:
    """Of the points that each part of the people gave for a day, as many as are wanted, in the order of people."""
    rows = []
    for kind, count in ((MESSAGE, wanted.messages), (SLOT, wanted.slots)):
        there = np.flatnonzero(some.kind == kind)
        rows.append(np.sort(there[np.argsort(some.drawn[there], kind="stable")[:count]]))
    return chosen(some, np.concatenate(rows))


def _sent(plan: Plan, n: int) -> Ints:
    """What each person was sent on a day, as one code; `MANY` when no single action is the same."""
    did = np.full(n, NONE)
    for delivered in plan.delivered:
        send = delivered.send
        said = code(send.channel, send.category, send.offer)
        did[send.rows] = np.where(did[send.rows] == NONE, said, MANY)
    return did
