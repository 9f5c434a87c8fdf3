"""What reading a body depends on beside the body: its source, and the settings in force."""

from collections.abc import Mapping

from msgspec import Struct

from patron.collect.reduce import OPERATIONAL_EVENTS
from patron.model.clock import DAY


class Origin(Struct, frozen=True):
    """Where a body comes from, as its log entry keeps it."""

    source: str
    channel: str
    kind: str = "live"
    """`live`, or `import`: no clock correction, and a message's own `receivedAt` is believed."""
    assurance: str = "asserted"
    secret: str = ""
    """Signs `context.userHash`; not needed in replay."""


class ReadRules(Struct, frozen=True):
    """The settings that reading depends on. In replay give those in force when the body was accepted."""

    collection_purposes: tuple[str, ...] = ("collection", "analytics", "profiling")
    """Refusing one of these in a message refuses the collection of that message."""
    channel_map: Mapping[str, str] = {}
    """Unknown channel -> known channel."""
    skew_max: int = DAY
    """Largest believable error of a client's clock, ms."""
    operational_events: tuple[str, ...] = OPERATIONAL_EVENTS
