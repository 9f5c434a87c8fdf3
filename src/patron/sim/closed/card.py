"""What a closed loop is judged by: paired truth, the platform's own holdout, unsubscribes, regret, and what it said of challengers.

Money is in EUR at list prices, as the engine counts it. Intervals are over people, 95 %.
"""

import numpy as np
from msgspec import Struct

from patron.experiments.adjusted import Before, adjusted
from patron.experiments.compare import Interval, compare
from patron.moments.variances import Spread
from patron.sim.closed.lived import Lived
from patron.sim.engine.calibration import Lift, lift
from patron.sim.engine.state import NEVER
from patron.sim.luck import Floats, Ints
from patron.sim.world.people import Flags

WEEK = 7


class HoldoutRow(Struct, frozen=True):
    """The lift of revenue that the platform's own holdout shows, beside the truth."""

    treated: int
    held_out: int
    plain: Interval | None
    """Means of the two arms, from each person's first question on."""
    adjusted: Interval | None
    """The same with what each spent before taken into account."""
    truth: float
    """What those treated spent more than they would have, on the same luck."""
    covered: bool | None
    """Whether the adjusted interval holds the truth."""


class Difference(Struct, frozen=True):
    """A difference of shares or sums of the same people under two policies."""

    ours: float
    usual: float
    value: float
    low: float
    high: float


class ChallengerRow(Struct, frozen=True):
    """What the platform said a challenger would have earned, beside what it would have."""

    placement: str
    challenger: str
    outcome: str
    """`better`, `worse`, `unclear`, `refused`."""
    value: float | None
    low: float | None
    high: float | None
    effective: float
    truth: float
    covered: bool | None


class PerverseRow(Struct, frozen=True):
    """What happened to those whom reminders put off."""

    people: int
    first: float
    """Messages a person in the first week."""
    last: float
    """The same in the last one, by the week's own length."""
    margin: Lift
    """Beside writing to nobody and showing what is usual, on the same luck."""


class PageRow(Struct, frozen=True):
    """What the decisions page says of the programme at the end, by the orders that the platform saw."""

    verdict: str
    """Of revenue since the first decision: `early`, `up`, `down`, `none`."""
    sentence: str
    in_both: float
    value: float | None
    """The change it is of, with an interval that holds whenever one looks."""
    low: float | None
    high: float | None
    covered: bool | None
    """Whether its interval holds the truth of `HoldoutRow`."""


class Card(Struct, frozen=True):
    """All of it."""

    people: int
    treated: int
    revenue: Lift
    """Of those treated, beside business as usual."""
    margin: Lift
    sent: float
    """Messages a treated person."""
    sent_usual: float
    unsubscribed: Difference
    """Share of those treated who took a consent back."""
    holdout: HoldoutRow
    weekly_lift: list[float]
    """Of margin, beside business as usual."""
    weekly_regret: list[float]
    """Share of the greedy oracle's margin of the week that was missed."""
    challengers: list[ChallengerRow]
    perverse: PerverseRow | None = None
    page: PageRow | None = None


def holdout(lived: Lived, usual: Lived, before: Floats, treated: Ints, control: Ints) -> HoldoutRow:
    """The comparison of the two arms; `treated` and `control` are the days of the first answer, of those lived."""
    revenue, truth = np.array(lived.revenue), np.array(usual.revenue)
    first = np.where(treated > NEVER, treated, control)
    mine = np.arange(len(revenue))[:, None] >= first[None, :]
    ours, theirs = (revenue * mine).sum(axis=0), (truth * mine).sum(axis=0)
    t, c = treated > NEVER, control > NEVER
    base = float(theirs[t].sum())
    true = float(ours[t].sum() / base - 1.0) if base else 0.0
    found = compare(*adjusted(*(Before(before[rows].tolist(), ours[rows].tolist()) for rows in (t, c)))).lift
    covered = None if found is None else found.low <= true <= found.high
    return HoldoutRow(int(t.sum()), int(c.sum()), _lift(ours, t, c), found, true, covered)


def _lift(values: Floats, treated: Flags, control: Flags) -> Interval | None:
    return compare(Spread.of(values[treated].tolist()), Spread.of(values[control].tolist())).lift


def difference(ours: Flags, usual: Flags) -> Difference:
    """Shares of the same people under two policies, and their difference with the interval of its mean.

    >>> import numpy as np
    >>> difference(np.array([True, False]), np.array([False, False])).value
    0.5
    """
    moved = ours.astype(np.float64) - usual
    n = max(1, len(moved))
    value, error = float(moved.mean()) if len(moved) else 0.0, float(moved.std()) / n**0.5
    mine, theirs = (float(one.mean()) if len(moved) else 0.0 for one in (ours, usual))
    return Difference(mine, theirs, value, value - 1.96 * error, value + 1.96 * error)


def weekly(ours: list[Floats], theirs: list[Floats], rows: Flags) -> list[float]:
    """How much more the first brought each whole week, relative to the second; 0 where that brought nothing."""
    found = []
    for at in range(0, len(ours) - WEEK + 1, WEEK):
        mine, base = (float(sum(day[rows].sum() for day in days[at : at + WEEK])) for days in (ours, theirs))
        found.append(mine / base - 1.0 if base > 0 else 0.0)
    return found


def perverse(lived: Lived, silent: Lived, rows: Flags) -> PerverseRow:
    """Messages to some people by week, and their margin beside silence."""
    margins = [np.sum(one.margin, axis=0)[rows] for one in (lived, silent)]
    n = max(1, int(rows.sum()))
    first, last = (
        float(sum(day[rows].sum() for day in days)) / n for days in (lived.sent[:WEEK], lived.sent[-WEEK:])
    )
    return PerverseRow(int(rows.sum()), first, last, lift(*margins))


def paired(lived: Lived, usual: Lived, rows: Flags) -> tuple[Lift, Lift]:
    """Revenue and margin of some people beside another policy on the same luck."""
    pairs = ((lived.revenue, usual.revenue), (lived.margin, usual.margin))
    revenue, margin = (lift(np.sum(a, axis=0)[rows], np.sum(b, axis=0)[rows]) for a, b in pairs)
    return revenue, margin
