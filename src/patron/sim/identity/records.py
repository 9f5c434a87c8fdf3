"""The records of a retailer's systems, read from a generated world: the unit in which identity is scored (7.5).

A message belongs to one record, found from the message alone: the customer file's entry, else the loyalty card, else
the browser or app install, else the e-mail or the phone as written. A message with none of these (a sale to nobody) is
in no record. Where several people share one (a family's tablet, an address that tills type to get on), each of them
has a record of their own under the same key: no rule can tell these apart, and the figures say what that costs.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from patron.sim.generation.folder import EVENTS, TRUTH, BadFolder, messages, read_manifest, rows
from patron.sim.world.shops import COUNTRIES
from patron.sim.world.sizes import SIZES, places

KINDS: tuple[str, ...] = ("crm_id", "card", "anonymous_id", "email", "phone")
"""What names a record, strongest first."""
_TRAITS = {"email": "email", "phone": "phone", "loyaltyCard": "card"}
_NOTICE_COUNTRY = {market.notice.partition("-")[0]: market.code for market in COUNTRIES}


class Record(Struct, frozen=True):
    """One record of one person, and what the messages of it say.

    >>> record = Record("card:2900", person=13, household=3)
    >>> record.kind, record.key
    ('card', 'card:2900')
    """

    key: str
    """`type:value` as written, such as `card:2900...`; the same for all who share the record."""
    person: int
    household: int
    country: str = ""
    """Market (ISO 3166), as far as the messages tell; "" = they do not."""
    identifiers: frozenset[str] = frozenset()
    """Everything that names somebody on it, `type:value` as written; `key` is among them."""
    names: frozenset[str] = frozenset()
    """Given names as written."""
    births: frozenset[str] = frozenset()
    """Birth dates as written."""

    @property
    def kind(self) -> str:
        """What the key is."""
        return self.key.partition(":")[0]


class _Draft:
    """A record while its messages are read."""

    __slots__ = ("births", "countries", "identifiers", "names")

    def __init__(self) -> None:
        self.identifiers: set[str] = set()
        self.names: set[str] = set()
        self.births: set[str] = set()
        self.countries: set[str] = set()

    def take(self, message: dict[str, Any], identifiers: list[str], country: str) -> None:
        """Add what one message says."""
        traits = message.get("traits") or {}
        self.identifiers.update(identifiers)
        for trait, kept in (("firstName", self.names), ("birthday", self.births)):
            if traits.get(trait):
                kept.add(traits[trait])
        if country:
            self.countries.add(country)


def identifiers_of(message: dict[str, Any]) -> list[str]:
    """Everything in a message that names somebody, `type:value` as written. The shop's own devices name nobody.

    >>> identifiers_of({"anonymousId": "c1", "traits": {"email": " A@x.example"}})
    ['anonymous_id:c1', 'email: A@x.example']
    """
    return list(dict.fromkeys(f"{kind}:{value}" for kind, value in _stated(message) if value))


def _stated(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    context, traits = message.get("context") or {}, message.get("traits") or {}
    yield "user_id", message.get("userId")
    yield "anonymous_id", message.get("anonymousId")
    for external in context.get("externalIds") or ():
        yield external["type"], external["id"]
    for trait, kind in _TRAITS.items():
        yield kind, traits.get(trait)
    yield "device_id", (context.get("device") or {}).get("id")


def key_of(identifiers: list[str]) -> str | None:
    """The record that a message with these identifiers belongs to; None = to no record.

    >>> key_of(["email:a@x.example", "anonymous_id:c1"]), key_of(["user_id:7"])
    ('anonymous_id:c1', None)
    """
    for kind in KINDS:
        for identifier in identifiers:
            if identifier.startswith(f"{kind}:"):
                return identifier
    return None


def country_of(message: dict[str, Any], stores: Mapping[str, str]) -> str:
    """The market that a message comes from, by its address, locale, store or consent text; "" when it does not say.

    Parameters
    ----------
    stores : id of a store -> its country.

    >>> country_of({"context": {"locale": "es-ES"}}, {}), country_of({"context": {}}, {})
    ('ES', '')
    """
    context, traits = message.get("context") or {}, message.get("traits") or {}
    address = traits.get("address")
    if isinstance(address, dict) and address.get("country"):
        return str(address["country"])
    locale = context.get("locale") or ""
    if "-" in locale:
        return str(locale.partition("-")[2])
    store = (context.get("touchpoint") or {}).get("store_id")
    if isinstance(store, str) and store in stores:
        return stores[store]
    notice = (context.get("identification") or {}).get("notice_version") or ""
    return _NOTICE_COUNTRY.get(notice.partition("-")[0], "")


def records_of(folder: Path) -> list[Record]:
    """The records of a generated world, sorted by key and person.

    Memory grows with the records and with the number of messages (their owners), not with what they say.

    A message that the truth has no owner for is in no record.

    Raises BadFolder when the folder is no generated world, or a file of it cannot be read.
    """
    manifest = read_manifest(folder)
    book = _Book(_owners(folder), _stores(manifest.size))
    for source in manifest.sources:
        try:
            for message in messages(folder, source.name):
                book.take(message)
        except (OSError, msgspec.DecodeError, LookupError, TypeError, AttributeError) as error:
            raise _broken(folder / EVENTS / f"{source.name}.ndjson", error) from None
    return book.records()


Owners = dict[str, tuple[int, int]]


def _owners(folder: Path) -> Owners:
    try:
        return {
            row["messageId"]: (row["person"], row["household"]) for row in rows(folder / TRUTH, "person_map")
        }
    except (OSError, msgspec.DecodeError, LookupError, TypeError) as error:
        raise _broken(folder / TRUTH / "person_map.ndjson", error) from None


def _broken(file: Path, error: Exception) -> BadFolder:
    return BadFolder(
        f"{file} cannot be read ({type(error).__name__}: {error}); run this as somebody who may read the truth, "
        "or generate the world again"
    )


def _stores(size: str) -> dict[str, str]:
    geography = places(size if size in SIZES else "XS")
    return {store.id: store.country for store in geography.stores}


class _Book:
    """The drafts of all records."""

    def __init__(self, owners: Owners, stores: dict[str, str]) -> None:
        self._owners, self._stores = owners, stores
        self._drafts: dict[tuple[str, int, int], _Draft] = {}

    def take(self, message: dict[str, Any]) -> None:
        """Note one message, when it belongs to a record and to somebody."""
        identifiers = identifiers_of(message)
        key, owner = key_of(identifiers), self._owners.get(message["messageId"])
        if key is None or owner is None:
            return
        place = (key, *owner)
        draft = self._drafts.get(place)
        if draft is None:
            draft = self._drafts[place] = _Draft()
        draft.take(message, identifiers, country_of(message, self._stores))

    def records(self) -> list[Record]:
        """All of them, by key and person."""
        return [_record(*place, self._drafts[place]) for place in sorted(self._drafts)]


def _record(key: str, person: int, household: int, draft: _Draft) -> Record:
    country = next(iter(draft.countries)) if len(draft.countries) == 1 else ""
    return Record(
        key,
        person,
        household,
        country,
        frozenset(draft.identifiers),
        frozenset(draft.names),
        frozenset(draft.births),
    )
