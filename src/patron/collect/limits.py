"""The limits of the tracking API: one table, read by the door, the reader and the tests."""

from msgspec import Struct

from patron.model.clock import DAY

KIB = 1024
MIB = 1024 * KIB


class Limits(Struct, frozen=True):
    """How much one request and one message may hold (WIRE.md, table of limits).

    >>> Limits().event_bytes
    32768
    """

    body_raw: int = 4 * MIB
    """Bytes of a body as sent. RudderStack's Python SDK sends up to 4 MB, so no less."""
    body_inflated: int = 16 * MIB
    """Bytes of a body after gunzip."""
    event_bytes: int = 32 * KIB
    """Bytes of one message, as written in the body."""
    batch_events: int = 5_000
    """Messages in one batch."""
    depth: int = 64
    """Levels of nesting, the message itself being the first."""
    width: int = 1_000
    """Keys of one object."""
    id_bytes: int = 512
    """UTF-8 bytes of one identifier."""
    message_id_chars: int = 100
    """Characters of a messageId."""
    name_chars: int = 512
    """Characters of an event name."""
    earliest: int = 631_152_000_000
    """Earliest event time, ms: 1990-01-01 UTC."""
    future: int = DAY
    """How far after its receipt a message may claim to have happened, ms; then it counts as of its receipt."""
    rescue_tokens: int = 500_000
    """Work spent to find the one message that spoils a body; a bigger broken body is refused whole."""
    repair_bytes: int = 2 * MIB
    """Bytes of messages of one body that are read with the slow parser, which tells what is wrong; further ones
    that need it are dead letters unread."""
    receive_seconds: float = 30.0
    """Time a client has to deliver its body."""


UNLIMITED = Limits(
    event_bytes=1 << 60,
    batch_events=1 << 60,
    depth=1 << 60,
    width=1 << 60,
    id_bytes=1 << 60,
    message_id_chars=1 << 60,
    name_chars=1 << 60,
    repair_bytes=1 << 60,
)
"""For replay: what was accepted once is accepted, also after a limit was lowered."""


class LimitRow(Struct, frozen=True):
    """One row of the documented table: what is limited, and what happens beyond."""

    what: str
    limit: str
    """Field of `Limits`; empty where no number is involved."""
    status: int
    code: str
    ends: str
    """`refused` (nothing is taken), `dead letter` (inside a 200) or `kept as text`."""


TABLE: tuple[LimitRow, ...] = (
    LimitRow("body as sent", "body_raw", 413, "body_too_large", "refused"),
    LimitRow("body inflated", "body_inflated", 413, "body_too_large", "refused"),
    LimitRow("messages in a batch", "batch_events", 413, "too_many_events", "refused"),
    LimitRow("body that is not a JSON object", "", 400, "bad_json", "refused"),
    LimitRow("body that claims gzip and is damaged", "", 400, "bad_gzip", "refused"),
    LimitRow("time to deliver the body", "receive_seconds", 408, "body_too_slow", "refused"),
    LimitRow("missing, unknown or revoked key", "", 401, "bad_key", "refused"),
    LimitRow("messages a second of one key", "", 429, "rate_limited", "refused"),
    LimitRow("one message", "event_bytes", 200, "event_too_large", "dead letter"),
    LimitRow("nesting", "depth", 200, "too_deep", "dead letter"),
    LimitRow("keys of one object", "width", 200, "too_wide", "dead letter"),
    LimitRow("identifier", "id_bytes", 200, "id_too_long", "dead letter"),
    LimitRow("messageId", "message_id_chars", 200, "id_too_long", "dead letter"),
    LimitRow("event name", "name_chars", 200, "name_too_long", "dead letter"),
    LimitRow("event time, past", "earliest", 200, "time_out_of_range", "dead letter"),
    LimitRow("event time, future", "future", 200, "time_out_of_range", "dead letter"),
    LimitRow("NaN, Infinity", "", 200, "not_a_number", "dead letter"),
    LimitRow("numbers beyond 64 bits", "", 200, "", "kept as text"),
    LimitRow("text that is no Unicode", "", 200, "bad_text", "dead letter"),
)
"""Every limit with its answer, in the order in which it is met."""
