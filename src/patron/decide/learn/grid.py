"""The grid on which features and rewards lie, so that sums over them are whole numbers and exact in any order."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Whole: TypeAlias = NDArray[np.int64]

FEATURE_BITS: Final = 12
"""A feature is a multiple of 2**-12, a reward one of 2**-16."""
REWARD_BITS: Final = 16
FEATURE_LIMIT: Final = 8.0
REWARD_LIMIT: Final = 4096.0
_MOST = 2**15 - 1


def snap(values: Any, names: Sequence[str] = ()) -> Floats:
    """Features on the grid, as float32: the nearest multiple of 2**-12, cut off at +-8.

    Raises
    ------
    ValueError : a feature is NaN or infinite (it is named, or numbered when `names` is empty), or not one row.

    >>> snap([0.1, 1.0, 99.0]).tolist()
    [0.10009765625, 1.0, 7.999755859375]
    """
    return np.asarray(whole(values, names), np.float32) * np.float32(2.0**-FEATURE_BITS)


def whole(values: Any, names: Sequence[str] = ()) -> Whole:
    """The same features in steps of the grid: whole numbers within +-32767. ValueError as `snap`.

    >>> whole([0.5, -0.25]).tolist()
    [2048, -1024]
    """
    row = np.asarray(values, np.float64)
    if row.ndim != 1:
        raise ValueError(f"features are one row of numbers, not an array of shape {row.shape}")
    steps = np.rint(row * 2.0**FEATURE_BITS)
    if not np.isfinite(steps.sum()):
        _refuse(row, names)
    return np.clip(steps, -_MOST, _MOST).astype(np.int64)


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
