"""Where Alder & Rosso trades: three countries, six stores with their tills, kiosks and associates, and local time."""

import datetime as dt
from functools import lru_cache

from msgspec import Struct

from patron.model.clock import DAY, HOUR
from patron.sim.luck import Dice

EPOCH = dt.date(1970, 1, 1)


class Country(Struct, frozen=True):
    """One market: its language, currency, winter offset from UTC in hours, and the way numbers are dialled."""

    code: str
    language: str
    locale: str
    currency: str
    winter: int
    prefix: str
    trunk: str
    mobile: str
    """First digits of a mobile number, without prefix and trunk zero; eight follow."""
    landline: str
    """First digits of a landline; seven follow."""
    domain: str
    """Where most people have their mailbox (a reserved name: nothing is ever sent)."""
    notice: str
    """The version of the consent text in force."""


class Store(Struct, frozen=True):
    """One store and the devices in it."""

    id: str
    name: str
    city: str
    country: str
    lat: float
    lon: float
    tills: int = 3
    kiosks: int = 1
    associates: int = 4


COUNTRIES: tuple[Country, ...] = (
    Country("IT", "it", "it-IT", "EUR", 1, "39", "", "34", "051", "posta.example", "it-7"),
    Country("ES", "es", "es-ES", "EUR", 1, "34", "", "6", "91", "correo.example", "es-5"),
    Country("GB", "en", "en-GB", "GBP", 0, "44", "0", "74", "207", "mail.example", "en-6"),
)
COUNTRY_WEIGHTS = (0.46, 0.74, 1.0)
"""Cumulative shares of households."""

STORES: tuple[Store, ...] = (
    Store("S01", "Bologna Indipendenza", "Bologna", "IT", 44.4989, 11.3430),
    Store("S02", "Milano Navigli", "Milano", "IT", 45.4521, 9.1750),
    Store("S03", "Madrid Fuencarral", "Madrid", "ES", 40.4270, -3.7016),
    Store("S04", "Sevilla Sierpes", "Sevilla", "ES", 37.3912, -5.9949),
    Store("S05", "London Marylebone", "London", "GB", 51.5205, -0.1527),
    Store("S06", "Bristol Clifton", "Bristol", "GB", 51.4552, -2.6190),
)
STORES_OF: tuple[tuple[int, ...], ...] = ((0, 1), (2, 3), (4, 5))
"""Indexes of the stores of each country."""

OPENS = 9
"""Local hour at which stores open."""
STORE_HOURS = (2, 5, 9, 13, 16, 18, 22, 29, 36, 40, 42)
"""Cumulative traffic of the opening hours, 9 to 20 local: a bump at noon, a larger one after 16 h."""
_EVENING = (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 21, 25, 30, 37, 44, 48)
"""Cumulative traffic of the web between 7 and 23 local: most in the evening."""


def _last_sunday(year: int, month: int) -> int:
    day = dt.date(year, month, 31)
    return (day - dt.timedelta(days=(day.weekday() + 1) % 7) - EPOCH).days


@lru_cache(maxsize=4096)
def local_midnight(country: int, day: int) -> int:
    """UTC milliseconds of local midnight that begins a day (days since 1970), by the European summer time rule.

    >>> import datetime as dt
    >>> day = (dt.date(2026, 7, 1) - EPOCH).days
    >>> local_midnight(0, day) == day * DAY - 2 * HOUR
    True
    """
    year = (EPOCH + dt.timedelta(days=day)).year
    summer = _last_sunday(year, 3) < day <= _last_sunday(year, 10)
    return day * DAY - (COUNTRIES[country].winter + summer) * HOUR


def opening_time(country: int, day: int, dice: Dice, k: int = 0) -> int:
    """A moment when somebody walks into a store, UTC ms: by the usual traffic of its hours."""
    hour = OPENS + dice.choice(STORE_HOURS, "store hour", k)
    return local_midnight(country, day) + hour * HOUR + dice.below(HOUR, "store minute", k)


def online_time(country: int, day: int, dice: Dice, k: int = 0) -> int:
    """A moment when somebody opens a web page or the app, UTC ms: mostly in the evening."""
    hour = 7 + dice.choice(_EVENING, "online hour", k)
    return local_midnight(country, day) + hour * HOUR + dice.below(HOUR, "online minute", k)


def touchpoint(store: Store, kind: str, number: int, visit: str = "") -> dict[str, str]:
    """`context.touchpoint` of a device in a store; `visit` is the id of one use of a shared device.

    >>> touchpoint(STORES[0], "kiosk", 1)
    {'id': 'kiosk-01-1', 'kind': 'interactive_screen', 'store_id': 'S01'}
    """
    kinds = {"kiosk": "interactive_screen", "till": "pos", "tablet": "associate_tablet"}
    point = {"id": f"{kind}-{store.id[1:]}-{number}", "kind": kinds[kind], "store_id": store.id}
    return {**point, "visit_id": visit} if visit else point


def country_of(store: Store) -> int:
    """Index of the country of a store in `COUNTRIES`.

    >>> country_of(STORES[2])
    1
    """
    return next(n for n, country in enumerate(COUNTRIES) if country.code == store.country)


def associate(store: Store, number: int) -> str:
    """The staff number of an associate, 1 .. `store.associates`."""
    return f"A-{store.id[1:]}-{number}"
