"""What the lake keeps of an event beside its plain columns, so that a replay gets the very same event back.

A column of JSON, left out where it says nothing: `docs/decisions/0011-the-lake-can-replay.md`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from patron.model.events import ConsentClaim, Event, ExternalId


class Envelope(
    Struct, omit_defaults=True, gc=False, rename={"previous_id": "previous", "skew_unknown": "skew"}
):
    """The rest of an event, and of the entry it came in."""

    checksum: int = 0
    """Of what the message says (`Batch.payload_hashes`): tells a copy from a conflict."""
    entry: int | None = None
    """When its body was received, where the message itself says another time."""
    original: int | UnsetType | None = UNSET
    """The time as the client wrote it, where that is not the event's."""
    previous_id: str | None = None
    traits: dict[str, Any] = {}
    external_ids: tuple[ExternalId, ...] = ()
    consents: tuple[ConsentClaim, ...] = ()
    context: Raw | UnsetType = UNSET
    assurance: str = "asserted"
    skew_unknown: bool = False
    reduced: bool = False


class Contexts:
    """Contexts as JSON. The messages of a body mostly share one, which is then written once."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Mapping[str, Any], Raw]] = {}

    def raw(self, context: Mapping[str, Any]) -> Raw | UnsetType:
        """A context as JSON; nothing for an empty one."""
        if not context:
            return UNSET
        held = self._held.get(id(context))
        if held is None:
            if len(self._held) > 256:
                self._held.clear()
            held = self._held[id(context)] = (context, Raw(to_json(context)))
        return held[1]


to_json = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(Envelope).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode


def envelope_of(event: Event, received: int, checksum: int, contexts: Contexts) -> bytes:
    """The rest of an event as JSON; `received` is when its body came.

    >>> event = Event(1, "shop", "web", "track", "Seen", "m", 5, 5, 5, user_id="7", context={"locale": "it"})
    >>> envelope_of(event, 5, 77, Contexts())
    b'{"checksum":77,"context":{"locale":"it"}}'
    """
    return to_json(
        Envelope(
            checksum,
            None if event.received == received else received,
            UNSET if event.original == event.time else event.original,
            event.previous_id,
            event.traits,
            event.external_ids,
            event.consents,
            contexts.raw(event.context),
            event.assurance,
            event.skew_unknown,
            event.reduced,
        )
    )


class Kept(Struct, frozen=True):
    """An event out of the lake: as it was folded, and what its entry said."""

    event: Event
    checksum: int
    entry_received: int


def event_of(row: Mapping[str, Any]) -> Kept:
    """The event of a row of the table `events`. Raises msgspec.DecodeError when its JSON was tampered with."""
    rest = _read(row["envelope"])
    time, received = _ms(row["time"]), _ms(row["received"])
    event = Event(
        row["position"],
        row["source"],
        row["channel"],
        row["type"],
        row["name"],
        row["message_id"],
        time,
        received,
        time if rest.original is UNSET else rest.original,
        row["user_id"],
        row["anonymous_id"],
        rest.previous_id,
        row["group_id"],
        _object(row["properties"]),
        rest.traits,
        rest.external_ids,
        rest.consents,
        {} if rest.context is UNSET else _object(rest.context),
        row["touchpoint"],
        row["store"],
        rest.assurance,
        rest.skew_unknown,
        rest.reduced,
    )
    return Kept(event, rest.checksum, received if rest.entry is None else rest.entry)


def _ms(value: int) -> int:
    return value // 1000
