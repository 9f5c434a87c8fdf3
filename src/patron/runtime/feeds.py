"""Reference feeds of a running workspace: versions in the state, and what holds now in a dictionary.

A decision asks for what holds now; that is worked out once, and again when a load touches it or its time is up.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from patron.decide.index import CatalogueIndex
from patron.feeds import facts
from patron.feeds.rows import Row, joined
from patron.feeds.versions import Version, all_as_of, as_of, put, turns
from patron.model.feeds import FeedLoad
from patron.model.ports import Table

KEPT_REJECTS = 100
KEPT_LOADS = 20
"""Loads of a kind that are remembered."""
_REMEMBERED = 20_000
_USED = 100
"""Products out of stock that a decision's record names."""
_NEVER = 1 << 62
_NONE: tuple[Version, ...] = ()
_UNREAD = object()


class FeedCount(Struct):
    """How much there is of a kind, and how fresh it is."""

    keys: int = 0
    versions: int = 0
    known: int | None = None
    valid: int | None = None
    confirmed: int | None = None
    loads: list[str] = []


class Feeds:
    """The feeds of a workspace. Facts of the log change it; everything else reads."""

    def __init__(
        self, rows: Table[list[Version]], kinds: Table[FeedCount], loads: Table[FeedLoad], zone: str
    ) -> None:
        self.rows = rows
        self.kinds = kinds
        self.loads = loads
        self.zone = ZoneInfo(zone)
        self._zones: dict[str, ZoneInfo] = {}
        self._present: dict[str, tuple[int, tuple[Version, ...]]] = {}
        self._shelves: dict[str, tuple[int, str, int]] = {}
        self._stocked = {name.split("/", 2)[1] for name in rows.keys() if name.startswith("stock/")}
        """Stores that said something of their stock."""

    # --- facts of the log ---------------------------------------------------------------------------------------

    def apply(self, kind: str, position: int, rows: list[Row]) -> None:
        """Take up rows of a fact. Rows that are there already change nothing."""
        count = self._count(kind)
        for row in rows:
            name = facts.state_key(kind, row.key, row.valid_from)
            held = self.rows.get(name)
            if held is None:
                held = []
                self.rows.put(name, held)
                count.keys += 1
            else:
                self.rows.touch(name)
            count.versions += put(held, row, position)
            count.known = row.known_at if count.known is None else max(count.known, row.known_at)
            count.valid = row.valid_from if count.valid is None else max(count.valid, row.valid_from)
            self._present.pop(name, None)
            if kind == "stock":
                store = row.key.partition("/")[0]
                self._stocked.add(store)
                self._shelves.pop(store, None)

    def noted(self, part: FeedLoad) -> None:
        """Add a part to what is remembered of its load."""
        held = self.loads.get(part.id)
        count = self._count(part.kind)
        count.confirmed = max(part.confirmed, count.confirmed or 0)
        if held is None:
            self.loads.put(part.id, part)
            count.loads.append(part.id)
            for old in count.loads[:-KEPT_LOADS]:
                self.loads.delete(old)
            del count.loads[:-KEPT_LOADS]
            return
        sums = {
            name: getattr(held, name) + getattr(part, name)
            for name in ("rows", "added", "unchanged", "rejected")
        }
        rejects = (*held.rejects, *part.rejects)[:KEPT_REJECTS]
        ended = {"rejects": rejects, "ended": part.ended, "confirmed": part.confirmed}
        self.loads.put(part.id, msgspec.structs.replace(held, **sums, **ended))

    def _count(self, kind: str) -> FeedCount:
        count = self.kinds.get(kind)
        if count is None:
            count = FeedCount()
            self.kinds.put(kind, count)
        else:
            self.kinds.touch(kind)
        return count

    # --- what held, as known then ---------------------------------------------------------------------------------

    def versions(self, kind: str, key: str, at: int) -> list[Version]:
        """The versions of a key; of a daily kind those of the day of `at` (ms UTC). Only to be read."""
        return self.rows.get(facts.state_key(kind, key, at)) or []

    def as_of(self, kind: str, key: str, at: int, known: int, item: str = "") -> Version | None:
        """What held for a key at `at`, as it was known at `known` (ms UTC): a decision replayed sees what it saw."""
        return as_of(self.versions(kind, key, at), at, known, item)

    def location_of(self, store: str, now: int | None = None) -> tuple[float, float] | None:
        """Where a store is, degrees (latitude, longitude); None when the feed of stores does not say.

        Without `now`, as the newest row says: stores hardly ever move.
        """
        key = joined((store,))
        if now is None:
            held = self.rows.get(f"stores/{key}")
            found = next((v for v in reversed(held or ()) if v.values is not None), None)
        else:
            found = self.as_of("stores", key, now, now)
        if found is None:
            return None
        return facts.place(found, "latitude"), facts.place(found, "longitude")

    # --- what holds now -------------------------------------------------------------------------------------------

    def present(self, name: str, now: int) -> tuple[Version, ...]:
        """What holds now under a key of the state, every item of it."""
        held = self._present.get(name)
        if held is None or now >= held[0]:
            versions = self.rows.get(name)
            if versions is None:
                return _NONE
            held = (turns(versions, now) or _NEVER, tuple(all_as_of(versions, now, now)))
            if len(self._present) >= _REMEMBERED:
                self._present.clear()
            self._present[name] = held
        return held[1]

    def out_of_stock(self, store: str, now: int, index: CatalogueIndex) -> int:
        """Mask of the offers whose product the store does not have now. What nobody counted counts as there."""
        shelf = joined((store,))
        if shelf not in self._stocked:
            return 0
        held = self._shelves.get(shelf)
        if held is None or now >= held[0] or held[1] != index.version:
            mask, until = 0, _NEVER
            for product, offers in index.products.items():
                name = facts.stock_key(store, product)
                if any(v.values is not None and v.values[0] <= 0 for v in self.present(name, now)):
                    mask |= offers
                until = min(until, self._present[name][0]) if name in self._present else until
            held = self._shelves[shelf] = (until, index.version, mask)
        return held[2]

    def around(self, context: Mapping[str, Any], now: int, index: CatalogueIndex) -> "Around | None":
        """What feeds say of the place and moment of an ask; None when there is no feed."""
        return Around(self, context, now, index) if len(self.kinds) else None

    def zone_of(self, name: Any) -> ZoneInfo:
        """A store's zone, else that of the business."""
        if not isinstance(name, str):
            return self.zone
        found = self._zones.get(name)
        if found is None:
            found = self._zones[name] = ZoneInfo(name)
        return found


