"""Who had agreed to what at which moment, by the truth, and the messages sent against it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

SENT = "Message Sent"
PURPOSES: Mapping[str, str] = {
    "email": "email_marketing",
    "sms": "sms_marketing",
    "push": "push_marketing",
    "call": "call_marketing",
}
"""Channel of a message -> the consent it needs."""


class Said(Struct):
    """What one person said of one purpose: times ascending, and what stood from each on."""

    times: list[int]
    granted: list[bool]


class Consents:
    """The truth of consent at each instant.

    >>> known = Consents([{"person": 7, "purpose": "email_marketing", "granted": False, "at": 100}])
    >>> known.granted(7, "email_marketing", 99), known.granted(7, "email_marketing", 100)
    (None, False)
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        held: dict[tuple[int, str], list[tuple[int, bool]]] = {}
        for row in rows:
            held.setdefault((row["person"], row["purpose"]), []).append((row["at"], row["granted"]))
        self._said: dict[tuple[int, str], Said] = {}
        for name, changes in held.items():
            changes.sort(key=lambda change: change[0])
            self._said[name] = Said([at for at, _ in changes], [granted for _, granted in changes])

    def granted(self, person: int, purpose: str, time: int) -> bool | None:
        """What stood at a moment; None = nothing had been said."""
        said = self._said.get((person, purpose))
        at = bisect_right(said.times, time) if said else 0
        return said.granted[at - 1] if said and at else None


class Sends(Struct):
    """Messages sent, and those of them to people who had refused at that moment, by whose tool sent them."""

    ours: int = 0
    """Sent on a decision of the platform (they name its `decision_id`)."""
    own: int = 0
    """Sent by the retailer's own tools."""
    ours_refused: int = 0
    own_refused: int = 0
    own_unasked: int = 0
    """By the retailer's own tools to people who had never said anything."""

    def take(self, known: Consents | None, person: int, time: int, properties: Mapping[str, Any]) -> None:
        """Count one message. Without the truth of consent only the messages are counted."""
        ours = bool(properties.get("decision_id"))
        self.ours += ours
        self.own += not ours
        if known is None:
            return
        channel = str(properties.get("channel", ""))
        stood = known.granted(person, PURPOSES.get(channel, f"{channel}_marketing"), time)
        self.ours_refused += ours and stood is False
        self.own_refused += not ours and stood is False
        self.own_unasked += not ours and stood is None
