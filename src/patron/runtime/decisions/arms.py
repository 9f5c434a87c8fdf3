"""What was learned, durable: one row of exact sums for each action of each kind of reward, and the regressions over them.

The row is the sums (`decide.learn.ridge`): a function of the decisions and rewards alone. So a start after a crash, which
replays the log from the last checkpoint, ends with the posterior of all acknowledged rewards.
"""

import numpy as np
from numpy.typing import NDArray

from patron.decide.learn.grid import REWARD_STEP, Row
from patron.decide.learn.ridge import Ridge
from patron.model.ports import Table
from patron.runtime.decisions.looks import JOINT, LEAVING, OWN, PRECISION, SCHEMA, VERSION

JOINED = "joint"
"""The joint regression, `joint:KIND`, and its only action."""
UNSUBSCRIBE = "unsubscribe"
"""The regressions of withdrawn consents: one for each channel that sends, and one for silence."""

_SIZES = 1 << 32
TOGETHER = 16
"""Choices of an action that are learned at a time while nothing follows them."""
_AT_ONCE = 8


class Arm:
    """The sums of one action: those of a regression in memory, or as they were read."""

    __slots__ = ("data", "ridge", "row")

    def __init__(self, ridge: Ridge | None = None, row: int = -1, data: bytes = b"") -> None:
        self.ridge = ridge
        self.row = row
        self.data = data


def encode(arm: Arm) -> bytes:
    """Canonical bytes: the schema's version and the number of features in one word, choices, rewards, and the upper half of the squares."""
    ridge = arm.ridge
    if ridge is None:
        return arm.data
    size, row = ridge.features, arm.row
    ridge.gather(row)
    upper = ridge.squares[row][np.triu_indices(size)]
    head = [VERSION * _SIZES + size, int(ridge.counts[row]), int(ridge.totals[row])]
    return np.concatenate((head, ridge.crosses[row], upper)).astype("<i8").tobytes()


def decode(data: bytes) -> Arm:
    """The arm of `encode`, not in a regression yet."""
    return Arm(data=data)


def _precision(kind: str) -> NDArray[np.float64] | float:
    if kind == UNSUBSCRIBE:
        return LEAVING
    return PRECISION if kind.startswith(JOINED) else OWN


class Arms:
    """All arms of a workspace: a regression for each kind of reward, an action each. Names are `KIND/OFFER`."""

    def __init__(self, rows: Table[Arm]) -> None:
        self._rows = rows
        self._ridges: dict[str, Ridge] = {}
        for name in list(rows.keys()):
            arm = rows.get(name)
            if arm is not None:
                self._load(name, arm)

    def _load(self, name: str, arm: Arm) -> None:
        told = np.frombuffer(arm.data, "<i8")
        version, size = divmod(int(told[0]), _SIZES)
        kind, _, action = name.partition("/")
        is_joint = kind.startswith(JOINED)
        if version != VERSION or size != (JOINT if is_joint else SCHEMA).size:
            # learned with other features: it says nothing of these
            self._rows.delete(name)
            return
        ridge = self.ridge(kind, size)
        row = ridge.add(action)
        ridge.counts[row], ridge.totals[row] = told[1], told[2]
        ridge.seen += int(told[1])
        ridge.crosses[row] = told[3 : 3 + size]
        square = np.zeros((size, size), np.int64)
        square[np.triu_indices(size)] = told[3 + size :]
        ridge.squares[row] = square + np.triu(square, 1).T
        ridge.resolve(row)
        arm.ridge, arm.row = ridge, row

    def ridge(self, kind: str, features: int) -> Ridge:
        """The regression of a kind of reward."""
        found = self._ridges.get(kind)
        if found is None:
            found = self._ridges[kind] = Ridge(features, penalty=_precision(kind), together=TOGETHER)
        return found

    def catch_up(self) -> None:
        """Learn choices that wait for others to be learned with; a bounded piece, to be called every second or so."""
        for ridge in self._ridges.values():
            ridge.catch_up(_AT_ONCE)

    def observe(self, kind: str, action: str, row: Row, time: int, times: int = 1) -> None:
        """Count that an action was chosen; `times=-1` takes it back, and what rests on nothing leaves the books."""
        ridge = self._touched(kind, action)
        ridge.observe(action, row, time, times)
        if times < 0 and not ridge.counts[ridge.row(action)]:
            self._rows.delete(f"{kind}/{action}")

    def reward(self, kind: str, action: str, row: Row, steps: int, time: int) -> None:
        """Add to the reward of a choice, in steps of 2**-16; below 0 for what was taken back."""
        self._touched(kind, action).reward(action, row, steps * REWARD_STEP, time)

    def _touched(self, kind: str, action: str) -> Ridge:
        """The regression, its action's row about to change."""
        ridge, name = self._ridges[kind], f"{kind}/{action}"
        if name in self._rows:
            self._rows.touch(name)
        else:
            row = ridge.row(action) if action in ridge else ridge.add(action)
            self._rows.put(name, Arm(ridge, row))
        return ridge
