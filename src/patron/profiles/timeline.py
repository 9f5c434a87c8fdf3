"""Pages of a person's timeline: events by their own time over all channels, however late they came.

The index of the log gives rows (event time, position), sorted; this slices them without reading more events than a
page needs. Nothing shifts between pages when events arrive: a cursor says where the last page ended, not how far.
"""

import base64
import binascii
import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Generic, TypeVar

from msgspec import Struct

from patron.model.clock import DAY
from patron.model.errors import BadRequest
from patron.model.events import Event

Row = tuple[int, int]
"""Event time in ms and log position; together a total order."""
E = TypeVar("E")
ORDERS = ("asc", "desc")
SCAN = 5_000
"""Most events read for one page: a rare filter then gives a short page and a cursor to go on from."""

_LAYOUT = struct.Struct(">Bqq")
_VERSION = 2


class Page(Struct, Generic[E], frozen=True):
    """Entries of one page, and the cursor of the next (None at the end)."""

    entries: list[E]
    cursor: str | None


def encode_cursor(row: Row, order: str) -> str:
    """Where a page ended, as text for a URL. Opaque: only `decode_cursor` reads it.

    >>> decode_cursor(encode_cursor((1_700_000_000_000, 42), "desc"), "desc")
    (1700000000000, 42)
    """
    packed = _LAYOUT.pack(_VERSION + ORDERS.index(order), *row)
    return base64.urlsafe_b64encode(packed + _check(packed)).decode().rstrip("=")


def decode_cursor(cursor: str, order: str) -> Row:
    """The row of a cursor. Raises BadRequest when it is none, or belongs to the other order."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        packed, check = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        kind, time, position = _LAYOUT.unpack(packed)
        if check != _check(packed) or not 0 <= kind - _VERSION < len(ORDERS):
            raise ValueError(cursor[:40])
    except (ValueError, binascii.Error, struct.error) as error:
        raise BadRequest(
            "bad_cursor",
            "This is no cursor of a timeline: pass `cursor` as the page before gave it, or leave it out.",
        ) from error
    if ORDERS[kind - _VERSION] != order:
        raise BadRequest(
            "bad_cursor",
            f"This cursor was made with order={ORDERS[kind - _VERSION]}; keep the order while paging.",
        )
    return time, position


def _check(packed: bytes) -> bytes:
    return (binascii.crc32(packed) & 0xFFFF).to_bytes(2, "big")


def after(rows: Sequence[Row], cursor: str | None, order: str) -> Iterator[Row]:
    """The rows beyond a cursor in the order asked, each once. `rows` ascend and may hold a row more than once.

    >>> list(after([(1, 1), (2, 2), (2, 2), (3, 3)], encode_cursor((3, 3), "desc"), "desc"))
    [(2, 2), (1, 1)]
    """
    if order not in ORDERS:
        raise BadRequest("bad_order", f"`order` is one of {' and '.join(ORDERS)}.")
    if order == "asc":
        start = bisect_right(rows, decode_cursor(cursor, order)) if cursor else 0
        ahead: Iterable[Row] = (rows[i] for i in range(start, len(rows)))
    else:
        end = bisect_left(rows, decode_cursor(cursor, order)) if cursor else len(rows)
        ahead = (rows[i] for i in range(end - 1, -1, -1))
    return (row for row, _ in groupby(ahead))


def page(
    rows: Sequence[Row],
    read: Callable[[Row], E | None],
    *,
    limit: int,
    order: str = "desc",
    cursor: str | None = None,
    keep: Callable[[E], bool] | None = None,
) -> Page[E]:
    """One page of at most `limit` entries.

    Parameters
    ----------
    rows : the person's index rows, ascending by (time, position).
    read : gives the entry at a row, None when it is gone (erased, rejected); called only for rows that are needed.
    keep : which entries to show (see `matching`); all when None.

    Raises BadRequest for a bad cursor or order. A page may be shorter than `limit` and still have a cursor.

    >>> names = {1: "Product Viewed", 2: "Order Completed", 3: "Product Viewed"}
    >>> p = page([(10, 2), (20, 1), (30, 3)], lambda row: names[row[1]], limit=1, keep=lambda n: n != "Order Completed")
    >>> p.entries, page([(10, 2), (20, 1), (30, 3)], lambda row: row[1], limit=5, cursor=p.cursor).entries
    (['Product Viewed'], [1, 2])
    """
    entries: list[E] = []
    ahead = after(rows, cursor, order)
    for scanned, row in enumerate(ahead, 1):
        entry = read(row)
        if entry is not None and (keep is None or keep(entry)):
            entries.append(entry)
        if len(entries) >= limit or scanned >= SCAN:
            more = next(ahead, None) is not None
            return Page(entries, encode_cursor(row, order) if more else None)
    return Page(entries, None)


def matching(channel: str = "", name: str = "", sources: Sequence[str] = ()) -> Callable[[Event], bool]:
    """A filter of events by channel, event name and source; an empty one lets all pass.

    >>> seen = Event(1, "shop", "web", "track", "Product Viewed", "m", 0, 0)
    >>> matching(channel="web")(seen), matching(channel="web", name="Order Completed")(seen)
    (True, False)
    """

    def keep(event: Event) -> bool:
        return (
            (not channel or event.channel == channel)
            and (not name or event.name == name)
            and (not sources or event.source in sources)
        )

    return keep


def late_days(event: Event) -> int:
    """Whole days between an event and its arrival.

    >>> late_days(Event(1, "till", "pos", "track", "X", "m", time=0, received=2 * DAY + 5))
    2
    """
    return max(0, event.received - event.time) // DAY
