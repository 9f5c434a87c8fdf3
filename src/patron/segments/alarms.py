"""Who must be looked at again, by the hour in which time alone may change something for them."""

from collections.abc import Iterator
from heapq import heappop, heappush

from patron.model.clock import HOUR
from patron.segments.hours import NEVER


class Alarms:
    """People by hour. Somebody may stand at several hours; only who asks knows which of them still means something.

    >>> alarms = Alarms()
    >>> alarms.add("anna", 7 * HOUR + 5); alarms.add("bo", 3 * HOUR)
    >>> alarms.first, list(alarms.ring(3)), alarms.first
    (3, ['bo'], 7)
    """

    def __init__(self) -> None:
        self._due: dict[int, list[str]] = {}
        self._hours: list[int] = []

    def add(self, person: str, wake: int) -> None:
        """Name somebody at the hour of a moment (ms)."""
        hour = wake // HOUR
        people = self._due.get(hour)
        if people is None:
            self._due[hour] = [person]
            heappush(self._hours, hour)
        else:
            people.append(person)

    @property
    def first(self) -> int:
        """The first hour at which somebody stands."""
        return self._hours[0] if self._hours else NEVER

    def ring(self, hour: int) -> Iterator[str]:
        """Take out everybody of the first hour, those who are added to it meanwhile too."""
        people = self._due.get(hour)
        while people:
            yield people.pop()
        heappop(self._hours)
        self._due.pop(hour, None)
