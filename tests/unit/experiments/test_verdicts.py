"""Planned sizes, verdicts and the one honest sentence."""

import math
from statistics import NormalDist

import pytest

from patron.experiments.power import Plan, deviations, needed
from patron.experiments.verdicts import line, verdict
from patron.moments.sums import Sums

PHI = NormalDist()


def rate(successes: int, n: int) -> Sums:
    return Sums.of_rate(successes, n)


def test_the_classical_size_of_two_rates() -> None:
    # (z.975 + z.80)^2 (p0 q0 + p1 q1) / (p1 - p0)^2; 20% on a base of 18% is the "about 1,900 each".
    z = PHI.inv_cdf(0.975) + PHI.inv_cdf(0.8)
    expected = math.ceil(z**2 * (0.18 * 0.82 + 0.216 * 0.784) / 0.036**2)
    assert needed(0.18, Plan(any_time=False)) == (expected, expected) == (1920, 1920)


def test_the_size_of_means_of_amounts() -> None:
    z = PHI.inv_cdf(0.975) + PHI.inv_cdf(0.8)
    expected = math.ceil(z**2 * 2 * 900.0 / (0.1 * 30) ** 2)
    assert needed(30.0, Plan(effect=0.1, any_time=False), 900.0) == (expected, expected)


def test_a_small_holdout_needs_more_people_in_all_but_fewer_held_out() -> None:
    even, small = needed(0.2, Plan()), needed(0.2, Plan(holdout=0.1))
    assert even is not None
    assert small is not None
    assert sum(small) > 2 * sum(even)
    assert small[1] < even[1] < small[0]
    assert small[0] / small[1] == pytest.approx(9, rel=0.01)


def test_what_cannot_be_planned() -> None:
    assert needed(0.0, Plan()) is None
    assert needed(-3.0, Plan(), 5.0) is None
    assert needed(1.5, Plan()) is None
    assert needed(0.2, Plan(holdout=0.0)) is None
    assert needed(0.95, Plan()) == needed(0.95, Plan()), "a rise beyond 100% is planned as a fall"
    assert needed(1.0, Plan()) is not None


