"""What was learned, as bytes: exact sums and declarations, from which everything else is solved again.

Equal choices and rewards give equal bytes, in whatever order they came. Loading gives what `settle` gives: the two agree
to the bit. Layout: `PATRONRL`, a CRC-32 of the rest (4 bytes), then one MessagePack array with a version first; sums are
little-endian whole numbers of 64 bits, of a symmetric matrix the upper triangle by rows, actions in the order of names.
"""

import zlib
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from patron.decide.learn.forgetting import Forgetting
from patron.decide.learn.grid import Row, from_steps
from patron.decide.learn.learner import Learner, Learning
from patron.decide.learn.ridge import Ridge

VERSION: Final = 1
_MAGIC: Final = b"PATRONRL"


class _Action(Struct, frozen=True, array_like=True):
    name: str
    squares: bytes
    crosses: bytes
    count: int
    total: int
    prior: float | None = None
    pseudo: float = 0.0
    traits: bytes = b""


class _State(Struct, frozen=True, array_like=True):
    version: int
    learning: Learning
    now: int
    actions: tuple[_Action, ...]
    shared: _Action | None


def to_bytes(learner: Learner) -> bytes:
    """All that a learner knows, as bytes.

    >>> learner = Learner(Learning(features=2))
    >>> learner.add("tea")
    >>> learner.observe("tea", [1.0, 0.5])
    >>> from_bytes(to_bytes(learner)).ridge.count("tea")
    1.0
    """
    ridge = learner.ridge
    actions = []
    for name in sorted(learner.actions):
        prior, pseudo, traits = learner.declared[name]
        actions.append(_sums(ridge, name, prior, pseudo, traits.steps.astype("<i2").tobytes()))
    shared = _sums(learner.shared.ridge, learner.shared.ridge.actions[0]) if learner.shared else None
    body = msgspec.msgpack.encode(
        _State(VERSION, learner.learning, ridge.forgetting.now, tuple(actions), shared)
    )
    return _MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def from_bytes(data: bytes) -> Learner:
    """The learner of these bytes, settled.

    Raises
    ------
    ValueError : the bytes are damaged, cut short, of something else, or of a newer Patron.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("these bytes are no learned state: they do not begin with PATRONRL")
    start = len(_MAGIC) + 4
    body = data[start:]
    if zlib.crc32(body).to_bytes(4, "little") != data[len(_MAGIC) : start]:
        raise ValueError(
            "the learned state is damaged or cut short: take an older copy and replay the log from there"
        )
    try:
        version = msgspec.msgpack.decode(body)[0]
        if version != VERSION:
            raise ValueError(
                f"the learned state has version {version}, this Patron reads {VERSION}: use a newer one"
            )
        return _restore(msgspec.msgpack.decode(body, type=_State))
    except (msgspec.MsgspecError, TypeError, IndexError, KeyError) as error:
        raise ValueError(f"the learned state cannot be read: {error}") from error


def _restore(state: _State) -> Learner:
    learner = Learner(state.learning)
    learner.ridge.forgetting = Forgetting(state.learning.half_life, state.now)
    for action in state.actions:
        traits: Row = from_steps(np.frombuffer(action.traits, "<i2").astype(np.int64))
        learner.add(action.name, traits=traits, prior=action.prior, pseudo=action.pseudo)
        _fill(learner.ridge, action)
    if learner.shared and state.shared:
        learner.shared.ridge.forgetting = Forgetting(state.learning.half_life, state.now)
        _fill(learner.shared.ridge, state.shared)
    learner.settle()
    return learner


def _sums(ridge: Ridge, name: str, *declared: Any) -> _Action:
    row = ridge.row(name)
    ridge.gather(row)
    upper = ridge.squares[row][np.triu_indices(ridge.features)]
    return _Action(
        name,
        upper.astype("<i8").tobytes(),
        ridge.crosses[row].astype("<i8").tobytes(),
        int(ridge.counts[row]),
        int(ridge.totals[row]),
        *declared,
    )


def _fill(ridge: Ridge, action: _Action) -> None:
    row = ridge.row(action.name)
    upper = np.zeros((ridge.features, ridge.features), np.int64)
    upper[np.triu_indices(ridge.features)] = np.frombuffer(action.squares, "<i8")
    ridge.squares[row] = upper + np.triu(upper, 1).T
    ridge.crosses[row] = np.frombuffer(action.crosses, "<i8")
    ridge.counts[row], ridge.totals[row] = action.count, action.total
    ridge.seen += action.count
    ridge.resolve(row)
