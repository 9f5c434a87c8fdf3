"""What the durable log holds: entries. The log is the system of record; everything else can be rebuilt from it."""

from typing import Literal

from msgspec import Struct

from patron.model.events import Reject

EntryKind = Literal["track", "fact"]


class Entry(Struct, frozen=True, gc=False, array_like=True):
    """The header of one log entry; the body bytes stand beside it, as received (inflated).

    An entry of kind `track` is one request body with `count` messages at positions `base .. base+count-1`;
    one of kind `fact` is a message of our own (a decision, a split, a configuration change, a clock step).
    `duplicates` and `rejects` name the messages that were not applied, as decided at acceptance, so that a
    replay never has to judge again.

    >>> Entry("track", 11, 3, "shop", 0).last
    13
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
    duplicates: tuple[int, ...] = ()
    rejects: tuple[Reject, ...] = ()
    verified: tuple[int, ...] = ()
    """Messages whose `context.userHash` proved the user id under the source's secret of that moment."""

    @property
    def last(self) -> int:
        """Position of the last message of this entry."""
        return self.base + self.count - 1

    @property
    def refused(self) -> dict[int, str]:
        """Index -> reason code of every rejected message."""
        return {r.index: r.code for r in self.rejects}
