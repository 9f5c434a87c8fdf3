"""A policy against the one that wrote the log: what would have been earned more or less, on the same rows.

Both values come from the same rows, so what luck did to both falls out of their difference. Rewards that the challenger
would have earned in the same way count in both and say nothing. The relative lift is a ratio of sums and has Fieller's
interval, like every ratio here.
"""

from typing import Literal

import numpy as np
from msgspec import Struct

from patron.decide.offpolicy.estimators import Terms, doubly_robust
from patron.decide.offpolicy.evaluate import Evaluation, evaluate
from patron.decide.offpolicy.intervals import LEVEL, Interval, Luck, Ratio
from patron.decide.offpolicy.logged import Logged

_CLEAR_OF_ZERO = 3.0
"""A logging policy that earned under so many standard errors is no denominator: the lift could be anything."""

Outcome = Literal["better", "worse", "unclear", "refused"]


class Comparison(Struct, frozen=True):
    """Challenger minus logging policy, per decision and relative. None where nothing may be said."""

    outcome: Outcome
    evaluation: Evaluation
    """Of the challenger alone."""
    logging: Interval | None
    """What the logging policy earned, per decision: a plain mean."""
    difference: Interval | None
    lift: Interval | None
    """0.1 = 10 % more; None also when the logging policy earned too little to divide by, or lost."""
    sentence: str


def compare(rows: Logged, level: float = LEVEL) -> Comparison:
    """Set the policy in question against the one that logged. ValueError unless 0 < level < 1.

    `better` and `worse` need an accepted evaluation and an interval of the difference clear of 0.

    >>> rows = Logged.of([1, 0, 1, 0] * 100, [0.5] * 400, [0.9, 0.1, 0.9, 0.1] * 100)
    >>> compare(rows).sentence
    'Better: it earns 0.9 a decision where the log earned 0.5, +80 % (95 % interval +67.1 % to +95.7 %).'
    """
    evaluation = evaluate(rows, level)
    if evaluation.headline is None:
        return Comparison("refused", evaluation, None, None, None, evaluation.verdict.sentence)
    ones = np.ones(len(rows))
    units = rows.sums(ones)
    total = rows.sums(rows.reward)
    logged = Ratio.of(total, units)
    terms = _more(rows, evaluation.headline.value)
    more, counts, surprise = rows.sums(terms.top), rows.sums(terms.counts), rows.means(terms.surprise)
    difference = Ratio.of(more, units, Luck(surprise, counts, np.zeros_like(units))).interval(level)
    lift = None
    if logged.value > 0 and logged.value > _CLEAR_OF_ZERO * logged.error:
        lift = Ratio.of(more, total, Luck(surprise, counts, units)).interval(level)
    outcome = _outcome(evaluation, difference)
    sentence = _sentence(outcome, evaluation, logged.value, difference, lift)
    return Comparison(outcome, evaluation, logged.interval(level), difference, lift, sentence)


def _more(rows: Logged, value: float) -> Terms:
    """What each row adds to the headline estimator's mean, minus what it earned."""
    ones = np.ones(len(rows))
    if rows.predicted is not None:
        terms = doubly_robust(rows)
        return Terms(terms.top - rows.reward, ones, terms.surprise, terms.counts - 1)
    weight = rows.weight / float(rows.weight.mean())
    surprise = rows.reward - value
    return Terms((weight - 1) * surprise, ones, surprise, weight - 1)


def _outcome(evaluation: Evaluation, difference: Interval) -> Outcome:
    if evaluation.verdict.name != "accepted" or difference.low <= 0 <= difference.high:
        return "unclear"
    return "better" if difference.low > 0 else "worse"


def _sentence(
    outcome: Outcome, evaluation: Evaluation, logged: float, difference: Interval, lift: Interval | None
) -> str:
    if evaluation.verdict.name == "caution":
        return evaluation.verdict.sentence
    challenger = logged + difference.value
    share = 100 * evaluation.level
    if lift is None:
        change = (
            f"{difference.value:+.3g} ({share:g} % interval {difference.low:+.3g} to {difference.high:+.3g})"
        )
    else:
        change = (
            f"{_percent(lift.value)} ({share:g} % interval {_percent(lift.low)} to {_percent(lift.high)})"
        )
    head = {"better": "Better", "worse": "Worse"}.get(outcome, "No difference shown")
    return f"{head}: it earns {challenger:.3g} a decision where the log earned {logged:.3g}, {change}."


def _percent(share: float) -> str:
    return f"{100 * share:+.3g} %".replace("-", "−")
