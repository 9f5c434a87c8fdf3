"""What all people together were given of an offer: coupons and budgets, with what is only reserved so far.

A reservation counts from the decision on, before its record is durable, and ends by itself when nothing is shown in time.
So neither two touchpoints nor two connections can give the last coupon twice.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from patron.decide.grants import Grant
from patron.model.offers import Offer

UNITS = 10_000
"""Parts of the business's currency."""
OPEN_AT_MOST = 10_000
"""Reservations held one by one for an offer; beyond that the oldest count as given."""
_DAYS_KEPT = 10
"""Of days behind the latest: what is to be sent may count for a day a week from now."""


class Count(Struct, array_like=True):
    """What the books of an offer said at one position of the log."""

    given: int = 0
    units: int = 0
    days: dict[str, int] = {}
    open: int = 0


class Stock(Struct):
    """The ledger of one offer: what was given and what is reserved.

    >>> stock = Stock()
    >>> reserve(stock, Grant("d_1", "tea", 0, "web", "home", until=900, units=5_000), day=0)
    >>> taken(stock, 0), taken(stock, 900), keep(stock, "d_1"), taken(stock, 900)
    ((1, 5000), (0, 0), True, (1, 5000))
    """

    given: int = 0
    units: int = 0
    """Spent on what was given, 1/10,000 of the currency."""
    days: dict[str, int] = {}
    """The same by day of the business (days since 1970, as text), of the last days."""
    open: dict[str, tuple[int, int, int]] = {}
    """Decision -> (end of the reservation in ms, units, day), the oldest first."""
    held: int = 0
    """Units of all that are open."""
    soonest: int = 0
    """None of those that are open ends before."""
    noted: dict[str, Count] = {}
    """Erasure -> the books when they were noted for it, until they are told (`note`)."""


def reserve(stock: Stock, grant: Grant, day: int) -> None:
    """Take one reservation. What ended before it leaves the books."""
    if stock.open and grant.time >= stock.soonest:
        _prune(stock, grant.time)
    stock.soonest = min(stock.soonest, grant.until) if stock.open else grant.until
    stock.open[grant.decision] = (grant.until, grant.units, day)
    stock.held += grant.units
    while len(stock.open) > OPEN_AT_MOST:
        keep(stock, next(iter(stock.open)))


def keep(stock: Stock, decision: str) -> bool:
    """What was reserved was shown: it is given; whether there was such a reservation."""
    held = stock.open.pop(decision, None)
    if held is not None:
        stock.held -= held[1]
        give(stock, held[1], held[2])
    return held is not None


def give(stock: Stock, units: int, day: int) -> None:
    """Count one that was given."""
    stock.given += 1
    stock.units += units
    if not units:
        return
    stock.days[str(day)] = stock.days.get(str(day), 0) + units
    for old in [one for one in stock.days if int(one) <= day - _DAYS_KEPT]:
        del stock.days[old]


def note(stock: Stock, erasure: str, now: int) -> Count:
    """Read the books before somebody is erased: what was given to them stays given.

    A replay of the log without that person reads less here; `tell` adds what it misses, wherever in the log it stands.

    >>> live, again = Stock(given=3, units=30), Stock(given=1, units=10)
    >>> told = note(live, "erase-7", 0), note(again, "erase-7", 0)
    >>> give(live, 10, 2), give(again, 10, 2), tell(live, "erase-7", told[0]), tell(again, "erase-7", told[0])
    (None, None, None, None)
    >>> live == again, again.given, again.units
    (True, 4, 40)
    """
    _prune(stock, now)
    stock.noted[erasure] = Count(stock.given, stock.units, dict(stock.days), len(stock.open))
    return stock.noted[erasure]


def tell(stock: Stock, erasure: str, told: Count) -> None:
    """Add what the books lacked when they were noted."""
    had = stock.noted.pop(erasure, None) or Count()
    stock.given += told.given - had.given
    stock.units += told.units - had.units
    days = {
        day: stock.days.get(day, 0) + told.days.get(day, 0) - had.days.get(day, 0)
        for day in sorted(stock.days.keys() | told.days.keys(), key=int)
    }
    stock.days = {day: units for day, units in days.items() if units}
    for decision in list(stock.open)[: max(0, had.open - told.open)]:
        # they counted as given already, for there were too many with those of the erased (`OPEN_AT_MOST`)
        stock.held -= stock.open.pop(decision)[1]


def _prune(stock: Stock, now: int) -> None:
    stock.open = {name: one for name, one in stock.open.items() if one[0] > now}
    stock.held = sum(units for _, units, _ in stock.open.values())
    stock.soonest = min((until for until, _, _ in stock.open.values()), default=0)


def taken(stock: Stock, now: int) -> tuple[int, int]:
    """How many are given or reserved, and the units spent on them."""
    if now < stock.soonest:
        return stock.given + len(stock.open), stock.units + stock.held
    live = [units for until, units, _ in stock.open.values() if now < until]
    return stock.given + len(live), stock.units + sum(live)


def taken_today(stock: Stock, now: int, day: int) -> int:
    """Units spent on what was given or reserved on a day of the business."""
    live = (units for until, units, one in stock.open.values() if now < until and one == day)
    return stock.days.get(str(day), 0) + sum(live)


class Exhausted(Struct, frozen=True):
    """Masks of the offers of which nothing is left (`limits.Spent`)."""

    sold_out: int = 0
    overspent: int = 0
    spent_today: int = 0


def exhausted(
    offers: Iterable[tuple[int, Offer]],
    stocks: Mapping[str, Stock],
    pending: Mapping[str, list[Grant]],
    now: int,
    day: int,
) -> Exhausted:
    """What is left of the offers with a stock or a budget: each with its bit; `pending` is reserved but not in the books yet.

    >>> tea = Offer("tea", "Tea", stock=1, cost=2.0, budget=3.0)
    >>> exhausted([(1, tea)], {}, {"tea": [Grant("d", "tea", 0, "web", "home", until=9, units=20_000)]}, 0, 0)
    Exhausted(sold_out=1, overspent=1, spent_today=0)
    """
    sold_out = overspent = spent_today = 0
    for bit, offer in offers:
        stock = stocks.get(offer.id) or Stock()
        beside = [grant.units for grant in pending.get(offer.id, ()) if now < grant.until]
        count, units = taken(stock, now)
        cost, more = round(offer.cost * UNITS), sum(beside)
        if offer.stock is not None and count + len(beside) >= offer.stock:
            sold_out |= bit
        if offer.budget is not None and units + more + cost > round(offer.budget * UNITS):
            overspent |= bit
        if offer.daily_budget is not None:
            today = taken_today(stock, now, day) + more
            spent_today |= bit if today + cost > round(offer.daily_budget * UNITS) else 0
    return Exhausted(sold_out, overspent, spent_today)
