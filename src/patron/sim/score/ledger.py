"""Orders and refunds by day, source, store and currency, in whole cents: the till roll of a world, from either side.

The same reckoning reads what the sources sent and what the platform holds. It shares no code with the platform's own.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

DAY = 86_400_000
ONLINE = frozenset({"web", "app"})
"""Sources whose sales happen in no store; all others are offline."""
ORDER, REFUND = "Order Completed", "Order Refunded"
_NAMED = ("revenue", "total", "value", "refund", "amount")
"""Properties that say what an order is worth or a refund gives back; the first that is there counts."""

Place = tuple[int, str, str, str]
"""UTC day since 1970, source, store ("" online), currency."""


class Sums(Struct):
    """What was sold and given back at one place: a count, and money in cents."""

    orders: int = 0
    gross: int = 0
    refunds: int = 0


class NoCents(ValueError):
    """An amount that is no whole number of cents."""


def cents(amount: object) -> int:
    """An amount of the JSON in cents. Raises NoCents when it is none, or is finer than a cent.

    >>> cents(Decimal("21.9")), cents(7)
    (2190, 700)
    """
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal | str):
        raise NoCents(f"{amount!r} is no amount of money")
    whole = Decimal(amount) * 100
    if whole != whole.to_integral_value():
        raise NoCents(f"{amount} is finer than a cent")
    return int(whole)


def milliseconds(text: str) -> int:
    """A time as ISO 8601, in ms since 1970 UTC.

    >>> milliseconds("1970-01-01T00:00:01.500Z")
    1500
    """
    return (dt.datetime.fromisoformat(text) - _EPOCH) // _MS


_EPOCH, _MS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(milliseconds=1)


class Ledger:
    """Adds up orders and refunds. A refund that names no amount is worth its lines, at the order's own prices.

    >>> ledger = Ledger()
    >>> ledger.take("pos", ORDER, 0, {"order_id": "T-1", "revenue": Decimal("9.5"), "currency": "EUR", "store_id": "S01"})
    >>> ledger.sums()
    {(0, 'pos', 'S01', 'EUR'): Sums(orders=1, gross=950, refunds=0)}
    """

    def __init__(self) -> None:
        self._sums: dict[Place, Sums] = {}
        self._prices: dict[str, dict[str, int]] = {}
        self._whole: dict[str, int] = {}
        self._open: list[tuple[Place, Mapping[str, Any]]] = []
        self.faults: list[str] = []
        """Amounts that could not be read, in words; none in a good world."""

    def take(self, source: str, event: str, time: int, properties: Mapping[str, Any]) -> None:
        """Count an event; what is neither order nor refund is passed over."""
        if event == ORDER:
            self._order(source, time, properties)
        elif event == REFUND:
            self._refund(source, time, properties)

    def sums(self) -> dict[Place, Sums]:
        """What was sold and given back, by place."""
        for place, properties in self._open:
            try:
                self._at(place).refunds += self._worth(properties)
            except NoCents as fault:
                self.faults.append(f"refund of {properties.get('order_id')}: {fault}")
        self._open = []
        return self._sums

    def _order(self, source: str, time: int, properties: Mapping[str, Any]) -> None:
        name = str(properties.get("order_id"))
        try:
            lines = {str(line.get("product_id")): cents(line["price"]) for line in _lines(properties)}
            named = _named(properties)
            worth = cents(named) if named is not None else _of_lines(properties)
        except (NoCents, KeyError) as fault:
            self.faults.append(f"order {name}: {fault}")
            return
        self._prices[name], self._whole[name] = lines, worth
        sums = self._at(_place(source, time, properties))
        sums.orders += 1
        sums.gross += worth

    def _refund(self, source: str, time: int, properties: Mapping[str, Any]) -> None:
        place, named = _place(source, time, properties), _named(properties)
        if named is None:
            self._open.append((place, properties))
            return
        try:
            self._at(place).refunds += cents(named)
        except NoCents as fault:
            self.faults.append(f"refund of {properties.get('order_id')}: {fault}")

    def _worth(self, properties: Mapping[str, Any]) -> int:
        name = str(properties.get("order_id"))
        if name not in self._whole:
            raise NoCents("it names no amount, and its order was never told")
        lines, prices = _lines(properties), self._prices[name]
        if not lines:
            return self._whole[name]
        return sum(
            prices.get(str(line.get("product_id")), 0) * int(line.get("quantity", 1)) for line in lines
        )

    def _at(self, place: Place) -> Sums:
        return self._sums.setdefault(place, Sums())


def _lines(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [line for line in properties.get("products") or () if isinstance(line, Mapping)]


def _of_lines(properties: Mapping[str, Any]) -> int:
    return sum(cents(line["price"]) * int(line.get("quantity", 1)) for line in _lines(properties))


def _named(properties: Mapping[str, Any]) -> object:
    return next((properties[name] for name in _NAMED if properties.get(name) is not None), None)


def _place(source: str, time: int, properties: Mapping[str, Any]) -> Place:
    store = "" if source in ONLINE else str(properties.get("store_id") or properties.get("place") or "")
    return time // DAY, source, store, str(properties.get("currency") or "")


class Gap(Struct, frozen=True):
    """One place where two ledgers differ."""

    place: Place
    here: Sums
    there: Sums

    @property
    def cents(self) -> int:
        """By how much: gross and refunds apart, so that they cannot hide each other."""
        return abs(self.here.gross - self.there.gross) + abs(self.here.refunds - self.there.refunds)


def gaps(here: Mapping[Place, Sums], there: Mapping[Place, Sums]) -> Iterator[Gap]:
    """Where two ledgers differ, in order of place. A place of zeros is as good as none.

    >>> [gap.cents for gap in gaps({(0, "pos", "S01", "EUR"): Sums(1, 950)}, {(0, "pos", "S01", "EUR"): Sums(1, 900, 50)})]
    [100]
    """
    for place in sorted({*here, *there}):
        a, b = here.get(place, Sums()), there.get(place, Sums())
        if a != b:
            yield Gap(place, a, b)


def by_currency(sums: Mapping[Place, Sums]) -> dict[str, Sums]:
    """A ledger added up by currency."""
    found: dict[str, Sums] = {}
    for place, one in sorted(sums.items()):
        held = found.setdefault(place[3], Sums())
        held.orders += one.orders
        held.gross += one.gross
        held.refunds += one.refunds
    return found


def offline_share(sums: Mapping[Place, Sums]) -> float | None:
    """Gross of sources that are not web or app over all gross; None when nothing was sold.

    Amounts of different currencies are added as they are: a share needs no rate of exchange, and the town's prices are
    close to par.

    >>> offline_share({(0, "pos", "S01", "EUR"): Sums(1, 800), (0, "web", "", "EUR"): Sums(1, 200)})
    0.8
    """
    everything = sum(one.gross for one in sums.values())
    offline = sum(one.gross for place, one in sums.items() if place[1] not in ONLINE)
    return offline / everything if everything else None
