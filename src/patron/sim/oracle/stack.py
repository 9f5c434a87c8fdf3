"""Structs of arrays (Population, State, Noted) as stacks of rows: some rows, repeated rows, stacks put together."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct

from patron.sim.luck import Ints

T = TypeVar("T", bound=Struct)


def take(stack: T, rows: Ints) -> T:
    """A copy of some rows; a row that is named twice becomes two."""
    return type(stack)(*(getattr(stack, name)[rows] for name in stack.__struct_fields__))


def join(stacks: Sequence[T]) -> T:
    """All rows of several stacks, in their order."""
    names = stacks[0].__struct_fields__
    return type(stacks[0])(*(np.concatenate([getattr(one, name) for one in stacks]) for name in names))


def copy(stack: T) -> T:
    """The same rows, free to change."""
    return type(stack)(*(getattr(stack, name).copy() for name in stack.__struct_fields__))
