"""Reading stored bodies again, as when they were accepted: what replay, timelines and the lake share. No workspace needed."""

import msgspec

from patron.collect.limits import Limits
from patron.collect.segment_api import Origin, ReadRules, read_batch
from patron.identity.claims import Cuts, locate
from patron.identity.rules import IdentityRules
from patron.model.events import Batch, Event
from patron.model.log import Entry
from patron.model.people import Located

Found = list[tuple[Event, Located, bool]]
"""Each message that has a place: the event, where it belongs, and whether it is new (False: a copy)."""


def origin_of(entry: Entry) -> Origin:
    """Where an entry's messages came from, as it was when they were accepted."""
    return Origin(entry.source, entry.channel, entry.source_kind, entry.assurance, "")


def read_entry(entry: Entry, body: bytes, limits: Limits, rules: ReadRules) -> Batch:
    """The messages of a stored body; those refused at acceptance are passed over.

    >>> body = b'{"batch":[{"type":"track","event":"Seen","userId":"7","messageId":"m"},null]}'
    >>> [event.name for event in read_entry(Entry("track", 5, 2, "shop", 9), body, Limits(), ReadRules()).events]
    ['Seen']
    """
    origin, passed = origin_of(entry), entry.refused
    return read_batch(body, entry.route, origin, entry.received, entry.base, limits, rules, passed)


def place_batch(entry: Entry, batch: Batch, rules: IdentityRules, cuts: Cuts) -> Found:
    """The messages of a stored body that have an identifier, each with its place."""
    found: Found = []
    duplicates, verified = set(entry.duplicates), set(entry.verified)
    for event, place in zip(batch.events, batch.indexes, strict=True):
        if place in verified:
            event = msgspec.structs.replace(event, assurance="verified")
        located = locate(event, rules, cuts)
        if located is not None:
            found.append((event, located, place not in duplicates))
    return found
