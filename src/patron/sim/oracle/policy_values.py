"""`policy_values`: what each built-in policy brings on the people of this world, from its first day on."""

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct

from patron.sim.engine.calibration import lift
from patron.sim.engine.day import live_day
from patron.sim.luck import Floats
from patron.sim.oracle.open_loop import morning
from patron.sim.oracle.rows import Estimate, PolicyValue
from patron.sim.oracle.tally import Tally, cents, nothing_yet
from patron.sim.policies import POLICIES
from patron.sim.town import Town
from patron.sim.world.people import Flags

HALF = 84
WINDOWS = ((0, HALF), (0, 2 * HALF), (HALF, HALF))
"""First day and length of the windows. The last one is how the built-in policies are calibrated."""
USUAL, BEST = "business-as-usual", "oracle"


class Halves(Struct):
    """Two times 84 days of some people under one policy."""

    first: Tally
    second: Tally
    unsubscribed: tuple[Flags, Flags]
    """Who unsubscribed from a message, in each half."""


def rehearse(town: Town, policy: str) -> Halves:
    """Let a policy act for 168 days, after the same past as in the world told."""
    state, noted = morning(town)
    acting, found = POLICIES[policy](), []
    for start in (0, HALF):
        tally, gone = nothing_yet(len(town.people)), np.zeros(len(town.people), dtype=np.bool_)
        for day in range(start, start + HALF):
            plan = live_day(town.setting, town.people, state, noted, acting, day, town.first + day)
            tally.add(town.setting, town.people, plan)
            for delivered in plan.delivered:
                gone[delivered.send.rows[delivered.unsubscribed]] = True
        found.append((tally, gone))
    (first, left), (second, later) = found
    return Halves(first, second, (left, later))


class _Window(Struct):
    """One policy over one window, with everybody's own sums."""

    orders: int
    revenue: Floats
    margin: Floats
    sent: int
    unsubscribed: int


def rows(done: Mapping[str, list[Halves]]) -> Iterator[PolicyValue]:
    """The rows of the file, from what each policy brought on each part of the people."""
    for start, days in WINDOWS:
        found = {name: _window(parts, start, days) for name, parts in done.items()}
        usual, best = found[USUAL], found[BEST]
        gap = float(best.margin.sum() - usual.margin.sum())
        for name, one in found.items():
            closed = float(one.margin.sum() - usual.margin.sum()) / gap if abs(gap) > 0 else None
            yield PolicyValue(
                policy=name,
                start=start,
                days=days,
                people=len(one.revenue),
                orders=one.orders,
                revenue=cents(float(one.revenue.sum())),
                margin=cents(float(one.margin.sum())),
                sent=one.sent,
                unsubscribed=one.unsubscribed,
                revenue_lift=_lift(one.revenue, usual.revenue),
                margin_lift=_lift(one.margin, usual.margin),
                gap_closed=None if closed is None else cents(closed),
            )


def _window(parts: list[Halves], start: int, days: int) -> _Window:
    within = [n for n in range(2) if start <= n * HALF < start + days]
    tallies = [[(part.first, part.second)[n] for n in within] for part in parts]
    gone = [np.any([part.unsubscribed[n] for n in within], axis=0) for part in parts]
    return _Window(
        orders=int(sum(tally.orders.sum() for some in tallies for tally in some)),
        revenue=np.concatenate([sum(tally.revenue for tally in some) for some in tallies]),
        margin=np.concatenate([sum(tally.margin for tally in some) for some in tallies]),
        sent=int(sum(tally.sent.sum() for some in tallies for tally in some)),
        unsubscribed=int(np.concatenate(gone).sum()),
    )


def _lift(ours: Floats, usual: Floats) -> Estimate | None:
    if not usual.sum():
        return None
    found = lift(ours, usual)
    return Estimate(round(found.value, 6), round(found.low, 6), round(found.high, 6))
