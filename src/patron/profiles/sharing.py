"""One object for equal values: millions of rows then hold references, not copies. A cache, invisible in results."""

_MOST = 10_000
_texts: dict[str, str] = {}
_days: dict[int, int] = {}


def share(text: str) -> str:
    """The first text seen that equals this one, for names of events and channels. Bounded: strangers make names up.

    >>> share("Product Viewed") is share("".join(["Product", " Viewed"]))
    True
    """
    found = _texts.get(text)
    if found is None:
        if len(_texts) >= _MOST:
            return text
        found = _texts[text] = text
    return found


def share_day(day: int) -> int:
    """The same for UTC days since 1970; there are few, for event times are bounded.

    >>> share_day(20_000) is share_day(19_999 + 1)
    True
    """
    found = _days.get(day)
    if found is None:
        if len(_days) >= _MOST:
            return day
        found = _days[day] = day
    return found
