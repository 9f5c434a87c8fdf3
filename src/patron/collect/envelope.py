"""From a decoded message to the event as Patron keeps it: name, ids, time, channel, consents, assurance."""

import hashlib
import uuid
from typing import Any

from msgspec import Struct

from patron.collect import consent, identifiers, times
from patron.collect.consent import CONSENT_CHANGED, CONSENT_EVENTS
from patron.collect.context import Surroundings, channel_of
from patron.collect.edit import set_field
from patron.collect.limits import UNLIMITED, Limits
from patron.collect.message import Message
from patron.collect.origin import Origin, ReadRules
from patron.collect.proof import assurance, check_user_hash
from patron.collect.refusal import Refused
from patron.collect.surround import Surround
from patron.collect.times import Written
from patron.model.events import CALL_TYPES, ConsentClaim, Event
from patron.model.people import ERASED

_NAMES = {
    "identify": "Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Grouped",
    "alias": "Aliased",
}
_DERIVED_IDS = uuid.UUID("6d5d0c6e-2f1b-5e0a-9a7e-5a1f6f0b7c11")
_NO_IDS = frozenset({"", ERASED})
_HASH = ("context", "userHash")
_LEAST_GOOGLE = len('{"Google Analytics":{}}')


class Reading(Struct, frozen=True):
    """One body to read, and everything that reading it depends on.

    In replay (`live` false) all was judged before, and nothing that may have changed since (limits, secrets,
    purposes) is asked again.
    """

    body: bytes
    route: str
    origin: Origin
    received: int
    limits: Limits
    rules: ReadRules
    live: bool


class Said(Struct, gc=False):
    """One message, decoded: what it says, what surrounds it, and its bytes."""

    index: int
    text: bytes
    message: Message
    context: dict[str, Any]
    around: Surroundings
    properties: dict[str, Any]
    traits: dict[str, Any]
    kept: bytes | None = None
    """The message as the log keeps it, when that is not as received."""
    names_somebody: bool = False
    """Whether the message's own traits tell of a person."""


