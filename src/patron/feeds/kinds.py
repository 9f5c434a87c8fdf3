"""The kinds of reference feeds: their columns, what names a row, and how long a row holds.

Every kind also takes `known_at` (since when the row was known; the time of the load when left out) and `withdrawn` (true: the
row of this key and `valid_from` was wrong and is none).
"""

import difflib
from typing import Literal

from msgspec import Struct

from patron.model.clock import DAY, HOUR

Type = Literal[
    "text", "number", "count", "money", "time", "last_day", "flag", "latitude", "longitude", "hours"
]
TYPES: dict[Type, str] = {
    "text": "a text of at most 500 characters",
    "number": "a number such as 12.5, with a point",
    "count": "a whole number, 0 or more",
    "money": "an amount such as 12.50, without a currency sign",
    "time": "a date such as 2026-05-04 or a time such as 2026-05-04T10:00:00Z",
    "last_day": "a date such as 2026-05-04 (that whole day is meant) or a time such as 2026-05-04T10:00:00Z",
    "flag": "true or false",
    "latitude": "degrees from -90 to 90, such as 44.4938",
    "longitude": "degrees from -180 to 180, such as 11.3387",
    "hours": "opening hours such as Mo-Fr 09:00-20:00; Sa 09:00-13:00",
}
"""Type -> what to write."""


class Column(Struct, frozen=True):
    """One column: its name in files, its type, an example, and other names it goes by."""

    name: str
    type: Type
    example: str
    about: str
    required: bool = False
    names: tuple[str, ...] = ()
    """Other names that are taken for it."""


class Kind(Struct, frozen=True):
    """One kind of feed.

    A row holds from its `valid` column until: its `until` column; else `lasts` ms later; else the next row of its key.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """Columns that name the thing."""
    item: tuple[str, ...] = ()
    """Columns that tell apart what holds for one thing at the same time."""
    valid: str = "valid_from"
    until: str = ""
    lasts: int | None = None
    daily: bool = False
    """Many short rows a key: they are kept by the day."""

    @property
    def values(self) -> tuple[str, ...]:
        """Columns that are neither key nor time, in the order in which a row keeps them. Append only: rows are kept by it."""
        return tuple(
            c.name for c in self.columns if c.name not in {*self.key, *self.item, self.valid, self.until}
        )

    def column(self, name: str) -> Column:
        """A column by its name, the common ones too. KeyError when there is none."""
        for column in (*self.columns, *COMMON):
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, the common ones too."""
        return tuple(c.name for c in (*self.columns, *COMMON))


COMMON = (
    Column(
        "known_at",
        "time",
        "2026-05-05T05:00:00Z",
        "since when it was known; the time of the load when left out",
        names=("knownAt",),
    ),
    Column("withdrawn", "flag", "false", "true: the earlier row of this key and time was wrong and is none"),
)
_FROM = Column(
    "valid_from",
    "time",
    "2026-05-04",
    "from when it holds; when it became known, if left out",
    names=("from", "validFrom"),
)
_STORE = Column(
    "store",
    "text",
    "S01",
    "the store's id, as touchpoints send it",
    required=True,
    names=("store_id", "storeId"),
)
_PRODUCT = Column(
    "product_id",
    "text",
    "P0101",
    "the product's id, as events send it",
    required=True,
    names=("sku", "productId"),
)
_CITY = Column("city", "text", "Bologna", "the city, written as in the feed of stores", required=True)


def _number(name: str, example: str, about: str, *, required: bool = False) -> Column:
    return Column(name, "number", example, about, required)


def _text(name: str, example: str, about: str, *, required: bool = False) -> Column:
    return Column(name, "text", example, about, required)


