"""What is told of a reference feed: loads with their rejects, how fresh a kind is, and one value of it."""

from typing import Any

from msgspec import Struct


class Reject(Struct, frozen=True):
    """A row that was not taken: where, why, and what to write instead."""

    row: int
    """As the file counts them: the header is row 1. 0 = the file as a whole."""
    column: str
    problem: str
    hint: str = ""
    value: str = ""
    """What stood there, cut short."""


class FeedLoad(Struct, frozen=True):
    """One load of a feed, summed up over its parts."""

    id: str
    kind: str
    file: str
    by: str
    time: int
    """ms UTC at which its first part came."""
    rows: int = 0
    added: int = 0
    """Rows that told something new."""
    unchanged: int = 0
    rejected: int = 0
    rejects: tuple[Reject, ...] = ()
    """The first of them."""
    ended: bool = True
    """False: its last part has not come, it may have been interrupted. Loading the file again is safe."""
    confirmed: int = 0
    """ms UTC of the last part: what the feed said was still so then."""


class FeedStatus(Struct, frozen=True):
    """How much there is of a kind of feed, and how fresh it is."""

    kind: str
    about: str
    keys: int = 0
    versions: int = 0
    known: int | None = None
    """The newest `known_at`, ms UTC."""
    valid: int | None = None
    """The newest `valid_from`, ms UTC."""
    confirmed: int | None = None
    """When a load last ended or went on, ms UTC, whether or not it told anything new."""
    last: FeedLoad | None = None


class FeedValue(Struct, frozen=True):
    """One value of a feed: what it is, when it holds, and since when it was known (ms UTC)."""

    key: str
    item: str
    valid_from: int
    until: int | None
    known_at: int
    position: int
    """Of the fact in the log that brought it."""
    values: dict[str, Any] | None
    """None: the row was withdrawn."""


class FeedPage(Struct, frozen=True):
    """What holds at a moment, as known at a moment: for one key with its history, or for a page of keys."""

    kind: str
    at: int
    known: int
    data: list[FeedValue]
    total: int
    """Keys of the kind; 1 when one was asked for."""
    cursor: str | None = None
    history: list[FeedValue] = []
    """Of one key: every version kept, newest `known_at` first, at most 200."""


class FeedStatuses(Struct, frozen=True):
    """Every kind of feed."""

    data: list[FeedStatus]


class FeedReport(Struct, frozen=True):
    """What a load did, or would do."""

    load: str
    kind: str
    rows: int
    added: int
    unchanged: int
    rejected: int
    rejects: tuple[Reject, ...]
    """At most 2,000 of them."""
    ignored: tuple[str, ...]
    """Columns that this kind does not know; they were passed over."""
    later: int
    """Rows whose `known_at` lies in the future: nobody sees them before."""
    dry_run: bool
    position: int
    """Log position up to which it is applied."""


class FeedRequest(Struct, frozen=True):
    """Rows of a feed as JSON: objects, or `columns` and rows as lists of cells; and how they are meant."""

    rows: list[Any]
    columns: list[str] = []
    mapping: dict[str, str] = {}
    """Name in the rows -> column of the kind, where they differ."""
    known_at: int | str | None = None
    """Since when rows that do not say were known (ms UTC or ISO 8601); now when left out."""
    dry_run: bool = False
    """Say what it would do, and do nothing."""
    file: str = ""
    """What people call it."""
    numbers: list[int] = []
    """Number of each row in its file, for messages; from 1 on when left out."""
    unread: list[Reject] = []
    """Rows that whoever sends this could not read: they are noted with the load."""
    load: str = ""
    """Of an earlier part of the same load, as its answer gave it."""
    more: bool = False
    """Whether further parts of this load follow."""
