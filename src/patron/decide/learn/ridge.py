"""One ridge regression per action, side by side: exact sums, an inverse kept up online, scores in one product.

For action a with observations (x_i, r_i) and a prior mean m: theta = A^-1 (b + penalty m) with
A = penalty I + sum x_i x_i' and b = sum r_i x_i. The sums are whole numbers on a grid (`grid`), so they do not depend
on the order in which choices and rewards arrive, and what is taken back leaves nothing behind. The inverse follows by
Sherman and Morrison in float32 and is solved anew from the sums every `RESOLVE_EVERY` changes of an action.

Source: Sherman & Morrison, Annals of Mathematical Statistics 21 (1950); Li et al., "A contextual-bandit approach to
personalized news article recommendation", WWW 2010 (disjoint linear models).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from patron.decide.learn.grid import FEATURE_BITS, REWARD_BITS, Floats, Whole, reward_steps, whole

RESOLVE_EVERY: Final = 128
_SQUARE = 2.0 ** -(2 * FEATURE_BITS)
_CROSS = 2.0 ** -(FEATURE_BITS + REWARD_BITS)
_STEP = np.float32(2.0**-FEATURE_BITS)
_ROOM = 2**62


class Ridge:
    """Ridge regressions of `features` weights for named actions that come and go.

    `penalty` is the prior's precision: how many unit observations a direction needs to move halfway from its prior.

    >>> ridge = Ridge(2, actions=["tea"])
    >>> ridge.observe("tea", [1.0, 0.0])
    >>> ridge.reward("tea", [1.0, 0.0], 1.0)
    >>> ridge.means([1.0, 0.0]).tolist()
    [0.5]
    """

    def __init__(self, features: int, *, actions: Iterable[str] = (), penalty: float = 1.0) -> None:
        if features < 1 or not penalty > 0:
            raise ValueError(
                f"a ridge has at least 1 feature and a penalty above 0, not {features} and {penalty}"
            )
        self.features = features
        self.penalty = float(penalty)
        self._rows: dict[str, int] = {}
        self._free: list[int] = []
        self._allocate(4)
        for action in actions:
            self.add(action)

    def _allocate(self, size: int) -> None:
        d = self.features
        self._squares: Whole = np.zeros((size, d, d), np.int64)
        self._crosses: Whole = np.zeros((size, d), np.int64)
        self._inverse: Floats = np.zeros((size, d, d), np.float32)
        self._weights: Floats = np.zeros((size, d), np.float32)
        self._priors: Floats = np.zeros((size, d), np.float32)
        self._counts: Whole = np.zeros(size, np.int64)
        self._totals: Whole = np.zeros(size, np.int64)
        self._age: Whole = np.zeros(size, np.int64)
        self._used = 0

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions in the order they were added."""
        return tuple(self._rows)

    def __contains__(self, action: object) -> bool:
        return action in self._rows

    def row(self, action: str) -> int:
        """The row of an action in what `means` gives; it stays until the action is removed. KeyError: not added."""
        try:
            return self._rows[action]
        except KeyError:
            raise KeyError(f"no action `{action}` here: add it first") from None

    def rows(self, actions: Iterable[str]) -> np.ndarray[Any, np.dtype[np.intp]]:
        """The rows of many actions, for `means`."""
        return np.fromiter((self.row(action) for action in actions), np.intp)

    def add(self, action: str, prior: Sequence[float] | Floats | None = None) -> int:
        """Take up an action, which scores by the weights `prior` (0 without) until it learns; gives its row.

        An action that is here already keeps what it learned and takes the new prior, if one is given.
        """
        row = self._rows.get(action)
        if row is None:
            row = self._new_row()
            self._rows[action] = row
            self._inverse[row] = np.eye(self.features, dtype=np.float32) / np.float32(self.penalty)
        if prior is not None:
            self._priors[row] = np.asarray(prior, np.float32)
        self.resolve(row)
        return row

    def remove(self, action: str) -> None:
        """Drop an action and all it learned. KeyError: not added."""
        row = self.row(action)
        del self._rows[action]
        for block in self._blocks():
            block[row] = 0
        self._free.append(row)

    def means(self, x: Any, rows: Any = None) -> Floats:
        """Expected rewards at features `x`, of the actions in `rows` (all rows in use without).

        ValueError: a feature is NaN or infinite, or their number is wrong.
        """
        every: Floats = self._weights[: self._used] @ self._read(x)[1]
        return every if rows is None else every[rows]

    def observe(self, action: str, x: Any, times: int = 1) -> None:
        """Count that `action` was chosen at features `x`, with reward 0 so far; `times=-1` takes that back."""
        row = self.row(action)
        steps, values = self._read(x)
        self._squares[row] += np.multiply.outer(steps * times, steps)
        self._counts[row] += times
        u = self._inverse[row] @ values
        spread = 1 + times * float(values @ u)
        if spread <= 1e-3 or self._due(row):
            self.resolve(row)
            return
        self._weights[row] -= u * np.float32(times * float(values @ self._weights[row]) / spread)
        v = u * np.float32(spread**-0.5)
        if times > 0:
            self._inverse[row] -= np.multiply.outer(v, v)
        else:
            self._inverse[row] += np.multiply.outer(v, v)

    def reward(self, action: str, x: Any, delta: float) -> None:
        """Add `delta` to the reward of a choice at features `x`; below 0 for what was returned."""
        row = self.row(action)
        steps, values = self._read(x)
        amount = reward_steps(delta)
        self._crosses[row] += steps * amount
        self._totals[row] += amount
        if self._due(row):
            self.resolve(row)
        else:
            self._weights[row] += (self._inverse[row] @ values) * np.float32(amount * 2.0**-REWARD_BITS)

    def count(self, action: str) -> int:
        """How often an action was observed."""
        return int(self._counts[self.row(action)])

    def total(self, action: str) -> float:
        """The sum of an action's rewards."""
        return float(self._totals[self.row(action)]) * 2.0**-REWARD_BITS

    def resolve(self, row: int) -> None:
        """Solve a row anew from its exact sums: what it then scores depends on the sums alone.

        OverflowError: more was added than whole numbers of 64 bits hold.
        """
        squares, crosses = self._squares[row], self._crosses[row]
        if max(int(squares.max()), int(np.abs(crosses).max())) > _ROOM:
            raise OverflowError(
                "a ridge is full: its sums no longer fit 64 bits; use smaller features or rewards"
            )
        gram = squares * _SQUARE
        gram[np.diag_indices(self.features)] += self.penalty
        inverse = np.linalg.inv(gram)
        self._inverse[row] = (inverse + inverse.T) / 2
        self._weights[row] = inverse @ (crosses * _CROSS + self.penalty * self._priors[row])
        self._age[row] = 0

    def _read(self, x: Any) -> tuple[Whole, Floats]:
        steps = whole(x)
        if len(steps) != self.features:
            raise ValueError(f"{len(steps)} features given, this ridge has {self.features}")
        return steps, steps * _STEP

    def _due(self, row: int) -> bool:
        self._age[row] += 1
        return bool(self._age[row] >= RESOLVE_EVERY)

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self._counts):
            old, used = self._blocks(), self._used
            self._allocate(2 * used)
            for block, before in zip(self._blocks(), old, strict=True):
                block[:used] = before
            self._used = used
        self._used += 1
        return self._used - 1

    def _blocks(self) -> tuple[np.ndarray[Any, Any], ...]:
        return (
            self._squares, self._crosses, self._inverse, self._weights,
            self._priors, self._counts, self._totals, self._age,
        )  # fmt: skip
