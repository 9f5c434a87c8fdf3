"""Reference feeds of a running workspace: versions in the state, and what holds now in a dictionary.

A decision asks for what holds now; that is worked out once, and again when a load touches it or its time is up.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from patron.decide.index import CatalogueIndex
from patron.feeds import facts
from patron.feeds.rows import Row, joined, parted
from patron.feeds.versions import Version, all_as_of, as_of, put, turns
from patron.model.clock import MINUTE
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


class FeedCount(Struct):
    """How much there is of a kind, and how fresh it is."""

    keys: int = 0
    versions: int = 0
    known: int | None = None
    valid: int | None = None
    confirmed: int | None = None
    loads: list[str] = []


class Shelf(Struct, frozen=True):
    """Which offers a store cannot serve, until when that stands, and by which stock."""

    until: int
    catalogue: str
    out: int
    """Mask of the offers whose product is out of stock."""
    told: tuple[tuple[int, tuple[str, Any, int]], ...]
    """Of each such product: mask of its offers, and (field, quantity, since when it was known)."""
    all: tuple[tuple[str, Any, int], ...] = ()
    """The first of these, without the masks."""


_FULL = Shelf(_NEVER, "", 0, ())
Told = tuple[int, Any, int | None]
"""A fact of a place: until when it stands, its value, and since when that was known (None: it is of no feed)."""


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
        self._shelves: dict[str, Shelf] = {}
        self._told: dict[tuple[str, str, str], Told] = {}
        self._located: dict[str, tuple[float, float]] | None = None
        self._towns: tuple[dict[str, str], dict[str, list[str]]] | None = None
        self._stocked = {name.split("/", 2)[1] for name in rows.keys() if name.startswith("stock/")}
        """Stores that said something of their stock."""

    # --- facts of the log ---------------------------------------------------------------------------------------

    def apply(self, kind: str, position: int, rows: list[Row]) -> None:
        """Take up rows of a fact. Rows that are there already change nothing."""
        count = self._count(kind)
        self._told.clear()
        if kind == "stores":
            self._located = self._towns = None
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

    def location_of(self, store: str) -> tuple[float, float] | None:
        """Where a store is, degrees (latitude, longitude); None when the feed of stores does not say."""
        return self.locations().get(store)

    def locations(self) -> Mapping[str, tuple[float, float]]:
        """Where all stores are, as the last row of each says: the same for every moment, so that two executions of a
        rule agree however long they take.
        """
        if self._located is None:
            rows = ((n, self.rows.get(n)) for n in self.rows.keys() if n.startswith("stores/"))
            last = ((n, as_of(versions, _NEVER, _NEVER)) for n, versions in rows if versions)
            self._located = {
                parted(name)[1]: (facts.place(row, "latitude"), facts.place(row, "longitude"))
                for name, row in last
                if row is not None
            }
        return self._located

    def town_of(self, store: str) -> tuple[str, Sequence[str]]:
        """The town of a store and all stores there, as the last row of each says; ("", ()) when it is not known."""
        if self._towns is None:
            cities, stores = dict[str, str](), dict[str, list[str]]()
            for name in self.rows.keys():
                row = as_of(self.rows.get(name) or (), _NEVER, _NEVER) if name.startswith("stores/") else None
                city = None if row is None else facts.place(row, "city")
                if isinstance(city, str) and city:
                    cities[one := parted(name)[1]] = city
                    stores.setdefault(city, []).append(one)
            self._towns = cities, stores
        city = self._towns[0].get(store, "")
        return city, self._towns[1].get(city, ())

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

    def shelf(self, store: str, now: int, index: CatalogueIndex) -> Shelf:
        """What a store cannot serve now. What nobody counted counts as there."""
        key = joined((store,)) if "/" in store or "%" in store else store
        held = self._shelves.get(key)
        if held is not None and now < held.until and held.catalogue == index.version:
            return held
        if key not in self._stocked:
            return _FULL
        out, until, told = 0, _NEVER, []
        for product, offers in index.products.items():
            name = facts.stock_key(store, product)
            for version in self.present(name, now):
                if version.values is not None and version.values[0] <= 0:
                    out |= offers
                    told.append((offers, (f"stock.quantity@{product}", version.values[0], version.known_at)))
            until = min(until, self.turn(name))
        held = self._shelves[key] = Shelf(
            until, index.version, out, tuple(told), tuple([one for _, one in told[:_USED]])
        )
        return held

    def turn(self, name: str) -> int:
        """Until when what `present` gave for a key of the state stands."""
        held = self._present.get(name)
        return _NEVER if held is None else held[0]

    def told(self, store: str, city: str, name: str, now: int) -> Told:
        """`context.NAME` at a place, as feeds know it now."""
        held = self._told.get((store, city, name))
        if held is None or now >= held[0]:
            if len(self._told) >= _REMEMBERED:
                self._told.clear()
            held = self._told[store, city, name] = _Place(self, store, city, now).told(name)
        return held

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

    __slots__ = ("_city", "_feeds", "_now", "_shelf", "_used", "out", "store")

    def __init__(self, feeds: Feeds, context: Mapping[str, Any], now: int, index: CatalogueIndex) -> None:
        self._feeds = feeds
        self._now = now
        self._used: dict[str, tuple[str, Any, int]] = {}
        self.store = store_of(context)
        city = context.get("city")
        self._city = city if isinstance(city, str) else ""
        self._shelf = feeds.shelf(self.store, now, index) if self.store else _FULL
        self.out = self._shelf.out
        """Mask of the offers whose product this store does not have."""

    def context(self, name: str) -> Any:
        """`context.NAME` as feeds know it; None when they do not."""
        _, value, known = self._feeds.told(self.store, self._city, name, self._now)
        if known is not None and value is not None:
            field = f"context.{name}"
            self._used[field] = (field, value, known)
        return value

    def stock(self, name: str) -> Any:
        """`stock.NAME`, where the name ends with @ and the product."""
        what, _, product = name.partition("@")
        found = (
            self._feeds.present(facts.stock_key(self.store, product), self._now)
            if self.store and product
            else ()
        )
        if not found or found[0].values is None:
            return None
        field = f"stock.quantity@{product}"
        self._used[field] = (field, found[0].values[0], found[0].known_at)
        return found[0].values[0] if what == "quantity" else facts.hours_since(found[0], self._now)

    def used(self, stopped: int) -> tuple[tuple[str, Any, int], ...]:
        """What was looked at: (field, value, since when it was known); of products out of stock the first hundred."""
        if not stopped:
            return tuple(self._used.values())
        shelf = self._shelf
        gone = (
            shelf.all if stopped == shelf.out else [t for offers, t in shelf.told if offers & stopped][:_USED]
        )
        if not self._used:
            return tuple(gone)
        return tuple({**self._used, **{told[0]: told for told in gone}}.values())


class _Place:
    """A store or city at one moment: works out what is told of it."""

    def __init__(self, feeds: Feeds, store: str, city: str, now: int) -> None:
        self._feeds = feeds
        self._now = now
        self._store = store
        self._until = (
            now - now % _QUARTER + _QUARTER
        )  # hours and days of every zone turn at a quarter of an hour
        found = self._all(f"stores/{joined((store,))}") if store else _NONE
        self._row = found[0] if found else None
        self._city = city or self._of_store("city")
        self._zone = feeds.zone_of(self._of_store("timezone"))

    def told(self, name: str) -> Told:
        """One fact."""
        root, _, rest = name.partition(".")
        reader = _READERS.get(root)
        value, known = (None, None) if reader is None else reader(self, rest)
        return self._until, value, known

    def _all(self, name: str) -> tuple[Version, ...]:
        found = self._feeds.present(name, self._now)
        self._until = min(self._until, self._feeds.turn(name))
        return found

    def _of_store(self, name: str) -> Any:
        return None if self._row is None else facts.place(self._row, name)

    def weather(self, name: str) -> tuple[Any, int | None]:
        """The weather of this hour in the city."""
        if not isinstance(self._city, str):
            return None, None
        found = self._all(facts.state_key("weather", joined((self._city,)), self._now))
        if not found:
            return None, None
        self._soon(name == "age_hours")
        return facts.weather(found[0], name, self._now), found[0].known_at

    def calendar(self, name: str) -> tuple[Any, int | None]:
        """What goes on here today, and the time of day here."""
        if name in ("weekday", "hour"):
            local = facts.clock(self._now, self._zone)
            return (local.hour if name == "hour" else facts.WEEKDAYS[local.weekday()]), None
        if name not in facts.SORTS:
            return None, None
        scopes = (self._of_store("country"), self._city, self._store)
        keys = ["*", *(joined((scope,)) for scope in scopes if isinstance(scope, str) and scope)]
        found = [version for key in keys for version in self._all(f"calendar/{key}")]
        names = facts.going_on(found, name)
        if not names:
            return None, None
        return names[0] if len(names) == 1 else names, max(version.known_at for version in found)

    def place(self, name: str) -> tuple[Any, int | None]:
        """A value of the store's row, or whether it is open."""
        if self._row is None:
            return None, None
        if name != "open":
            return self._of_store(name), self._row.known_at
        self._soon(True)
        hours = self._of_store("opening_hours")
        value = None if hours is None else facts.open_at(hours, facts.clock(self._now, self._zone))
        return value, self._row.known_at

    def _soon(self, changes: bool) -> None:
        """Something that changes by the minute."""
        if changes:
            self._until = min(self._until, self._now - self._now % MINUTE + MINUTE)


_QUARTER = 15 * MINUTE
_READERS = {"weather": _Place.weather, "calendar": _Place.calendar, "place": _Place.place}


def store_of(context: Mapping[str, Any]) -> str:
    """The store of an ask: `context.store` or `store_id`, else `touchpoint.store_id`, as events name it; empty when none.

    >>> store_of({"touchpoint": {"id": "kiosk-3", "store_id": "S01"}}), store_of({})
    ('S01', '')
    """
    store = context.get("store", context.get("store_id"))
    if store is None:
        touchpoint = context.get("touchpoint")
        store = touchpoint.get("store_id") if isinstance(touchpoint, dict) else None
    return store if isinstance(store, str) and len(store) <= 200 else ""
