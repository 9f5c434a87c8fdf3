"""Calendar days and hours of the business's zone in SQL, from the zone's own changes of offset: no engine's zone tables."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from patron.model.clock import DAY, HOUR
from patron.rules.calendar import Calendar

_SECONDS = 86_400


def moment(time: int) -> ir.TimestampScalar:
    """A moment (ms) as a constant of the lake's time type."""
    return ibis.literal(
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=time), type="timestamp('UTC', 6)"
    )


@lru_cache(64)
def offsets(zone: str, until: int) -> tuple[tuple[int, int], ...]:
    """When the zone's offset changed, latest first, back to 1970: (first full UTC hour in ms, offset from then in seconds).

    >>> offsets("Europe/Rome", 1_774_778_400_000)[0][1]
    7200
    """
    info = ZoneInfo(zone)
    found = [(0, _offset(info, 0))]
    for day in range(0, until + 2 * DAY, DAY):
        if _offset(info, day) != found[-1][1]:
            hour = next(h for h in range(day - DAY, day + HOUR, HOUR) if _offset(info, h) != found[-1][1])
            found.append((hour, _offset(info, hour)))
    return tuple(reversed(found))


def day_of(milliseconds: ir.IntegerValue, calendar: Calendar, now: int) -> ir.IntegerValue:
    """`Calendar.day` of a column of times (ms, since 1970)."""
    return _local(milliseconds, calendar, now) // _SECONDS


def weekday_of(milliseconds: ir.IntegerValue, calendar: Calendar, now: int) -> ir.IntegerValue:
    """`Calendar.weekday` of a column of times: 1 is Monday."""
    return (day_of(milliseconds, calendar, now) + 3) % 7 + 1


def hour_of(milliseconds: ir.IntegerValue, calendar: Calendar, now: int) -> ir.IntegerValue:
    """`Calendar.hour` of a column of times."""
    return _local(milliseconds, calendar, now) % _SECONDS // 3600


def _local(milliseconds: ir.IntegerValue, calendar: Calendar, now: int) -> ir.IntegerValue:
    *changes, (_, first) = offsets(calendar.zone, now // DAY * DAY)
    offset = (
        ibis.cases(*((milliseconds >= at, seconds) for at, seconds in changes), else_=first)
        if changes
        else first
    )
    return milliseconds // HOUR * 3600 + offset


def _offset(info: ZoneInfo, time: int) -> int:
    away = dt.datetime.fromtimestamp(time // 1000, info).utcoffset()
    return int(away.total_seconds()) if away is not None else 0
