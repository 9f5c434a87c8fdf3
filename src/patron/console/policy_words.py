"""Policies as their page says them: how a placement decides and how it goes, days without gaps, what a challenger changes."""

import datetime as dt
from collections.abc import Mapping, Sequence

from msgspec import Struct

from patron.console import words
from patron.model.errors import BadRequest
from patron.model.offers import NOTHING, Placement
from patron.model.policies import Judged, PolicyDay, PolicyView

CHALLENGERS = (
    ("greedy", "Always the best ranked"),
    ("uniform", "All that is allowed, each alike"),
)
ESTIMATORS = {
    "ips": "Inverse propensity (IPS)",
    "snips": "Self-normalised (SNIPS)",
    "dr": "Doubly robust (DR)",
    "dros": "Doubly robust, shrunk (DRos)",
    "switch": "Switch",
    "dm": "Model alone (DM)",
}
_REWARDS = {
    "view": ("view", "views"),
    "click": ("click", "clicks"),
    "visit": ("visit", "visits"),
    "order": ("order", "orders"),
}
SALES = ("order", "margin")
"""Rewards that are known of people who are recognised as they pay."""
MOST_STOPPED, MOST_IN, MOST_HOURS, LONGEST_FORMULA = 1_000, 10_000, 8_784, 1_000


class Asked(Struct, frozen=True):
    """A challenger as it stands in the form."""

    challenger: str = ""
    """Empty = nothing was asked yet."""
    stop: tuple[str, ...] = ()
    at_most: int = 0
    hours: int = 24
    formula: str = ""


def asked(fields: Mapping[str, Sequence[str]]) -> Asked:
    """What a form says. Raises BadRequest when a number is none.

    >>> asked({"challenger": ["greedy"], "stop": ["tea", ""], "at_most": ["1"], "hours": [""]})
    Asked(challenger='greedy', stop=('tea',), at_most=1, hours=24, formula='')
    """

    def one(name: str) -> str:
        return fields[name][-1].strip() if fields.get(name) else ""

    stop = tuple(dict.fromkeys(name for name in fields.get("stop", ()) if name))
    if len(stop) > MOST_STOPPED:
        raise BadRequest("bad_policy", f"At most {MOST_STOPPED:,} offers can be left out.")
    if len(one("formula")) > LONGEST_FORMULA:
        raise BadRequest("bad_formula", f"A formula has at most {LONGEST_FORMULA:,} characters.")
    return Asked(
        one("challenger"),
        stop,
        _number(one("at_most"), "At most", 0, MOST_IN, 0),
        _number(one("hours"), "The hours", 1, MOST_HOURS, 24),
        one("formula"),
    )


def _number(text: str, what: str, low: int, high: int, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high):
        raise BadRequest("bad_policy", f"{what}: a whole number from {low} to {high:,}, not {text[:20]!r}.")
    return int(text)


def reward_said(reward: str) -> str:
    """What a mean reward counts.

    >>> reward_said("click"), reward_said("margin")
    ('Clicks a decision', 'Margin a decision')
    """
    return f"{_REWARDS.get(reward, (reward, reward))[1].capitalize()} a decision"


def how(place: Placement | None, policies: Mapping[str, int], kinds: Mapping[str, str] | None = None) -> str:
    """One sentence: how a placement decides. `kinds`: of policies that were launched, by their name in records.

    >>> how(None, {"uniform-1": 9})
    'Every allowed offer had the same chance.'
    >>> how(Placement("till", "Till", explore=False), {"learned-1": 9})
    'Always the best ranked is given: nothing is tried.'
    """
    last = max(policies, key=lambda name: policies[name], default="")
    kind = (kinds or {}).get(last, "uniform" if last == "uniform-1" else "learned")
    if kind == "uniform":
        return "Every allowed offer had the same chance."
    if kind == "rules":
        return "The best by the formula alone is given: nothing learned goes into it, and nothing is tried."
    if kind == "greedy" or (place is not None and not place.explore):
        return "Always the best ranked is given: nothing is tried."
    return "The best ranked is given most often, the others now and then: that is how it learns."


def goes(view: PolicyView, days: int) -> str:
    """One sentence: how it goes.

    >>> goes(PolicyView("till", "Till", "click", 24, {}, 0, 0, 0, [], []), 28)
    'Nothing was decided here in the last 28 days.'
    """
    span = words.plural(days, "day")
    given = view.decisions - view.held_out
    if not view.decisions:
        return f"Nothing was decided here in the last {span}."
    if not given:
        return f"In the last {span} only people who are held out asked here."
    earned = sum(arm.rewarded * arm.decisions for arm in view.arms)
    one, many = _REWARDS.get(view.reward, ("", ""))
    total = words.plural(round(earned), one, many) if one else f"{words.figure(earned)} of {view.reward}"
    return (
        f"In the last {span} it decided {words.plural(given, 'time')} and {total} followed, "
        f"{small(earned / given)} a decision."
    )


