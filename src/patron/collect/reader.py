"""The reader of one body: takes its messages one by one and collects events, rejects and rewritten bytes."""

import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any

from msgspec import Raw, Struct

from patron.collect import consent, edit, identifiers, times
from patron.collect.body import BATCH_ROUTES, Parts, bad_json
from patron.collect.consent import CONSENT_CHANGED, CONSENT_EVENTS
from patron.collect.context import Surroundings, channel_of
from patron.collect.identifiers import ERASED
from patron.collect.limits import UNLIMITED, Limits
from patron.collect.message import (
    UNREADABLE,
    Message,
    any_values,
    careful,
    check_shape,
    check_utf8,
    decode_message,
    decode_values,
    payload_hash,
)
from patron.collect.origin import Origin, ReadRules
from patron.collect.proof import assurance, check_user_hash
from patron.collect.reduce import reduced, skeleton
from patron.collect.refusal import Refused
from patron.collect.surround import Surround
from patron.model.events import CALL_TYPES, Batch, ConsentClaim, Event, Reject

_NAMES = {
    "identify": "Identified",
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "group": "Grouped",
    "alias": "Aliased",
}
_DERIVED_IDS = uuid.UUID("6d5d0c6e-2f1b-5e0a-9a7e-5a1f6f0b7c11")
_NULL = b"null"
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


class _Said(Struct, gc=False):
    """One message, decoded: what it says, what surrounds it, and its bytes."""

    index: int
    text: bytes
    message: Message
    around: Surroundings
    properties: dict[str, Any]
    traits: dict[str, Any]
    names_somebody: bool = False
    """Whether the message's own traits tell of a person."""


