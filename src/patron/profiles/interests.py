"""What somebody looks at, saves, tries and buys, by product and by category, and which channels they answer on: one row a node,
merged by putting nodes side by side.

| place | meaning |
|---|---|
| 0 | how often bought; of a channel: how often a message was sent, or answered |
| 1, 2 | the first and the last time of that |
| 3 | last viewed |
| 4 | last saved or put in a basket |
| 5 | last tried (fitting room, sample, demonstration) |

Times are whole hours since 1970 (UTC), 0 = never. A row is the same in whatever order events come, but for what a full row forgets.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from patron.model.clock import HOUR
from patron.model.events import CHANNELS, Event

Signs = list[int]
Interests = dict[str, Signs]
"""`p:PRODUCT`, `c:CATEGORY`, `s:CHANNEL` (messages sent) or `a:CHANNEL` (messages answered) -> its signs."""
MOST = 120
"""Products and categories of a node; the one that was longest left alone goes first. Channels stay: there are few."""
BOUGHT, FIRST, LAST, VIEWED, SAVED, TRIED = range(6)
_LONGEST = 100
_SIGNS: Mapping[str, int] = {
    "Product Viewed": VIEWED,
    "Product Clicked": VIEWED,
    "Cart Line Scanned": SAVED,
    "Product Added": SAVED,
    "Product Added to Wishlist": SAVED,
    "Product Saved": SAVED,
    "Reservation Created": SAVED,
    "Wishlist Product Added to Cart": SAVED,
    "Product Tried": TRIED,
    "Product Tried On": TRIED,
    "Try-On Completed": TRIED,
    "Order Completed": BOUGHT,
}
MESSAGES: Mapping[str, str] = {"Message Sent": "s:", "Message Clicked": "a:"}
"""What was sent, and what counts as an answer -> how their names begin."""
_OF_MESSAGES = frozenset(MESSAGES.values())
TOLD = frozenset({*_SIGNS, *MESSAGES})
"""Events that say what somebody is interested in, or where they answer."""


def fold(interests: Interests, event: Event) -> list[str]:
    """Add one event of `TOLD`; gives the names it was about.

    >>> kept = {}
    >>> view = {"product_id": "P1", "category": "Coffee"}
    >>> fold(kept, Event(1, "web", "web", "track", "Product Viewed", "m", 5 * HOUR, 5 * HOUR, properties=view))
    ['p:P1', 'c:coffee']
    >>> kept
    {'p:P1': [0, 0, 0, 5, 0, 0], 'c:coffee': [0, 0, 0, 5, 0, 0]}
    """
    sign, hour = _SIGNS.get(event.name, BOUGHT), event.time // HOUR
    about = names_of(event)
    for key in about:
        signs = interests.get(key)
        if signs is None:
            signs = interests[key] = [0] * 6
        if sign != BOUGHT:
            signs[sign] = max(signs[sign], hour)
        else:
            signs[BOUGHT] += 1
            signs[FIRST] = min(signs[FIRST] or hour, hour)
            signs[LAST] = max(signs[LAST], hour)
    return about


def names_of(event: Event) -> list[str]:
    """What an event of `TOLD` is about: products and categories, each once; of an order those of its lines too; of a message its
    channel, if there is such a channel (`model.events.CHANNELS`).

    >>> names_of(Event(1, "esp", "backend", "track", "Message Sent", "m", 0, 0, properties={"channel": "email"}))
    ['s:email']
    """
    kind = MESSAGES.get(event.name)
    if kind is not None:
        told = event.properties.get("channel")
        channel = told.casefold() if isinstance(told, str) and told else event.channel
        return [kind + channel] if channel in CHANNELS else []
    return list(named(event.properties, lines=_SIGNS[event.name] == BOUGHT))


def crowded(interests: Interests) -> list[str]:
    """The products and categories that must go so that a row is not too long: those that were longest left alone.

    >>> crowded({f"p:{n}": [0, 0, 0, n, 0, 0] for n in range(MOST + 1)})
    ['p:0']
    """
    if len(interests) <= MOST:
        return []
    names = [key for key in interests if key[:2] not in _OF_MESSAGES]
    over = len(names) - MOST
    return sorted(names, key=lambda one: (max(interests[one][LAST:]), one))[:over] if over > 0 else []


def intervals(signs: Signs) -> tuple[int, int]:
    """Hours between the purchases of a name, added up, and how many intervals that are.

    >>> intervals([3, 10, 50, 0, 0, 0]), intervals([1, 10, 10, 0, 0, 0])
    ((40, 2), (0, 0))
    """
    return signs[LAST] - signs[FIRST], max(0, signs[BOUGHT] - 1)


def answered(interests: Interests, channel: str) -> tuple[int, int]:
    """How many messages of a channel somebody answered, and how many were sent to them.

    >>> answered({"s:email": [9, 1, 5, 0, 0, 0], "a:email": [2, 1, 4, 0, 0, 0]}, "email"), answered({}, "sms")
    ((2, 9), (0, 0))
    """
    sent, back = interests.get(f"s:{channel}"), interests.get(f"a:{channel}")
    return back[BOUGHT] if back else 0, sent[BOUGHT] if sent else 0


def named(told: Mapping[str, Any], *, lines: bool = False) -> Iterable[str]:
    """The products and categories that an event names, each once; with `lines` those of its products too.

    >>> list(named({"products": [{"sku": "A", "category": "Tea"}, {"sku": "B", "category": "tea"}]}, lines=True))
    ['p:A', 'c:tea', 'p:B']
    """
    found = dict.fromkeys(_named(told))
    if lines and isinstance(products := told.get("products"), list):
        for line in products[:MOST]:
            if isinstance(line, Mapping):
                found.update(dict.fromkeys(_named(line)))
    return found


def _named(told: Mapping[str, Any]) -> Iterator[str]:
    for name in ("product_id", "productId", "sku"):
        product = told.get(name)
        if isinstance(product, str) and product:
            yield f"p:{product[:_LONGEST]}"
            break
    category = told.get("category")
    if isinstance(category, str) and category:
        yield category_key(category)


def category_key(category: str) -> str:
    """Where a category stands."""
    return f"c:{category[:_LONGEST].casefold()}"


def merged(rows: Iterable[Interests]) -> Interests:
    """The signs of all nodes of a person together. What is given must not be changed: it may be a node's own row.

    >>> merged([{"p:A": [1, 4, 4, 0, 0, 0]}, {"p:A": [1, 2, 2, 9, 0, 0]}])
    {'p:A': [2, 2, 4, 9, 0, 0]}
    """
    held = [row for row in rows if row]
    if len(held) == 1:
        return held[0]
    found: Interests = {}
    for row in held:
        for key, signs in row.items():
            before = found.get(key)
            found[key] = signs if before is None else _together(before, signs)
    return found


def _together(one: Signs, other: Signs) -> Signs:
    firsts = [first for first in (one[FIRST], other[FIRST]) if first]
    return [one[BOUGHT] + other[BOUGHT], min(firsts, default=0), *map(max, one[LAST:], other[LAST:])]
