"""What passes between the tracking door and the staircase."""

from typing import Protocol

from msgspec import Struct

from patron.model.access import Source
from patron.model.errors import Fault


class Receipt(Struct, frozen=True, gc=False):
    """The answer to one tracking request: durable and applied up to `position`."""

    position: int
    accepted: int
    duplicates: int = 0
    rejected: int = 0
    faults: tuple[Fault, ...] = ()
    """The first rejected messages: where each stands in the body, and why."""


class Intake(Protocol):
    """What the tracking door needs: find the source of a key, and take a body."""

    def source_of(self, write_key: str) -> Source | None:
        """The source that a live write key belongs to; None when missing, unknown or revoked."""
        ...

    async def accept(self, source: Source, route: str, body: bytes) -> Receipt:
        """Take an inflated body: returns once durable and applied. Raises RequestError (429, 503, 400, 413)."""
        ...
