"""Formulas of the score: what may be written, and what is said of the rest."""

import numpy as np
import pytest

from patron.decide.formula import TERMS, Formula, formula_problem


def _terms(**given):
    size = len(next(iter(given.values())))
    return {name: np.asarray(given.get(name, np.ones(size)), dtype=float) for name in TERMS}


def test_the_default_formula_is_the_one_of_the_docs():
    from patron.model.offers import Scoring

    terms = _terms(
        propensity=[0.2, 0.1], value=[10, 40], cost=[0.5, 0], unsubscribe=[0.01, 0], unsubscribe_cost=[20, 20]
    )
    assert Formula(Scoring().formula)(terms, 2).tolist() == pytest.approx([1.3, 4.0])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("min(value, 3)", [2, 3]), ("max(value, 3, cost)", [3, 5]), ("-value ** 2", [-4, -25]), ("7", [7, 7])],
)
def test_arithmetic(text, wanted):
    assert Formula(text)(_terms(value=[2, 5]), 2).tolist() == wanted


def test_no_number_is_nan_and_stops_nobody_else():
    assert np.isnan(Formula("value / cost")(_terms(value=[1, 1], cost=[0, 2]), 2)).tolist() == [True, False]
    assert np.isnan(Formula("log(cost)")(_terms(cost=[0, -1]), 2)).all()
    assert np.isnan(Formula("exp(value)")(_terms(value=[1e6]), 2)).all()


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "value +", "x" * 501, "value.real", "value[0]", "lambda: 1", "[value]", "value if cost else 1",
        "open('x')", "min()", "sqrt(value, cost)", "min(value, key=cost)", "True", "'a'", "value ** value",
        "9 ** 9 ** 9", "1e999", "(" * 300 + "value" + ")" * 300 + "+1", "value // 2", "value\n+ (", "value; cost", "\0",
        "-" * 200 + "value",
    ],
)  # fmt: skip
def test_whatever_is_no_formula_is_refused_in_words(text):
    problem = formula_problem(text)
    if text.startswith("(((") and problem is None:
        return  # brackets alone nest nothing
    assert problem
    with pytest.raises(ValueError, match=r"\w"):
        Formula(text)
