"""Readers of the parts of an offer: names, instants, free content. Each gives a value and (place, problem) pairs."""

import datetime as dt
import difflib
import math
from collections.abc import Collection
from typing import Any

from patron.model.clock import DAY

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MAX_DEPTH = 32
_INT64 = 2**63

Problems = list[tuple[str, str]]


def difference(key: str, known: Collection[str]) -> str:
    """What to say of a key that does not exist.

    >>> difference("placement", ["placements", "channels"])
    'there is no such key; did you mean `placements`?'
    """
    near = difflib.get_close_matches(key, known, n=1)
    return (
        f"there is no such key; did you mean `{near[0]}`?"
        if near
        else f"there is no such key; use {', '.join(sorted(known))}"
    )


def names_of(value: Any, known: Collection[str] | None) -> tuple[tuple[str, ...], Problems]:
    """A list of names without repetition, all `known` (None = any name).

    >>> names_of(["web", "wbe"], ["web", "app"])
    (('web', 'wbe'), [('[1]', 'unknown name `wbe`; did you mean `web`?')])
    """
    if not isinstance(value, list) or not all(
        isinstance(name, str) and 0 < len(name) <= 64 for name in value
    ):
        return (), [("", "needs a list of names of 1 to 64 characters; leave it out for all")]
    problems: Problems = []
    for at, name in enumerate(value):
        if known is not None and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"use {', '.join(known)}"
            problems.append((f"[{at}]", f"unknown name `{name}`; {hint}"))
    return tuple(dict.fromkeys(value)), problems


def instant_of(value: Any, *, until: bool) -> tuple[int | None, Problems]:
    """Milliseconds UTC of a TOML date or time, or of an ISO text. A bare date is its start, or with `until` its end.

    >>> instant_of("1970-01-02", until=False), instant_of("1970-01-02", until=True)
    ((86400000, []), (172800000, []))
    >>> instant_of("1970-01-01T01:00:00+01:00", until=False)
    (0, [])
    """
    try:
        moment = _moment(value)
        if isinstance(moment, dt.datetime):
            aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            return (aware - _EPOCH) // dt.timedelta(milliseconds=1), []
        day = (moment - _EPOCH.date()).days
        return (day + until) * DAY, []
    except (ValueError, TypeError, OverflowError):
        return None, [("", "needs a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00+01:00")]


def _moment(value: Any) -> dt.datetime | dt.date:
    if isinstance(value, dt.datetime | dt.date):
        return value
    if not isinstance(value, str):
        raise TypeError(value)
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return dt.datetime.fromisoformat(value)


def content_of(value: Any) -> tuple[dict[str, Any], Problems]:
    """The free part of an offer, as plain JSON data: dates become ISO text, NaN and infinities are faults.

    >>> content_of({"title": "Tea", "until": dt.date(2026, 12, 31)})
    ({'title': 'Tea', 'until': '2026-12-31'}, [])
    """
    if not isinstance(value, dict):
        return {}, [("", "needs a table of anything the touchpoint shows")]
    problems: Problems = []
    plain = _plain(value, "", 0, problems)
    return plain, problems


def _plain(value: Any, path: str, depth: int, problems: Problems) -> Any:
    if depth > _MAX_DEPTH:
        problems.append((path, f"is nested deeper than {_MAX_DEPTH}"))
        return None
    if isinstance(value, dict):
        return {key: _plain(item, f"{path}.{key}", depth + 1, problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{path}[{at}]", depth + 1, problems) for at, item in enumerate(value)]
    if isinstance(value, dt.date | dt.time | dt.datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        problems.append((path, "is no finite number, and JSON has none such"))
    elif isinstance(value, int) and not isinstance(value, bool) and not -_INT64 <= value < _INT64:
        problems.append((path, "is beyond 64-bit integers; write it as a text"))
    return value
