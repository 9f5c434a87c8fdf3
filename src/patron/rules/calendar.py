"""Hours and days of the rule language: UTC hours, and calendar days of the business's zone made of them."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

from patron.model.clock import DAY, HOUR, MINUTE
from patron.rules.tree import Window

MAX_DAYS = 400
MAX_HOURS = 24 * MAX_DAYS
_DAY_MINUTES = DAY // MINUTE


class Calendar:
    """Days of one time zone. Two calendars of one zone agree on everything.

    Parameters
    ----------
    zone : IANA name, such as `Europe/Rome`. Raises `zoneinfo.ZoneInfoNotFoundError` when there is none of that name.

    >>> rome = Calendar("Europe/Rome")
    >>> noon = 1_774_778_400_000  # 29 March 2026, 10:00 UTC: the day on which clocks went forward
    >>> (noon - rome.start(noon)) // HOUR, rome.days_ago(noon - 24 * HOUR, noon)
    (11, 1)
    """

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._info = ZoneInfo(zone)
        self.begins = lru_cache(4096)(self._begins)

    def day(self, time: int) -> int:
        """The day of a moment (ms): days since 1970-01-01 of the local date at the beginning of its UTC hour."""
        hour = time // HOUR * 3600
        return (dt.datetime.fromtimestamp(hour, self._info).date() - _EPOCH).days

    def weekday(self, time: int) -> int:
        """The weekday of a moment's day: 1 is Monday, 7 is Sunday (ISO 8601)."""
        return (self.day(time) + 3) % 7 + 1

    def hour(self, time: int) -> int:
        """The local hour, 0 to 23, at the beginning of a moment's UTC hour."""
        return dt.datetime.fromtimestamp(time // HOUR * 3600, self._info).hour

    def minute(self, time: int) -> int:
        """The local minute of the day, 0 to 1439.

        >>> Calendar("Asia/Kolkata").minute(0)
        330
        """
        local = dt.datetime.fromtimestamp(time // 1_000, self._info)
        return local.hour * 60 + local.minute

    def next(self, minute: int, now: int) -> int:
        """When it is a minute of the day next, ms; now if it is.

        >>> Calendar("UTC").next(30, 0) // 60_000, Calendar("UTC").next(0, 60_000) // 60_000
        (30, 1440)
        """
        return now + (minute - self.minute(now)) % _DAY_MINUTES * MINUTE

    def start(self, time: int) -> int:
        """When the day of a moment began: ms, a full UTC hour."""
        return self.begins(self.day(time))

    def days_ago(self, time: int, now: int) -> int:
        """Calendar days between a moment and now; 0 is today."""
        return self.day(now) - self.day(time)

    def since(self, window: Window | None, now: int) -> int | None:
        """The first moment (ms, a full UTC hour) inside a window that ends now; None without a window."""
        if window is None:
            return None
        if isinstance(window.days, int):
            return self.begins(self.day(now) - window.days + 1)
        if isinstance(window.hours, int):
            return (now // HOUR - window.hours + 1) * HOUR
        raise ValueError("a window has days or hours, and its parameters are filled in before it is used")

    def _begins(self, day: int) -> int:
        """The first UTC hour whose local date is that day (a day that a zone left out begins as the next one does)."""
        date = _EPOCH + dt.timedelta(days=day)
        guess = dt.datetime(date.year, date.month, date.day, tzinfo=self._info).timestamp()
        hour = int(guess // 3600) - 2
        while self.day(hour * HOUR) < day:
            hour += 1
        return hour * HOUR


_EPOCH = dt.date(1970, 1, 1)
