"""Where one person stands: the segments they are in, and what makes the next event cheap."""

import msgspec
from msgspec import Struct

from patron.segments.hours import NEVER


class Standing(Struct, gc=False):
    """A person's memberships as bits (bit n: the segment with number n), and until when they stand by themselves.

    >>> decode(encode(Standing(bits=5, plan=7))) == Standing(bits=5, plan=7)
    True
    """

    bits: int = 0
    barred: int = 0
    """Segments they would be in, had they a lawful basis for the purpose."""
    short: int = 0
    """Segments of which a list was cut off: their bits are what the person's events said when last asked."""
    wake: int = NEVER
    """Nothing leaves by time alone before this moment (ms); it may lie too early, never too late."""
    plan: int = 0
    """Fingerprint of the rules by which this was found."""
    leaf: int = 0
    """Bits of the conditions. This and what follows is not kept: it is found again from the tallies."""
    slack: int = 0
    """Per counted series: events until some threshold may be met, side by side (`gauge.FAR`). 0: not found yet."""
    nodes: tuple[str, ...] = ()
    """The person's nodes that have a tally."""
    cut: bool = False
    """Whether some list of theirs was cut off."""


_Wire = tuple[bytes, bytes, bytes, int, int]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Wire).decode


def encode(standing: Standing) -> bytes:
    """Canonical bytes of what is kept."""
    bits, barred, short = _bytes(standing.bits), _bytes(standing.barred), _bytes(standing.short)
    return _encode((bits, barred, short, standing.wake, standing.plan))


def decode(data: bytes) -> Standing:
    """The standing of `encode`, cold."""
    bits, barred, short, wake, plan = _decode(data)
    return Standing(
        int.from_bytes(bits, "little"),
        int.from_bytes(barred, "little"),
        int.from_bytes(short, "little"),
        wake,
        plan,
    )


def _bytes(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) >> 3, "little")
