"""What may be said: up, down, no effect, or too early. And one honest sentence for the console."""

from statistics import NormalDist

from msgspec import Struct

from patron.experiments.compare import Comparison, Interval, Moments, compare, srm_p
from patron.experiments.power import Plan, deviations, needed
from patron.model.views import EffectLine

SRM_LIMIT = 0.001
"""Arms less likely than this are not the arms that were drawn: no verdict."""
_NORMAL = NormalDist()


class Verdict(Struct, frozen=True):
    """A verdict (`early`, `up`, `down`, `none`) with what it rests on.

    `why` is `size` (not enough people), `unclear` (enough, but neither clear of zero nor inside the band),
    `no_outcomes`, `not_as_drawn`, `one_arm` (nobody or everybody is held out), or empty. `needed` is (treated, control), None while it cannot be planned.
    """

    name: str
    why: str
    comparison: Comparison
    needed: tuple[int, int] | None
    srm: float


def verdict(treated: Moments, control: Moments, plan: Plan, *, rate: bool = True) -> Verdict:
    """Judge two arms against the plan. Before the planned size it is always `early`.

    Parameters
    ----------
    rate : values are 0 or 1 a person (bought or not); else amounts.

    `up` and `down`: the interval of the lift is clear of zero. `none`: it lies inside -effect..+effect. The planned
    size is computed from both arms together, so that a lucky arm does not move its own finishing line.

    >>> from patron.moments.sums import Sums
    >>> verdict(Sums.of_rate(5, 41), Sums.of_rate(3, 38), Plan()).name
    'early'
    >>> verdict(Sums.of_rate(4800, 20_000), Sums.of_rate(4000, 20_000), Plan()).name
    'up'
    """
    one_arm = plan.holdout in (0.0, 1.0)
    srm = 1.0 if one_arm else srm_p(treated.n, control.n, plan.holdout)
    size = _planned(treated, control, plan, rate)
    share = min(treated.n / size[0], control.n / size[1]) if size else 0.0
    alpha = 2 * (1 - _NORMAL.cdf(deviations(plan, share)))
    comparison = compare(treated, control, alpha)
    name, why = ("early", "one_arm") if one_arm else _judge(comparison, plan, share, srm, bool(size))
    return Verdict(name, why, comparison, size, srm)


def line(
    treated: Moments, control: Moments, plan: Plan, *, rate: bool = True, did: str = "bought"
) -> EffectLine:
    """The one line of the console: what deciding changed, against the people held out.

    `did` is the outcome as a verb in the past (`bought`, `spent`). `value`, `low` and `high` are relative: 0.1 = 10%; None
    where the data cannot say, and where the arms are not as drawn.

    >>> from patron.moments.sums import Sums
    >>> line(Sums.of_rate(9, 41), Sums.of_rate(6, 38), Plan()).sentence
    'Too early: 41 shown, 38 held out; about 3,100 each are needed to see a change of 20%.'
    """
    judged = verdict(treated, control, plan, rate=rate)
    lift = None if judged.why == "not_as_drawn" else judged.comparison.lift
    return EffectLine(
        shown=treated.n,
        held_out=control.n,
        verdict=judged.name,
        sentence=_sentence(judged, treated.n, control.n, plan, did, often=rate),
        treated_rate=treated.mean,
        control_rate=control.mean,
        value=lift.value if lift else None,
        low=lift.low if lift else None,
        high=lift.high if lift else None,
    )


def _planned(treated: Moments, control: Moments, plan: Plan, rate: bool) -> tuple[int, int] | None:
    people = treated.n + control.n
    if people < 2:
        return None
    mean = (treated.mean * treated.n + control.mean * control.n) / people
    pooled = (treated.variance * treated.n + control.variance * control.n) / people
    return needed(mean, plan, None if rate else pooled) if rate or pooled > 0 else None


def _judge(comparison: Comparison, plan: Plan, share: float, srm: float, planned: bool) -> tuple[str, str]:
    if srm < SRM_LIMIT:
        return "early", "not_as_drawn"
    if not planned:
        return "early", "no_outcomes"
    if share < 1.0:
        return "early", "size"
    shown = comparison.lift
    if shown is None:
        return "early", "unclear"
    if shown.low > 0 or shown.high < 0:
        return ("up" if shown.low > 0 else "down"), ""
    inside = -plan.effect <= shown.low and shown.high <= plan.effect
    return ("none", "") if inside else ("early", "unclear")


def _sentence(judged: Verdict, shown: int, held: int, plan: Plan, did: str, *, often: bool) -> str:
    people = f"{shown:,} shown, {held:,} held out"
    lift, size = judged.comparison.lift, judged.needed
    if judged.why == "not_as_drawn":
        chance = "under 1 in 1,000,000" if judged.srm < 1e-6 else f"{judged.srm:.1g}"
        return f"No verdict: {people} are not the groups that were drawn (p {chance}). Check how people are assigned."
    if judged.why == "one_arm":
        who = "everybody" if plan.holdout else "nobody"
        return (
            f"Not measured: {who} is held out ({people}). A share between 0 and 1 makes the effect visible."
        )
    if not shown and not held:
        return "Too early: there is nobody to compare yet."
    if size is None:
        nothing = not judged.comparison.treated and not judged.comparison.control
        return f"Too early: {people}, and {f'nobody has {did} yet' if nothing else 'too little varies to plan with'}."
    if judged.why == "size":
        return f"Too early: {people}; {_about(size)} are needed to see a change of {plan.effect * 100:.3g}%."
    if lift is None:
        return f"Too early: {people}, but too few of those held out {did} to say what changed."
    change = f"{_percent(lift.value)} ({_interval(lift, plan.alpha)})"
    if judged.why == "unclear":
        return f"Too early: {change}; {people} do not settle it yet."
    if judged.name == "none":
        return f"No effect of {plan.effect * 100:.3g}% or more: {change}. Smaller ones were not planned to be seen."
    more = ("more" if lift.value > 0 else "less") + (" often" if often else "")
    return (
        f"{judged.name.capitalize()}: people who are shown offers {did} {more} than those held out, {change}."
    )


def _interval(lift: Interval, alpha: float) -> str:
    return f"{(1 - alpha) * 100:.3g}% interval {_percent(lift.low)} to {_percent(lift.high)}"


def _about(size: tuple[int, int]) -> str:
    treated, control = (_rounded(n) for n in size)
    return (
        f"about {treated:,} each"
        if treated == control
        else f"about {treated:,} shown and {control:,} held out"
    )


def _rounded(n: int) -> int:
    """Two figures, upwards: a planned size is no exact number, and must not be understated."""
    step = int("1" + "0" * max(0, len(str(n)) - 2))
    return -(-n // step) * step


def _percent(share: float) -> str:
    """A signed percentage with a true minus."""
    text = f"{share * 100:+.1f}%"
    return text.replace("-", "−")
