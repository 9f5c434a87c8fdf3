"""The grid on which features and rewards lie, so that sums over them are whole numbers and exact in any order."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Whole: TypeAlias = NDArray[np.int64]

FEATURE_BITS: Final = 12
"""A feature is a multiple of 2**-12, a reward one of 2**-16."""
REWARD_BITS: Final = 16
REWARD_STEP: Final = 2.0**-REWARD_BITS
REWARD_LIMIT: Final = 2.0**12
_SCALE = 2.0**FEATURE_BITS
_MOST = 2**15 - 1
_LIMIT = _MOST / _SCALE
_STEP = np.float32(2.0**-FEATURE_BITS)


class Row(NamedTuple):
    """One row of features on the grid: in steps of 2**-12 (whole numbers, held as float64), and the same as float32."""

    steps: NDArray[np.float64]
    values: Floats


def snap(values: Any, names: Sequence[str] = ()) -> Row:
    """Features on the grid: the nearest multiples of 2**-12, cut off just below +-8. A `Row` stays as it is.

    Raises
    ------
    ValueError : a feature is NaN or infinite (it is named, or numbered when `names` is empty), or not one row.

    >>> snap([0.1, 1.0, 99.0]).values.tolist()
    [0.10009765625, 1.0, 7.999755859375]
    >>> snap([0.0, float("nan")], ["hour", "price"])
    Traceback (most recent call last):
    ValueError: feature `price` is nan: give a finite number, or leave it out
    """
    if isinstance(values, Row):
        return values
    row = np.asarray(values, np.float64)
    if row.ndim != 1:
        raise ValueError(f"features are one row of numbers, not an array of shape {row.shape}")
    if not (np.maximum.reduce(row, initial=0.0) <= _LIMIT and np.minimum.reduce(row, initial=0.0) >= -_LIMIT):
        if not np.isfinite(row).all():
            _refuse(row, names)
        row = np.clip(row, -_LIMIT, _LIMIT)
    steps = row * _SCALE
    np.rint(steps, out=steps)
    steps += 0.0  # -0.0 becomes 0.0: equal rows are equal bytes
    return from_steps(steps)


def placed(values: Mapping[int, float], size: int, unit: float) -> Row:
    """The row of `size` features whose only ones that are not 0 are told by their places, in units of `unit`: `snap` for few.

    >>> placed({1: 0.2}, 3, 0.5).values.tolist()
    [0.0, 0.10009765625, 0.0]
    """
    steps, scale = np.zeros(size), unit * _SCALE
    for place, value in values.items():
        step = round(value * scale)
        steps[place] = step if -_MOST <= step <= _MOST else math.copysign(_MOST, step)
    return from_steps(steps)


def from_steps(steps: NDArray[Any]) -> Row:
    """The row of so many steps of 2**-12 each: whole numbers within +-32767.

    >>> from_steps(np.array([4096, -2048])).values.tolist()
    [1.0, -0.5]
    """
    values = steps.astype(np.float32)
    values *= _STEP
    return Row(steps if steps.dtype == np.float64 else steps.astype(np.float64), values)


def reward_steps(reward: float) -> int:
    """A reward in steps of 2**-16. ValueError when it is not finite or beyond +-4096.

    >>> reward_steps(1.0), reward_steps(-0.5)
    (65536, -32768)
    """
    if not -REWARD_LIMIT <= reward <= REWARD_LIMIT:
        raise ValueError(
            f"a reward lies within +-{REWARD_LIMIT:g}, not {reward}: scale it, best so that a good one is about 1"
        )
    return round(reward * 2**REWARD_BITS)


def _refuse(row: NDArray[np.float64], names: Sequence[str]) -> None:
    wrong = int(np.flatnonzero(~np.isfinite(row))[0])
    name = f"`{names[wrong]}`" if wrong < len(names) else f"number {wrong}"
    raise ValueError(f"feature {name} is {row[wrong]}: give a finite number, or leave it out")
