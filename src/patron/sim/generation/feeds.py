"""The files that a retailer's other systems hand over beside the events: CSV feeds of a world (SIMULATOR.md 7.6).

Rows come from the seed, the places and the days, and from what the engine knows and hands in (visitors, empty shelves,
prices, load, true effects of ads): nothing is drawn twice in two ways. Same arguments, same bytes. Times are UTC; days
are dates of the store. `known_at` is when a row could be read: whoever decides earlier may not use it.
"""

import csv
import datetime as dt
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from patron.model.clock import HOUR
from patron.sim.luck import Dice, Ints, purpose_word
from patron.sim.messages import iso
from patron.sim.world.associates import QUARTER, Staff
from patron.sim.world.catalogue import SHELF, Product
from patron.sim.world.geography import STORE_LUCK
from patron.sim.world.shops import (
    COUNTRIES,
    EPOCH,
    OPENS,
    STORE_HOURS,
    Store,
    associate,
    country_of,
    local_midnight,
)
from patron.sim.world.weather import weather_rows

Row = tuple[object, ...]
Shelf = Sequence[Sequence[Product]]

COLUMNS: dict[str, tuple[str, ...]] = {
    "weather": ("city", "hour", "known_at", "rain", "temp"),
    "stock": ("day", "store", "product_id", "quantity", "known_at"),
    "prices": ("day_from", "product_id", "country", "currency", "list", "price", "promotion"),
    "footfall": ("store", "hour", "door_count"),
    "shifts": ("store", "day", "associate_id", "from", "to", "load"),
    "trainings": ("day", "store", "associate_id", "minutes", "known_at"),
    "campaigns_offline": ("campaign", "kind", "city", "from", "to", "cost"),
    "crm": ("record", "card", "email", "phone", "first_name", "last_name", "birthday", "handed_over_at"),
    "ad_spend": (
        *("day", "platform", "campaign", "ad", "geo", "impressions", "clicks", "cost"),
        "reported_conversions",
    ),
}
"""Name of each feed -> its columns."""

_OPEN = range(OPENS, OPENS + len(STORE_HOURS))
"""Local hours that begin while stores are open."""
_SHIFTS = ((9, 15), (14, 20))
COUNT_EVERY = 7
"""Days between two full counts of a store's stock."""
PASSERS_BY = 5.0
"""People who pass the door for each visitor."""
_KINDS = (("posters", 2_400, 14), ("leaflets", 1_500, 7), ("local radio", 3_200, 10), ("newspaper", 1_900, 1))
_LATE_STOCK = 0.04


def write_feed(folder: Path, name: str, rows: Iterable[Row]) -> int:
    """Write `NAME.csv` into a folder, and say how many rows it has. KeyError when there is no such feed."""
    columns, count = COLUMNS[name], 0
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as lines:
        out = csv.writer(lines, lineterminator="\n")
        out.writerow(columns)
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
            out.writerow(row)
    return count


def date(day: int) -> str:
    """A day (since 1970) as files write it.

    >>> date(0)
    '1970-01-01'
    """
    return (EPOCH + dt.timedelta(days=day)).isoformat()


def weather(seed: int, cities: Iterable[str], first: int, days: int) -> Iterator[Row]:
    """`weather.csv`: two forecasts of each hour, then what was observed; see `patron.sim.world.weather`."""
    for city, hour, known, rain, temp in weather_rows(seed, list(cities), first, days):
        yield city, iso(hour), iso(known), rain, temp


