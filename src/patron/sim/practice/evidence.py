"""What a careful analyst finds in the files that a retailer has: no truth is read here.

A question is asked only when this finds the truth, so that every question can be answered; and how it could have been
seen is told with these figures.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from patron.sim.engine.day import EVENING
from patron.sim.generation.folder import EVENTS, FEEDS, read_manifest
from patron.sim.guide.witness import Witness, days_since
from patron.sim.world.shops import COUNTRIES, local_midnight

_OPENS, _CLOSES = 9, 20


class Evidence:
    """Everything that can be counted in `events/` and `feeds/` of a world, in one pass.

    Parameters
    ----------
    folder : the world's folder; its `truth/` stays shut.
    countries : store id -> index of its country.
    """

    def __init__(self, folder: Path, countries: dict[str, int]) -> None:
        self.witness = Witness()
        self.gross: Counter[tuple[str, str]] = Counter()
        """(source, currency) -> cents of orders."""
        self.evening: dict[str, list[int]] = {store: [0, 0, 0, 0] for store in countries}
        """Store -> orders and door counts before 17 h, then from 17 h on."""
        self.denied: Counter[str] = Counter()
        """Country -> coupons refused at a till."""
        self.honoured: Counter[str] = Counter()
        self.empty: dict[str, list[int]] = {store: [0, 0] for store in countries}
        """Store -> products that were out on days of a full count, and products counted."""
        self._countries, self._seen = countries, set[str]()
        for source in read_manifest(folder).sources:
            for message in _lines(folder / EVENTS / f"{source.name}.ndjson"):
                self.witness.see(message)
                self._take(source.name, message)
        self._footfall(folder / FEEDS / "footfall.csv")
        self._stock(folder / FEEDS / "stock.csv")

    def _take(self, source: str, message: dict[str, Any]) -> None:
        event = message.get("event")
        if event not in {"Order Completed", "Coupon Denied"} or message["messageId"] in self._seen:
            return
        self._seen.add(message["messageId"])
        said, store = message["properties"], message["properties"].get("store_id", "")
        if event == "Coupon Denied":
            self.denied[self._country(store)] += 1
            return
        self.gross[source, said["currency"]] += round(said["revenue"] * 100)
        if store in self._countries:
            self.honoured[self._country(store)] += "coupon" in said
            hour = self._hour(store, message["timestamp"])
            self.evening[store][2 if hour >= EVENING else 0] += _OPENS <= hour < _CLOSES + 1

    def _country(self, store: str) -> str:
        return COUNTRIES[self._countries[store]].code if store in self._countries else ""

    def _hour(self, store: str, text: str) -> int:
        day = days_since(text)
        minutes = int(text[11:13]) * 60 + int(text[14:16])
        since = day * 24 * 60 + minutes - local_midnight(self._countries[store], day) // 60_000
        return since // 60 % 24

    def _footfall(self, file: Path) -> None:
        for row in _rows(file):
            at = 3 if self._hour(row["store"], row["hour"]) >= EVENING else 1
            self.evening[row["store"]][at] += int(row["door_count"])

    def _stock(self, file: Path) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        out: Counter[tuple[str, str]] = Counter()
        for row in _rows(file):
            counts[row["store"], row["day"]] += 1
            out[row["store"], row["day"]] += row["quantity"] == "0"
        whole = max(counts.values(), default=0)
        for (store, day), number in counts.items():
            if number == whole:
                self.empty[store][0] += out[store, day]
                self.empty[store][1] += number

    def offline(self, currency: str) -> float:
        """Share of what orders brought that the tills brought, 0 to 1."""
        whole = sum(cents for (_, kind), cents in self.gross.items() if kind == currency)
        return self.gross["pos", currency] / whole if whole else 0.0

    def weak_evenings(self) -> dict[str, float]:
        """Store -> orders a visitor from 17 h on, relative to the hours before; stores with little to count are left out."""
        found = {}
        for store, (early, doors, late, evening) in self.evening.items():
            if early >= 20 and doors and evening >= 40:
                found[store] = (late / evening) / (early / doors)
        return found

    def out_of_stock(self) -> dict[str, float]:
        """Store -> share of products that were out when all were counted."""
        return {store: out / counted for store, (out, counted) in self.empty.items() if counted}


def stands_out(values: dict[str, float], *, low: bool = False, by: float = 1.5) -> str | None:
    """The one whose value lies beyond all others by a factor; None when none does.

    >>> stands_out({"a": 0.04, "b": 0.31, "c": 0.05}), stands_out({"a": 0.9, "b": 0.4, "c": 1.0}, low=True), stands_out({"a": 1.0, "b": 1.1})
    ('b', 'b', None)
    """
    ranked = sorted(values.items(), key=lambda one: (one[1] if low else -one[1], one[0]))
    if len(ranked) < 2:
        return None
    first, second = ranked[0][1], ranked[1][1]
    clear = first * by < second if low else first > second * by
    return ranked[0][0] if clear else None


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as lines:
        yield from map(msgspec.json.decode, lines)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


__all__ = ["Evidence", "stands_out"]
