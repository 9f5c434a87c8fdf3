"""The two sides of the comparison: a generated world's folder, and the Complete Journey tables."""

import csv
import datetime as dt
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from patron.model.clock import DAY, HOUR
from patron.sim import complete_journey
from patron.sim.generation.folder import EVENTS, FEEDS, BadFolder, Manifest, read_manifest
from patron.sim.marginals.baskets import About, Basket, Baskets, gather
from patron.sim.world.catalogue import SHELF
from patron.sim.world.shops import COUNTRIES, EPOCH, local_midnight

By = Literal["household", "person"]

_BY_RECORD = (
    "a customer is one record of one system (card, cookie or app, address), as no truth was given: "
    "one person has several, and a sale without any is nobody's"
)
_SPRING, _AUTUMN = 1_489_302_000_000, 1_509_861_600_000
"""Summer time in the eastern United States in 2017, UTC ms: 12 March 7 h to 5 November 6 h."""
_MARKET = {market.currency: number for number, market in reversed(list(enumerate(COUNTRIES)))}
"""Currency -> a country that pays in it; countries of one currency share their clock here."""
EUR_PER_POUND = sum(p.eur for shelf in SHELF for p in shelf) / sum(p.gbp for shelf in SHELF for p in shelf)
"""What the catalogue itself takes a pound for."""
_EUROS = {"EUR": 1.0, "GBP": EUR_PER_POUND}


def journey_baskets(households: Collection[int] | None = None) -> Baskets:
    """A year of Complete Journey, by the same reading as `patron demo --data complete-journey`.

    `households` keeps only those of some households. Raises MissingData when the package is not installed.
    """
    about = About(
        "Complete Journey",
        "a customer is a household, known by its loyalty card (the set holds baskets of card holders only)",
        "household",
        "USD",
    )
    return gather(about, _journey(households), (dt.date(2017, 1, 1) - EPOCH).days, 365)


def _journey(households: Collection[int] | None) -> Iterator[Basket]:
    for read in complete_journey.baskets(households):
        local = read.at - (4 if _SPRING <= read.at < _AUTUMN else 5) * HOUR
        yield Basket(
            read.household, local, len(read.lines), read.cents / 100, read.coupon > 0, True, read.reduced
        )


class _Product(Struct):
    product_id: str = ""
    price: float = 0.0


class _Properties(Struct):
    order_id: str = ""
    revenue: float = 0.0
    currency: Literal["EUR", "GBP"] = "EUR"
    coupon: str | None = None
    coupon_discount: float = 0.0
    products: list[_Product] = []


class _Id(Struct):
    id: str
    type: str


class _Context(Struct):
    channel: str = ""
    externalIds: list[_Id] = []  # noqa: N815 - the name on the wire


class _Order(Struct):
    messageId: str  # noqa: N815
    event: str
    timestamp: dt.datetime
    properties: _Properties
    context: _Context
    anonymousId: str | None = None  # noqa: N815


class _Owner(Struct):
    messageId: str  # noqa: N815
    person: int
    household: int


def world_baskets(folder: Path, truth: Path | None = None, by: By = "household") -> Baskets:
    """The orders of a generated world, each given to the customer whose it was.

    Parameters
    ----------
    folder : as `patron sim generate --out` made it.
    truth : the folder with `person_map.ndjson`; None = by the record that each message names (card, cookie, address).
    by : with the truth, whether a customer is a household (as in Complete Journey) or a person.

    Messages that arrived twice count once. Raises BadFolder when a file is missing or cannot be read.
    """
    manifest, lists = read_manifest(folder), _list_prices(folder)
    label = f"world {manifest.world}, size {manifest.size}, seed {manifest.seed}"
    if truth is None:
        about = About(label, _BY_RECORD, "record", "EUR")
        found = (_basket(order, _record(order), lists) for order in _orders(folder, manifest))
        return gather(about, found, manifest.first, manifest.days)
    said = f"a customer is a {by}, by the truth ({truth.name}/person_map.ndjson)"
    baskets = {order.messageId: _basket(order, None, lists) for order in _orders(folder, manifest)}
    owners = _owners(truth, baskets.keys(), by)
    owned = (basket._replace(who=owners.get(key)) for key, basket in baskets.items())
    return gather(About(label, said, by, "EUR"), owned, manifest.first, manifest.days)


def _orders(folder: Path, manifest: Manifest) -> Iterator[_Order]:
    """All orders, once each."""
    decode, seen = msgspec.json.Decoder(_Order).decode, set()
    for source in manifest.sources:
        path = folder / EVENTS / f"{source.name}.ndjson"
        try:
            with path.open("rb") as lines:
                for line in lines:
                    order = decode(line) if b'"Order Completed"' in line else None
                    if order and order.event == "Order Completed" and order.messageId not in seen:
                        seen.add(order.messageId)
                        yield order
        except (OSError, msgspec.DecodeError) as error:
            raise BadFolder(f"{path} cannot be read ({error}); generate the world again") from None


def _owners(truth: Path, wanted: Collection[str], by: By) -> dict[str, int]:
    path, decode = truth / "person_map.ndjson", msgspec.json.Decoder(_Owner).decode
    try:
        with path.open("rb") as lines:
            rows = (decode(line) for line in lines)
            return {row.messageId: getattr(row, by) for row in rows if row.messageId in wanted}
    except (OSError, msgspec.DecodeError) as error:
        raise BadFolder(
            f"{path} cannot be read ({error}); give --truth the folder that holds it, or --no-truth"
        ) from None


def _record(order: _Order) -> str | None:
    """The system's record that an order belongs to, from the message alone; None when it names nobody."""
    ids = {known.type: known.id for known in reversed(order.context.externalIds)}
    ids.setdefault("anonymous_id", order.anonymousId or "")
    kinds = ("crm_id", "card", "anonymous_id", "email", "phone")
    return next((f"{kind}:{ids[kind]}" for kind in kinds if ids.get(kind)), None)


def _list_prices(folder: Path) -> dict[tuple[str, str], float]:
    """(product, currency) -> list price, from the price feed; empty when the world has none."""
    path = folder / FEEDS / "prices.csv"
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return {(row["product_id"], row["currency"]): float(row["list"]) for row in csv.DictReader(lines)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise BadFolder(
            f"{path} cannot be read ({type(error).__name__}: {error}); generate the world again"
        ) from None


def _basket(order: _Order, who: object, list_prices: dict[tuple[str, str], float]) -> Basket:
    said = order.properties
    utc = round(order.timestamp.timestamp() * 1000)
    day = utc // DAY
    below = [p.price < list_prices.get((p.product_id, said.currency), 0.0) for p in said.products]
    return Basket(
        who,
        utc + day * DAY - local_midnight(_MARKET[said.currency], day),
        len(said.products),
        said.revenue * _EUROS[said.currency],
        bool(said.coupon) or said.coupon_discount > 0,
        order.context.channel == "pos",
        sum(below) if list_prices else -1,
    )
