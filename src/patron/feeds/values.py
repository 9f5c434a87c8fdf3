"""One cell of a feed as a value of its column's type, or a sentence on what is wrong with it."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from patron.feeds.hours import week
from patron.feeds.kinds import TYPES, Type
from patron.model.money import from_units, to_units

MAX_TEXT = 500
_LONGEST = 10**18
_MOST = 10**15
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{0,12})?|\.\d{1,12})([eE][+-]?\d{1,2})?")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_HIDDEN = re.compile("[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_MS = dt.timedelta(milliseconds=1)
EARLIEST, LATEST = -2_208_988_800_000, 7_258_118_400_000
"""1900 to 2200: a time outside is a slip of the pen, ms."""


class Unreadable(ValueError):
    """A cell that is no value of its column; the message is for people."""


def read(value: Any, kind: Type, zone: ZoneInfo) -> Any:
    """A cell (text, number, true/false; as files and JSON give it) as a value. None and empty texts are no value: None.

    Times are ms UTC; a date begins at midnight of `zone`, a time without a zone is UTC. Money is a decimal text.

    Raises
    ------
    Unreadable : it is none of its type.

    >>> utc = ZoneInfo("UTC")
    >>> read("12.50", "money", utc), read(" 3 ", "number", utc), read("1970-01-02", "time", utc), read("", "text", utc)
    ('12.50', 3, 86400000, None)
    """
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    return _READERS[kind](value, zone)


def _text(value: Any, _zone: ZoneInfo) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unreadable(f"is {_named(value)}, not {TYPES['text']}")
    if isinstance(value, int) and abs(value) > _LONGEST:
        raise Unreadable("is a number too long for a name; write it as a text")
    text = str(value)
    if _HIDDEN.search(text):
        raise Unreadable("holds a control character or half of one")
    if len(text) > MAX_TEXT:
        raise Unreadable(f"has {len(text):,} characters")
    return text


def _number(value: Any, _zone: ZoneInfo) -> int | float:
    number: int | float
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise Unreadable(f"`{value[:40]}` is no number" + _comma(value))
        number = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    else:
        raise Unreadable(f"is {_named(value)}, not a number")
    if not (-_MOST <= number <= _MOST):  # so is NaN
        raise Unreadable(f"{shown(number)} is no number that can be kept")
    return int(number) if number == int(number) else round(float(number), 9)


def _count(value: Any, zone: ZoneInfo) -> int:
    number = _number(value, zone)
    if not isinstance(number, int) or number < 0:
        raise Unreadable(f"{number} is no whole number of 0 or more")
    return number


def shown(value: Any, limit: int = 40) -> str:
    """A cell as messages quote it, cut short; whatever it is.

    >>> shown("x" * 99, 5), shown(10**9999)
    ('xxxxx', 'a very long number')
    """
    if isinstance(value, int) and abs(value) > _LONGEST:
        return "a very long number"
    if isinstance(value, list | dict):
        return _named(value)
    return str(value)[:limit]


def _money(value: Any, zone: ZoneInfo) -> str:
    units = (
        to_units(value)
        if isinstance(value, str) and _NUMBER.fullmatch(value)
        else to_units(_number(value, zone))
    )
    if units is None:
        raise Unreadable(f"`{shown(value)}` is no amount")
    return from_units(units)


def _degrees(limit: int) -> Callable[[Any, ZoneInfo], float]:
    def degrees(value: Any, zone: ZoneInfo) -> float:
        number = float(_number(value, zone))
        if abs(number) > limit:
            raise Unreadable(f"{number} lies beyond {limit} degrees")
        return number

    return degrees


def _flag(value: Any, _zone: ZoneInfo) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in ("true", "yes", "1"):
        return True
    if word in ("false", "no", "0"):
        return False
    raise Unreadable(f"`{word[:40]}` is neither true nor false")


def _hours(value: Any, zone: ZoneInfo) -> str:
    text = _text(value, zone)
    try:
        week(text)
    except ValueError as error:
        raise Unreadable(str(error)) from error
    return text


def _time(value: Any, zone: ZoneInfo, *, after: bool = False) -> int:
    """`after`: a bare date is the end of that day."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _bounded(value, value)
    if not isinstance(value, str):
        raise Unreadable(f"is {_named(value)}, not a date or time")
    try:
        if len(value) <= 10:
            day = dt.date.fromisoformat(value) + dt.timedelta(days=after)
            moment = dt.datetime(day.year, day.month, day.day, tzinfo=zone)
        else:
            moment = dt.datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return _bounded((moment - _EPOCH) // _MS, value)
    except (ValueError, OverflowError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"`{value[:40]}` is no date or time") from error


def _bounded(ms: int, value: Any) -> int:
    if not EARLIEST <= ms <= LATEST:
        seconds = isinstance(value, int) and EARLIEST <= ms * 1000 <= LATEST
        raise Unreadable(
            f"`{shown(value)}` lies before 1900 or after 2200" + ("; give milliseconds" if seconds else "")
        )
    if (
        isinstance(value, int) and 0 <= ms < 100_000_000_000
    ):  # 1973 in ms: seconds since 1970 were meant, or a year
        raise Unreadable(f"`{value}` looks like seconds or a year; give milliseconds or a date")
    return ms


def _last_day(value: Any, zone: ZoneInfo) -> int:
    return _time(value, zone, after=True)


def _comma(value: str) -> str:
    return (
        "; write a point for the decimals"
        if "," in value and _NUMBER.fullmatch(value.replace(",", ".", 1))
        else ""
    )


def _named(value: Any) -> str:
    names = {
        bool: "true or false",
        list: "a list",
        dict: "an object",
        float: "a number",
        int: "a number",
        bytes: "binary",
    }
    return names.get(type(value), f"a {type(value).__name__}")


_READERS: dict[Type, Callable[[Any, ZoneInfo], Any]] = {
    "text": _text,
    "number": _number,
    "count": _count,
    "money": _money,
    "time": _time,
    "last_day": _last_day,
    "flag": _flag,
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "hours": _hours,
}
