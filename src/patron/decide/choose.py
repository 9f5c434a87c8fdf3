"""The draw: one of the eligible actions or nothing, each with exactly the same chance, from a seed that is recorded.

The seed is a keyed hash of the decision's id, so nobody outside can foresee it and a replay draws the same. Words of
64 bits that do not divide evenly by the number of choices are thrown away (rejection sampling): no modulo bias.
"""

import hashlib
from collections.abc import Sequence

from patron.model.offers import NOTHING

_WORD = 2**64
SEED_BITS = 53
"""Seeds fit the integers that every JSON reader keeps exact."""


def draw_seed(secret: bytes, decision_id: str) -> int:
    """The seed of one decision: a keyed hash of its id under the workspace's secret, 0 <= seed < 2**53.

    >>> draw_seed(b"secret", "d_1") == draw_seed(b"secret", "d_1"), draw_seed(b"other", "d_1") == draw_seed(b"secret", "d_1")
    (True, False)
    """
    key = secret if len(secret) <= 64 else hashlib.blake2b(secret).digest()
    data = decision_id.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(data, key=key, digest_size=8, person=b"patron.seed").digest()
    return int.from_bytes(digest) >> (64 - SEED_BITS)


def choose(eligible: Sequence[str], seed: int) -> tuple[str, float]:
    """Draw one of `eligible` or `nothing`; gives the action and its true probability 1 / (len(eligible) + 1).

    Deterministic in (eligible in order, seed). ValueError when `nothing` is among `eligible`: it is added here.

    >>> choose([], 7)
    ('nothing', 1.0)
    >>> choose(["tea", "mug"], 7) == choose(["tea", "mug"], 7)
    True
    """
    if NOTHING in eligible:
        raise ValueError(f"`{NOTHING}` is always a candidate; leave it out of the eligible offers")
    return draw((*eligible, NOTHING), seed)


def draw(choices: Sequence[str], seed: int) -> tuple[str, float]:
    """Draw one of `choices`, of which `nothing` is one; gives it and its true probability.

    >>> draw(("nothing",), 7)
    ('nothing', 1.0)
    """
    count = len(choices)
    return choices[uniform(count, seed)], 1 / count


def uniform(count: int, seed: int) -> int:
    """A whole number from 0 to count - 1, each equally likely over seeds. ValueError unless 1 <= count <= 2**64.

    >>> all(0 <= uniform(3, seed) < 3 for seed in range(50))
    True
    """
    if not 1 <= count <= _WORD:
        raise ValueError(f"cannot draw one of {count}")
    limit = _WORD - _WORD % count
    attempt = 0
    while True:
        data = seed.to_bytes(8) + attempt.to_bytes(4)
        word = int.from_bytes(hashlib.blake2b(data, digest_size=8, person=b"patron.draw").digest())
        if word < limit:
            return word % count
        attempt += 1
