"""Guards: is a challenger worse than the champion, at the same placement, in the same stage, for sure?

The two groups are drawn by people, so people are the units: a mean per decision is a ratio of two sums over people, with the
delta method's variance. Of the variance of a group and that of both together the greater counts: a group in which no reward
was seen yet is no sure thing. Whole intervals are compared with what is tolerated, at every look (`sequential`).
"""

import math
from collections.abc import Mapping

from msgspec import Struct

from patron.decide.launch.sequential import margin
from patron.decide.launch.tally import CHALLENGER, CHAMPION, UNITS, Tally
from patron.model.policies import Figure, Guard, GuardFigure, Policy
from patron.moments.ratios import PairSums

FEWEST = 30
"""People of each group below which nothing is said."""
STAGES = 3
"""Stages in which a guard looks: each begins to count anew, with its share of the chance of a false alarm."""
SAID = {
    "reward": "reward a decision",
    "nothing": "share of decisions that showed nothing",
    "unscored": "share of decisions in which the formula gave an offer no number",
    "unsubscribed": "share of people who unsubscribed",
}
"""Metric -> what it is."""
_SHARES = frozenset(SAID) - {"reward"}


class _Compared(Struct, frozen=True):
    challenger: float
    champion: float
    error: float
    people: float
    """Effective."""


def look(policy: Policy, tallies: Mapping[str, Tally]) -> list[GuardFigure]:
    """Every guard of a policy at every placement, as it stands now. Looking more often costs nothing.

    >>> from patron.decide.launch.tally import Tally
    >>> look(Policy("bold", "Bold", ("web_home",)), {"web_home": Tally()})[0].state
    'early'
    """
    alpha = policy.alpha / (STAGES * max(1, len(policy.guards) * len(tallies)))
    return [
        _figure(guard, place, tally, alpha) for place, tally in tallies.items() for guard in policy.guards
    ]


def tripped(figures: list[GuardFigure]) -> GuardFigure | None:
    """The first guard that tripped."""
    return next((one for one in figures if one.state == "tripped"), None)


def _figure(guard: Guard, placement: str, tally: Tally, alpha: float) -> GuardFigure:
    people, others = tally.people(CHALLENGER), tally.people(CHAMPION)
    counts = (people, others, tally.decisions(CHALLENGER), tally.decisions(CHAMPION))
    unit = UNITS[guard.metric]
    told = _compare(tally.sums(CHALLENGER, guard.metric), tally.sums(CHAMPION, guard.metric), unit)
    limit = guard.tolerated * (abs(told.champion) if guard.metric == "reward" else 1.0)
    worse = None
    if min(people, others) >= FEWEST:
        harm = told.challenger - told.champion if guard.metric in _SHARES else told.champion - told.challenger
        reach = margin(told.error, told.people, alpha)
        worse = Figure(harm, harm - reach, harm + reach)
    state = "early" if worse is None else "tripped" if worse.low > limit else "fine"
    said = _said(guard, placement, state, told, worse, people, others)
    return GuardFigure(
        placement, guard.metric, state, worse, limit, told.challenger, told.champion, *counts, said
    )


def _compare(challenger: PairSums, champion: PairSums, unit: float) -> _Compared:
    n, m = challenger.n, champion.n
    if not (challenger.x.total and champion.x.total):
        return _Compared(_mean(challenger, unit), _mean(champion, unit), 0.0, 0.0)
    both = challenger.merge(champion)
    error = math.sqrt(_variance(challenger, both) + _variance(champion, both)) * unit
    return _Compared(challenger.ratio * unit, champion.ratio * unit, error, n * m / (n + m))


def _variance(group: PairSums, both: PairSums) -> float:
    """Of a group's mean: as the group itself varies, or as both do, whichever is more."""
    pooled = both.ratio_variance * both.n * both.x.mean**2 / (group.n * group.x.mean**2)
    return max(group.ratio_variance, pooled)


def _mean(sums: PairSums, unit: float) -> float:
    return sums.ratio * unit if sums.x.total else 0.0


def _said(
    guard: Guard,
    placement: str,
    state: str,
    told: _Compared,
    worse: Figure | None,
    people: int,
    others: int,
) -> str:
    what = SAID[guard.metric]
    if worse is None:
        return f"Too early: {people:,} people, {others:,} of the champion; {FEWEST} each are needed."
    percent = guard.metric in _SHARES
    figures = f"{_number(told.challenger, percent)} against {_number(told.champion, percent)}"
    reach = f"worse by {_number(worse.value, percent)} ({_number(worse.low, percent)} to {_number(worse.high, percent)})"
    if state == "tripped":
        return (
            f"At {placement} the {what} is {figures}: {reach}, seen on {people:,} people against {others:,}."
        )
    return f"The {what} is {figures}: {reach}."


def _number(value: float, percent: bool) -> str:
    """
    >>> _number(0.0123, True), _number(-0.5, False)
    ('1.23 %', '−0.5')
    """
    text = f"{100 * value:.3g} %" if percent else f"{value:.3g}"
    return text.replace("-", "−")
