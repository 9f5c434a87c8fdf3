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
_Part = _Compute | float
"""What computes a part of a formula, or what it comes to whoever asks."""
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_UNCHANGED: Mapping[Any, float] = {np.multiply: 1.0, np.divide: 1.0, np.subtract: 0.0}
"""What an operation leaves everything as it is with, on its right."""
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

    Parameters
    ----------
    known : terms that are one number for all, whoever asks: what follows from them alone is worked out once.

    Raises
    ------
    ValueError : it is no such formula; the text says what to do.

    >>> score = Formula("propensity * value - cost")
    >>> score({"propensity": np.array([.5, .1]), "value": np.array([4., 4.]), "cost": np.array([1., 0.])}, 2).tolist()
    [1.0, 0.4]
    >>> Formula("propensity * value - cost", {"value": np.float64(4), "cost": np.float64(0)})({"propensity": np.array([.5])}, 1)
    array([2.])
    >>> Formula("1 / cost")({"cost": np.array([0., 2.])}, 2).tolist()
    [nan, 0.5]
    """

    def __init__(self, text: str, known: Mapping[str, np.float64] | None = None) -> None:
        self._compute = _run(_compiled(text, known or {}))
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
        _compiled(text, {})
    except ValueError as error:
        return str(error)
    return None


def _compiled(text: str, known: Mapping[str, np.float64]) -> _Part:
    if not text.strip() or len(text) > LONGEST:
        raise ValueError(f"a formula has 1 to {LONGEST} characters, such as `propensity * value - cost`")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("this is no formula; write for example `propensity * value - cost`") from error
    return _node(tree.body, 0, known)


def _node(node: ast.expr, depth: int, known: Mapping[str, np.float64]) -> _Part:
    if depth > _DEEPEST:
        raise ValueError(f"a formula is nested at most {_DEEPEST} deep")
    match node:
        case ast.Constant(value=float() | int() as number) if not isinstance(number, bool):
            return _number(number)
        case ast.Name(id=name):
            return _term(name) if name not in known else known[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            if isinstance(op, ast.Pow):
                _check_power(right)
            sides = _node(left, depth + 1, known), _node(right, depth + 1, known)
            return _joined(_BINARY[type(op)], sides)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _SIGNS:
            return _joined(_SIGNS[type(op)], (_node(operand, depth + 1, known),))
        case ast.Call():
            return _call(node, depth, known)
        case _:
            raise ValueError(
                "a formula has only numbers, names, + - * / ** and min, max, abs, sqrt, log, exp"
            )


def _number(number: float) -> float:
    try:
        value = float(number)
    except OverflowError:
        value = np.inf
    if not np.isfinite(value):
        raise ValueError("a number of the formula is too large")
    return value


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


def _call(node: ast.Call, depth: int, known: Mapping[str, np.float64]) -> _Part:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in _FUNCTIONS:
        raise ValueError(f"unknown function; use {', '.join(_FUNCTIONS)}")
    function, several = _FUNCTIONS[name]
    if node.keywords or not node.args or (len(node.args) != 1 and not several):
        takes = "one or more values" if several else "one value"
        raise ValueError(f"`{name}` takes {takes}, without names")
    parts = [_node(one, depth + 1, known) for one in node.args]
    if several:
        return reduce(lambda before, part: _joined(function, (before, part)), parts)
    return _joined(function, (parts[0],))


def _joined(function: Callable[..., Any], parts: tuple[_Part, ...]) -> _Part:
    """An operation on what its parts come to: worked out now where all are known, left out where it changes nothing."""
    if all(isinstance(part, float) for part in parts):
        with np.errstate(all="ignore"):
            return np.float64(function(*parts))
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        only = _run(first)
        return lambda terms: function(only(terms))
    if isinstance(last, float):
        if last == _UNCHANGED.get(function):
            return first
        before = _run(first)
        return lambda terms: function(before(terms), last)
    left, right = _run(first), _run(last)
    return lambda terms: function(left(terms), right(terms))


def _run(part: _Part) -> _Compute:
    return (lambda _terms: part) if isinstance(part, float) else part
