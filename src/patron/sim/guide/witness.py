"""What anybody can count in the messages that a retailer's systems send: waits, contacts, coupons, broken checkouts.

It reads no truth. What is planted is told with figures from here, so that they are those of this very world.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from patron.sim.messages import Delivery

SEEN_IN_STORE = frozenset({"pos", "kiosk"})
"""Sources at which a card is read only by somebody who stands there."""


class PickUps(Struct):
    """What became of the orders that were to be fetched at one store."""

    collected: int = 0
    abandoned: int = 0
    minutes: int = 0
    """Waited, all together."""

    @property
    def count(self) -> int:
        """Of which the end is known."""
        return self.collected + self.abandoned

    @property
    def wait(self) -> float:
        """Minutes waited on average; 0 when nobody came."""
        return self.minutes / self.count if self.count else 0.0

    def add(self, other: "PickUps") -> None:
        """Count others in."""
        self.collected += other.collected
        self.abandoned += other.abandoned
        self.minutes += other.minutes


class Contact(Struct, frozen=True):
    """A conversation that an associate wrote down, with a card that was read."""

    associate: str
    card: str
    day: int
    """UTC day."""


class Witness:
    """Counts messages as they pass by; copies count once.

    >>> witness = Witness()
    >>> message = {"messageId": "m", "event": "Reservation Abandoned", "timestamp": "2026-03-01T10:00:00.000Z",
    ...     "properties": {"store_id": "S03", "wait_minutes": 40, "order_id": "W-1"}, "context": {"channel": "pos"}}
    >>> witness.see(message); witness.see(message); witness.pick_ups["S03"].count
    1
    """

    def __init__(self) -> None:
        self.pick_ups: dict[str, PickUps] = {}
        self.contacts: list[Contact] = []
        self.talks: Counter[str] = Counter()
        """Associate -> conversations written down, with a card or without."""
        self.checkouts: dict[str, Counter[str]] = {}
        """Version of the app -> `Checkout Started`, `Checkout Failed`."""
        self.waited: list[tuple[str, str, int, str]] = []
        """(store, order, minutes, event) of every pick-up."""
        self._present: set[tuple[str, int]] = set()
        self._seen: set[str] = set()

    def watch(self, deliveries: Iterable[Delivery]) -> Iterator[Delivery]:
        """The same deliveries; each is looked at as it passes."""
        for delivery in deliveries:
            self.see(delivery.message)
            yield delivery

    def see(self, message: Mapping[str, Any]) -> None:
        """Take one message."""
        context, event = message.get("context", {}), message.get("event", "")
        channel = context.get("channel")
        if channel in SEEN_IN_STORE:
            for card in _cards(context):
                self._present.add((card, _day(message)))
        take = _KNOWN.get(event)
        if take is None or message["messageId"] in self._seen:
            return
        self._seen.add(message["messageId"])
        take(self, message, context)

    def was_there(self, contact: Contact) -> bool:
        """Whether the card was read at a till or kiosk on the day of a conversation."""
        return (contact.card, contact.day) in self._present

    def unseen(self) -> dict[str, tuple[int, int]]:
        """Associate -> (conversations with a card that no till or kiosk read that day, conversations with a card)."""
        found: dict[str, list[int]] = {}
        for contact in self.contacts:
            counted = found.setdefault(contact.associate, [0, 0])
            counted[0] += not self.was_there(contact)
            counted[1] += 1
        return {name: (missed, known) for name, (missed, known) in sorted(found.items())}

    def _pick_up(self, message: Mapping[str, Any], _context: Mapping[str, Any]) -> None:
        said = message["properties"]
        store = self.pick_ups.setdefault(said["store_id"], PickUps())
        store.abandoned += message["event"] == "Reservation Abandoned"
        store.collected += message["event"] == "Reservation Collected"
        store.minutes += said["wait_minutes"]
        self.waited.append((said["store_id"], said["order_id"], said["wait_minutes"], message["event"]))

    def _contact(self, message: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        associate = message["properties"]["associate_id"]
        self.talks[associate] += 1
        self.contacts.extend(Contact(associate, card, _day(message)) for card in _cards(context))

    def _checkout(self, message: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        version = context.get("app", {}).get("version")
        if version:
            self.checkouts.setdefault(version, Counter())[message["event"]] += 1


def _cards(context: Mapping[str, Any]) -> list[str]:
    return [known["id"] for known in context.get("externalIds", ()) if known["type"] == "card"]


def _day(message: Mapping[str, Any]) -> int:
    return days_since(message["timestamp"])


def days_since(text: str) -> int:
    """The UTC day of a time as messages write it, since 1970.

    >>> days_since("1970-01-02T23:59:59.999Z")
    1
    """
    known = _DAYS.get(text[:10])
    if known is None:
        known = _DAYS[text[:10]] = (dt.date.fromisoformat(text[:10]) - dt.date(1970, 1, 1)).days
    return known


_DAYS: dict[str, int] = {}
_KNOWN = {
    "Reservation Collected": Witness._pick_up,  # noqa: SLF001 - same class
    "Reservation Abandoned": Witness._pick_up,  # noqa: SLF001
    "Associate Contacted": Witness._contact,  # noqa: SLF001
    "Checkout Started": Witness._checkout,  # noqa: SLF001
    "Checkout Failed": Witness._checkout,  # noqa: SLF001
}
__all__ = ["Contact", "PickUps", "Witness", "days_since"]
