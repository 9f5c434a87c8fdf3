"""The one envelope that threads through every room: an event as Patron keeps it.

A request body is read once (`collect/segment_api.py`) into frozen `Event` values; identity, profiles,
decisions and measurement all take the same struct. Times are milliseconds since 1970 UTC.
"""

from hashlib import blake2b
from typing import Any, Literal

from msgspec import Struct

CallType = Literal["identify", "track", "page", "screen", "group", "alias"]
CALL_TYPES: tuple[CallType, ...] = ("identify", "track", "page", "screen", "group", "alias")

CHANNELS: tuple[str, ...] = (
    "web",
    "app",
    "pos",
    "kiosk",
    "associate_tablet",
    "call_centre",
    "email",
    "sms",
    "push",
    "signage",
    "paid_media",
    "crm",
    "backend",
)
"""Where an event can come from (requirement COL-07). Anything else is quarantined, never guessed."""

Assurance = Literal["verified", "asserted", "observed"]


def event_id(uid: str) -> int:
    """A number for an event's uid: signed 64 bits, the same in every process and for ever. It orders events of one time.

    The first 8 bytes of BLAKE2b, as the lake's `event_id` holds them.

    >>> event_id("shop/m-1")
    -6469594502664555244
    """
    return int.from_bytes(blake2b(uid.encode(), digest_size=8).digest(), "big", signed=True)


class ExternalId(Struct, frozen=True, gc=False):
    """One entry of `context.externalIds`: an identifier of a declared type."""

    type: str
    id: str


class ConsentClaim(Struct, frozen=True, gc=False):
    """A consent that an event carries: one purpose, on one channel or on all (`*`)."""

    purpose: str
    granted: bool
    channel: str = "*"
    text_version: str = ""
    place: str = ""
    explicit: bool = False
    """True for a `Consent Changed` event (a change to prove), False for a state repeated in the context."""


class Event(Struct, frozen=True, gc=False):
    """One accepted message.

    `time` is the event time after skew correction and clamping; `received` is the receipt time of the first
    accepted copy, stored with the log entry; `original` is the time as the client wrote it.

    >>> e = Event(position=1, source="shop", channel="web", type="track", name="Product Viewed",
    ...           message_id="m-1", time=1000, received=1200, anonymous_id="c17")
    >>> e.uid
    'shop/m-1'
    """

    position: int
    source: str
    channel: str
    type: str
    name: str
    """Event name: `track`'s own; `Page Viewed`, `Screen Viewed`, `Identified`, `Grouped`, `Aliased` else."""
    message_id: str
    time: int
    received: int
    original: int | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    external_ids: tuple[ExternalId, ...] = ()
    consents: tuple[ConsentClaim, ...] = ()
    context: dict[str, Any] = {}
    """Only what rooms use: touchpoint, device, page, campaign, locale, identification, library."""
    touchpoint: str | None = None
    store: str | None = None
    assurance: str = "asserted"
    """`verified` (secret source, or HMAC of the user id), `asserted` (typed, public key), `observed` (device only)."""
    skew_unknown: bool = False
    reduced: bool = False
    """The event carried refused collection: only what operations need was kept."""

    @property
    def uid(self) -> str:
        """Globally unique id: source and message id."""
        return f"{self.source}/{self.message_id}"


class Reject(Struct, frozen=True, gc=False):
    """A message that was not accepted: its place in the body, why, and where in the message.

    It becomes a dead letter; the body in the log keeps its bytes.
    """

    index: int
    code: str
    message: str
    path: str = ""


class Batch(Struct, frozen=True, gc=False):
    """What one request body holds: `events` in body order (with `indexes` beside), and `rejects`."""

    count: int
    events: list[Event]
    indexes: list[int]
    rejects: list[Reject]
    payload_hashes: list[int]
    """CRC-32 of what the message says (type, ids, event, properties, traits): tells a copy from a conflict."""
    stored: bytes | None = None
    """The body as the log must keep it, when that is not as received: messages with refused collection reduced."""
