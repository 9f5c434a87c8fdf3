"""Traits that are dates: texts that begin with an ISO date, as forms and systems write them."""

import datetime as dt

_EPOCH = dt.date(1970, 1, 1)


def day_of(value: object) -> int | None:
    """The day (days since 1970-01-01) of `2026-03-29`, alone or before a time; None where a value is no date.

    The date counts as it is written: a time or zone behind it is not read.

    >>> day_of("1970-01-11"), day_of("1970-01-11T23:59:00Z"), day_of("11 January"), day_of(20_000)
    (10, 10, None, None)
    """
    if not isinstance(value, str) or (len(value) > 10 and value[10] not in "T "):
        return None
    text = value[:10]
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        return None
    try:
        return (dt.date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        return None
