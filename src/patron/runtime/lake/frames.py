"""Frames between a process and its child: four bytes of length, then MessagePack."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from patron.storage.embedded.writer import LENGTH

_decode = msgspec.msgpack.Decoder(list[Any]).decode


def framed(*fields: object) -> bytes:
    """One frame.

    >>> framed("applied", 7)[4:] == msgspec.msgpack.encode(["applied", 7])
    True
    """
    data = msgspec.msgpack.encode(fields)
    return LENGTH.pack(len(data)) + data


def frames(stream: BinaryIO) -> Iterator[list[Any]]:
    """Frames until the stream ends; half a frame at the end is left out."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        (length,) = LENGTH.unpack(head)
        data = stream.read(length)
        if len(data) < length:
            return
        yield _decode(data)
