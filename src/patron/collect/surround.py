"""What a body says for all its messages, and each message's own context over it."""

from typing import Any

import msgspec

from patron.collect import context as contexts
from patron.collect import identifiers
from patron.collect.body import Parts, batch_context
from patron.collect.context import PLAIN, Surroundings
from patron.collect.limits import Limits
from patron.collect.message import UNREADABLE, Message
from patron.collect.refusal import Refused
from patron.model.events import ExternalId

_GOOGLE = b"Google Analytics"


class Surround:
    """The batch's context and integrations; `of` a message merges its own over them."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self._limits = limits
        self._batch = batch_context(parts.context)
        self.raw = parts.context
        """The batch's context as JSON; empty when there is none."""
        self._ids = self._integrations(parts.integrations)
        self.has_google_ids = bool(self._ids)

    def drop_user_hash(self) -> bool:
        """Forget the batch's `userHash` (nobody can check it); whether there was one."""
        return self._batch.pop("userHash", None) is not None

    def of(self, message: Message) -> tuple[dict[str, Any], Surroundings]:
        """The message's context over the batch's: what events keep of it, and what it means. Raises `Refused`.

        A reduced message stands alone: it says all it may say.
        """
        own = message.context
        if self._batch and not message.patron_reduced:
            own = contexts.merge(own or {}, self._batch)
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

    def plain(self, message: Message) -> dict[str, Any]:
        """The merged context as plain values."""
        return contexts.merge(message.context or {}, self._batch)
