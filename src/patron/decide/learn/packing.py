"""A row of features as few bytes, bit for bit what was scored, for the record of a decision.

One byte says how: 0 and two bytes a feature, or 1, a mask of one bit a feature, and two bytes for each that is not 0;
whichever is shorter. A row of 64 features takes at most 129 bytes. Numbers are steps of 2**-12, little-endian.
"""

from typing import Final

import numpy as np

from patron.decide.learn.grid import Row, from_steps

_DENSE: Final = b"\x00"
_SPARSE: Final = b"\x01"


def pack(row: Row) -> bytes:
    """The bytes of a row; equal rows give equal bytes.

    >>> from patron.decide.learn.grid import snap
    >>> pack(snap([0.5, 0.0, 0.0, 0.0])).hex()
    '01010008'
    """
    steps = row.steps.astype("<i2")
    used = steps != 0
    sparse = _SPARSE + np.packbits(used, bitorder="little").tobytes() + steps[used].tobytes()
    return sparse if len(sparse) < 1 + 2 * len(steps) else _DENSE + steps.tobytes()


def length(data: bytes, features: int) -> int:
    """How many bytes at the beginning are a packed row of so many features; what follows is somebody else's. -1: none is.

    >>> length(bytes.fromhex("01010008") + b"more", 4), length(b"", 4)
    (4, -1)
    """
    masked = 1 + (features + 7) // 8
    if data[:1] == _DENSE:
        return 1 + 2 * features
    if data[:1] == _SPARSE and len(data) >= masked:
        return masked + 2 * int.from_bytes(data[1:masked], "little").bit_count()
    return -1


def unpack(data: bytes, features: int) -> Row:
    """The row that was packed. ValueError: these are not the bytes of a row of so many features.

    >>> unpack(bytes.fromhex("01010008"), 4).values.tolist()
    [0.5, 0.0, 0.0, 0.0]
    """
    if data[:1] == _DENSE and len(data) == 1 + 2 * features:
        return from_steps(np.frombuffer(data, "<i2", offset=1).astype(np.int64))
    masked = 1 + (features + 7) // 8
    if data[:1] == _SPARSE and len(data) >= masked:
        used = np.unpackbits(
            np.frombuffer(data[1:masked], np.uint8), count=features, bitorder="little"
        ).astype(bool)
        if len(data) == masked + 2 * int(used.sum()):
            steps = np.zeros(features, np.int64)
            steps[used] = np.frombuffer(data, "<i2", offset=masked)
            return from_steps(steps)
    raise ValueError(
        f"{len(data)} bytes that are no packed row of {features} features: was the schema another one?"
    )
