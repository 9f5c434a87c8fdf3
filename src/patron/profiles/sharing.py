"""One object for equal values: millions of rows then hold references, not copies. A cache, invisible in results."""

from typing import TypeVar

T = TypeVar("T", str, int)
_MOST = 10_000
_MOST_GOODS = 50_000
_LABEL = 200
"""Longest label remembered as written, in characters."""
shared: dict[str, str] = {}
"""The names that `share` gave out."""
goods: dict[str, str] = {}
"""The products and categories that `share_good` gave out."""
labels: dict[str, str] = {}
"""Categories as written -> as kept, shared."""
_days: dict[int, int] = {}


def share(text: str) -> str:
    """The first text seen that equals this one, for names of events and channels. Bounded: strangers make names up.

    >>> share("Product Viewed") is share("".join(["Product", " Viewed"]))
    True
    """
    return _first(shared, _MOST, text)


def share_good(text: str) -> str:
    """The same for ids and categories of products, apart from the names: a large catalogue must not crowd those out.

    >>> share_good("P0412") is share_good("".join(["P0", "412"]))
    True
    """
    return _first(goods, _MOST_GOODS, text)


def share_label(written: str, kept: str) -> str:
    """Remember how a label is kept, so that the next event that writes it so asks nobody.

    >>> share_label(" Coffee ", "Coffee"), labels[" Coffee "]
    ('Coffee', 'Coffee')
    """
    kept = share_good(kept)
    if len(labels) < _MOST and len(written) <= _LABEL:
        labels[written] = kept
    return kept


def share_day(day: int) -> int:
    """The same for UTC days since 1970; there are few, for event times are bounded.

    >>> share_day(20_000) is share_day(19_999 + 1)
    True
    """
    return _first(_days, _MOST, day)


def _first(cache: dict[T, T], most: int, value: T) -> T:
    """The first value given that equals this one, while there is room."""
    found = cache.get(value)
    if found is None:
        if len(cache) >= most:
            return value
        found = cache[value] = value
    return found
