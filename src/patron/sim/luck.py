"""Paired noise: every random number is a hash of (seed, person, day, purpose, k), never a shared stream.

So two worlds that differ in one decision share all other luck, any subset of people lives the same lives, and a
run can start on any day. The hash is splitmix64 (Steele, Lea and Flood, 2014) once per part of the key; the
scalar and the numpy form give equal bits.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_M1 = 0xBF58476D1CE4E5B9
_M2 = 0x94D049BB133111EB
_WHO, _DAY = 0xD1342543DE82EF95, 0x2545F4914F6CDD1D
_UNIT = 2.0**-53
_SECOND = 1 << 32
"""Offset of `k` for the second uniform of a normal draw: beyond any k in use."""


def splitmix64(word: int) -> int:
    """One step of splitmix64: a bijection of 64-bit words that looks random.

    >>> hex(splitmix64(0))
    '0xe220a8397b1dcdaf'
    """
    z = (word + _GAMMA) & _MASK
    z = ((z ^ (z >> 30)) * _M1) & _MASK
    z = ((z ^ (z >> 27)) * _M2) & _MASK
    return z ^ (z >> 31)


def splitmix64_words(words: Words) -> Words:
    """`splitmix64` of every word of an array; the input is left as it is."""
    z = words + np.uint64(_GAMMA)
    z ^= z >> np.uint64(30)
    z *= np.uint64(_M1)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_M2)
    z ^= z >> np.uint64(31)
    return z


@cache
def purpose_word(purpose: str) -> int:
    """The 64-bit FNV-1a hash of a purpose's name, so that purposes read as words in the code.

    >>> purpose_word("visit") != purpose_word("channel")
    True
    """
    word = 0xCBF29CE484222325
    for byte in purpose.encode():
        word = ((word ^ byte) * 0x100000001B3) & _MASK
    return word


@cache
def _seed_word(seed: int) -> int:
    return splitmix64(seed & _MASK)


class Dice:
    """The luck of one person on one day: draws are named by a purpose and an index, in any order.

    >>> Dice(7, 12, 3).uniform("visit") == Dice(7, 12, 3).uniform("visit")
    True
    >>> Dice(7, 12, 3).uniform("visit") == Dice(7, 12, 4).uniform("visit")
    False
    """

    __slots__ = ("_base",)

    def __init__(self, seed: int, who: int, day: int = 0) -> None:
        key = ((who & _MASK) * _WHO + (day & _MASK) * _DAY) & _MASK
        self._base = splitmix64(_seed_word(seed) ^ key)

    def uniform(self, purpose: str, k: int = 0) -> float:
        """A number in [0, 1)."""
        # `splitmix64` of the purpose and then of k, written out: a world draws millions
        z = ((self._base ^ purpose_word(purpose)) + _GAMMA) & _MASK
        z = ((z ^ (z >> 30)) * _M1) & _MASK
        z = ((z ^ (z >> 27)) * _M2) & _MASK
        z = ((z ^ (z >> 31) ^ k) + _GAMMA) & _MASK
        z = ((z ^ (z >> 30)) * _M1) & _MASK
        z = ((z ^ (z >> 27)) * _M2) & _MASK
        return ((z ^ (z >> 31)) >> 11) * _UNIT

    def chance(self, probability: float, purpose: str, k: int = 0) -> bool:
        """Whether something of this probability happens."""
        return self.uniform(purpose, k) < probability

    def below(self, n: int, purpose: str, k: int = 0) -> int:
        """A whole number in 0 .. n-1."""
        return int(self.uniform(purpose, k) * n)

    def between(self, low: float, high: float, purpose: str, k: int = 0) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.uniform(purpose, k)

    def pick(self, items: Sequence[T], purpose: str, k: int = 0) -> T:
        """One of the items, all equally likely."""
        return items[self.below(len(items), purpose, k)]

    def choice(self, cumulative: Sequence[float], purpose: str, k: int = 0) -> int:
        """An index drawn by cumulative weights (the last is their total)."""
        at = self.uniform(purpose, k) * cumulative[-1]
        return min(bisect_right(cumulative, at), len(cumulative) - 1)

    def normal(self, purpose: str, k: int = 0) -> float:
        """A standard normal number (Box and Muller, 1958)."""
        u, v = self.uniform(purpose, k), self.uniform(purpose, k + _SECOND)
        return math.sqrt(-2.0 * math.log(1.0 - u)) * math.cos(2.0 * math.pi * v)

    def poisson(self, mean: float, purpose: str, k: int = 0) -> int:
        """A Poisson count, by inversion (meant for means below about 30)."""
        u, count = self.uniform(purpose, k), 0
        term = total = math.exp(-mean)
        while u >= total and count < 200:
            count += 1
            term *= mean / count
            total += term
        return count


@lru_cache(maxsize=65_536)
def lifelong(seed: int, who: int) -> Dice:
    """The luck of one person that stays the same over the days; kept at hand, for every look at a shelf asks for it.

    >>> lifelong(7, 12).uniform("favourite") == Dice(7, 12).uniform("favourite")
    True
    """
    return Dice(seed, who)


class Luck:
    """The luck of many people at once: arrays of draws that equal the scalar `Dice` bit by bit. `day` may be an array with
    one for each of them.

    >>> two = Luck(7, np.array([12, 13])).uniform(3, "visit")
    >>> bool(two[0] == Dice(7, 12, 3).uniform("visit"))
    True
    """

    def __init__(self, seed: int, people: Ints) -> None:
        self._seed = np.uint64(splitmix64(seed & _MASK))
        self._who = _wrapped(people, _WHO)

    def words(self, day: int | Ints, purpose: str, width: int | None = None) -> Words:
        """Random bits, shape (people,), or (people, width) for k = 0 .. width-1."""
        return self._words(day, purpose, np.arange(width or 1, dtype=np.uint64), width)

    def _words(self, day: int | Ints, purpose: str, ks: Words, width: int | None) -> Words:
        shift = np.uint64((day & _MASK) * _DAY & _MASK) if isinstance(day, int) else _wrapped(day, _DAY)
        base = splitmix64_words(self._seed ^ (self._who + shift))
        word = splitmix64_words(base ^ np.uint64(purpose_word(purpose)))
        return splitmix64_words(word ^ ks[0] if width is None else word[:, None] ^ ks[None, :])

    def uniform(self, day: int | Ints, purpose: str, width: int | None = None) -> Floats:
        """Numbers in [0, 1), shape (people,) or (people, width)."""
        drawn: Floats = (self.words(day, purpose, width) >> np.uint64(11)).astype(np.float64) * _UNIT
        return drawn

    def normal(self, day: int | Ints, purpose: str, width: int | None = None) -> Floats:
        """Standard normal numbers, shape (people,) or (people, width)."""
        ks = np.arange(width or 1, dtype=np.uint64)
        u = (self._words(day, purpose, ks, width) >> np.uint64(11)).astype(np.float64) * _UNIT
        v = (self._words(day, purpose, ks + np.uint64(_SECOND), width) >> np.uint64(11)).astype(
            np.float64
        ) * _UNIT
        result: Floats = np.sqrt(-2.0 * np.log(1.0 - u)) * np.cos(2.0 * np.pi * v)
        return result

    def gumbel(self, day: int | Ints, purpose: str, width: int) -> Floats:
        """Standard Gumbel numbers: the index of the largest (score + draw) is a softmax choice."""
        u = self.uniform(day, purpose, width)
        result: Floats = -np.log(-np.log(np.maximum(u, _UNIT)))
        return result


def _wrapped(numbers: Ints, factor: int) -> Words:
    """The low 64 bits of a product."""
    product: Words = numbers.astype(np.uint64) * np.uint64(factor)
    return product


@lru_cache(maxsize=64)
def _round_keys(salt: int) -> tuple[int, ...]:
    return tuple(splitmix64(salt * 8 + turn) for turn in range(4))


def scramble(number: int, bits: int, salt: int = 0) -> int:
    """A bijection of 0 .. 2^bits - 1 that looks random: unique numbers that tell nothing (four Feistel rounds).

    Raises ValueError when `bits` is odd or `number` does not fit.

    >>> sorted(scramble(n, 4) for n in range(16)) == list(range(16))
    True
    """
    half = bits // 2
    if bits % 2 or not 0 <= number < 1 << bits:
        raise ValueError(f"{number} does not fit in {bits} bits (an even count is needed)")
    mask = (1 << half) - 1
    left, right = number >> half, number & mask
    for key in _round_keys(salt):
        left, right = right, left ^ (splitmix64(right ^ key) & mask)
    return left << half | right
