"""One policy judged from the log of another: verdict, headline figure, every other estimator beside it, diagnostics."""

from msgspec import Struct

from patron.decide.offpolicy.diagnostics import Diagnostics, diagnose
from patron.decide.offpolicy.estimators import Estimate, Name, estimates
from patron.decide.offpolicy.faults import fault
from patron.decide.offpolicy.intervals import LEVEL
from patron.decide.offpolicy.logged import Logged
from patron.decide.offpolicy.verdicts import Verdict, judge, refuse_rows


class Evaluation(Struct, frozen=True):
    """What may be said of a policy. Refused: no headline and no estimates; `diagnostics` is None when rows have a fault."""

    verdict: Verdict
    headline: Estimate | None
    estimates: tuple[Estimate, ...]
    """All estimators that the rows allow, the headline among them, in a fixed order."""
    diagnostics: Diagnostics | None
    level: float


def headline(rows: Logged) -> Name:
    """Which estimator is the headline, settled before any value is seen: DR when the rows hold predictions, else SNIPS.

    >>> headline(Logged.of([1], [1], [1]))
    'snips'
    """
    return "snips" if rows.predicted is None else "dr"


def evaluate(rows: Logged, level: float = LEVEL) -> Evaluation:
    """Judge a policy from logged rows. Never raises for what is in the rows: a refusal is a value with its reason.

    Raises
    ------
    ValueError : a level not between 0 and 1.

    >>> found = evaluate(Logged.of([1, 0, 1, 1] * 50, [0.5] * 200, [0.5] * 200))
    >>> found.verdict.name, found.headline.value, round(found.headline.interval.low, 2)
    ('accepted', 0.75, 0.69)
    >>> evaluate(Logged.of([1.0], [0.0], [1.0])).verdict.name
    'refused'
    """
    wrong = fault(rows)
    if wrong:
        return Evaluation(refuse_rows(wrong), None, (), None, level)
    found = diagnose(rows, level)
    verdict = judge(found)
    if verdict.name == "refused":
        return Evaluation(verdict, None, (), found, level)
    every = estimates(rows, level)
    best = next(one for one in every if one.name == headline(rows))
    return Evaluation(verdict, best, every, found, level)
