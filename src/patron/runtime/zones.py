"""Where somebody is: whose midnight ends their day, and whose night is quiet."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from patron.rules.calendar import Calendar
from patron.runtime.decisions.known import Parts


class Zones:
    """The time zone of people: said by the touchpoint, else by their newest trait, else that of the business.

    >>> zones = Zones("Europe/Rome")
    >>> zones.of({"timezone": "Asia/Tokyo"}, []).zone, zones.of({"timezone": "../etc"}, []).zone
    ('Asia/Tokyo', 'Europe/Rome')
    """

    def __init__(self, business: str) -> None:
        self._business = Calendar(business)
        self._named = lru_cache(1_000)(self._known)

    def of(self, context: Mapping[str, Any], parts: Parts) -> Calendar:
        """The calendar of somebody who asks in a context."""
        told = context.get("timezone")
        if isinstance(told, str) and told:
            return self._named(told[:64])
        written = [row for _, part in parts if (row := (part.traits or {}).get("timezone"))]
        if not written:
            return self._business
        zone = max(written, key=lambda row: row[1])[0]
        return self._named(zone[:64]) if isinstance(zone, str) and zone else self._business

    def _known(self, name: str) -> Calendar:
        try:
            return Calendar(name)
        except (ValueError, OSError, KeyError):
            return self._business
