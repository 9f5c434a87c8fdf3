"""A model of the reward fitted on other rows than it speaks about: ridge regression per action, in folds.

Every action's coefficients are drawn towards the mean over all actions (which has no penalty), so an action with few
rows says what the others say. A row's fold follows from a hash of its id, or of its person: the same rows give the
same folds in any order, and nobody is in the fold that learns about them. Cross-fitting keeps DR unbiased:
V. Chernozhukov et al., "Double/debiased machine learning", Econometrics Journal 21 (2018).
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from patron.decide.offpolicy.logged import Floats, Whole

FOLDS = 5
RIDGE = 10.0
"""Penalty, in rows: an action with as many rows of its own goes half of the way to its own mean."""


class Fitted(Struct, frozen=True, eq=False):
    """Out-of-fold predictions: of the executed action, the policy's average, and of every action (rows x actions)."""

    predicted: Floats
    expected: Floats
    every: Floats


def folds(ids: Sequence[str], count: int = FOLDS) -> Whole:
    """The fold of each id, 0 to count - 1, by a hash.

    >>> folds(["d_1", "d_2", "d_1"], 2).tolist()
    [1, 0, 1]
    """
    seen = {one: _fold(one, count) for one in set(ids)}
    return np.array([seen[one] for one in ids], dtype=np.int64)


def _fold(one: str, count: int) -> int:
    data = one.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, person=b"patron.fold").digest()) % count


def cross_fit(
    features: Floats,
    action: Whole,
    reward: Floats,
    target: Floats,
    fold: Whole,
    *,
    ridge: float = RIDGE,
) -> Fitted:
    """Predictions for `Logged.of`, each from the rows of the other folds.

    Parameters
    ----------
    features : rows x features, without a constant; scale them alike, the penalty is the same for all.
    action : the executed action of each row, 0 to actions - 1.
    target : rows x actions, the probabilities of the policy in question.
    fold : from `folds`, of the rows' people where known.
    ridge : penalty in rows, above 0.

    Raises
    ------
    ValueError : shapes that do not fit, an action without a column in `target`, a number that is not finite, a ridge of 0.

    >>> fold = folds([f"d_{i}" for i in range(40)])
    >>> reward = np.arange(40) % 2 * 1.0
    >>> fit = cross_fit(np.zeros((40, 1)), np.arange(40) % 2, reward, np.full((40, 2), 0.5), fold, ridge=1e-6)
    >>> fit.predicted.round(3)[:2].tolist(), fit.expected.round(3)[:2].tolist()
    ([0.0, 1.0], [0.5, 0.5])
    """
    _check(features, action, reward, target, fold, ridge)
    count = target.shape[1]
    whole = np.column_stack([np.ones(len(features)), features])
    every = np.empty((len(features), count))
    for one in np.unique(fold):
        out = fold == one
        every[out] = whole[out] @ _ridge(whole[~out], action[~out], reward[~out], count, ridge)
    rows = np.arange(len(action))
    return Fitted(every[rows, action], np.einsum("ij,ij->i", target, every), every)


def _ridge(features: Floats, action: Whole, reward: Floats, count: int, ridge: float) -> Floats:
    """Coefficients, features x actions; an action never seen has the common mean."""
    width = features.shape[1]
    mean = float(reward.mean()) if len(reward) else 0.0
    found = np.zeros((width, count))
    for one in np.unique(action):
        mine = features[action == one]
        gram = mine.T @ mine + ridge * np.eye(width)
        found[:, one] = np.linalg.solve(gram, mine.T @ (reward[action == one] - mean))
    found[0] += mean
    return found


def _check(
    features: Floats, action: Whole, reward: Floats, target: Floats, fold: Whole, ridge: float
) -> None:
    rows = len(reward)
    if (
        features.ndim != 2
        or target.ndim != 2
        or {len(features), len(action), len(target), len(fold)} != {rows}
    ):
        raise ValueError(
            f"features {features.shape}, action {action.shape}, reward {reward.shape}, target {target.shape} and fold "
            f"{fold.shape} need the same rows; features and target are tables"
        )
    if rows and not 0 <= int(action.min()) <= int(action.max()) < target.shape[1]:
        raise ValueError(f"actions run from 0 to {target.shape[1] - 1}, the columns of target")
    if not (np.isfinite(features).all() and np.isfinite(reward).all()):
        raise ValueError("features and rewards must be finite numbers; fill or drop what is missing")
    if not ridge > 0:
        raise ValueError("the ridge must be above 0, else an action with few rows has no answer")