class Reader:
    """Reads the messages of one body in order: `take` each message, then `batch`."""

    def __init__(self, reading: Reading, parts: Parts) -> None:
        self._reading = reading
        self._live = reading.live
        self._limits = reading.limits if reading.live else UNLIMITED
        self._origin, self._rules = reading.origin, reading.rules
        self._whole = parts.whole
        self._surround = Surround(parts, self._limits)
        self._corrects = reading.origin.kind != "import"
        self._shift = (0, False)
        if self._corrects:
            self._shift = times.clock_shift(parts.sent_at, reading.received, self._rules.skew_max)
        self._strip_batch_hash = (
            reading.live and not reading.origin.secret and self._surround.drop_user_hash()
        )
        self._short_id = self._limits.id_bytes // 4
        self._message_id_chars, self._name_chars = self._limits.message_id_chars, self._limits.name_chars
        self._simple_size = min(self._limits.event_bytes, 5 * self._limits.width)
        self._earliest, self._received = self._limits.earliest, reading.received
        self._source, self._own_channel = self._origin.source, self._origin.channel
        self._ceiling = self._origin.assurance
        self._device = assurance(self._ceiling, names_somebody=False)
        self._events: list[Event] = []
        self._indexes: list[int] = []
        self._hashes: list[int] = []
        self._rejects: list[Reject] = []
        self._edits: dict[int, bytes] = {}
        self._refused: set[int] = set()
        self._messages = 0
        self._digest = ""

    def take(self, index: int, raw: Raw | bytes, position: int) -> None:
        """Read one message: an event, a reject, or nothing when it was erased.

        Raises BadRequest when the message is broken so that the body is no JSON at all.
        """
        text = bytes(raw)
        if text == _NULL:
            return
        self._messages += 1
        try:
            said = self._read(index, text)
            event = self._event(said, position)
        except Refused as refused:
            self._reject(index, text, refused)
            return
        self._events.append(event)
        self._indexes.append(index)
        kind = event.type
        self._hashes.append(
            payload_hash(said.message, kind, said.around.traits if kind == "identify" else None)
        )

    def batch(self, count: int) -> Batch:
        """What was read of `count` messages."""
        return Batch(
            count=count,
            events=self._events,
            indexes=self._indexes,
            rejects=self._rejects,
            payload_hashes=self._hashes,
            stored=self._stored() if self._edits or self._strip_batch_hash else None,
        )

    # ---- reading

    def _read(self, index: int, text: bytes) -> _Said:
        live, most = self._live, self._limits
        if live and (len(text) > self._simple_size or text.count(b"{") + text.count(b"[") > most.depth):
            check_shape(text, most)
        if not self._whole:
            check_utf8(text)
        try:
            message = decode_message(text)
            around = self._surround.of(message)
            traits = decode_values(message.traits) if len(message.traits) else {}
            properties = decode_values(message.properties) if len(message.properties) else {}
            said = _Said(index, text, message, around, properties or {}, traits or {})
        except UNREADABLE:
            said = self._careful(index, text, careful(text))
            message, around = said.message, said.around
        if live and (message.patron_reduced or around.preferences or message.event == CONSENT_CHANGED):
            return self._reduce(said) if self._refuses(said) else said
        return said

    def _careful(self, index: int, text: bytes, message: Message) -> _Said:
        around = self._surround.of(message, careful=True)
        return _Said(index, text, message, around, any_values(message.properties), any_values(message.traits))

    def _event(self, said: _Said, position: int) -> Event:
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
            None if user_id is None else self._id(user_id, "$.userId"),
            None if anonymous_id is None else self._id(anonymous_id, "$.anonymousId"),
            None if message.previous_id is None else self._id(message.previous_id, "$.previousId"),
            None if message.group_id is None else self._id(message.group_id, "$.groupId"),
            said.properties,
            said.traits,
            around.external_ids
            if len(message.integrations) < _LEAST_GOOGLE and not self._surround.has_google_ids
            else around.external_ids + self._surround.google_ids(message),
            around.consents if name not in CONSENT_EVENTS else self._consents(said),
            around.kept,
            around.touchpoint,
            around.store,
            self._assurance(said)
            if around.user_hash is not None
            else (self._ceiling if user_id or said.names_somebody or around.names_somebody else self._device),
            skew_unknown,
            message.patron_reduced is True,
        )

    def _complete(self, said: _Said, kind: str) -> str:
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

    def _assurance(self, said: _Said) -> str:
        user_id = said.message.user_id
        if user_id and user_id != ERASED and self._is_signed(said, user_id):
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

    def _message_id(self, said: _Said) -> str:
        given = said.message.message_id
        if not given or given == ERASED:
            derived = self._derived_id(said.index)
            self._keep(said, lambda kept: _with_message_id(kept, derived))
            return derived
        most = self._limits.message_id_chars
        if len(given) > most:
            raise Refused("id_too_long", f"A messageId has at most {most} characters.", "$.messageId")
        return given

    def _derived_id(self, index: int) -> str:
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

    def _consents(self, said: _Said) -> tuple[ConsentClaim, ...]:
        around = said.around
        if said.message.event != CONSENT_CHANGED:
            return consent.explicit(around.consents)
        change = consent.changed(said.properties, around.text_version, around.touchpoint or "")
        return (*around.consents, change)

    def _is_signed(self, said: _Said, user_id: str) -> bool:
        """Whether `context.userHash` proves the user id. In replay its presence does: wrong ones were rejected,
        and those that nobody could check were taken out of the stored body."""
        if self._live and not self._origin.secret:
            self._keep(said, lambda kept: edit.set_field(kept, _HASH, _NULL))
            return False
        if self._live:
            check_user_hash(said.around.user_hash, self._origin.secret, user_id)
        return True

    # ---- refused collection, and what the log keeps

    def _refuses(self, said: _Said) -> bool:
        """Whether the message refuses its own collection, in its context or by being that very change."""
        purposes = self._rules.collection_purposes
        if said.message.patron_reduced or consent.refuses(said.around.preferences, purposes):
            return True
        return (
            said.message.event == CONSENT_CHANGED
            and said.properties.get("granted") is False
            and said.properties.get("purpose") in purposes
        )

    def _reduce(self, said: _Said) -> _Said:
        """The message as what operations need of it. Raises `Refused` when that is nothing."""
        self._refused.add(said.index)
        message = said.message
        message.message_id = message.message_id or self._derived_id(said.index)
        context = self._surround.plain(message)
        if not self._origin.secret:
            context.pop("userHash", None)
        text = reduced(
            message,
            message.type or self._reading.route,
            context,
            said.around.preferences,
            self._rules.operational_events,
        )
        if text is None:
            raise Refused("collection_refused", "The person refused the collection of this message.")
        self._edits[said.index] = text
        return self._careful(said.index, text, decode_message(text))

    def _reject(self, index: int, text: bytes, refused: Refused) -> None:
        if not self._live:
            self._rejects.append(Reject(index, refused.code, refused.message, refused.path))
            return
        if refused.code == "bad_json":
            raise bad_json(refused.message, f"$.batch[{index}]" if self._is_batch else "$")
        self._rejects.append(Reject(index, refused.code, refused.message, refused.path))
        bare = None if index in self._refused and index in self._edits else self._bare(index, text)
        if bare is not None:
            self._refused.add(index)
            self._edits[index] = bare

    @property
    def _is_batch(self) -> bool:
        return self._reading.route in BATCH_ROUTES

    def _bare(self, index: int, text: bytes) -> bytes | None:
        """The skeleton of a rejected message whose collection was refused; None when it was not.

        Of a message that cannot be read, the mere text of a refusal is enough.
        """
        purposes = self._rules.collection_purposes
        try:
            message = decode_message(text)
            around = self._surround.of(message)
        except (*UNREADABLE, Refused):
            names = b"|".join(re.escape(purpose.encode()) for purpose in purposes)
            suspect = re.compile(rb'"(?:%s)"\s*:\s*(?!true|null)' % names)
            is_refused = suspect.search(text) or suspect.search(self._surround.raw)
            return skeleton(None, None, {}) if is_refused else None
        if index in self._refused or consent.refuses(around.preferences, purposes):
            return skeleton(message, message.type or self._reading.route, around.preferences)
        return None

    def _keep(self, said: _Said, change: Callable[[bytes], bytes]) -> None:
        """Have the log keep another form of this message than the one received."""
        if self._live:
            self._edits[said.index] = change(self._edits.get(said.index, said.text))

    def _stored(self) -> bytes:
        if not self._is_batch:
            return self._edits[0]
        return edit.rewrite(self._reading.body, self._reading.route, self._edits, self._fields)

    def _fields(self, _left: bool) -> dict[str, bytes]:
        """New values of the fields beside the batch. Nobody's, once every message was refused."""
        if len(self._refused) == self._messages:
            return {"*": _NULL} if self._messages else {}
        if self._strip_batch_hash:
            return {"context": edit.set_field(self._surround.raw, ("userHash",), _NULL)}
        return {}


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