class Maker:
    """Makes the events of one body."""

    def __init__(self, reading: Reading, surround: Surround, sent_at: Written) -> None:
        self._reading, self._live, self._surround = reading, reading.live, surround
        self._origin, self._rules = reading.origin, reading.rules
        self._limits = limits = reading.limits if reading.live else UNLIMITED
        self._corrects = reading.origin.kind != "import"
        self._shift = (0, False)
        if self._corrects and sent_at is not None:
            self._shift = times.clock_shift(sent_at, reading.received, self._rules.skew_max)
        self._short_id = limits.id_bytes // 4
        self._message_id_chars, self._name_chars = limits.message_id_chars, limits.name_chars
        self._earliest, self._received = limits.earliest, reading.received
        self._source, self._own_channel = self._origin.source, self._origin.channel
        self._ceiling = self._origin.assurance
        self._device = assurance(self._ceiling, names_somebody=False)
        self._digest = ""

    def event(self, said: Said, position: int) -> Event:
        """The event that takes log position `position`. Raises `Refused`."""
        message, around = said.message, said.around
        kind = message.type or self._reading.route
        name = message.event
        if kind != "track":
            name = self._complete(said, kind)
        elif not name or len(name) > self._name_chars or name.isspace():
            raise self._bad_name(name)
        message_id = message.message_id
        if not message_id or len(message_id) > self._message_id_chars or message_id == ERASED:
            message_id = self._message_id(said)
        time, original, received, skew_unknown = self._time(message)
        user_id, anonymous_id = message.user_id, message.anonymous_id
        if user_id is not None:
            user_id = self._id(user_id, "$.userId")
        # By position: with 23 keyword arguments this call costs four times as much (a test holds the order).
        return Event(
            position,
            self._source,
            self._own_channel if around.channel is None else self._channel(around.channel),
            kind,
            name,
            message_id,
            time,
            received,
            original,
            user_id,
            None if anonymous_id is None else self._id(anonymous_id, "$.anonymousId"),
            None if message.previous_id is None else self._id(message.previous_id, "$.previousId"),
            None if message.group_id is None else self._id(message.group_id, "$.groupId"),
            said.properties,
            said.traits,
            around.external_ids
            if len(message.integrations) < _LEAST_GOOGLE and not self._surround.has_google_ids
            else around.external_ids + self._surround.google_ids(message),
            around.consents if name not in CONSENT_EVENTS else self._consents(said),
            said.context,
            around.touchpoint,
            around.store,
            self._assurance(said, user_id)
            if around.user_hash is not None
            else (self._ceiling if user_id or said.names_somebody or around.names_somebody else self._device),
            skew_unknown,
            message.patron_reduced is True,
        )

    def usual(self, message: Message, context: dict[str, Any], position: int) -> Event | None:
        """The event of a view or a deed with an id, as `event` gives it; None for a message with more to it.

        `context` is what events keep of its context, which means nothing else.
        """
        kind, name, properties = message.type or self._reading.route, message.event, message.properties
        if kind == "track":
            if not name or len(name) > self._name_chars or name in CONSENT_EVENTS or name.isspace():
                return None
        elif kind == "page" or kind == "screen":
            name = _NAMES[kind]
        else:
            return None
        message_id, user_id, anonymous_id = message.message_id, message.user_id, message.anonymous_id
        if (
            not message_id
            or message_id == ERASED
            or len(message_id) > self._message_id_chars
            or message.traits
            or message.previous_id is not None
            or message.group_id is not None
            or message.patron_reduced is not None
            or len(message.integrations) >= _LEAST_GOOGLE
            or self._surround.has_google_ids
        ):
            return None
        if properties is None:
            properties = {}
        if kind != "track":
            _name_page(message, properties)
        time, original, received, skew_unknown = self._time(message)
        if user_id is not None and (user_id in _NO_IDS or len(user_id) > self._short_id):
            user_id = self._id(user_id, "$.userId")
        if anonymous_id is not None and (anonymous_id in _NO_IDS or len(anonymous_id) > self._short_id):
            anonymous_id = self._id(anonymous_id, "$.anonymousId")
        return Event(
            position,
            self._source,
            self._own_channel,
            kind,
            name,
            message_id,
            time,
            received,
            original,
            user_id,
            anonymous_id,
            None,
            None,
            properties,
            {},
            (),
            (),
            context,
            None,
            None,
            self._ceiling if user_id else self._device,
            skew_unknown,
        )

    def _complete(self, said: Said, kind: str) -> str:
        """The name of a call other than track; what its kind puts elsewhere is put in place."""
        name = _NAMES.get(kind)
        if name is None:
            raise Refused("bad_type", f"type must be one of {', '.join(CALL_TYPES)}.", "$.type")
        if kind == "identify":
            said.traits = {**said.around.traits, **said.traits}
            said.names_somebody = bool(said.traits)
        elif kind in {"page", "screen"}:
            _name_page(said.message, said.properties)
        return name

    def _assurance(self, said: Said, user_id: str | None) -> str:
        if user_id and self._is_signed(said, user_id):
            return "verified"
        return self._ceiling if user_id or said.names_somebody or said.around.names_somebody else self._device

    def _bad_name(self, name: str | None) -> Refused:
        if not name or name.isspace():
            return Refused("no_event_name", "A track call needs its event name in event.", "$.event")
        most = self._name_chars
        return Refused("name_too_long", f"An event name has at most {most} characters.", "$.event")

    def _id(self, value: str, path: str) -> str | None:
        if value in _NO_IDS:
            return None
        if len(value) > self._short_id:
            identifiers.check_id(value, path, self._limits)
        return value

    def _message_id(self, said: Said) -> str:
        given = said.message.message_id
        if not given or given == ERASED:
            derived = self.derived_id(said.index)
            said.kept = _with_message_id(said.kept or said.text, derived)
            return derived
        most = self._limits.message_id_chars
        if len(given) > most:
            raise Refused("id_too_long", f"A messageId has at most {most} characters.", "$.messageId")
        return given

    def derived_id(self, index: int) -> str:
        """An id that a byte-identical retry of the body derives again."""
        self._digest = self._digest or hashlib.sha256(self._reading.body).hexdigest()
        return str(uuid.uuid5(_DERIVED_IDS, f"{self._digest}/{index}"))

    def _time(self, message: Message) -> tuple[int, int | None, int, bool]:
        """Event time, original, receipt time, and whether the client's clock error is unknown."""
        try:
            base = original = times.to_ms(message.timestamp)
        except times.NO_TIME:
            raise Refused("bad_time", times.BAD_TIME, "$.timestamp") from None
        if message.original_timestamp is not None:
            base, original = times.with_original(base, message.original_timestamp)
        received = self._received
        shift, unknown = self._shift
        if self._corrects:
            if message.sent_at is not None and message.sent_at != "":
                shift, unknown = times.clock_shift(message.sent_at, received, self._rules.skew_max)
        elif message.received_at is not None:
            received = times.believed(message.received_at, received)
        if base is None:
            return received, original, received, unknown
        time = base + shift
        if self._earliest <= time <= received:
            return time, original, received, unknown
        if self._live:
            times.check_range(time, received, self._limits)
        return min(time, received), original, received, unknown

    def _channel(self, name: str) -> str:
        try:
            return channel_of(name, self._rules.channel_map)
        except Refused:
            if self._live:
                raise
            return self._origin.channel

    def _consents(self, said: Said) -> tuple[ConsentClaim, ...]:
        around = said.around
        if said.message.event != CONSENT_CHANGED:
            return consent.explicit(around.consents)
        change = consent.changed(said.properties, around.text_version, around.touchpoint or "")
        return (*around.consents, change)

    def _is_signed(self, said: Said, user_id: str) -> bool:
        """Whether `context.userHash` proves the user id. In replay its presence does: wrong ones were rejected,
        and those that nobody could check were taken out of the stored body."""
        if self._live and not self._origin.secret:
            said.kept = set_field(said.kept or said.text, _HASH, b"null")
            return False
        if self._live:
            check_user_hash(said.around.user_hash, self._origin.secret, user_id)
        return True


def _with_message_id(text: bytes, message_id: str) -> bytes:
    """The message with its derived id put in last: of a repeated key the last one counts."""
    head = text.rstrip()[:-1].rstrip()
    comma = b"" if head.endswith(b"{") else b","
    return head + comma + b'"messageId":"' + message_id.encode() + b'"}'


def _name_page(message: Message, properties: dict[str, Any]) -> None:
    """Page and screen calls give name and category beside their properties; readers look inside."""
    for key, value in (("name", message.name), ("category", message.category)):
        if value and key not in properties:
            properties[key] = value