def stock(
    seed: int,
    stores: Sequence[Store],
    first: int,
    days: int,
    out: Callable[[int, int], Collection[int]],
    shelf: Shelf = SHELF,
) -> Iterator[Row]:
    """`stock.csv`: a full count every week, and a row whenever a product runs out or is back.

    Parameters
    ----------
    out : (store from 0, day of the history from 0) -> categories that are out of stock there, as buyers found it.
    """
    empty: list[frozenset[int]] = [frozenset()] * len(stores)
    for day in range(days):
        for n, store in enumerate(stores):
            now = frozenset(out(n, day))
            counts = (first + day + n) % COUNT_EVERY == 0 or day == 0
            told = range(len(shelf)) if counts else sorted(now ^ empty[n])
            empty[n] = now
            if not told:
                continue
            dice = Dice(seed, STORE_LUCK + n, first + day)
            known = iso(_known(dice, store, first + day))
            for category in told:
                for k, product in enumerate(shelf[category]):
                    left = (
                        0
                        if category in now
                        else 1 + dice.below(max(6, 40 - 3 * k), "left", category << 12 | k)
                    )
                    yield date(first + day), store.id, product.id, left, known


def _known(dice: Dice, store: Store, day: int) -> int:
    """When a day's stock is reported: the next morning, now and then one later."""
    later = 2 if dice.chance(_LATE_STOCK, "late stock") else 1
    return local_midnight(country_of(store), day + later) + 5 * HOUR


def prices(
    first: int, days: int, factors: Callable[[int], Sequence[float]], shelf: Shelf = SHELF
) -> Iterator[Row]:
    """`prices.csv`: what each product costs from a day on, in each country; a row on the first day and at each change.

    `factors` gives the price of each category relative to list on a date (days since 1970).
    """
    before: list[float | None] = [None] * len(shelf)
    for day in range(first, first + days):
        now = factors(day)
        for category, products in enumerate(shelf):
            if now[category] == before[category]:
                continue
            before[category] = now[category]
            for product in products:
                for country in COUNTRIES:
                    full, price = (
                        product.price(country.currency),
                        product.paid(country.currency, now[category]),
                    )
                    named = f"{product.category}-{date(day)}" if now[category] < 1.0 else ""
                    money = (f"{full / 100:.2f}", f"{price / 100:.2f}")
                    yield date(day), product.id, country.code, country.currency, *money, named


def footfall(
    seed: int,
    stores: Sequence[Store],
    first: int,
    days: int,
    visitors: Ints,
    passers_by: float = PASSERS_BY,
) -> Iterator[Row]:
    """`footfall.csv`: what the counter over each door counted in each opening hour.

    It misses 3 % of visitors, counts a tenth of them twice (in and out), and takes 4 % of passers-by for visitors.

    Parameters
    ----------
    visitors : people who really came: (stores, days, opening hours).
    """
    for day in range(first, first + days):
        for n, store in enumerate(stores):
            midnight, dice = local_midnight(country_of(store), day), Dice(seed, STORE_LUCK + n, day)
            usual = visitors[n, day - first].tolist()
            passing = passers_by * (0.5 + sum(usual) / len(usual))
            for hour, came in zip(_OPEN, usual, strict=True):
                counted = _binomial(dice, came, 0.97, f"seen {hour}") + _binomial(
                    dice, came, 0.10, f"twice {hour}"
                )
                counted += dice.poisson(min(30.0, 0.04 * passing), "passers-by", hour)
                yield store.id, iso(midnight + hour * HOUR), counted


def _binomial(dice: Dice, n: int, p: float, purpose: str) -> int:
    """How many of n things of probability p happen; normal from 400 things on."""
    if n < 400:
        return sum(dice.chance(p, purpose, k) for k in range(n))
    return min(n, max(0, round(n * p + math.sqrt(n * p * (1.0 - p)) * dice.normal(purpose))))


