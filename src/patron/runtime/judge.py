"""Judging the messages of a body, once and for ever: new, a copy, refused, or of somebody erased."""

from collections.abc import Iterable

import msgspec

from patron.identity.claims import locate
from patron.model.clock import DAY
from patron.model.events import Batch, Event, Reject
from patron.model.people import Located
from patron.runtime.workspace import Found, Workspace

_NEW, _CONFLICT = 0, 2
_NO_CUTS: dict[str, list[int]] = {}
"""Asking a dict whether it is empty costs less than asking a table, and is done for every message."""


class Judged(msgspec.Struct):
    """The verdict on each message of a body."""

    rejects: list[Reject]
    found: Found = []
    new: int = 0
    copies: list[int] = []
    erased: list[int] = []
    ids: list[str] = []
    """Message ids that were asked for, with their days and checksums beside: what `withdraw` takes back."""
    days: list[int] = []
    checksums: list[int] = []
    verdicts: list[int] = []

    def new_ids(self) -> Iterable[str]:
        """Message ids that this body brought first."""
        return (i for i, verdict in zip(self.ids, self.verdicts, strict=True) if verdict == _NEW)

    def copied_ids(self) -> set[str]:
        """Message ids that this body repeats."""
        return {
            i for i, verdict in zip(self.ids, self.verdicts, strict=True) if verdict not in {_NEW, _CONFLICT}
        }


def judge(workspace: Workspace, source: str, batch: Batch) -> Judged:
    """Judge the messages of a batch and remember the ids of the new ones."""
    rules = workspace.settings.identity
    cuts = workspace.cuts if len(workspace.cuts) else _NO_CUTS
    judged = Judged(list(batch.rejects))
    events, indexes, checksums = batch.events, batch.indexes, batch.payload_hashes
    if len(events) == 1 and not workspace.tombstones.any():
        place = locate(events[0], rules, cuts)
        if place is not None and _single(workspace, source, batch, place, judged):
            return judged
    places = [locate(event, rules, cuts) for event in events]
    if workspace.tombstones.any() or not all(places):
        kept = _lawful(workspace, batch, places, judged)
        events, indexes = [events[i] for i in kept], [indexes[i] for i in kept]
        checksums, places = [checksums[i] for i in kept], [places[i] for i in kept]
    judged.ids = [event.message_id for event in events]
    judged.days = days_of(events)
    judged.checksums = checksums
    positions = [event.position for event in events]
    judged.verdicts = verdicts = workspace.dedup.admit(source, judged.ids, judged.days, checksums, positions)
    if not any(verdicts):
        judged.new = len(events)
        judged.found = [(event, place, True) for event, place in zip(events, places, strict=True)]  # type: ignore[misc]
        return judged
    for event, index, place, verdict in zip(events, indexes, places, verdicts, strict=True):
        if verdict == _CONFLICT:
            judged.rejects.append(Reject(index, "id_conflict", _CONFLICT_TEXT, "$.messageId"))
            continue
        if verdict == _NEW:
            judged.new += 1
        else:
            judged.copies.append(index)
        judged.found.append((event, place, verdict == _NEW))  # type: ignore[arg-type]
    return judged


def _single(workspace: Workspace, source: str, batch: Batch, place: Located, judged: Judged) -> bool:
    """Judge the one message of a body, as live clients send them, if it is new; False (and nothing done) if not."""
    (event,), (checksum,) = batch.events, batch.payload_hashes
    message_id, day = event.message_id, (event.received if event.original is None else event.original) // DAY
    if workspace.dedup.admit_one(source, message_id, day, checksum, event.position):
        return False
    judged.ids, judged.days, judged.checksums, judged.verdicts = [message_id], [day], [checksum], [_NEW]
    judged.new, judged.found = 1, [(event, place, True)]
    return True


def _lawful(workspace: Workspace, batch: Batch, places: list[Located | None], judged: Judged) -> list[int]:
    """Which messages have an identifier and are of nobody erased; the others are noted."""
    kept = []
    for number, (event, place) in enumerate(zip(batch.events, places, strict=True)):
        if place is None:
            judged.rejects.append(Reject(batch.indexes[number], "no_identifier", _NO_IDENTIFIER))
        elif workspace.tombstones.bars(place, event.time):
            judged.erased.append(batch.indexes[number])
        else:
            kept.append(number)
    return kept


def withdraw(workspace: Workspace, source: str, judged: Judged) -> None:
    """Forget the ids of messages that could not be stored after all: their sender will send them again."""
    for message_id, day, checksum, verdict in zip(
        judged.ids, judged.days, judged.checksums, judged.verdicts, strict=True
    ):
        if verdict == _NEW:
            workspace.dedup.discard(source, message_id, day, checksum)


def days_of(events: Iterable[Event]) -> list[int]:
    """UTC day of each original timestamp (of receipt when there is none): the duplicate filter's partition."""
    return [(e.received if e.original is None else e.original) // DAY for e in events]


_NO_IDENTIFIER = (
    "No usable identifier: give userId, anonymousId, an e-mail or phone trait, or an order id. "
    "Junk values and shared devices do not count."
)
_CONFLICT_TEXT = (
    "This messageId was already used for another message; the first one stands. Give each message its own id."
)
