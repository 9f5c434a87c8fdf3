"""When something happened: reading what clients write, and correcting their clocks (WIRE.md, rule 6)."""

import re
from datetime import UTC, datetime, timedelta

from patron.collect.limits import Limits
from patron.collect.refusal import Refused

NO_TIME = (ValueError, TypeError, OverflowError)
"""What `to_ms` raises for a value that is no time."""

Written = str | int | float | None
"""A time as clients write it: ISO 8601, or epoch seconds or milliseconds."""

_SECONDS_BELOW = 100_000_000_000
"""A number below this is seconds (until the year 5138), else milliseconds (from March 1973)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_from_iso = datetime.fromisoformat


def to_ms(value: Written) -> int | None:
    """Milliseconds since 1970 UTC; None for null and "". ISO times without offset are UTC.

    Raises ValueError when the value is no time.

    >>> to_ms("2026-03-02T17:04:11.120Z"), to_ms("2026-03-02T18:04:11,12+01"), to_ms(1772471051.12)
    (1772471051120, 1772471051120, 1772471051120)
    >>> to_ms("1772471051120"), to_ms(None)
    (1772471051120, None)
    """
    if type(value) is str:
        if len(value) < 14:
            return _short(value)
        try:
            since = _from_iso(value) - _EPOCH
        except (ValueError, TypeError):  # TypeError: a time without offset
            since = _aware(_odd(value)) - _EPOCH
        return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return None if value is None else _number(value)


def to_text(ms: int) -> str | None:
    """A time as ISO 8601 with milliseconds, UTC; None when the calendar does not reach that far.

    >>> to_text(1772471051120), to_text(10**18)
    ('2026-03-02T17:04:11.120Z', None)
    """
    try:
        at = _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(value: str) -> int | None:
    if not value:
        return None
    if len(value) in {10, 13} and value.isascii() and value.isdigit():
        return _number(int(value))
    return int((_aware(_from_iso(value)) - _EPOCH).total_seconds() * 1000)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a time is a text or a number")
    if not -1e17 < value < 1e17:
        raise ValueError("a time in seconds or milliseconds has at most 17 digits")
    return round(value * 1000) if -_SECONDS_BELOW < value < _SECONDS_BELOW else round(value)


def _odd(value: str) -> datetime:
    """What ISO 8601 allows and `fromisoformat` does not: lower case, a leap second, blanks around."""
    text = value.strip().upper()
    return _from_iso(re.sub(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d):60", r"\1:59", text))


def clock_shift(sent: Written, received: int, skew_max: int) -> tuple[int, bool]:
    """How far the client's clock was behind, ms, and whether that is unknown.

    The shift is `received - sent`. It is 0 without `sent`; 0 and unknown when `sent` is no time or is further
    than `skew_max` away (a wrong year is not a skewed clock).

    >>> clock_shift("1970-01-01T00:00:05Z", 7_000, 60_000), clock_shift(None, 7_000, 60_000)
    ((2000, False), (0, False))
    """
    try:
        at = to_ms(sent)
    except NO_TIME:
        return 0, True
    if at is None:
        return 0, False
    shift = received - at
    return (shift, False) if -skew_max <= shift <= skew_max else (0, True)


def with_original(base: int | None, original: Written) -> tuple[int | None, int | None]:
    """The base of the event time, and the time as the client first wrote it, ms.

    `timestamp` (read as `base`) wins as the base, `originalTimestamp` as the original. Raises `Refused` (`bad_time`).
    """
    try:
        first = to_ms(original)
    except NO_TIME:
        if base is None:
            raise Refused("bad_time", BAD_TIME, "$.originalTimestamp") from None
        return base, base
    if first is None:
        return base, base
    return (first if base is None else base), first


BAD_TIME = "This is no time; write ISO 8601 such as 2026-03-02T17:04:11.120Z, or epoch milliseconds."


def believed(written: Written, received: int) -> int:
    """The receipt time that an import gives, never later than the real one. Raises `Refused` (`bad_time`)."""
    try:
        given = to_ms(written)
    except NO_TIME:
        raise Refused("bad_time", BAD_TIME, "$.receivedAt") from None
    return received if given is None else min(given, received)


def check_range(time: int, received: int, limits: Limits) -> None:
    """Raise `Refused` (`time_out_of_range`) for a time before 1990 or too far after its receipt."""
    if time < limits.earliest:
        raise Refused(
            "time_out_of_range", "The event time is before 1990; check the unit and the clock.", "$.timestamp"
        )
    if time > received + limits.future:
        raise Refused(
            "time_out_of_range",
            f"The event time is more than {limits.future // 3_600_000} h after its receipt; check the clock.",
            "$.timestamp",
        )
