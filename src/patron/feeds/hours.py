"""Opening hours as stores write them: a small part of OpenStreetMap's `opening_hours`.

`Mo-Fr 09:00-12:30,14:00-20:00; Sa 09:00-13:00; Su off`. Source: https://wiki.openstreetmap.org/wiki/Key:opening_hours
"""

import re
from functools import lru_cache

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_RULE = re.compile(r"(?:(?P<days>[A-Za-z,\- ]+?) )?(?P<spans>off|24/7|[0-9:,\- ]+)")
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")

Week = tuple[tuple[tuple[int, int], ...], ...]
"""For each day from Monday, the spans in minutes after midnight; a span may end after 1,440."""


@lru_cache(maxsize=4096)
def week(text: str) -> Week:
    """Read opening hours. A later rule replaces an earlier one of the same day. ValueError when they cannot be read.

    >>> week("Mo-Sa 09:00-20:00; Sa 10:00-13:00")[5], week("24/7")[6]
    (((600, 780),), ((0, 1440),))
    """
    found: list[tuple[tuple[int, int], ...]] = [()] * 7
    for rule in filter(None, (part.strip() for part in text.split(";"))):
        match = _RULE.fullmatch(rule)
        if match is None:
            raise ValueError(f"`{rule[:40]}` cannot be read")
        spans = _spans(match["spans"])
        for day in _days(match["days"]):
            found[day] = spans
    return tuple(found)


def is_open(text: str, weekday: int, minute: int) -> bool:
    """Whether a store is open at a minute (after midnight, by its clock) of a weekday (0 = Monday).

    >>> is_open("Fr 18:00-02:00", 5, 60), is_open("Mo-Fr 09:00-20:00", 5, 600)
    (True, False)
    """
    days = week(text)
    return any(a <= minute < b for a, b in days[weekday]) or any(
        a <= minute + 1440 < b for a, b in days[weekday - 1]
    )


def _days(text: str | None) -> list[int]:
    if text is None:
        return list(range(7))
    found = []
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        ends = [first, last or first]
        if any(end not in DAYS for end in ends):
            raise ValueError(f"`{part[:20]}` is no day; days are {' '.join(DAYS)}")
        a, b = (DAYS.index(end) for end in ends)
        found += [day % 7 for day in range(a, b + 1 if b >= a else b + 8)]
    return found


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    if text == "off":
        return ()
    if text == "24/7":
        return ((0, 1440),)
    found = []
    for part in text.replace(" ", "").split(","):
        match = _SPAN.fullmatch(part)
        if match is None:
            raise ValueError(f"`{part[:20]}` is no span; write 09:00-20:00")
        h1, m1, h2, m2 = (int(number) for number in match.groups())
        begin, end = 60 * h1 + m1, 60 * h2 + m2
        if m1 > 59 or m2 > 59 or begin > 1440 or end > 1440:
            raise ValueError(f"`{part}` is no span of a day; write 09:00-20:00")
        found.append((begin, end if end > begin else end + 1440))
    return tuple(found)
