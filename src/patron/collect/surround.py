"""What a body says for all its messages, and each message's own context over it."""

from typing import Any

import msgspec

from patron.collect import context as contexts
from patron.collect import identifiers
from patron.collect.body import Parts, careful_context
from patron.collect.context import Surroundings
from patron.collect.limits import Limits
from patron.collect.message import UNREADABLE, Message, any_values, decode_values
from patron.collect.refusal import Refused
from patron.model.events import ExternalId

_NULL = b"null"
_GOOGLE = b"Google Analytics"


class Surround:
    """The batch's context and integrations; `of` a message merges its own over them.

    Equal contexts of one body (a server's library, a page with many clicks) are read once, so events may share
    what was read: it is never changed.
    """

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._limits = limits
        self._batch: dict[str, Any] = {}
        self.raw = b""
        """The batch's context as JSON; empty when there is none."""
        self._read: dict[bytes, Surroundings] = {}
        self._ids: tuple[ExternalId, ...] = ()
        self.has_google_ids = False
        if len(parts.context) > 2 and parts.context != _NULL:
            self._take_context(parts.context)
        if _GOOGLE in parts.integrations:
            self._ids = self._integrations(parts.integrations)
            self.has_google_ids = bool(self._ids)

    def _take_context(self, raw: bytes) -> None:
        try:
            self._batch = decode_values(raw) or {}
        except UNREADABLE:
            raw = careful_context(raw, "$.context")
            self._batch = any_values(raw)
        self.raw = raw

    def drop_user_hash(self) -> bool:
        """Forget the batch's `userHash` (nobody can check it); whether there was one."""
        return self._batch.pop("userHash", None) is not None

    def of(self, message: Message, *, careful: bool = False) -> Surroundings:
        """The message's context over the batch's. A reduced message stands alone: it says all it may say.

        `careful` is for a message that went through the slow path; others raise what `UNREADABLE` lists.
        """
        key = bytes(message.context)
        found = self._read.get(key)
        if found is None or message.patron_reduced:
            own = (any_values(key) if careful else decode_values(key) or {}) if key else {}
            if self._batch and not message.patron_reduced:
                own = contexts.merge(own, self._batch)
            found = contexts.read(own, self._limits)
            if not message.patron_reduced:
                self._read[key] = found
        return found

    def google_ids(self, message: Message) -> tuple[ExternalId, ...]:
        """`ga_client_id` of the message's integrations, else of the batch's."""
        if message.patron_reduced:
            return ()
        own = bytes(message.integrations)
        return (self._integrations(own) if _GOOGLE in own else ()) or self._ids

    def _integrations(self, raw: bytes) -> tuple[ExternalId, ...]:
        try:
            return tuple(identifiers.of_integrations(msgspec.json.decode(raw or _NULL), self._limits))
        except (*UNREADABLE, Refused):
            return ()  # settings of another tool, not of this event: not worth losing the event for

    def plain(self, message: Message) -> dict[str, Any]:
        """The merged context as plain values."""
        return contexts.merge(any_values(message.context), self._batch)