def _money(name: str, example: str, about: str, *, required: bool = False) -> Column:
    return Column(name, "money", example, about, required)


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "catalogue",
            "what products are called and where they belong",
            (
                _PRODUCT,
                _FROM,
                _text("name", "Espresso beans 1 kg", "what people read", required=True),
                _text("category", "coffee", "the category, as events send it"),
                _text("brand", "House", "the brand"),
                _text("gtin", "08001234567890", "the article number on its bar code"),
                _text("url", "https://shop.example/p0101", "its page on the web"),
                _text("image", "https://shop.example/p0101.jpg", "a picture"),
            ),
            key=("product_id",),
        ),
        Kind(
            "prices",
            "what a product costs in a country from a day on",
            (
                Column(
                    "day_from", "time", "2026-05-04", "from when it costs this", names=("valid_from", "from")
                ),
                _PRODUCT,
                _text("country", "IT", "the country's code", required=True),
                _text("currency", "EUR", "the currency's code", required=True),
                _money("list", "12.90", "the list price"),
                _money("price", "11.90", "what it costs", required=True),
                _text("promotion", "coffee-2026-05-04", "the promotion it belongs to"),
            ),
            key=("product_id", "country"),
            valid="day_from",
        ),
        Kind(
            "stock",
            "how many of a product a store has",
            (
                Column(
                    "day",
                    "time",
                    "2026-05-04",
                    "from when it holds; when it became known, if left out",
                    names=("valid_from", "time"),
                ),
                _STORE,
                _PRODUCT,
                _number("quantity", "22", "how many there are; 0 = out of stock", required=True),
            ),
            key=("store", "product_id"),
            valid="day",
        ),
        Kind(
            "stores",
            "where stores are, when they are open, whom they reach",
            (
                _STORE,
                _FROM,
                _text("name", "Bologna Centro", "what people read"),
                Column("latitude", "latitude", "44.4938", "degrees north", required=True, names=("lat",)),
                Column(
                    "longitude", "longitude", "11.3387", "degrees east", required=True, names=("lon", "lng")
                ),
                _text("city", "Bologna", "its city, written as in the feed of weather"),
                _text("country", "IT", "its country's code"),
                Column(
                    "opening_hours",
                    "hours",
                    "Mo-Fr 09:00-20:00; Sa 09:00-13:00",
                    "when it is open, by its own clock",
                ),
                _number("catchment_km", "15", "how far its customers come from, km"),
                _text("timezone", "Europe/Rome", "its time zone; the business's when left out"),
            ),
            key=("store",),
        ),
        Kind(
            "weather",
            "the weather of a city in one hour: forecasts, then what was observed",
            (
                _CITY,
                Column(
                    "hour",
                    "time",
                    "2026-05-04T10:00:00Z",
                    "the beginning of the hour",
                    required=True,
                    names=("valid_from", "time"),
                ),
                _number("rain", "1.2", "rain or melted snow, mm in the hour"),
                _number("temp", "19.5", "temperature, °C"),
            ),
            key=("city",),
            valid="hour",
            lasts=HOUR,
            daily=True,
        ),
        Kind(
            "calendar",
            "holidays, promotions and events: everywhere, or in a country, city or store",
            (
                _text(
                    "scope",
                    "IT",
                    "a country's code, a city, a store's id, or * for everywhere",
                    required=True,
                ),
                _text("kind", "holiday", "holiday, promotion or event", required=True),
                _text("name", "Ferragosto", "what people read", required=True),
                Column(
                    "from",
                    "time",
                    "2026-08-15",
                    "its first day, or the moment it begins",
                    required=True,
                    names=("day", "valid_from"),
                ),
                Column(
                    "to",
                    "last_day",
                    "2026-08-15",
                    "its last day, or the moment it ends; one day when left out",
                    names=("until", "valid_until"),
                ),
            ),
            key=("scope",),
            item=("kind", "name"),
            valid="from",
            until="to",
            lasts=DAY,
        ),
        Kind(
            "trainings",
            "who of the staff was trained, and when",
            (
                Column(
                    "day",
                    "time",
                    "2026-05-04",
                    "the day of the training",
                    required=True,
                    names=("valid_from",),
                ),
                _STORE,
                _text("associate_id", "A-01-1", "the associate's id", required=True),
                _number("minutes", "60", "how long it took"),
            ),
            key=("associate_id",),
            valid="day",
        ),
        Kind(
            "footfall",
            "what the counter over a store's door counted in an hour",
            (
                _STORE,
                Column(
                    "hour",
                    "time",
                    "2026-05-04T10:00:00Z",
                    "the beginning of the hour",
                    required=True,
                    names=("valid_from", "time"),
                ),
                Column("door_count", "count", "41", "people counted", required=True),
            ),
            key=("store",),
            valid="hour",
            lasts=HOUR,
            daily=True,
        ),
        Kind(
            "shifts",
            "who of the staff works when",
            (
                _STORE,
                Column("day", "time", "2026-05-04", "the day of the shift"),
                _text("associate_id", "A-01-1", "the associate's id", required=True),
                Column(
                    "from",
                    "time",
                    "2026-05-04T07:00:00Z",
                    "when it begins",
                    required=True,
                    names=("valid_from",),
                ),
                Column(
                    "to", "last_day", "2026-05-04T13:00:00Z", "when it ends", required=True, names=("until",)
                ),
                _number("load", "0.4", "how busy the store is, 0 to 1"),
            ),
            key=("store",),
            item=("associate_id",),
            valid="from",
            until="to",
            daily=True,
        ),
        Kind(
            "campaigns_offline",
            "posters, leaflets, radio and newspapers",
            (
                _text("campaign", "O-001", "its id", required=True),
                _text("kind", "posters", "posters, leaflets, local radio, newspaper", required=True),
                _CITY,
                Column("from", "time", "2026-05-04", "its first day", required=True, names=("valid_from",)),
                Column("to", "last_day", "2026-05-17", "its last day", required=True, names=("until",)),
                _money("cost", "1203.42", "what it costs"),
            ),
            key=("campaign",),
            valid="from",
            until="to",
        ),
        Kind(
            "ad_spend",
            "what an advertising platform reports of one ad on one day in one place",
            (
                Column("day", "time", "2026-05-04", "the day", required=True, names=("date", "valid_from")),
                _text("platform", "ads_a", "the platform", required=True),
                _text("campaign", "broad", "the campaign", required=True),
                _text("ad", "broad-1", "the ad", required=True),
                _text("geo", "IT", "the place", required=True),
                Column("impressions", "count", "1900", "times it was shown"),
                Column("clicks", "count", "12", "times it was clicked"),
                _money("cost", "8.10", "what it cost"),
                Column("reported_conversions", "count", "3", "conversions that the platform claims"),
            ),
            key=("platform", "campaign", "ad", "geo"),
            valid="day",
            lasts=DAY,
        ),
    )
}
"""Name -> kind."""

CALENDAR_KINDS = ("holiday", "promotion", "event")
PERSONAL = {"crm": "customers", "customers": "customers", "people": "people", "orders": "people's orders"}
"""Names of files that hold people, who are no reference data."""


def unknown_kind(name: str) -> str:
    """What to say of a kind that there is not.

    >>> unknown_kind("stok")
    'There is no kind of feed `stok`; did you mean `stock`?'
    """
    if name in PERSONAL:
        return (
            f"A feed cannot hold {PERSONAL[name]}: personal data comes as events, so that consent and erasure reach it. "
            "Send it as identify calls to POST /v1/batch."
        )
    near = difflib.get_close_matches(name, KINDS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"use {', '.join(KINDS)}."
    return f"There is no kind of feed `{name[:40]}`; {hint}"
