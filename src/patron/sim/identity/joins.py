"""The methods of table 7.5: each a pure function from records to clusters, every one a little wiser than the last."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations

from patron.sim.identity.records import Record
from patron.sim.identity.writing import conflict, normal

Clusters = list[int]
"""One label a record, in the order of the records; equal labels = one cluster."""

MANY = 12
"""Records on which an identifier may be seen; on more, it is nobody's."""
_DEVICES = ("anonymous_id:", "device_id:")
_CONTACTS = ("email:", "phone:")


def join(keys: Sequence[Iterable[Hashable]]) -> Clusters:
    """Clusters of records that share a key, directly or by way of others (union-find).

    Parameters
    ----------
    keys : what each record can be joined by.

    >>> join([{"a"}, {"b"}, {"a", "c"}, {"c"}])
    [0, 1, 0, 0]
    """
    parent = list(range(len(keys)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[Hashable, int] = {}
    for at, mine in enumerate(keys):
        for key in mine:
            a, b = root(first.setdefault(key, at)), root(at)
            parent[max(a, b)] = min(a, b)
    return [root(at) for at in range(len(keys))]


def _written(records: Sequence[Record]) -> list[frozenset[str]]:
    return [record.identifiers for record in records]


def _normal(records: Sequence[Record]) -> list[frozenset[str]]:
    return [frozenset(normal(i, record.country) for i in record.identifiers) for record in records]


def _without(keys: list[frozenset[str]], dropped: set[str]) -> list[frozenset[str]]:
    return [mine - dropped for mine in keys]


def _crowds(keys: list[frozenset[str]]) -> set[str]:
    """Identifiers seen on too many records."""
    seen = Counter(key for mine in keys for key in mine)
    return {key for key, count in seen.items() if count > MANY}


def _shared_devices(keys: list[frozenset[str]]) -> set[str]:
    """Devices and browsers on which two accounts or two addresses were seen."""
    seen: dict[str, set[str]] = defaultdict(set)
    for mine in keys:
        told = {key for key in mine if key.startswith(("user_id:", "email:"))}
        for key in mine:
            if key.startswith(_DEVICES):
                seen[key] |= told
    return {
        device
        for device, told in seen.items()
        if any(sum(key.startswith(kind) for key in told) > 1 for kind in ("user_id:", "email:"))
    }


def _many_names(records: Sequence[Record], keys: list[frozenset[str]]) -> set[str]:
    """Addresses and numbers that came with given names or birth dates that cannot be one person's."""
    names: dict[str, set[str]] = defaultdict(set)
    births: dict[str, set[str]] = defaultdict(set)
    for record, mine in zip(records, keys, strict=True):
        for key in mine:
            if key.startswith(_CONTACTS):
                names[key] |= record.names
                births[key] |= record.births
    return {
        key for key, said in names.items() if any(conflict(a, b) for a, b in combinations(sorted(said), 2))
    } | {key for key, said in births.items() if len(said) > 1}


def exact_joins(records: Sequence[Record]) -> Clusters:
    """Equal text is the same person, transitively."""
    return join(_written(records))


def normalised_joins(records: Sequence[Record]) -> Clusters:
    """E-mails and phones are first brought into one writing."""
    return join(_normal(records))


def without_crowds(records: Sequence[Record]) -> Clusters:
    """Identifiers seen on more than `MANY` records join nothing: junk typed to get on, a shop's own number."""
    keys = _normal(records)
    return join(_without(keys, _crowds(keys)))


def with_guards(records: Sequence[Record]) -> Clusters:
    """Nor do browsers that two people told who they are, nor addresses that met names of two people."""
    keys = _normal(records)
    return join(_without(keys, _crowds(keys) | _shared_devices(keys) | _many_names(records, keys)))


def evidence(records: Sequence[Record]) -> Clusters:
    """The ceiling: normalised evidence, joined only within true people. No rule that joins equal identifiers gets further."""
    keys = _normal(records)
    return join([{(r.person, key) for key in mine} for r, mine in zip(records, keys, strict=True)])


METHODS: dict[str, Callable[[Sequence[Record]], Clusters]] = {
    "exact joins, transitive": exact_joins,
    "normalised joins": normalised_joins,
    "+ drop identifiers seen on > 12 records": without_crowds,
    "+ shared-device and name-conflict guards": with_guards,
    "ceiling of deterministic evidence": evidence,
}
"""The rows of table 7.5, in its order."""

CEILING = "ceiling of deterministic evidence"
