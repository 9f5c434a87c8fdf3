"""What a world sent, and whose each message is: the side that the platform is held against.

Held by row numbers in flat arrays, so that a message costs its id and some 30 bytes.
"""

from array import array
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypedDict

import msgspec
from msgspec import Struct

from patron.sim.generation.folder import EVENTS, TRUTH, BadFolder, Manifest, lines, read_manifest
from patron.sim.identity.records import identifiers_of, key_of
from patron.sim.score.consents import Consents
from patron.sim.score.ledger import Ledger, Place, Sums, milliseconds

NOBODY = -1
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class _Owner(TypedDict):
    messageId: str
    person: int


class _Total(TypedDict):
    day: int
    source: str
    store: str
    currency: str
    orders: int
    gross_cents: int
    refund_cents: int


class _Consent(TypedDict):
    person: int
    purpose: str
    granted: bool
    at: int


class Sent:
    """Every distinct message of a world, by row: its source, owner, event time and record.

    Parameters
    ----------
    folder : a generated world, with its truth.

    Raises BadFolder when it is none, or its files do not fit together.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        self.row: dict[str, int] = {}
        """messageId -> row."""
        self.person, self.time, self.record = array("q"), array("q"), array("q")
        """By row: whose it is (truth), when it happened (ms), and the number of its record (-1: in none)."""
        self.source = array("H")
        """By row: index in the manifest's sources."""
        self.records: dict[tuple[str, int], int] = {}
        """(Record as written, person) -> its number, from 0 in order of appearance."""
        self.again = 0
        """Lines that repeat a message."""
        self.refusing: set[int] = set()
        """Rows of messages whose own context refuses the collection of analytics: their wish is that they are not kept."""
        self.ledger = Ledger()
        self._read(self._owners())

    @property
    def sums(self) -> dict[Place, Sums]:
        """Orders and refunds as the sources told them."""
        return self.ledger.sums()

    def truth(self, name: str) -> Path | None:
        """A file of the truth; None when this world has none of that name."""
        path = self.folder / TRUTH / f"{name}.ndjson"
        return path if path.exists() else None

    def totals(self) -> dict[Place, Sums] | None:
        """The true totals by place; None when the world has no `truth/totals.ndjson`."""
        if self.truth("totals") is None:
            return None
        return {
            (line["day"], line["source"], line["store"], line["currency"]): Sums(
                line["orders"], line["gross_cents"], line["refund_cents"]
            )
            for line in lines(self.folder / TRUTH, "totals", _Total)
        }

    def consents(self) -> Consents | None:
        """The true consents; None when the world has no `truth/consent.ndjson`."""
        if self.truth("consent") is None:
            return None
        return Consents(lines(self.folder / TRUTH, "consent", _Consent))

    def _owners(self) -> dict[str, int]:
        return {
            line["messageId"]: line["person"] for line in lines(self.folder / TRUTH, "person_map", _Owner)
        }

    def _read(self, owners: Mapping[str, int]) -> None:
        for number, source in enumerate(self.manifest.sources):
            path = self.folder / EVENTS / f"{source.name}.ndjson"
            try:
                with path.open("rb") as file:
                    for line in file:
                        self._take(number, source.name, _decode(line), owners)
            except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
                raise BadFolder(
                    f"{path} cannot be read ({type(error).__name__}: {error}); generate the world again"
                ) from None

    def _take(self, number: int, source: str, message: dict[str, Any], owners: Mapping[str, int]) -> None:
        name = message["messageId"]
        if name in self.row:
            self.again += 1
            return
        row = self.row[name] = len(self.person)
        person, time = owners.get(name, NOBODY), milliseconds(message["timestamp"])
        self.person.append(person)
        self.time.append(time)
        self.source.append(number)
        key = key_of(identifiers_of(message))
        self.record.append(-1 if key is None else self.records.setdefault((key, person), len(self.records)))
        if _refuses(message):
            self.refusing.add(row)
        if message["type"] == "track":
            self.ledger.take(source, message["event"], time, message.get("properties") or {})


def _refuses(message: Mapping[str, Any]) -> bool:
    consent = (message.get("context") or {}).get("consent") or {}
    return (consent.get("categoryPreferences") or {}).get("analytics") is False


class Counts(Struct):
    """Messages of one source: sent, found once, found more than once, not found, and not collected by the sender's wish."""

    source: str
    sent: int = 0
    once: int = 0
    more: int = 0
    missing: int = 0
    refused: int = 0
