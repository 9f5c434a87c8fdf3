"""The score of an offer as a formula that people read and edit: arithmetic over named terms, for all candidates at once.

Only numbers, the terms, `+ - * / **`, and `min max abs sqrt log exp`. What gives no number for an offer (a division by
zero, the logarithm of nothing) scores that offer NaN; who asks drops it and says so.
"""

import ast
from collections.abc import Callable, Mapping
from functools import reduce
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Terms = Mapping[str, Scores | np.float64]

TERMS: Mapping[str, str] = {
    "propensity": "expected successes, learned; of a money reward the expected amount",
    "value": "worth of one success",
    "margin": "share of revenue that is kept",
    "cost": "what giving it once costs",
    "weight": "product of the weights that hold now",
    "priority": "the business's lever on this offer",
    "unsubscribe": "chance that it makes somebody withdraw a consent, learned",
    "unsubscribe_cost": "what that is worth",
}
"""Name -> meaning of everything a formula may use."""
LONGEST = 500
_DEEPEST = 50
_LARGEST_POWER = 8
_Compute = Callable[[Terms], Any]
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: np.positive, ast.USub: np.negative}
_FUNCTIONS: Mapping[str, tuple[Callable[..., Any], bool]] = {
    "min": (np.minimum, True),
    "max": (np.maximum, True),
    "abs": (np.abs, False),
    "sqrt": (np.sqrt, False),
    "log": (np.log, False),
    "exp": (np.exp, False),
}
"""Name -> what computes it, and whether it takes several values."""


class Formula:
    """A formula, checked and ready to run.

    Raises
    ------
    ValueError : it is no such formula; the text says what to do.

    >>> score = Formula("propensity * value - cost")
    >>> score({"propensity": np.array([.5, .1]), "value": np.array([4., 4.]), "cost": np.array([1., 0.])}, 2).tolist()
    [1.0, 0.4]
    >>> Formula("1 / cost")({"cost": np.array([0., 2.])}, 2).tolist()
    [nan, 0.5]
    """

    def __init__(self, text: str) -> None:
        self._compute = _compiled(text)
        self.text = text
        self.names = frozenset(
            node.id
            for node in ast.walk(ast.parse(text.strip(), mode="eval"))
            if isinstance(node, ast.Name) and node.id in TERMS
        )
        """The terms that it reads."""

    def __call__(self, terms: Terms, size: int) -> Scores:
        """The score of each of `size` candidates; NaN where there is none. A term is a row of them, or one number for all."""
        with np.errstate(all="ignore"):
            found: Scores = np.asarray(self._compute(terms), dtype=np.float64)
        if found.ndim == 0:
            found = np.full(size, found)
        if not isfinite(float(found @ found)):  # one product is quicker than asking each
            found = np.where(np.isfinite(found), found, np.nan)
        return found


def formula_problem(text: str) -> str | None:
    """What is wrong with a formula, and what to do; None when it is right.

    >>> formula_problem("propensity * valeu")
    'unknown name `valeu`; use propensity, value, margin, cost, weight, priority, unsubscribe, unsubscribe_cost'
    >>> formula_problem("__import__('os')")
    'unknown function; use min, max, abs, sqrt, log, exp'
    """
    try:
        _compiled(text)
    except ValueError as error:
        return str(error)
    return None


def _compiled(text: str) -> _Compute:
    if not text.strip() or len(text) > LONGEST:
        raise ValueError(f"a formula has 1 to {LONGEST} characters, such as `propensity * value - cost`")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("this is no formula; write for example `propensity * value - cost`") from error
    return _node(tree.body, 0)


def _node(node: ast.expr, depth: int) -> _Compute:
    if depth > _DEEPEST:
        raise ValueError(f"a formula is nested at most {_DEEPEST} deep")
    match node:
        case ast.Constant(value=float() | int() as number) if not isinstance(number, bool):
            return _number(number)
        case ast.Name(id=name):
            return _term(name)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            if isinstance(op, ast.Pow):
                _check_power(right)
            return _binary(_BINARY[type(op)], _node(left, depth + 1), _node(right, depth + 1))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            return _unary(_SIGNS[type(op)], _node(operand, depth + 1))
        case ast.Call():
            return _call(node, depth)
        case _:
            raise ValueError(
                "a formula has only numbers, names, + - * / ** and min, max, abs, sqrt, log, exp"
            )


def _number(number: float) -> _Compute:
    try:
        value = float(number)
    except OverflowError:
        value = np.inf
    if not np.isfinite(value):
        raise ValueError("a number of the formula is too large")
    return lambda _terms: value


def _term(name: str) -> _Compute:
    if name not in TERMS:
        raise ValueError(f"unknown name `{name}`; use {', '.join(TERMS)}")
    return lambda terms: terms[name]


def _check_power(power: ast.expr) -> None:
    if isinstance(power, ast.UnaryOp):
        power = power.operand
    known = isinstance(power, ast.Constant) and isinstance(power.value, int | float)
    if not known or power.value > _LARGEST_POWER:  # type: ignore[attr-defined]
        raise ValueError(f"a power is a number up to {_LARGEST_POWER}, such as `value ** 0.5`")


def _call(node: ast.Call, depth: int) -> _Compute:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _FUNCTIONS:
        raise ValueError(f"unknown function; use {', '.join(_FUNCTIONS)}")
    function, several = _FUNCTIONS[name]
    if node.keywords or not node.args or (len(node.args) != 1 and not several):
        takes = "one or more values" if several else "one value"
        raise ValueError(f"`{name}` takes {takes}, without names")
    parts = [_node(one, depth + 1) for one in node.args]
    if several:
        return lambda terms: reduce(function, [part(terms) for part in parts])
    return _unary(function, parts[0])


def _binary(function: Callable[[Any, Any], Any], left: _Compute, right: _Compute) -> _Compute:
    return lambda terms: function(left(terms), right(terms))


def _unary(function: Callable[[Any], Any], part: _Compute) -> _Compute:
    return lambda terms: function(part(terms))
