"""What stays of an erased person: a keyed hash of each identifier and the time. It keeps old copies out.

CORE.md section 5: tombstones drop late or duplicate old events, live, in replay and after a restore. An event newer than
the erasure is a new relationship and passes.
"""

import hashlib
import hmac

from patron.model.people import Located
from patron.model.ports import Table
from patron.runtime.flow import uncut


class Tombstones:
    """Keyed hashes of erased identifiers -> time of the erasure, ms."""

    def __init__(self, table: Table[int], cuts: Table[list[int]], secret: bytes) -> None:
        self._table = table
        self._cuts = cuts
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"patron-tombston").digest()

    def mark(self, key: str) -> str:
        """The tombstone of an identifier: HMAC-SHA256 under the workspace secret, in hex."""
        return hmac.new(self._secret, key.encode("utf-8", "surrogatepass"), "sha256").hexdigest()

    def add(self, mark: str, time: int) -> None:
        """Remember an erasure; of two the later one stands."""
        self._table.put(mark, max(time, self._table.get(mark) or 0))

    def any(self) -> bool:
        """Whether anybody was ever erased here."""
        return len(self._table) > 0

    def bars(self, located: Located, time: int) -> bool:
        """Whether an event of that time mentions an identifier erased since: then it must stay out."""
        if not self.any():
            return False
        return (
            any(self.erased(claim.key) >= time for claim in located.claims)
            or self.erased(located.node) >= time
        )

    def erased(self, key: str) -> int:
        """When an identifier was erased, or -1."""
        found = self._table.get(self.mark(uncut(key, self._cuts)))
        return -1 if found is None else found

    def knows(self, mark: str) -> bool:
        """Whether a tombstone is known here."""
        return mark in self._table
