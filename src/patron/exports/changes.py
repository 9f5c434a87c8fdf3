"""What changed between what the other side was told and what is so now. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from patron.model.exports import Difference, Row

_encode = msgspec.json.Encoder(order="deterministic").encode


def digest_of(values: tuple[object, ...]) -> int:
    """64 bits that stand for the values of a row.

    >>> digest_of(("a", 1)) == digest_of(("a", 1)), digest_of(("a", 1)) == digest_of(("a", 2))
    (True, False)
    """
    return int.from_bytes(hashlib.blake2b(_encode(values), digest_size=8).digest(), "big") >> 1


def differences(told: Mapping[str, int], rows: Iterable[Row]) -> Iterator[Difference]:
    """Added and changed rows in their order, then those removed; a key that comes twice counts once, as it came first.

    >>> [d.op for d in differences({"p_1": digest_of(("a",)), "p_2": 7, "p_3": 1}, [Row("p_1", ("a",)), Row("p_2", ("b",)), Row("p_4", ("c",))])]
    ['changed', 'added', 'removed']
    """
    seen: set[str] = set()
    for row in rows:
        if row.key in seen:
            continue
        seen.add(row.key)
        before, digest = told.get(row.key), digest_of(row.values)
        if before is None:
            yield Difference("added", row.key, row.values, digest)
        elif before != digest:
            yield Difference("changed", row.key, row.values, digest)
    for key in sorted(told.keys() - seen):
        yield Difference("removed", key)


def taken(told: dict[str, int], delivered: Iterable[Difference]) -> None:
    """Note what the other side has taken."""
    for one in delivered:
        if one.op == "removed":
            told.pop(one.key, None)
        else:
            told[one.key] = one.digest
