"""Where windows begin now, and when an hour leaves one: worked out once an hour, looked up by every person."""

from collections.abc import Sequence

from patron.model.clock import HOUR
from patron.rules.calendar import Calendar
from patron.rules.tree import Window

NEVER = 1 << 62
"""A moment that does not come, ms."""


class Hours:
    """Windows against the clock. `now` only goes forward.

    >>> hours = Hours(Calendar("Europe/Rome"))
    >>> noon = 1_774_778_400_000 // HOUR  # 29 March 2026, 10:00 UTC
    >>> _ = hours.turn(noon); noon - hours.floor(Window(days=1)), hours.leaves(Window(hours=3), noon) // HOUR - noon
    (11, 3)
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.hour = -1
        """The present hour, since 1970."""
        self.today = 0
        self._floors: dict[tuple[int, int], int] = {}
        self._days: dict[int, int] = {}
        self._leaves: dict[int, int] = {}

    def turn(self, hour: int) -> bool:
        """Go to an hour; whether it is another one."""
        if hour <= self.hour:
            return False
        self.hour = hour
        self._floors.clear()
        if len(self._leaves) > 50_000:
            self._leaves.clear()
        self.today = self.day(hour)
        return True

    def day(self, hour: int) -> int:
        """The local day of an hour."""
        found = self._days.get(hour)
        if found is None:
            if len(self._days) > 50_000:
                self._days.clear()
            found = self._days[hour] = self.calendar.day(hour * HOUR)
        return found

    def floor(self, window: Window) -> int:
        """The first hour inside a window that ends now."""
        key = size_of(window)
        found = self._floors.get(key)
        if found is None:
            since = self.calendar.since(window, self.hour * HOUR)
            assert since is not None
            found = self._floors[key] = since // HOUR
        return found

    def leaves(self, window: Window, hour: int) -> int:
        """When an hour leaves a window: ms, a full hour."""
        days = window.days
        if not isinstance(days, int) or not days:
            return (hour + size_of(window)[1]) * HOUR
        key = (days << 40) + hour  # one number: asked for several times an event
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = self.begins(self.day(hour) + days)
        return found

    @property
    def tomorrow(self) -> int:
        """When the next day begins, ms."""
        return self.begins(self.today + 1)

    def begins(self, day: int) -> int:
        """When a day begins, ms."""
        return self.calendar.begins(day)


def size_of(window: Window) -> tuple[int, int]:
    """Days and hours of a window whose parameters are filled in; one of them is 0."""
    days, hours = window.days, window.hours
    return (days if isinstance(days, int) else 0), (hours if isinstance(hours, int) else 0)


def soonest(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Of windows that hold the same events those that may lose one first: the shortest in days and in hours.

    >>> soonest([Window(days=9), Window(days=2), Window(hours=5)])
    (Window(days=2, hours=None), Window(days=None, hours=5))
    """
    days = [window for window in windows if size_of(window)[0]]
    hours = [window for window in windows if size_of(window)[1]]
    return tuple(min(some, key=size_of) for some in (days, hours) if some)
