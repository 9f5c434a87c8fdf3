"""Readers of single values: ids, texts, numbers, times of day. Each gives a value and (place, problem) pairs."""

import datetime as dt
import difflib
import re
from collections.abc import Sequence
from typing import Any

from patron.decide.reading.fields import Problems

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
ID_HINT = "an id is 1 to 64 of a-z 0-9 . _ - and starts with a letter or digit"


def id_of(value: Any) -> tuple[str, Problems]:
    """An id; empty when it is none.

    >>> id_of("web_home"), id_of("Web home")[1][0][1][:14]
    (('web_home', []), 'an id is 1 to ')
    """
    return (value, []) if isinstance(value, str) and _ID.match(value) else ("", [("", ID_HINT)])


def ids_of(value: Any) -> tuple[tuple[str, ...], Problems]:
    """A list of ids without repetition.

    >>> ids_of(["a", "a"]), ids_of(["A"])[1][0][0]
    ((('a',), []), '[0]')
    """
    if not isinstance(value, list):
        return (), [("", "needs a list of ids; leave it out for all")]
    problems = [(f"[{at}]", ID_HINT) for at, one in enumerate(value) if id_of(one)[1]]
    return () if problems else tuple(dict.fromkeys(value)), problems


def text_of(value: Any, limit: int) -> tuple[str, Problems]:
    """A text that is not empty.

    >>> text_of("Tea", 200), text_of(" ", 200)[1]
    (('Tea', []), [('', 'needs a text that is not empty')])
    """
    if not isinstance(value, str) or not value.strip():
        return "", [("", "needs a text that is not empty")]
    if len(value) > limit:
        return "", [("", f"at most {limit} characters, this has {len(value)}")]
    return value, []


def number_of(value: Any, low: float, high: float) -> tuple[float, Problems]:
    """A number within bounds; whole ones are taken too. NaN and infinities lie within none.

    >>> number_of(3, 0, 10), number_of(float("nan"), 0, 10)[1]
    ((3.0, []), [('', 'needs a number from 0 to 10, not nan')])
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return 0.0, [("", f"needs a number from {_plain(low)} to {_plain(high)}, not {_shown(value)}")]
    return float(value) + 0.0, []  # -0.0 is 0.0


def whole_of(value: Any, low: int, high: int) -> tuple[int, Problems]:
    """A whole number within bounds.

    >>> whole_of(2.0, 1, 9)[1]
    [('', 'needs a whole number from 1 to 9, not 2.0')]
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        return low, [("", f"needs a whole number from {low} to {high}, not {_shown(value)}")]
    return value, []


def truth_of(value: Any) -> tuple[bool, Problems]:
    """`true` or `false`.

    >>> truth_of("yes")[1]
    [('', 'needs true or false, not "yes"')]
    """
    return (
        (value, [])
        if isinstance(value, bool)
        else (False, [("", f"needs true or false, not {_shown(value)}")])
    )


def choice_of(value: Any, known: Sequence[str]) -> tuple[str, Problems]:
    """One of some names.

    >>> choice_of("clik", ["view", "click"])[1]
    [('', 'unknown name "clik"; did you mean `click`?')]
    """
    if isinstance(value, str) and value in known:
        return value, []
    near = difflib.get_close_matches(value, known, n=1) if isinstance(value, str) else []
    hint = f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(known)}"
    return known[0], [("", f"unknown name {_shown(value)}; {hint}")]


def minute_of(value: Any) -> tuple[int, Problems]:
    """Minute of the day, of a TOML time or a text such as "21:00". Seconds are refused: nobody means them.

    >>> minute_of("21:30"), minute_of(dt.time(8))
    ((1290, []), (480, []))
    """
    if isinstance(value, dt.time) and not (value.second or value.microsecond):
        return value.hour * 60 + value.minute, []
    found = _TIME.match(value) if isinstance(value, str) else None
    if found is None:
        return 0, [("", f'needs a time of day from "00:00" to "23:59", such as "21:00", not {_shown(value)}')]
    return int(found[1]) * 60 + int(found[2]), []


def languages_of(value: Any) -> tuple[tuple[str, ...], Problems]:
    """A list of language tags (RFC 5646: language, then script, region, variant), as written.

    >>> languages_of(["it", "pt-BR"]), languages_of(["italian!"])[1][0][0]
    ((('it', 'pt-BR'), []), '[0]')
    """
    if not isinstance(value, list):
        return (), [("", 'needs a list of languages such as ["it", "de-CH"]; leave it out for all')]
    problems = [
        (f"[{at}]", f"needs a language such as `it` or `de-CH`, not {_shown(one)}")
        for at, one in enumerate(value)
        if not isinstance(one, str) or not _LANGUAGE.match(one)
    ]
    return () if problems else tuple(dict.fromkeys(value)), problems


def _plain(bound: float) -> str:
    return f"{bound:,.10g}".replace(",", " ")


def _shown(value: Any) -> str:
    """A value as it was written, cut short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value[:40]}{"…" if len(value) > 40 else ""}"'
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of very many digits"
    return str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"
