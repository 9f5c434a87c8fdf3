"""The rows that make up the state: one table a kind, each checkpointed with the log offset."""

from typing import Any

from msgspec import Struct, field

from patron.decide.grants import Grant
from patron.model.people import Key
from patron.model.sends import Sent

CATALOGUE = "catalogue"
"""Where the catalogue's text stands in the table of configuration; every version under `catalogue/VERSION`."""


class SplitRecord(Struct, frozen=True):
    """A split that was made, kept so that it can be undone."""

    id: str
    time: int
    by: str
    person: str
    pairs: tuple[tuple[Key, Key], ...] = ()
    node: Key = ""
    at: int = 0
    undone: int | None = None


class DeadRow(Struct, frozen=True):
    """A dead letter: why and where; the message itself stays in the log at `position`."""

    position: int
    time: int
    source: str
    channel: str
    code: str
    message: str
    path: str
    status: str = "open"
    size: int = 0


class DecisionRow(Struct, frozen=True, array_like=True):
    """A decision as kept: what lists need in plain, the rest as a compact record of its catalogue."""

    catalogue: str
    time: int
    node: Key
    channel: str
    action: str
    group: str
    holdout: float
    record: bytes
    grants: tuple[Grant, ...] = ()
    """What it gave, as the ledger keeps it."""
    sent: Sent | None = None
    """Of a decision that was made for a send."""

    @property
    def held_out(self) -> bool:
        """Whether somebody is held out, from all marketing or from the send."""
        return self.group == "control" or (self.sent is not None and self.sent.arm == "control")

    @property
    def begins(self) -> int:
        """From when on what follows is credited to it, ms: when it was to be seen.

        >>> DecisionRow("c", 5, "user_id:7", "email", "tea", "treated", 0.5, b"r", (), Sent("spring", 900, 9)).begins
        900
        """
        return self.time if self.sent is None else self.sent.due


class Assignment(Struct, frozen=True):
    """The group a node was drawn into, and when it was first decided for."""

    time: int
    arm: str


class AuditRow(Struct, frozen=True):
    """Who looked at or changed what."""

    time: int
    user: str
    verb: str
    object: str


class User(Struct, frozen=True):
    """A local account of the console; the password is an argon2id hash."""

    name: str
    full_name: str
    role: str
    password: str
    created: int = 0


class DayCount(Struct):
    """Messages of one channel, or of one source, on one UTC day."""

    name: str = field(name="channel")
    day: int
    count: int = 0
    last: int = 0


def sent_key(day: int, source: str) -> str:
    """Where the messages of a source are counted; those of a channel stand at `day/channel`.

    >>> sent_key(20_000, "shop")
    '20000@shop'
    """
    return f"{day}@{source}"


class DefinitionRow(Struct, frozen=True):
    """One version of a segment, a computed trait or a reusable condition; a removal is a version without definition."""

    kind: str
    id: str
    version: int
    time: int
    by: str
    definition: dict[str, Any] | None


class Plain(Struct, frozen=True):
    """Any small value kept by name (configuration versions, channel maps)."""

    value: Any