def small(value: float) -> str:
    """A mean reward: three digits that count.

    >>> small(0.04123), small(0.0), small(12.5), small(-0.5), small(1234.5), small(0.00001234)
    ('0.0412', '0', '12.5', '−0.5', '1,234', '0.0000123')
    """
    if value == 0:
        return "0"
    size = abs(value)
    rounded = size if size >= 1000 else float(f"{size:.3g}")
    text = f"{rounded:,.0f}" if rounded >= 1000 else f"{rounded:.12f}".rstrip("0").rstrip(".")
    return f"{words.MINUS}{text}" if value < 0 else text


def every_day(days: Sequence[PolicyDay]) -> list[PolicyDay]:
    """The days from the first to the last, those between without a decision among them.

    >>> [day.decisions for day in every_day([PolicyDay("2026-05-01", 3, 0, 1), PolicyDay("2026-05-03", 2, 0, 1)])]
    [3, 0, 2]
    """
    if not days:
        return []
    known = {day.day: day for day in days}
    first, last = dt.date.fromisoformat(days[0].day), dt.date.fromisoformat(days[-1].day)
    names = [(first + dt.timedelta(n)).isoformat() for n in range((last - first).days + 1)]
    return [known.get(name) or PolicyDay(name, 0, 0.0, 0.0) for name in names]


def short_day(iso: str) -> str:
    """A day of a chart.

    >>> short_day("2026-05-01")
    '1 May'
    """
    day = dt.date.fromisoformat(iso)
    return f"{day.day} {day:%b}"


def verdict(told: Judged) -> tuple[str, str]:
    """Class and text of a judgement's pill."""
    return {
        "accepted": ("ok", "Accepted"),
        "caution": ("warn", "Caution"),
        "refused": ("bad", "Refused"),
    }.get(told.verdict, ("", told.verdict))


def headline(told: Judged) -> str:
    """The heading of a judgement. `unclear` is no "no effect": the log cannot tell.

    >>> from msgspec.structs import replace
    >>> one = Judged("greedy", "till", "unclear", "", "accepted", "", 0, 0, 0, 0, 0, None, None, None, [], {}, {})
    >>> headline(one), headline(replace(one, verdict="refused", outcome="refused"))
    ('No difference shown', 'It cannot be said')
    """
    if told.verdict == "refused":
        return "It cannot be said"
    if told.verdict == "caution":
        return "Too little to say"
    return {"better": "It would do better", "worse": "It would do worse"}.get(
        told.outcome, "No difference shown"
    )


def moved(told: Judged, names: Mapping[str, str], most: int = 15) -> list[tuple[str, int, float]]:
    """(name, was given, would be given) of the actions that change most.

    >>> one = Judged("greedy", "till", "", "", "", "", 0, 0, 0, 0, 0, None, None, None, [], {"tea": 9.0}, {"tea": 8, "nothing": 3})
    >>> moved(one, {"tea": "Tea"})
    [('Nothing shown', 3, 0.0), ('Tea', 8, 9.0)]
    """
    actions = sorted(
        {*told.given, *told.given_before},
        key=lambda name: (-abs(told.given.get(name, 0.0) - told.given_before.get(name, 0)), name),
    )
    return [
        (
            "Nothing shown" if name == NOTHING else names.get(name, name),
            told.given_before.get(name, 0),
            told.given.get(name, 0.0),
        )
        for name in actions[:most]
    ]


def parts(days: Sequence[PolicyDay]) -> list[tuple[float, float]]:
    """(showed something, showed nothing) of each day.

    >>> parts([PolicyDay("2026-05-01", 4, 0.0, 0.75)])
    [(3.0, 1.0)]
    """
    return [(day.decisions * day.shown, day.decisions * (1 - day.shown)) for day in days]


def levels(days: Sequence[PolicyDay]) -> list[float | None]:
    """The mean reward of each day; None where nothing was decided.

    >>> levels([PolicyDay("2026-05-01", 4, 0.5, 1.0), PolicyDay("2026-05-02", 0, 0.0, 0.0)])
    [0.5, None]
    """
    return [day.rewarded if day.decisions else None for day in days]