@pytest.mark.parametrize(
    "bad", [{"power": 0.0}, {"alpha": 1.0}, {"holdout": 1.1}, {"effect": 0.0}, {"effect": math.inf}]
)
def test_a_plan_says_what_is_wrong(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Plan(**bad)  # type: ignore[arg-type]


def test_the_any_time_width_solves_its_equation_and_grows_slowly() -> None:
    a = deviations(Plan())
    assert 2 * (1 - PHI.cdf(a) + a * PHI.pdf(a)) == pytest.approx(0.05, rel=1e-9)
    assert deviations(Plan(), 0.01) == a, "before the planned size it is no narrower"
    assert deviations(Plan(), 10.0) == pytest.approx(math.sqrt(a * a + math.log(10)))
    assert deviations(Plan(any_time=False), 10.0) == pytest.approx(PHI.inv_cdf(0.975))


def test_before_the_planned_size_even_a_huge_difference_is_too_early() -> None:
    judged = verdict(rate(40, 50), rate(5, 50), Plan())
    assert (judged.name, judged.why) == ("early", "size")


@pytest.mark.parametrize(
    ("treated", "control", "name", "why"),
    [
        (rate(2400, 10_000), rate(2000, 10_000), "up", ""),
        (rate(1600, 10_000), rate(2000, 10_000), "down", ""),
        (rate(2010, 10_000), rate(2000, 10_000), "none", ""),
        (rate(660, 3000), rate(600, 3000), "early", "unclear"),
        (rate(2400, 11_000), rate(2000, 9_000), "early", "not_as_drawn"),
        (rate(0, 10_000), rate(0, 10_000), "early", "no_outcomes"),
        (rate(0, 0), rate(0, 0), "early", "no_outcomes"),
    ],
)
def test_verdicts(treated: Sums, control: Sums, name: str, why: str) -> None:
    judged = verdict(treated, control, Plan())
    assert (judged.name, judged.why) == (name, why)
    turned = verdict(control, treated, Plan())
    assert turned.name == {"up": "down", "down": "up"}.get(name, name)


def test_a_single_look_is_narrower_than_any_look() -> None:
    once, always = Plan(any_time=False), Plan()
    arms = rate(1112, 5000), rate(1000, 5000)
    assert (verdict(*arms, once).name, verdict(*arms, always).name) == ("up", "early")


def test_amounts() -> None:
    poor, rich = [0, 0, 0, 100], [0, 0, 100, 100]
    assert verdict(Sums.of(rich * 3000), Sums.of(poor * 3000), Plan(), rate=False).name == "up"
    assert verdict(Sums.of([5] * 50), Sums.of([5] * 50), Plan(), rate=False).why == "no_outcomes"


@pytest.mark.parametrize(("people", "name"), [(99, "early"), (100, "up")])
def test_amounts_want_a_hundred_people_in_each_group(people: int, name: str) -> None:
    arms = (Sums.of([amount] * (people - 1) + [amount + 1]) for amount in (20, 10))
    assert verdict(*arms, Plan(), rate=False).name == name


# The figures in words were worked out by hand from the formulas in the docstrings.
LINES = [
    (rate(0, 0), rate(0, 0), Plan(), "Too early: there is nobody to compare yet."),
    (rate(0, 3), rate(0, 2), Plan(), "Too early: 3 shown, 2 held out, and nobody has bought yet."),
    (
        rate(8, 41),
        rate(6, 38),
        Plan(any_time=False),
        "Too early: 41 shown, 38 held out; about 2,000 each are needed to see a change of 20%.",
    ),
    (
        rate(90, 450),
        rate(10, 50),
        Plan(holdout=0.1),
        "Too early: 450 shown, 50 held out; about 14,000 shown and 1,500 held out are needed to see a change of 20%.",
    ),
    (
        rate(2400, 10_000),
        rate(2000, 10_000),
        Plan(),
        "Up: people who are shown offers bought more often than those held out, +20.0% (95% interval +10.3% to +29.7%).",
    ),
    (
        rate(1600, 10_000),
        rate(2000, 10_000),
        Plan(),
        "Down: people who are shown offers bought less often than those held out, −20.0% (95% interval −27.3% to −12.7%).",
    ),
    (
        rate(2010, 10_000),
        rate(2000, 10_000),
        Plan(),
        "No effect of 20% or more: +0.5% (95% interval −8.1% to +9.1%). Smaller ones were not planned to be seen.",
    ),
    (
        rate(690, 3000),
        rate(600, 3000),
        Plan(),
        "Too early: +15.0% (95% interval −1.1% to +31.1%); 3,000 shown, 3,000 held out do not settle it yet.",
    ),
    (
        rate(620, 6200),
        rate(380, 3800),
        Plan(),
        "No verdict: 6,200 shown, 3,800 held out are not the groups that were drawn (p under 1 in 1,000,000). Check how people are assigned.",
    ),
    (
        rate(5, 50),
        rate(0, 0),
        Plan(holdout=0.0),
        "Not measured: nobody is held out (50 shown, 0 held out). A share between 0 and 1 makes the effect visible.",
    ),
]


@pytest.mark.parametrize(("treated", "control", "plan", "sentence"), LINES, ids=lambda x: str(x)[:30])
def test_the_line_in_words(treated: Sums, control: Sums, plan: Plan, sentence: str) -> None:
    shown = line(treated, control, plan)
    assert shown.sentence == sentence
    assert (shown.shown, shown.held_out) == (treated.n, control.n)
    if shown.value is not None and shown.low is not None and shown.high is not None:
        assert shown.low < shown.value < shown.high


def test_groups_that_are_not_as_drawn_say_nothing_of_a_change() -> None:
    assert line(rate(600, 6000), rate(600, 6000), Plan()).value == 0.0
    assert line(rate(620, 6200), rate(380, 3800), Plan()).value is None
