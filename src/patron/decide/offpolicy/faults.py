"""Rows that no estimator may touch, found before it does, and said with the row's number."""

import numpy as np

from patron.decide.offpolicy.logged import Floats, Logged


def fault(rows: Logged) -> str | None:
    """The first thing that is wrong with some rows, in one sentence; None when nothing is. Rows count from 0.

    >>> fault(Logged.of([1, 0], [0.5, 0.0], [1, 1]))
    'Row 1 has the propensity 0: what was executed had a chance above 0. Log the propensity after all gates.'
    >>> fault(Logged.of([1], [0.5], [1])) is None
    True
    """
    if not len(rows):
        return "There are no rows: nothing was logged that could be looked at."
    for name, values, low, high, advice in _bounds(rows):
        with np.errstate(invalid="ignore"):
            odd = ~((values >= low) & (values <= high))
        if odd.any():
            at = int(np.argmax(odd))
            more = f" ({int(odd.sum())} rows are so)" if odd.sum() > 1 else ""
            return f"Row {at} has the {name} {values[at]:.6g}{more}: {advice}"
    return None


_SLACK = 1e-9
"""Probabilities are sums of floats: one may end a hair above 1."""
_RARE = 1e-12
"""No draw with random numbers of 53 bits is as rare as this and happens; and its weight would drown all others."""
_HUGE = float(np.finfo(np.float64).max) ** 0.25
"""Fourth powers are taken of what is computed from these."""


def _bounds(rows: Logged) -> list[tuple[str, Floats, float, float, str]]:
    chance, number = "a probability lies between 0 and 1.", "it must be a finite number."
    logged = "what was executed had a chance above 0. Log the propensity after all gates."
    found: list[tuple[str, Floats, float, float, str]] = []
    with np.errstate(invalid="ignore"):
        small = rows.propensity <= 0
    if small.any():
        found.append(("propensity", rows.propensity, _RARE, np.inf, logged))
    found += [
        ("propensity", rows.propensity, _RARE, 1 + _SLACK, chance),
        ("target probability", rows.target, 0.0, 1 + _SLACK, chance),
        ("reward", rows.reward, -_HUGE, _HUGE, number),
    ]
    for name, column, high, advice in (
        ("predicted reward", rows.predicted, _HUGE, number),
        ("expected reward", rows.expected, _HUGE, number),
        ("probability outside the log", rows.outside, 1 + _SLACK, chance),
    ):
        if column is not None:
            found.append((name, column, 0.0 if advice is chance else -high, high, advice))
    return found