def shifts(
    stores: Sequence[Store], first: int, days: int, busy: Callable[[int, int], float]
) -> Iterator[Row]:
    """`shifts.csv`: who works when. Everybody has two days a week off, and one of two shifts by the week.

    Parameters
    ----------
    busy : (store from 0, day of the history from 0) -> load, 0 to 1.
    """
    for day in range(days):
        for n, store in enumerate(stores):
            midnight = local_midnight(country_of(store), first + day)
            work = busy(n, day)
            here = [k for k in range(1, store.associates + 1) if (first + day + 3 * k + n) % 7 < 5] or [1]
            for place, number in enumerate(here):
                begins, ends = _SHIFTS[(place + (first + day) // 7) % 2 if len(here) > 1 else 1]
                times = iso(midnight + begins * HOUR), iso(midnight + ends * HOUR)
                yield store.id, date(first + day), associate(store, number), *times, f"{work:.3f}"


def trainings(staff: Staff, first: int, days: int) -> Iterator[Row]:
    """`trainings.csv`: who was trained, once a quarter each; known the next morning."""
    for day in range(days):
        for n, number in np.argwhere(staff.trained == day % QUARTER).tolist():
            store = staff.geography.stores[n]
            if number >= store.associates:
                continue
            minutes = 45 + 15 * Dice(staff.seed, STORE_LUCK + n, day).below(4, "training", number)
            known = local_midnight(country_of(store), first + day + 1) + 6 * HOUR
            yield date(first + day), store.id, associate(store, 1 + number), minutes, iso(known)


def campaigns_offline(seed: int, cities: Iterable[str], first: int, days: int) -> Iterator[Row]:
    """`campaigns_offline.csv`: posters, leaflets and the like in some cities: about one a month. They change nothing."""
    number = 0
    for day in range(0, days, 30):
        for city in cities:
            dice = Dice(seed, STORE_LUCK + (purpose_word(city) >> 24), day)
            for k in range(dice.poisson(0.9, "campaigns")):
                kind, cost, length = _KINDS[dice.below(len(_KINDS), "kind", k)]
                begins = first + day + dice.below(30, "begins", k)
                if begins >= first + days:
                    continue
                number += 1
                spent = cost * math.exp(0.3 * dice.normal("cost", k))
                yield f"O-{number:03d}", kind, city, date(begins), date(begins + length - 1), f"{spent:.2f}"


def crm(messages: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """`crm.csv`: the customer file, record by record, as the messages of source `crm` tell it; each once."""
    seen = set()
    for message in messages:
        if message["type"] != "identify" or message["messageId"] in seen:
            continue
        seen.add(message["messageId"])
        ids = {known["type"]: known["id"] for known in message.get("context", {}).get("externalIds", ())}
        traits = message.get("traits", {})
        yield (
            ids.get("crm_id", ""),
            ids.get("card", ""),
            *(traits.get(name, "") for name in ("email", "phone", "firstName", "lastName", "birthday")),
            message["timestamp"],
        )


class AdDay(Struct, frozen=True, kw_only=True):
    """What one ad truly did on one day in one place."""

    day: int
    """Date, days since 1970."""
    platform: str
    campaign: str
    ad: str
    geo: str
    impressions: int
    clicks: int
    cost_cents: int
    clicked_and_bought: int
    """Who clicked the ad and became a customer (with or without its help)."""
    saw_and_bought: int
    """Who saw the ad, did not click and became a customer anyhow."""


def ad_spend(
    seed: int, true: Iterable[AdDay], duplicates: float = 0.15, under_match: float = 0.10
) -> Iterator[Row]:
    """`ad_spend.csv`: what platforms report of their own work: more than there was.

    Every buyer who clicked or only saw the ad (view-through) is claimed, a share of them twice (`duplicates`), except
    those whom the platform cannot match (`under_match`). Sending the reports of one day in another order changes nothing.
    """
    for told in true:
        key = f"{told.platform}/{told.campaign}/{told.ad}/{told.geo}"
        dice = Dice(seed, purpose_word(key) >> 20, told.day)
        claimed = told.clicked_and_bought + told.saw_and_bought
        matched = _binomial(dice, claimed, 1.0 - under_match, "matched")
        reported = matched + _binomial(dice, matched, duplicates, "duplicate")
        about = (date(told.day), told.platform, told.campaign, told.ad, told.geo)
        yield *about, told.impressions, told.clicks, f"{told.cost_cents / 100:.2f}", reported
