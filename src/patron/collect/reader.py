"""The reader of one body: takes its messages one by one and collects events, rejects and rewritten bytes."""

import re
from typing import Any

from msgspec import Raw

from patron.collect import consent, edit
from patron.collect.body import BATCH_ROUTES, Parts, bad_json
from patron.collect.consent import CONSENT_CHANGED
from patron.collect.context import PLAIN, Surroundings
from patron.collect.envelope import Maker, Reading, Said
from patron.collect.limits import UNLIMITED
from patron.collect.message import (
    UNREADABLE,
    Message,
    careful,
    check_shape,
    check_utf8,
    decode_message,
    payload_hashes,
    said,
)
from patron.collect.reduce import reduced, skeleton
from patron.collect.refusal import Refused
from patron.collect.slowpath import Repairs
from patron.collect.surround import Surround
from patron.model.events import Batch, Event, Reject

_NULL = b"null"


class Reader:
    """Reads the messages of one body in order: `take` each message, then `batch`."""

    def __init__(self, reading: Reading, parts: Parts) -> None:
        self._reading, self._live, self._rules = reading, reading.live, reading.rules
        self._limits = reading.limits if reading.live else UNLIMITED
        self._simple_size = min(self._limits.event_bytes, 5 * self._limits.width)
        self._repairs = Repairs(self._limits.repair_bytes)
        self._whole = parts.whole
        self._surround = Surround(parts, self._limits)
        self._strip_batch_hash = bool(
            parts.context and reading.live and not reading.origin.secret and self._surround.drop_user_hash()
        )
        self._maker = Maker(reading, self._surround, parts.sent_at)
        self._events: list[Event] = []
        self._indexes: list[int] = []
        self._said: list[tuple[object, ...]] = []
        self._rejects: list[Reject] = []
        self._edits: dict[int, bytes] = {}
        self._refused: set[int] = set()
        self._messages = 0
        self._message: Message | None = None
        """The message in hand, once it is decoded,"""
        self._around: tuple[dict[str, Any], Surroundings] | None = None
        """and what surrounds it, once that is read and found to mean something."""

    def take(self, index: int, raw: Raw | bytes, position: int) -> None:
        """Read one message: an event, a reject, or nothing when it was erased.

        Raises BadRequest when the message is broken so that the body is no JSON at all.
        """
        text = bytes(raw)
        if text == _NULL:
            return
        self._messages += 1
        self._message = self._around = None
        try:
            event = self._usual(text, position) or self._event(index, text, position)
        except Refused as refused:
            self._reject(index, text, refused)
            return
        self._events.append(event)
        self._indexes.append(index)

    def batch(self, count: int) -> Batch:
        """What was read of `count` messages."""
        return Batch(
            count=count,
            events=self._events,
            indexes=self._indexes,
            rejects=self._rejects,
            payload_hashes=payload_hashes(self._said),
            stored=self._stored() if self._edits or self._strip_batch_hash else None,
        )

    # ---- reading

    def _usual(self, text: bytes, position: int) -> Event | None:
        """The event of a message like nearly every one: a view or a deed, in a context that was read before.

        None for any other, which takes the longer way: that gives the same for these.
        """
        # Looking for a sign is many times faster than counting it, and most messages have no list.
        if not self._whole or (
            self._live
            and (
                len(text) > self._simple_size
                or text.count(b"{") + (text.count(b"[") if b"[" in text else 0) > self._limits.depth
            )
        ):
            return None
        try:
            message = self._message = decode_message(text)
        except UNREADABLE:
            return None
        surround = self._surround
        context = surround.plain.get(bytes(message.context))
        if context is None:
            try:
                context, around = surround.of(message)
            except (Refused, *UNREADABLE):
                return None
            if around is not PLAIN:
                self._around = context, around
                return None
        event = self._maker.usual(message, context, position)
        if event is not None:
            self._said.append(said(message, event.type))
        return event

    def _event(self, index: int, text: bytes, position: int) -> Event:
        told = self._read(index, text)
        event = self._maker.event(told, position)
        if told.kept is not None and self._live:
            self._edits[index] = told.kept
        kind = event.type
        self._said.append(said(told.message, kind, told.around.traits if kind == "identify" else None))
        return event

    def _read(self, index: int, text: bytes) -> Said:
        live, most = self._live, self._limits
        if live:
            check_shape(text, most)
        if not self._whole:
            check_utf8(text)
        message, kept, around = self._decoded(text)
        told = Said(index, text, message, kept, around, message.properties or {}, message.traits or {})
        if live and (message.patron_reduced or around.preferences or message.event == CONSENT_CHANGED):
            return self._reduce(told) if self._refuses(told) else told
        return told

    def _decoded(self, text: bytes) -> tuple[Message, dict[str, Any], Surroundings]:
        message = self._message
        try:
            if message is None:
                message = self._message = decode_message(text)
            return message, *(self._around or self._surround.of(message))
        except UNREADABLE:
            self._message = None
            message = self._message = careful(text, self._repairs)
            return message, *self._surround.repaired(message)

    # ---- refused collection, and what the log keeps

    def _refuses(self, told: Said) -> bool:
        """Whether the message refuses its own collection, in its context or by being that very change."""
        purposes = self._rules.collection_purposes
        if told.message.patron_reduced or consent.refuses(told.around.preferences, purposes):
            return True
        return (
            told.message.event == CONSENT_CHANGED
            and (told.message.type or self._reading.route) == "track"
            and told.properties.get("granted") is False
            and told.properties.get("purpose") in purposes
        )

    def _reduce(self, told: Said) -> Said:
        """The message as what operations need of it. Raises `Refused` when that is nothing."""
        self._refused.add(told.index)
        message = told.message
        message.message_id = message.message_id or self._maker.derived_id(told.index)
        text = reduced(
            message,
            message.type or self._reading.route,
            self._surround.merged(message),
            told.around.preferences,
            self._rules.operational_events,
        )
        if text is None:
            raise Refused("collection_refused", "The person refused the collection of this message.")
        self._edits[told.index] = text
        message = decode_message(text)
        kept, around = self._surround.of(message)
        return Said(told.index, text, message, kept, around, message.properties or {}, {}, text)

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
        message, purposes = self._message, self._rules.collection_purposes
        if message is None:
            return self._bare_unread(text)
        try:
            _, around = self._surround.repaired(message)
        except Refused:
            return self._bare_unread(text)
        if index in self._refused or consent.refuses(around.preferences, purposes):
            return skeleton(message, message.type or self._reading.route, around.preferences)
        return None

    def _bare_unread(self, text: bytes) -> bytes | None:
        if not self._rules.collection_purposes:
            return None
        names = b"|".join(re.escape(purpose.encode()) for purpose in self._rules.collection_purposes)
        suspect = re.compile(rb'"(?:%s)"\s*:\s*(?!true|null)' % names)
        is_refused = suspect.search(text) or suspect.search(self._surround.raw)
        return skeleton(None, None, {}) if is_refused else None

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
