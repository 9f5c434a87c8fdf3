"""What deciding changed: people shown offers beside people held out, each once, by all they bought anywhere."""

import contextlib
import datetime as dt
import math
from collections import Counter
from itertools import pairwise
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import structs

from patron.experiments.assign import CONTROL, TREATED
from patron.experiments.compare import srm_p
from patron.experiments.power import Plan
from patron.experiments.verdicts import SRM_LIMIT
from patron.model.clock import DAY
from patron.model.money import UNIT
from patron.model.people import Key, Person
from patron.model.views import EffectLine, ProgrammeEffect, Spent
from patron.runtime.breath import Breath
from patron.runtime.decisions.bought import Arm, Habits, change, cycles, ordered, spent
from patron.runtime.people import people
from patron.runtime.workspace import Workspace

SHORTEST, LONGEST = 7, 120
"""Days of a purchase cycle: what is shorter or longer counts as so long."""
_SAMPLE = 2_000


class _Draw(NamedTuple):
    """When a node of a person was drawn into which arm."""

    time: int
    arm: str
    node: Key


class _Drawn(NamedTuple):
    """Somebody, their first draw, and whether another node of theirs fell into the other arm within its window."""

    person: Person
    first: _Draw
    both: bool


async def effect_of(workspace: Workspace, breath: Breath) -> ProgrammeEffect:
    """People shown offers against people held out: revenue since the first decision, and orders within the window after it.

    The verdict is that of revenue, of orders while nobody has ever bought: what each spent before explains much of what
    they spend since, so that revenue needs fewer people, and it counts what orders leave out (returns, larger baskets).

    Intention to treat: everyone drawn counts in the arm first drawn, once per person as resolved today, when the window
    after their first decision has ended. Whether the arms look as drawn is judged by the share in force when each was
    drawn, so a change of `decide.holdout` stops no verdict. Who was drawn into both arms, by identifiers that were joined
    only later, stays where they are, and their share is told: leaving them out would choose people by what came after.
    """
    decide, now = workspace.settings.decide, workspace.clock.now()
    window = decide.window_days * DAY
    drawn = await _drawn(workspace, breath)
    closed = [one for one in drawn if one.first.time + window <= now]
    habits = await _habits(workspace, closed, breath)
    arms = {TREATED: Arm(), CONTROL: Arm()}
    shares = list[float]()
    for one in closed:
        await breath.take()
        arms[one.first.arm].add(people.orders(workspace, one.person), one.first.time, now, window, habits)
        shares.append(_share(workspace, one.first))
    holdout = math.fsum(shares) / len(shares) if shares else decide.holdout
    plan = Plan(effect=decide.minimum_effect, holdout=holdout)
    treated, control = arms[TREATED], arms[CONTROL]
    orders = ordered(treated, control, plan)
    revenue = spent(treated.since, control.since, plan) if habits.currency else None
    as_drawn = holdout in (0.0, 1.0) or srm_p(treated.people, control.people, holdout) >= SRM_LIMIT
    found = structs.replace(
        revenue or orders, treated_rate=orders.treated_rate, control_rate=orders.control_rate
    )
    if not closed and drawn:
        found = _none_closed(workspace, found, [one.first for one in drawn], window)
    return ProgrammeEffect(
        **structs.asdict(found),
        judged_by="revenue" if revenue else "orders",
        bought=change(orders),
        in_both=sum(one.both for one in closed) / max(1, len(closed)),
        spent=_spent(revenue, habits) if revenue and as_drawn else None,
        cycle_days=habits.cycle // DAY,
        cycles=cycles(treated, control, plan) if as_drawn else [],
    )


def _spent(revenue: EffectLine, habits: Habits) -> Spent:
    return Spent(habits.currency, revenue.treated_rate / UNIT, revenue.control_rate / UNIT, change(revenue))


async def _drawn(workspace: Workspace, breath: Breath) -> list[_Drawn]:
    window = workspace.settings.decide.window_days * DAY
    persons = dict[str, Person]()
    earliest: dict[str, dict[str, _Draw]] = {TREATED: {}, CONTROL: {}}
    for key in list(workspace.assigned.keys()):
        await breath.take()
        row, person = workspace.assigned.get(key), people.by_key(workspace, key)
        if row is not None and person is not None:
            persons[person.id] = person
            draw, held = _Draw(row.time, row.arm, key), earliest[row.arm].get(person.id)
            earliest[row.arm][person.id] = draw if held is None else min(draw, held)
    found = list[_Drawn]()
    for name, person in persons.items():
        await breath.take()
        first, *other = sorted(of[name] for of in earliest.values() if name in of)
        found.append(_Drawn(person, first, any(draw.time < first.time + window for draw in other)))
    return found


async def _habits(workspace: Workspace, drawn: list[_Drawn], breath: Breath) -> Habits:
    """By an even sample of people."""
    currencies, gaps = Counter[str](), list[int]()
    for one in drawn[:: max(1, len(drawn) // _SAMPLE)]:
        await breath.take()
        orders = people.orders(workspace, one.person)
        currencies.update(order.currency for order in orders if order.net > 0)
        times = sorted(order.time for order in orders if order.net > 0)
        gaps += [gap for a, b in pairwise(times) if (gap := b - a) >= DAY]
    currency = max(currencies, key=lambda name: (currencies[name], name), default="")
    days = min(max(round(median(gaps) / DAY), SHORTEST), LONGEST) if gaps else 0
    return Habits(currency, days * DAY)


def _share(workspace: Workspace, draw: _Draw) -> float:
    """The share held out when a node was drawn, as its first decision recorded it."""
    for name in workspace.asked.get(draw.node) or ():
        row = workspace.decisions.get(name)
        if row is not None and row.time == draw.time:
            return row.holdout
    return workspace.settings.decide.holdout


def _none_closed(workspace: Workspace, found: EffectLine, drawn: list[_Draw], window: int) -> EffectLine:
    """People were decided for, but nobody's window has ended: only that can be said."""
    held = sum(draw.arm == CONTROL for draw in drawn)
    day = _local(workspace, min(draw.time for draw in drawn) + window)
    sentence = (
        f"Too early: {len(drawn) - held:,} shown, {held:,} held out; the first window of "
        f"{window // DAY} days ends on {day.day} {day:%b}."
    )
    return structs.replace(found, shown=len(drawn) - held, held_out=held, sentence=sentence)


def _local(workspace: Workspace, time: int) -> dt.datetime:
    """A time in the workspace's zone; UTC when this machine does not know it."""
    zone: dt.tzinfo = dt.UTC
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError, OSError):
        zone = ZoneInfo(workspace.settings.workspace.zone)
    return dt.datetime.fromtimestamp(time / 1000, zone)
