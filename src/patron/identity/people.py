"""From rows to people: ids, leaders and members."""

from collections.abc import Iterable
from hashlib import blake2b

from patron.identity.evidence import Group, Ident
from patron.identity.plan import Plan
from patron.model.people import Key, Person
from patron.model.ports import Table

NEW = "?"
"""`group` of an identifier that no group holds yet: only inside a revision."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [a + b for a in _LETTERS for b in _LETTERS]


class Hasher:
    """Person ids: `p_` and 16 characters (base 32, 80 bits) of the keyed hash of an identifier."""

    def __init__(self, secret: bytes) -> None:
        if not 16 <= len(secret) <= 64:
            raise ValueError("the workspace secret must have 16 to 64 bytes; run `patron init` to make one")
        self._secret = secret

    def __call__(self, key: Key) -> str:
        """The id that a person has whose earliest identifier is `key`."""
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=10, key=self._secret).digest()
        number = int.from_bytes(digest, "big")
        return "p_" + "".join([_PAIRS[(number >> shift) & 1023] for shift in range(70, -1, -10)])


class People:
    """Reading people from the rows: shared by the graph and its revisions."""

    def __init__(self, idents: Table[Ident], groups: Table[Group], plan: Plan, hasher: Hasher) -> None:
        self._idents = idents
        self._groups = groups
        self._light = plan.light
        self.person_id = hasher

    def by_group(self, pid: str) -> Person | None:
        """The person of a group's id, leaves included; None for a retired id."""
        group = self._groups.get(pid)
        if group is None or not group.members:
            return None
        if not group.leaves:
            return Person(pid, group.root, tuple(group.members), group.crowded)
        members = list(group.members)
        for key in group.members:
            row = self._idents.get(key)
            if row is not None and None in row.links.values():
                members += [o for o, e in row.links.items() if e is None]
        members.sort()
        return Person(pid, group.root, tuple(members), group.crowded)

    def lead(self, keys: Iterable[Key]) -> Key:
        """The earliest identifier by (first event time, key). A transaction or visit leads only its like, so that
        claiming an old receipt does not rename the customer."""
        return min(keys, key=self._place)

    def _place(self, key: Key) -> tuple[bool, int, Key]:
        row = self._idents.get(key)
        return key.startswith(self._light), row.first if row else 0, key

    def may_lead(self, key: Key, time: int, pid: str) -> bool:
        """Whether an identifier first seen at `time` would lead a group it does not lead now."""
        group = self._groups.get(pid)
        return group is not None and group.root != key and self.would_lead(key, time, group.root)

    def would_lead(self, key: Key, time: int, root: Key) -> bool:
        """Whether an identifier first seen at `time` would lead a group that `root` leads."""
        return (key.startswith(self._light), time, key) < self._place(root)
