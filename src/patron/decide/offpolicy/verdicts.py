"""May this be said? Accepted, too little to say, or refused: always with the reason in one sentence, never an exception."""

from typing import Literal

from msgspec import Struct

from patron.decide.offpolicy.diagnostics import Diagnostics

ENOUGH = 100.0
"""An effective sample from here on is accepted."""
TOO_FEW = 10.0
"""One below this is refused."""
OUTSIDE = 0.05
"""A policy that does more than this share of its work outside the log is refused."""
OUTSIDE_NOTED = 0.01
CHANCE = 0.001
"""A mean weight less likely than this is off by more than chance."""
OFF = 0.01
"""And so far from 1 it must be, at least: in a log of millions of rows rounding alone is more than chance."""

Name = Literal["accepted", "caution", "refused"]
Why = Literal["", "rows", "effective", "outside", "mean_weight", "constant"]


class Verdict(Struct, frozen=True):
    """`accepted`; `caution`, too little to say more than a direction; or `refused`, no figure at all. And why."""

    name: Name
    why: Why
    sentence: str


def refuse_rows(sentence: str) -> Verdict:
    """The verdict on rows with a fault.

    >>> refuse_rows("There are no rows.").name
    'refused'
    """
    return Verdict("refused", "rows", sentence)


def judge(found: Diagnostics) -> Verdict:
    """The verdict on rows without a fault, from what was found in them.

    >>> from patron.decide.offpolicy.diagnostics import diagnose
    >>> from patron.decide.offpolicy.logged import Logged
    >>> judge(diagnose(Logged.of([1] * 40, [0.5] * 40, [1, 0] * 20))).sentence
    'Too little to say: 40 rows count for this policy like 20 of its own, and 100 are needed.'
    """
    size = f"{_rows(found)} count for this policy like {_count(found.effective)} of its own"
    if found.effective < TOO_FEW:
        return Verdict(
            "refused",
            "effective",
            f"Refused: {size}, and below {TOO_FEW:.0f} chance decides.{_widest(found)}",
        )
    outside = found.outside or 0.0
    share = f"{100 * outside:.3g} % of what this policy would do lies outside what the log could show"
    if outside > OUTSIDE:
        return Verdict("refused", "outside", f"Refused: {share}; at most {100 * OUTSIDE:.0f} % may.")
    if found.mean_weight_p < CHANCE and abs(found.mean_weight.value - 1) > OFF:
        return Verdict("refused", "mean_weight", _off(found))
    if found.effective < ENOUGH:
        return Verdict(
            "caution", "effective", f"Too little to say: {size}, and {ENOUGH:.0f} are needed.{_widest(found)}"
        )
    if not found.speaking:
        return Verdict(
            "caution",
            "constant",
            f"Too little to say: all rewards that count are the same in {_rows(found)}.",
        )
    if outside > OUTSIDE_NOTED:
        return Verdict("caution", "outside", f"Too little to say: {share}.")
    return Verdict("accepted", "", f"Accepted: {size}{_few(found)}.")


def _rows(found: Diagnostics) -> str:
    people = f" of {found.units:,} people" if found.units != found.rows else ""
    return f"{found.rows:,} rows{people}"


def _few(found: Diagnostics) -> str:
    """Rare rewards make a large sample say little; the interval knows, and a reader should."""
    if found.speaking >= TOO_FEW:
        return ""
    return (
        f", but so few rewards carry it that it varies like {found.speaking:.2g} of them; mind the interval"
    )


def _widest(found: Diagnostics) -> str:
    if found.largest_share < 0.1:
        return ""
    who = "person" if found.units != found.rows else "row"
    return f" One {who} alone holds {100 * found.largest_share:.0f} % of all weight."


def _off(found: Diagnostics) -> str:
    value = found.mean_weight.value
    why = (
        "the log could not show part of what this policy would do, or its propensities are too large"
        if value < 1
        else "the propensities in the log are smaller than they really were"
    )
    return f"Refused: the mean weight is {value:.3g} and must be 1 (chance {max(found.mean_weight_p, 1e-12):.1g}): {why}."


def _count(effective: float) -> str:
    """
    >>> _count(20.0), _count(2.54), _count(2134.2)
    ('20', '2.54', '2,134')
    """
    return f"{effective:,.0f}" if effective >= 100 else f"{effective:.3g}"
