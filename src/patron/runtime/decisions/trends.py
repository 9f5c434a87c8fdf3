"""What is bought and looked at in each store lately: folded from events, read when something is decided.

The state keeps a row for each node and hour: what it bought or looked at in which store, each product once, so nobody makes a
trend alone and whoever is erased leaves none. Rows go when their hours are over. The sums over all people follow from the
rows and live in memory only; they are whole numbers, so they are the same in whatever order events came.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patron.decide.fit import Topics
from patron.decide.trends import HOURS, SCALE, WEIGHTS, Column, lift, popular, shares
from patron.model.clock import HOUR
from patron.model.events import Event
from patron.model.people import Key
from patron.model.ports import Table
from patron.profiles.interests import names_of

BOUGHT, VIEWED = "b", "v"
KINDS: Mapping[str, str] = {"Order Completed": BOUGHT, "Product Viewed": VIEWED}
"""Events that are counted, each with its letter in the state."""
_WEEK = 7
_KEPT: Mapping[str, int] = {BOUGHT: HOURS + (_WEEK + 1) * 24, VIEWED: HOURS}
"""Hours that are kept: of purchases also the week before, in whole days, which says what usually sells."""
_MOST = 50
"""Products of one node in one hour."""
_REMEMBERED = 1_000
_SECOND = 1_000
_ALL = "\0"
Row = dict[str, list[str]]
"""Store -> products; `` is no store."""
Town = Callable[[str], tuple[str, Sequence[str]]]
"""A store -> its town and all stores of that, itself among them; ("", ()) when its town is not known."""
_Counts = dict[int, dict[str, int]]
"""Hour -> product -> how many people."""


class _Board:
    """Weighted counts of some stores, by product, laid out for the offers of one catalogue while they are asked for."""

    __slots__ = ("_column", "_topics", "counts", "total")

    def __init__(self) -> None:
        self.total = 0
        self.counts: dict[str, int] = {}
        self._topics: Topics | None = None
        self._column: NDArray[np.int64] = np.zeros(0, np.int64)

    def add(self, product: str, weight: int) -> None:
        self.total += weight
        self.counts[product] = self.counts.get(product, 0) + weight
        if self._topics is not None:
            for place in self._topics.places(product):
                self._column[place] += weight

    def add_all(self, counts: Mapping[str, int], weight: int) -> None:
        for product, count in counts.items():
            self.add(product, count * weight)

    def column(self, topics: Topics) -> NDArray[np.int64]:
        """What was counted of the products of each offer."""
        if self._topics is not topics:
            self._topics, self._column = topics, np.zeros(topics.size, np.int64)
            for product, weight in self.counts.items():
                for place in topics.places(product):
                    self._column[place] += weight
        return self._column


class Trends:
    """The trends of one workspace.

    Parameters
    ----------
    rows : `HOUR/LETTER/NODE` -> what a node did in an hour (since 1970, UTC).
    now : the time, ms.
    """

    def __init__(self, rows: Table[Row], town: Town, now: Callable[[], int]) -> None:
        self._rows = rows
        self._town = town
        self._now = now
        self._latest = 0
        self._nodes: dict[tuple[str, int], set[Key]] = {}
        self._counts: dict[tuple[str, str], _Counts] = {}
        """By letter and store; those of all stores under `_ALL`."""
        self._days: _Counts = {}
        """What was bought everywhere by day (since 1970, UTC)."""
        self._boards: dict[tuple[str, tuple[str, ...]], _Board] = {}
        self._usual: _Board | None = None
        self._hour = 0
        self._of_store: dict[tuple[str, str], list[_Board]] = {}
        self._near: dict[str, tuple[int, Topics, NDArray[np.float32] | None]] = {}
        for name, row in rows.items():
            hour, kind, node = name.split("/", 2)
            self._nodes.setdefault((kind, int(hour)), set()).add(node)
            for store, products in row.items():
                for product in products:
                    self._count(kind, store, int(hour), product, 1)

    # --- folding ------------------------------------------------------------------------------------------------------

    def at(self, received: int) -> None:
        """The log has come to this time (ms): what is too old goes."""
        if received < self._latest:
            return
        hour, before = received // HOUR, self._latest // HOUR
        self._latest = received
        if hour != before:
            for kind, old in [one for one in self._nodes if one[1] <= hour - _KEPT[one[0]]]:
                for node in self._nodes.pop((kind, old)):
                    self._rows.delete(f"{old}/{kind}/{node}")
            for (kind, _), counts in self._counts.items():
                _cut(counts, hour - _KEPT[kind])
            _cut(self._days, (hour - _KEPT[BOUGHT]) // 24 - 1)
            self.forget()

    def event(self, event: Event, node: Key) -> None:
        """Take in one event of `KINDS`."""
        kind, hour = KINDS.get(event.name), event.time // HOUR
        if kind is None or hour <= self._latest // HOUR - _KEPT[kind]:
            return
        name, store = f"{hour}/{kind}/{node}", store_of(event)
        if kind == VIEWED and not store:
            return
        row = self._rows.get(name) or {}
        left = _MOST - sum(map(len, row.values()))
        held = row.get(store, [])
        told = [key[2:] for key in names_of(event) if key[0] == "p" and key[2:] not in held][:left]
        if told:
            self._rows.put(name, {**row, store: [*held, *told]})
            self._nodes.setdefault((kind, hour), set()).add(node)
            for product in told:
                self._count(kind, store, hour, product, 1)

    def drop(self, node: Key) -> None:
        """A node's events are taken out."""
        for (kind, hour), nodes in self._nodes.items():
            if node in nodes:
                nodes.discard(node)
                name = f"{hour}/{kind}/{node}"
                for store, products in (self._rows.get(name) or {}).items():
                    for product in products:
                        self._count(kind, store, hour, product, -1)
                self._rows.delete(name)

    def _count(self, kind: str, store: str, hour: int, product: str, times: int) -> None:
        for one in (store, _ALL):
            _add(self._counts.setdefault((kind, one), {}), hour, product, times)
        if kind == BOUGHT:
            _add(self._days, hour // 24, product, times)
        age = self._hour - hour
        if self._boards and not 0 <= age < HOURS:
            self.forget()  # of the week before, or of an hour that had not begun when the sums were made
        elif self._boards:
            for one in (store, _ALL):
                for board in self._of_store.get((kind, one), ()):
                    board.add(product, times * WEIGHTS[age])

    def forget(self) -> None:
        """Make the sums anew when they are asked for: time went by, or stores are in other towns."""
        self._boards.clear()
        self._of_store.clear()
        self._near.clear()
        self._usual = None

    # --- asking -------------------------------------------------------------------------------------------------------

    def near(self, topics: Topics, store: str) -> NDArray[np.float32] | None:
        """For each offer `decide.fit.NAMES` from `TRENDS` on, as of the last second; None where there is no trend.

        Parameters
        ----------
        store : that asks; empty: nobody says where.
        """
        now = self._now()
        if now // HOUR != self._hour:
            self._hour = now // HOUR
            self.forget()
        held = self._near.get(store)
        if held is None or held[0] != now // _SECOND or held[1] is not topics:
            if len(self._near) >= _REMEMBERED:
                self._near.clear()
            held = self._near[store] = now // _SECOND, topics, self._found(topics, store)
        return held[2]

    def _found(self, topics: Topics, store: str) -> NDArray[np.float32] | None:
        if not self._counts:
            return None
        usual = self._week()
        share = shares(usual.column(topics).astype(float), usual.total)
        found = np.zeros((topics.size, 4))
        found[:, 0] = popular(share)
        if store:
            town = tuple(self._town(store)[1]) or (store,)
            found[:, 2] = self._lift(BOUGHT, town, topics, share)
            found[:, 3] = self._lift(VIEWED, town, topics, share)
            found[:, 1] = self._lift(BOUGHT, (store,), topics, share) if len(town) > 1 else 0.0
        return found.astype(np.float32) if found.any() else None

    def _lift(self, kind: str, stores: tuple[str, ...], topics: Topics, share: Column) -> Column | float:
        if not any((kind, store) in self._counts for store in stores):
            return 0.0
        here, chain = self._board(kind, stores), self._board(kind, ())
        counts, every = here.column(topics), chain.column(topics)
        elsewhere = shares((every - counts) / SCALE, (chain.total - here.total) / SCALE)
        usual = np.maximum(elsewhere, share) if kind == BOUGHT else elsewhere
        return lift(counts / SCALE, here.total / SCALE, usual)

    def _board(self, kind: str, stores: tuple[str, ...]) -> _Board:
        """The sums of some stores, of all when none is named."""
        board = self._boards.get((kind, stores))
        if board is None:
            board = self._boards[kind, stores] = _Board()
            for one in stores or (_ALL,):
                self._of_store.setdefault((kind, one), []).append(board)
                for hour, counts in self._counts.get((kind, one), {}).items():
                    if 0 <= self._hour - hour < HOURS:
                        board.add_all(counts, WEIGHTS[self._hour - hour])
        return board

    def _week(self) -> _Board:
        """What was bought everywhere in the last seven days (UTC) that were over a day ago."""
        if self._usual is None:
            self._usual, end = _Board(), (self._hour - HOURS) // 24
            for day in range(end - _WEEK, end):
                self._usual.add_all(self._days.get(day, {}), 1)
        return self._usual


def _add(counts: _Counts, when: int, product: str, times: int) -> None:
    held = counts.setdefault(when, {})
    held[product] = held.get(product, 0) + times
    if not held[product]:
        del held[product]


def _cut(counts: _Counts, until: int) -> None:
    for when in [one for one in counts if one <= until]:
        del counts[when]


def store_of(event: Event) -> str:
    """The store of an event: its touchpoint's, else that it tells of; empty when none.

    >>> store_of(Event(1, "till", "pos", "track", "Order Completed", "m", 0, 0, properties={"store_id": "S1"}))
    'S1'
    """
    told: Any = event.store or event.properties.get("store_id")
    return told[:200] if isinstance(told, str) else ""
