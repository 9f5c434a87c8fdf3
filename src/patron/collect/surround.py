"""What a body says for all its messages, and each message's own context over it."""

from typing import Any

import msgspec

from patron.collect import context as contexts
from patron.collect import identifiers
from patron.collect.body import Parts, batch_context
from patron.collect.context import PLAIN, Surroundings
from patron.collect.limits import Limits
from patron.collect.message import UNREADABLE, Message, decode_context
from patron.collect.refusal import Refused
from patron.model.events import ExternalId

_GOOGLE = b"Google Analytics"
_decode_any = msgspec.json.Decoder(dict[str, Any] | None).decode


class Surround:
    """The batch's context and integrations; `of` a message merges its own over them."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._limits = limits
        self._batch = batch_context(parts.context) if parts.context else {}
        self.raw = parts.context
        """The batch's context as JSON; empty when there is none."""
        self.plain: dict[bytes, dict[str, Any]] = {}
        """What events keep of each context read so far that means nothing else, by its text: the messages of a body
        mostly have the same, and share what was read."""
        self._ids = self._integrations(parts.integrations) if parts.integrations else ()
        self.has_google_ids = bool(self._ids)

    def drop_user_hash(self) -> bool:
        """Forget the batch's `userHash` (nobody can check it); whether there was one."""
        return self._batch.pop("userHash", None) is not None

    def of(self, message: Message) -> tuple[dict[str, Any], Surroundings]:
        """The message's context over the batch's: what events keep of it, and what it means.

        A reduced message stands alone: it says all it may say. Raises `Refused`, and what `UNREADABLE` lists for a
        context that the careful reading must repair first.
        """
        text = bytes(message.context)
        own = decode_context(text) if text else None
        if self._batch and not message.patron_reduced:
            own = contexts.merge(own or {}, self._batch)
        kept, around = contexts.read(own, self._limits) if own else ({}, PLAIN)
        if around is PLAIN and not message.patron_reduced:
            self.plain[text] = kept
        return kept, around

    def repaired(self, message: Message) -> tuple[dict[str, Any], Surroundings]:
        """The same of a message that was read carefully: its context nests as deep as the limits allow."""
        own = self._own(message) if message.patron_reduced else self.merged(message)
        return contexts.read(own, self._limits) if own else ({}, PLAIN)

    def google_ids(self, message: Message) -> tuple[ExternalId, ...]:
        """`ga_client_id` of the message's integrations, else of the batch's."""
        if message.patron_reduced:
            return ()
        return self._integrations(bytes(message.integrations)) or self._ids

    def _integrations(self, raw: bytes) -> tuple[ExternalId, ...]:
        if _GOOGLE not in raw:
            return ()
        try:
            return tuple(identifiers.of_integrations(msgspec.json.decode(raw), self._limits))
        except (*UNREADABLE, Refused):
            return ()  # settings of another tool, not of this event: not worth losing the event for

    def merged(self, message: Message) -> dict[str, Any]:
        """The message's context over the batch's, as plain values."""
        return contexts.merge(self._own(message), self._batch)

    @staticmethod
    def _own(message: Message) -> dict[str, Any]:
        text = bytes(message.context)
        return (_decode_any(text) if text else None) or {}
