"""What deciding changed: orders of people shown offers beside those of people held out, each person once."""

import contextlib
import datetime as dt
import math
from collections import defaultdict
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import structs

from patron.experiments.power import Plan
from patron.experiments.verdicts import line
from patron.model.clock import DAY
from patron.model.people import Key, Person
from patron.model.views import EffectLine
from patron.moments.sums import Sums
from patron.runtime.people import people
from patron.runtime.workspace import Workspace


class _Draw(NamedTuple):
    """When a node of a person was drawn into which arm."""

    time: int
    arm: str
    node: Key


def effect(workspace: Workspace) -> EffectLine:
    """Orders within the window after the first decision, people shown offers against people held out.

    Intention to treat: everyone drawn counts in the arm first drawn, once per person as resolved today, when the window
    after their first decision has ended. Whether the arms look as drawn is judged by the share in force when each was
    drawn, so a change of `decide.holdout` stops no verdict. Who was drawn into both arms, by identifiers that were joined
    only later, stays where they are, and their share is told: leaving them out would choose people by what came after.
    """
    decide = workspace.settings.decide
    window, now = decide.window_days * DAY, workspace.clock.now()
    drawn = _drawn(workspace)
    closed = [(person, first, both) for person, first, both in drawn if first.time + window <= now]
    counts = {"treated": [0, 0], "control": [0, 0]}
    for person, (time, arm, _), _ in closed:
        orders = people.profile(workspace, person).orders.values()
        counts[arm][1] += 1
        counts[arm][0] += any(time < o.time <= time + window and o.net > 0 for o in orders)
    shares = [_share(workspace, first) for _, first, _ in closed]
    holdout = math.fsum(shares) / len(shares) if shares else decide.holdout
    plan = Plan(effect=decide.minimum_effect, holdout=holdout)
    found = line(Sums.of_rate(*counts["treated"]), Sums.of_rate(*counts["control"]), plan)
    if not closed and drawn:
        return _none_closed(workspace, found, [first for _, first, _ in drawn], window)
    return structs.replace(found, in_both=sum(both for *_, both in closed) / max(1, len(closed)))


def _drawn(workspace: Workspace) -> list[tuple[Person, _Draw, bool]]:
    """Everybody drawn, their first draw, and whether a node of theirs fell into the other arm within its window."""
    window = workspace.settings.decide.window_days * DAY
    of = defaultdict[str, list[_Draw]](list)
    persons = dict[str, Person]()
    for key in workspace.assigned.keys():
        row, person = workspace.assigned.get(key), people.by_key(workspace, key)
        if row is not None and person is not None:
            persons[person.id] = person
            of[person.id].append(_Draw(row.time, row.arm, key))
    firsts = {name: min(draws) for name, draws in of.items()}
    return [
        (persons[name], first, any(d.arm != first.arm and d.time < first.time + window for d in of[name]))
        for name, first in firsts.items()
    ]


def _share(workspace: Workspace, draw: _Draw) -> float:
    """The share held out when a node was drawn, as its first decision recorded it."""
    for name in workspace.asked.get(draw.node) or ():
        row = workspace.decisions.get(name)
        if row is not None and row.time == draw.time:
            return row.holdout
    return workspace.settings.decide.holdout


def _none_closed(workspace: Workspace, found: EffectLine, drawn: list[_Draw], window: int) -> EffectLine:
    """People were decided for, but nobody's window has ended: only that can be said."""
    held = sum(draw.arm == "control" for draw in drawn)
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