class Around:
    """The surroundings of one ask. Each field is looked up when first asked for, and noted for the record."""

    __slots__ = ("_city", "_feeds", "_index", "_now", "_read", "_store", "_used", "out", "store")

    def __init__(self, feeds: Feeds, context: Mapping[str, Any], now: int, index: CatalogueIndex) -> None:
        self._feeds = feeds
        self._now = now
        self._index = index
        self._used: dict[str, tuple[Any, int]] = {}
        self._read: dict[str, Any] = {}
        self._store: Any = _UNREAD
        self.store = store_of(context)
        self._city = context.get("city")
        self.out = feeds.out_of_stock(self.store, now, index) if self.store else 0
        """Mask of the offers whose product this store does not have."""

    def context(self, name: str) -> Any:
        """`context.NAME` as feeds know it; None when they do not."""
        value = self._read.get(name, _UNREAD)
        if value is _UNREAD:
            root, _, rest = name.partition(".")
            reader = _READERS.get(root)
            value = self._read[name] = None if reader is None else reader(self, rest)
        return value

    def stock(self, name: str) -> Any:
        """`stock.NAME`, where the name ends with @ and the product."""
        what, _, product = name.partition("@")
        version = self._one(facts.stock_key(self.store, product)) if self.store and product else None
        if version is None or version.values is None:
            return None
        self._used[f"stock.quantity@{product}"] = version.values[0], version.known_at
        return version.values[0] if what == "quantity" else facts.hours_since(version, self._now)

    def used(self, stopped: int) -> tuple[tuple[str, Any, int], ...]:
        """What was looked at: (field, value, since when it was known); of products out of stock the first hundred."""
        if stopped:
            fallen = (product for product, offers in self._index.products.items() if offers & stopped)
            for product, _ in zip(fallen, range(_USED), strict=False):
                self.stock(f"quantity@{product}")
        return tuple([(field, value, known) for field, (value, known) in self._used.items()])

    def _one(self, name: str) -> Version | None:
        found = self._feeds.present(name, self._now)
        return found[0] if found else None

    def _place(self) -> Version | None:
        if self._store is _UNREAD:
            self._store = self._one(f"stores/{joined((self.store,))}") if self.store else None
        found: Version | None = self._store
        return found

    def weather(self, name: str) -> Any:
        """A fact of this hour's weather in the store's city, or the one that the ask names."""
        store = self._place()
        city = self._city if isinstance(self._city, str) else facts.place(store, "city") if store else None
        if not isinstance(city, str):
            return None
        version = self._one(facts.state_key("weather", joined((city,)), self._now))
        if version is None:
            return None
        value = facts.weather(version, name, self._now)
        if value is not None:
            self._used[f"context.weather.{name}" if name else "context.weather"] = value, version.known_at
        return value

    def calendar(self, name: str) -> Any:
        """What goes on here today, and the time of day here."""
        store = self._place()
        if name in ("weekday", "hour"):
            local = facts.clock(self._now, self._feeds.zone_of(store and facts.place(store, "timezone")))
            return local.hour if name == "hour" else facts.WEEKDAYS[local.weekday()]
        if name not in ("holiday", "promotion", "event"):
            return None
        scopes = ["*", *(joined((s,)) for s in self._scopes(store) if isinstance(s, str) and s)]
        found = [v for scope in scopes for v in self._feeds.present(f"calendar/{scope}", self._now)]
        names = facts.going_on(found, name)
        if not names:
            return None
        value = names[0] if len(names) == 1 else names
        self._used[f"context.calendar.{name}"] = value, max(v.known_at for v in found)
        return value

    def _scopes(self, store: Version | None) -> tuple[Any, ...]:
        city = self._city if store is None else facts.place(store, "city")
        return (store and facts.place(store, "country"), city, self.store)

    def place(self, name: str) -> Any:
        """A value of the store's row, or whether it is open."""
        store = self._place()
        if store is None:
            return None
        if name == "open":
            hours = facts.place(store, "opening_hours")
            local = facts.clock(self._now, self._feeds.zone_of(facts.place(store, "timezone")))
            value = None if hours is None else facts.open_at(hours, local)
        else:
            value = facts.place(store, name)
        if value is not None:
            self._used[f"context.place.{name}"] = value, store.known_at
        return value


_READERS = {"weather": Around.weather, "calendar": Around.calendar, "place": Around.place}


def store_of(context: Mapping[str, Any]) -> str:
    """The store of an ask: `context.store`, else `context.touchpoint.store_id`, as events name it; empty when none.

    >>> store_of({"touchpoint": {"id": "kiosk-3", "store_id": "S01"}}), store_of({})
    ('S01', '')
    """
    store = context.get("store")
    if store is None:
        touchpoint = context.get("touchpoint")
        store = touchpoint.get("store_id") if isinstance(touchpoint, dict) else None
    return store if isinstance(store, str) and len(store) <= 200 else ""
