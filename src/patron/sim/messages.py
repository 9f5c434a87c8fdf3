"""Writing what systems send: Segment-style messages (7.6), with times as text and ids that never repeat."""

import datetime as dt
from functools import lru_cache
from typing import Any

from msgspec import Struct

from patron.model.clock import DAY, MINUTE
from patron.sim.luck import splitmix64
from patron.sim.world.catalogue import Product

Message = dict[str, Any]

SOURCES: tuple[str, ...] = (
    "web",
    "app",
    "pos",
    "kiosk",
    "associate_tablet",
    "call_centre",
    "email",
    "sms",
    "push",
    "crm",
)
"""The sources that the town sends from: one a channel, each named as its channel in `model/events.py`."""

_PREFIX = {
    "web": "ajs-next-",
    "app": "app-",
    "pos": "till-",
    "kiosk": "kiosk-",
    "associate_tablet": "tab-",
    "call_centre": "cc-",
    "email": "mail-",
    "sms": "sms-",
    "push": "push-",
    "crm": "crm-",
}


class Delivery(Struct, frozen=True):
    """One message on its way to the product: when it arrives (UTC ms), from which source, and what it says."""

    arrival_ms: int
    source_name: str
    message: Message


class Told(Struct, frozen=True):
    """A message as the town knows it: with its event time and whose life it tells (truth, never sent)."""

    at: int
    source: str
    person: int
    message: Message
    delay: int = 0
    """Known delay of its arrival, ms (an app without network); 0 = whatever its channel usually takes."""
    place: str = ""
    """The store it comes from, for till files that arrive late together."""
    true: bool = True
    """False for what never happened: a contact that somebody made up."""


_MINUTES = tuple(f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(DAY // MINUTE))
_SECONDS = tuple(f"{second:02d}." for second in range(60))
_MILLISECONDS = tuple(f"{ms:03d}Z" for ms in range(1000))


@lru_cache(maxsize=1024)
def _date(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def iso(ms: int) -> str:
    """A time as Segment writes it.

    >>> iso(1_700_000_000_123)
    '2023-11-14T22:13:20.123Z'
    """
    # looked up, not formatted: every message carries two times, and tables are four times as fast
    rest = ms % DAY
    return f"{_date(ms // DAY)}{_MINUTES[rest // MINUTE]}{_SECONDS[rest // 1000 % 60]}{_MILLISECONDS[rest % 1000]}"


def money(cents: int) -> float:
    """Cents as the decimal number that JSON carries.

    >>> money(2190)
    21.9
    """
    return cents / 100


def line(product: Product, quantity: int, cents: int, currency: str) -> Message:
    """One line of an order or cart; `cents` is the price of one."""
    return {
        "product_id": product.id,
        "name": product.name,
        "category": product.category,
        "price": money(cents),
        "quantity": quantity,
        "currency": currency,
    }


def known_by(**ids: str | None) -> list[Message]:
    """`context.externalIds` for a card, an e-mail, a phone or a customer record; absent ones are left out.

    >>> known_by(card="2900", email=None)
    [{'id': '2900', 'type': 'card', 'collection': 'users', 'encoding': 'none'}]
    """
    return [
        {"id": value, "type": kind, "collection": "users", "encoding": "none"}
        for kind, value in ids.items()
        if value is not None
    ]


class Pen:
    """Writes the messages of one person on one day; each gets an id that no other message of the town has.

    `run` keeps lives apart that are told in several passes (0 ordinary life, 1 planted scenes, 2 live).
    """

    def __init__(self, seed: int, person: int, day: int, run: int = 0) -> None:
        self.person = person
        self.told: list[Told] = []
        self._next = (((person & (1 << 32) - 1) << 14 | day & (1 << 14) - 1) << 4 | run) << 12
        self._salt = splitmix64(seed & (1 << 64) - 1)

    def number(self) -> int:
        """A 64-bit number that is never given twice in a town: splitmix64 is a bijection."""
        self._next += 1
        return splitmix64(self._next ^ self._salt)

    def write(
        self,
        source: str,
        at: int,
        kind: str,
        body: Message,
        *,
        delay: int = 0,
        place: str = "",
        true: bool = True,
    ) -> None:
        """Write one message of a call type; `body` holds ids, event, properties, traits and context."""
        context = body.pop("context", {})
        context["channel"] = source
        message = {
            "type": kind,
            "messageId": f"{_PREFIX[source]}{self.number():016x}",
            **body,
            "context": context,
            "timestamp": iso(at),
        }
        self.told.append(Told(at, source, self.person, message, delay, place, true))

    def track(
        self,
        source: str,
        at: int,
        event: str,
        properties: Message,
        *,
        delay: int = 0,
        place: str = "",
        true: bool = True,
        **ids: Any,
    ) -> None:
        """Write a `track` call; `ids` are its ids and context, the others as in `write`."""
        body = {"event": event, "properties": properties, **ids}
        self.write(source, at, "track", body, delay=delay, place=place, true=true)
