"""How well an offer fits a person: what they did with its products and its category, as a few numbers from 0 to 1.

Learned from once for all offers, so that the first purchase of a category already says something about every offer of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.decide.gates import product_of
from patron.model.offers import Offer

NAMES: Final = (
    *("bought", "due", "viewed", "saved", "tried"),
    *("category bought", "category due", "category viewed", "category saved", "in cart"),
)
"""What stands at each place."""
SIZE: Final = len(NAMES)
RULED: Final = (0.0, 0.10, 0.06, 0.30, 0.40, 0.02, 0.20, 0.04, 0.10, 0.02)
"""What each adds to the expected successes before anything was learned: saved and tried things first, then what is due."""
_FADES: Final = (7 * 24.0, 30 * 24.0, 14 * 24.0)
"""Hours in which a view, a saving, a try lose two thirds of their weight."""
_CYCLE, _BELIEF, _STEEP = 45 * 24.0, 2.0, 0.3
"""How long people go without buying again, in hours, before anything is known; how many intervals that is worth; how sharp it is."""
Fits = NDArray[np.float32]


class Topic(Struct, frozen=True):
    """What an offer is about, under the names of `profiles.interests`."""

    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


def topic_of(offer: Offer, category_of: Callable[[str], str]) -> Topic:
    """The products and categories of an offer: the one it names, else those that the catalogue feed gives its products.

    >>> topic_of(Offer("a", "A", products=("P1",)), {"P1": "Coffee"}.__getitem__)
    Topic(products=('p:P1',), categories=('c:coffee',))
    """
    products = offer.products or tuple(filter(None, [product_of(offer)]))
    own = offer.content.get("category")
    named = [own] if isinstance(own, str) and own else [c for p in products if (c := category_of(p))]
    return Topic(
        tuple(f"p:{product}" for product in products),
        tuple(dict.fromkeys(f"c:{category[:100].casefold()}" for category in named)),
    )


class Cycle(Protocol):
    """Gives the sum of the intervals between purchases of a category, in hours, and their number; None when unknown."""

    def __call__(self, key: str, /) -> Sequence[int] | None: ...


def cycle_of(told: Sequence[int] | None) -> float:
    """The usual interval of a category in hours, leaning on six weeks until more is known.

    >>> cycle_of(None), cycle_of([200, 4]) < 700
    (1080.0, True)
    """
    total, count = told or (0, 0)
    return (total + _BELIEF * _CYCLE) / (count + _BELIEF)


def fits(
    topics: Sequence[Topic],
    interests: Mapping[str, Sequence[int]],
    cart: frozenset[str],
    hour: int,
    cycle: Cycle,
) -> Fits:
    """One row of `NAMES` for each offer.

    Parameters
    ----------
    interests : of the person (`profiles.interests`).
    cart : keys of what lies in the basket of this ask.
    hour : now, since 1970.

    >>> row = fits([Topic(("p:A",))], {"p:A": [0, 0, 0, 90, 100, 0]}, frozenset(), 100, lambda key: None)[0]
    >>> [name for name, value in zip(NAMES, row) if value]
    ['viewed', 'saved']
    """
    found = np.zeros((len(topics), SIZE), np.float32)
    if not interests and not cart:
        return found
    known: dict[str, tuple[float, ...]] = {}
    for at, topic in enumerate(topics):
        for key in topic.products:
            if key in interests or key in cart:
                _raise(found[at], 0, _signs(key, interests, hour, cycle, known))
                found[at, 9] = max(found[at, 9], key in cart)
        for key in topic.categories:
            if key in interests:
                _raise(found[at], 5, _signs(key, interests, hour, cycle, known)[:4])
    return found


def _raise(row: Any, start: int, values: Sequence[float]) -> None:
    for place, value in enumerate(values, start):
        row[place] = max(row[place], value)


def _signs(
    key: str,
    interests: Mapping[str, Sequence[int]],
    hour: int,
    cycle: Cycle,
    known: dict[str, tuple[float, ...]],
) -> tuple[float, ...]:
    """Bought, due, viewed, saved, tried: what was bought since it was saved or tried is no longer wanted for that."""
    found = known.get(key)
    if found is None:
        count, first, last, viewed, saved, tried = interests.get(key) or (0, 0, 0, 0, 0, 0)
        due = 0.0
        if count:
            usual = (last - first + _BELIEF * cycle_of(cycle(key))) / (count - 1 + _BELIEF)
            due = float(1 / (1 + np.exp(min(50.0, -((hour - last) / max(usual, 1.0) - 1) / _STEEP))))
        fades = [
            float(np.exp(-max(0, hour - at) / fade)) if at and at > last else 0.0
            for at, fade in zip((viewed, saved, tried), _FADES, strict=True)
        ]
        found = known[key] = (count / (count + 2.0), due, *fades)
    return found
