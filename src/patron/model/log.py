"""What the durable log holds: entries. The log is the system of record; everything else can be rebuilt from it."""

from typing import Literal

from msgspec import Struct

EntryKind = Literal["track", "fact"]


class Entry(Struct, frozen=True, gc=False, array_like=True):
    """The header of one log entry; the body bytes stand beside it, as received (inflated).

    An entry of kind `track` is one request body with `count` messages at positions `base .. base+count-1`;
    one of kind `fact` is a message of our own (a decision, a split, a configuration change, a clock step).
    `skipped` names the messages that were not applied, by index, with the reason decided at acceptance,
    so that a replay never has to decide again.
    """

    kind: EntryKind
    base: int
    count: int
    source: str
    received: int
    """Receipt time, ms: the `now` of everything this entry causes."""
    route: str = "batch"
    assurance: str = "asserted"
    channel: str = "backend"
    source_kind: str = "live"
    skipped: dict[int, str] = {}
    """index -> reason code: `duplicate`, or a dead-letter code."""

    @property
    def last(self) -> int:
        """Position of the last message of this entry."""
        return self.base + self.count - 1
