"""What a rule knows of one subject: the events of its nodes, and what they say of traits and consents."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct

from patron.model.clock import HOUR
from patron.model.events import Event, event_id
from patron.rules.consent import Consents
from patron.rules.filters import Stores

COLLECTION = ("collection", "analytics", "profiling")
"""Purposes whose refusal in an event's own context keeps its traits from the profile."""

_NAME = 200


def _in_none(_: str) -> bool:
    return False


def _no_value(_: str) -> None:
    return None


class History(Struct, frozen=True):
    """One subject as the reference execution sees it.

    `events` stand in the order of (time, event id). `member`, `computed` and `scores` answer by name; a set's
    `__contains__` and a dictionary's `get` will do.
    """

    subject: str
    """Its id: `p_...` for a person, the group id for an account. Buckets are drawn from it."""
    events: tuple[Event, ...] = ()
    traits: Mapping[str, Any] = {}
    consents: Consents = {}
    stores: Stores = {}
    member: Callable[[str], bool] = _in_none
    """Whether it is in the segment of that id (purpose and consents heeded)."""
    computed: Callable[[str], Any] = _no_value
    """The value of a computed trait as profiles show it (`values.shown`), or None."""
    scores: Callable[[str], Any] = _no_value


def history_of(
    events: Iterable[Event],
    subject: str,
    *,
    now: int | None = None,
    stores: Stores | None = None,
    account: bool = False,
    collection: Collection[str] = COLLECTION,
) -> History:
    """The history that the events of a subject's nodes make, duplicates and erased ones taken out before.

    Parameters
    ----------
    now : leave out what lies after this moment's hour, for an answer as of the past.
    account : the subject is an account: its traits are those of group calls.
    collection : purposes whose refusal keeps an event's traits from the profile (`profiles.collection_purposes`).

    >>> e = Event(1, "crm", "crm", "identify", "Identified", "m", 5, 5, traits={"city": "Bari", "vip": None})
    >>> history_of([e], "p_1").traits
    {'city': 'Bari'}
    """
    seen = [e for e in events if now is None or e.time // HOUR <= now // HOUR]
    seen.sort(key=lambda e: (e.time, event_id(e.uid)))
    return History(
        subject,
        tuple(seen),
        traits_of(seen, collection, account=account),
        consents_of(seen),
        {} if stores is None else stores,
    )


def traits_of(
    events: Iterable[Event], collection: Collection[str] = COLLECTION, *, account: bool = False
) -> dict[str, Any]:
    """Each trait as last written, by (event time, source/message id); a null deletes. Any order of events gives the same.

    >>> first = Event(1, "crm", "crm", "identify", "Identified", "a", 5, 5, traits={"city": "Bari"})
    >>> later = Event(2, "crm", "crm", "identify", "Identified", "b", 6, 6, traits={"city": "Turin"})
    >>> traits_of([later, first])
    {'city': 'Turin'}
    """
    written: dict[str, tuple[int, str, Any]] = {}
    for event in events:
        for name, value in _told(event, collection, account).items():
            stamp = (event.time, event.uid)
            if len(name) <= _NAME and (name not in written or stamp > written[name][:2]):
                written[name] = (*stamp, value)
    return {name: value for name, (_, _, value) in sorted(written.items()) if value is not None}


def consents_of(events: Iterable[Event]) -> dict[tuple[str, str], tuple[bool, int]]:
    """What stands on each purpose and channel: the latest word, at the same instant a denial.

    >>> from patron.model.events import ConsentClaim
    >>> e = Event(1, "web", "web", "track", "Consent Changed", "m", 5, 5, consents=(ConsentClaim("ads", False),))
    >>> consents_of([e])
    {('ads', '*'): (False, 5)}
    """
    said: dict[tuple[str, str], tuple[int, bool]] = {}
    for event in events:
        for claim in event.consents:
            key, word = (claim.purpose[:_NAME], claim.channel[:_NAME]), (event.time, not claim.granted)
            said[key] = max(said.get(key, word), word)
    return {key: (not denied, time) for key, (time, denied) in sorted(said.items())}


def _told(event: Event, collection: Collection[str], account: bool) -> Mapping[str, Any]:
    """The traits that a profile takes of an event; of a reduced one the door left only what operations need."""
    if account:
        return event.traits if event.type == "group" else {}
    refused = any(not c.granted and c.purpose in collection for c in event.consents)
    if refused and not event.reduced:
        return {}
    told = event.context.get("traits")
    around = told if isinstance(told, dict) else {}
    return around if event.type == "group" else {**around, **event.traits}
