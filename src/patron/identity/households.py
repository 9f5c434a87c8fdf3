"""Who lives together: people who tell the same home. A household is no person, and never links identifiers.

A home is a declared `household_id`, else a family name with a street and a postcode (or city). Everybody is of the home last
told of them, by (event time, source and message id), so any order of arrival gives the same households. What more people than
`identity.household_people` call their home is no household: a hostel, an office, a made-up address.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from patron.model.people import ERASED, Key
from patron.model.ports import Table

DECLARED = ("household_id", "householdId")
FAMILY = ("last_name", "lastName", "lastname", "family_name", "familyName")
STREET = ("street", "line1", "address1")
POSTCODE = ("postal_code", "postalCode", "postcode", "zip")
_LONGEST = 200


class Home(Struct, array_like=True):
    """Where the events of a node last said that somebody lives."""

    household: str
    time: int
    uid: str


def home_of(traits: Mapping[str, Any]) -> str:
    """The home that traits tell, in one spelling; "" when they tell none.

    >>> home = {"street": "Via Roma, 1", "postalCode": "40121", "city": "Bologna"}
    >>> home_of({"lastName": "D'Angelo", "address": home}) == home_of({"last_name": "d’ANGELO ", "address": {**home, "street": "via  roma 1"}})
    True
    >>> home_of({"lastName": "Rossi"}), home_of({"household_id": 77})
    ('', 'id:77')
    >>> home_of({"household_id": "aZ-3"}) == home_of({"household_id": "AZ3"}), home_of({"household_id": "[erased]"})
    (False, '')
    """
    declared = next((told for name in DECLARED if (told := _told(traits.get(name)).strip())), "")
    if declared:
        return f"id:{declared}"
    address = traits.get("address")
    if not isinstance(address, dict):
        return ""
    street, place = _first(address, STREET), _first(address, POSTCODE) or _first(address, ("city",))
    family = _first(traits, FAMILY)
    if not (family and street and place):
        return ""
    return "at:" + "|".join((family, street, place, _first(address, ("country",))))


class HouseholdIds:
    """Ids of households, keyed with the workspace's secret: an id alone says nothing of an address.

    >>> ids = HouseholdIds(b"0123456789abcdef")
    >>> ids.stated({"household_id": 7}) == ids.of("id:7"), ids.stated({"lastName": "Rossi"})
    (True, None)
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, home: str) -> str:
        """`h_` and 20 hex digits (80 bits) of the keyed hash of a home."""
        text = f"home {home}".encode("utf-8", "surrogatepass")
        return "h_" + blake2b(text, digest_size=10, key=self._secret).hexdigest()

    def stated(self, traits: Mapping[str, Any]) -> str | None:
        """The household that the traits of an event tell; None when they tell none."""
        home = home_of(traits)
        return self.of(home) if home else None


class Households:
    """The homes of nodes, kept as events tell them.

    >>> from patron.testing import MemoryTable
    >>> households = Households(MemoryTable(), HouseholdIds(b"0123456789abcdef"))
    >>> for node in ("user_id:7", "user_id:8"):
    ...     households.tell(node, {"household_id": "h"}, 5, "crm/m")
    >>> households.of(["user_id:7"]) == households.of(["user_id:8"]), households.of(["user_id:9"])
    (True, '')
    """

    def __init__(self, homes: Table[Home], ids: HouseholdIds) -> None:
        self._homes = homes
        self._ids = ids

    def tell(self, node: Key, traits: Mapping[str, Any], time: int, uid: str) -> None:
        """Take in what an event tells of a node."""
        household = self._ids.stated(traits)
        if household is None:
            return
        held = self._homes.get(node)
        if held is None or (held.time, held.uid) < (time, uid):
            self._homes.put(node, Home(household, time, uid))

    def drop(self, node: Key) -> None:
        """The node's events are taken out."""
        self._homes.delete(node)

    def of(self, nodes: Iterable[Key]) -> str:
        """The household of somebody with these nodes; "" when they told none."""
        homes = [home for node in nodes if (home := self._homes.get(node)) is not None]
        return max(homes, key=lambda home: (home.time, home.uid)).household if homes else ""

    def nodes(self) -> list[Key]:
        """Nodes that told a home."""
        return list(self._homes.keys())


def _first(values: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first of these that says something, in one spelling."""
    return next((plain for name in names if (plain := _plain(_told(values.get(name))))), "")


def _told(value: Any) -> str:
    """A text or whole number as text; "" for anything else, and for what erasure left."""
    is_said = isinstance(value, str | int) and not isinstance(value, bool) and value != ERASED
    return str(value) if is_said else ""


def _plain(text: str) -> str:
    """Without case, accents and punctuation, words one space apart.

    >>> _plain("  Señor-Müller,  Straße 5/b"), _plain("की") == _plain("कि")
    ('senor muller strasse 5 b', False)
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", text[:_LONGEST]) if not unicodedata.combining(c))
    return " ".join("".join(c if _is_written(c) else " " for c in bare.casefold()).split())


def _is_written(char: str) -> bool:
    """Letters, digits, and the vowels of scripts that write them as marks."""
    return char.isalnum() or unicodedata.category(char)[0] == "M"
