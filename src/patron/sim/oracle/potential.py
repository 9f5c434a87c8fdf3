"""`potential`: what every action at a decision point is worth, by paired branches of the world after it (7.7)."""

from collections.abc import Iterator

import numpy as np

from patron.sim.engine.state import Setting
from patron.sim.luck import Floats
from patron.sim.oracle.actions import MANY, NONE, Acting, Action, messages, named, slots
from patron.sim.oracle.branches import branched, live
from patron.sim.oracle.points import KINDS, MESSAGE, Points, chosen
from patron.sim.oracle.rows import Potential
from patron.sim.oracle.stack import take
from patron.sim.oracle.tally import cents

HORIZON = 28
"""Days that an action is judged by."""
ROWS = 16_000
"""Lives lived together: enough to hide what a day costs by itself, few enough for the caches."""


def actions_at(points: Points, row: int) -> tuple[Action, ...]:
    """What can be done at one point."""
    return messages(points.state.agreed[row]) if points.kind[row] == MESSAGE else slots()


def blocks(points: Points, branches: int) -> Iterator[Points]:
    """The points of one day in parts of about `ROWS` rows."""
    sizes = [len(actions_at(points, row)) * branches for row in range(len(points.day))]
    first, held = 0, 0
    for row, size in enumerate(sizes):
        held += size
        if held >= ROWS or row == len(sizes) - 1:
            yield chosen(points, np.arange(first, row + 1))
            first, held = row + 1, 0


def potential(
    setting: Setting, first: int, points: Points, branches: int, horizon: int = HORIZON
) -> tuple[list[Potential], int]:
    """The values of all actions at some points of one day, and how many days of people were lived for it.

    Parameters
    ----------
    first : date of day 0.
    branches : lives of each action, at least 2; the same luck for all actions of a point.
    """
    day, choices = int(points.day[0]), [actions_at(points, row) for row in range(len(points.day))]
    # one row for each point, action and branch, in this order
    at = np.repeat(np.arange(len(choices)), [len(some) * branches for some in choices])
    branch = np.arange(len(at)) % branches
    each = [one for some in choices for one in some for _ in range(branches)]
    tally = live(
        setting,
        branched(setting, points.people.take(at), branch),
        take(points.state, at),
        take(points.noted, at),
        Acting(day, each),
        day=day,
        date=first + day,
        days=horizon,
        visiting=np.where(points.kind == MESSAGE, NONE, points.channel)[at],
    )
    found = []
    for row, some in enumerate(choices):
        margin = tally.margin[at == row].reshape(len(some), branches)
        found.append(_row(points, row, first, some, margin))
    return found, len(at) * horizon


def did(points: Points, row: int) -> str | None:
    """The name of the action that the retailer took at a point; none when several, or another than all of ours."""
    done = int(points.did[row])
    if done == NONE:
        return "none"
    if points.kind[row] != MESSAGE:
        return slots()[2 + done].name
    # a letter to everybody is no reminder, and some people mind which it is
    return None if done == MANY or points.people.annoyed[row] else named(done)


def _row(points: Points, row: int, first: int, some: tuple[Action, ...], margin: Floats) -> Potential:
    gain = margin - margin[[one.name for one in some].index("none")]
    day = int(points.day[row])
    return Potential(
        person=int(points.people.ids[row]),
        day=day,
        date=first + day,
        kind=KINDS[int(points.kind[row])],
        did=did(points, row),
        actions=tuple(one.name for one in some),
        value=_mean(margin),
        error=_error(margin),
        gain=_mean(gain),
        gain_error=_error(gain),
        half=_mean(gain[:, ::2]),
        other_half=_mean(gain[:, 1::2]),
    )


def _mean(by_branch: Floats) -> tuple[float, ...]:
    return tuple(cents(value) for value in by_branch.mean(axis=1).tolist())


def _error(by_branch: Floats) -> tuple[float, ...]:
    spread = by_branch.std(axis=1, ddof=1) / np.sqrt(by_branch.shape[1])
    return tuple(cents(value) for value in spread.tolist())
