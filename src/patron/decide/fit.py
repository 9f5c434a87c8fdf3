"""How well an offer fits a person and a place: what they did with its products and its category, and how these sell here, as a
few numbers from 0 to 1.

Learned from once for all offers, so that the first purchase of a category already says something about every offer of it.
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp, fsum
from typing import Final, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from patron.decide.gates import product_of
from patron.model.offers import Offer

NAMES: Final = (
    *("bought", "due", "viewed", "saved", "tried"),
    *("category bought", "category due", "category viewed", "category saved", "in cart"),
    *("popular", "selling in this store", "selling in this town", "viewed in this town"),
)
"""What stands at each place. New ones come last: an older record that ends before them says 0 of each."""
SIZE: Final = len(NAMES)
RULED: Final = (0.0, 0.10, 0.06, 0.30, 0.40, 0.02, 0.20, 0.04, 0.10, 0.02, 0.03, 0.08, 0.12, 0.04)
"""What each adds to the expected successes before anything was learned: saved and tried things first, then what is due."""
TRENDS: Final = NAMES.index("popular")
"""Where begins what is the same for everybody at a place (`decide.trends`)."""
_SELLING, _IN_TOWN, _VIEWED = range(TRENDS + 1, SIZE)
_FADES: Final = (7 * 24.0, 30 * 24.0, 14 * 24.0)
"""Hours in which a view, a saving, a try lose two thirds of their weight."""
_CYCLE, _BELIEF, _STEEP = 45 * 24.0, 2.0, 0.3
"""How long people go without buying again, in hours, before anything is known; how many intervals that is worth; how sharp it is."""
_DUE, _LAPSED, _ELSEWHERE = 0.85, 1.6, 0.6
"""Usual intervals after which something is wanted again; after which it was rather bought elsewhere; how far that goes."""
_CATEGORY, _IN_CART = NAMES.index("category bought"), NAMES.index("in cart")
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


class Topics:
    """The topics of a catalogue's offers, by what they name: somebody who did little costs little.

    >>> topics = Topics([Topic(("p:A",)), Topic(("p:B",), ("c:tea",))])
    >>> row = topics.fits({"p:A": [0, 0, 0, 90, 100, 0]}, frozenset(), 100, lambda key: None)[0]
    >>> [name for name, value in zip(NAMES, row) if value]
    ['viewed', 'saved']
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._size = len(topics)
        self._by_key: dict[str, list[int]] = {}
        for at, topic in enumerate(topics):
            for key in (*topic.products, *topic.categories):
                self._by_key.setdefault(key, []).append(at)

    def fits(
        self, interests: Mapping[str, Sequence[int]], cart: frozenset[str], hour: int, cycle: Cycle
    ) -> Fits | None:
        """One row of `NAMES` for each offer; None when no offer is about anything of this person's.

        Parameters
        ----------
        interests : of the person (`profiles.interests`).
        cart : keys of what lies in the basket of this ask.
        hour : now, since 1970.
        """
        by_key = self._by_key
        products, categories = _Raised(), _Raised()
        for key in by_key.keys() & interests.keys():  # in any order: of each sign the greatest stands
            signs = _signs(interests[key], cycle(key), hour)
            (categories if key[0] == "c" else products).add(by_key[key], signs)
        carried = [place for key in cart if key[0] == "p" for place in by_key.get(key, ())]
        if not (products or categories or carried):
            return None
        found = np.zeros((self._size, SIZE), np.float32)
        products.into(found[:, :_CATEGORY])
        categories.into(found[:, _CATEGORY:_IN_CART])
        if carried:
            found[carried, _IN_CART] = 1.0
        return found

    def places(self, product: str) -> Sequence[int]:
        """Where the offers of a product stand."""
        return self._by_key.get(f"p:{product}", ())

    @property
    def size(self) -> int:
        """How many offers there are."""
        return self._size


def wants(interests: Mapping[str, Sequence[int]], hour: int, cycle: Cycle) -> tuple[float, float]:
    """How due the most due of somebody's categories is, and all of them together.

    Who is due buys anyway: what speaks of the person is told apart from what speaks for an offer.

    >>> wants({"c:tea": [9, 0, 900, 0, 0, 0], "p:A": [9, 0, 900, 0, 0, 0]}, 1_020, lambda key: [9_000, 80]) > (0.3, 0.3)
    True
    >>> wants({}, 1_020, lambda key: None)
    (0.0, 0.0)
    """
    found = [_due(signs, cycle(key), hour) for key, signs in interests.items() if key[0] == "c" and signs[0]]
    return max(found, default=0.0), fsum(found)  # fsum: the same in whatever order they come


def is_trending(fit: bytes) -> bool:
    """Whether a recorded fit says that something sells or is looked at more than usual where it was asked for.

    >>> is_trending(bytes(SIZE)), is_trending(bytes(SIZE - 1) + b"x"), is_trending(b"")
    (False, True, False)
    """
    return len(fit) == SIZE and any(fit[_SELLING:])


def trend_said(fit: bytes, store: str, town: str) -> str:
    """What a recorded fit says of a place, in a sentence; empty when nothing.

    Parameters
    ----------
    store, town : as people call them; empty when that is not known.

    >>> trend_said(bytes(TRENDS + 1) + bytes((0, 40, 0)), "Via Roma", "Torino")
    'Selling fast in Torino today'
    >>> trend_said(bytes(TRENDS + 1) + bytes((40, 40, 0)), "Via Roma", "Torino"), trend_said(bytes(SIZE), "Via Roma", "")
    ('Selling fast at Via Roma today', '')
    """
    if not is_trending(fit):
        return ""
    store = store or "this store"
    where = f"in {town}" if town else f"at {store}"
    if fit[_SELLING]:
        return f"Selling fast at {store} today"
    if fit[_IN_TOWN]:
        return f"Selling fast {where} today"
    return f"Looked at a lot {where} today" if fit[_VIEWED] else ""


class _Raised:
    """Signs of some products or categories and the offers of each, put in at once."""

    __slots__ = ("_places", "_signs", "_which")

    def __init__(self) -> None:
        self._places: list[int] = []
        self._which: list[int] = []
        self._signs: list[tuple[float, ...]] = []

    def __bool__(self) -> bool:
        return bool(self._signs)

    def add(self, places: Sequence[int], signs: tuple[float, ...]) -> None:
        """These offers are about something with these signs."""
        self._places += places
        self._which += [len(self._signs)] * len(places)
        self._signs.append(signs)

    def into(self, found: Fits) -> None:
        """Raise the rows of the offers to the greatest of their signs, as many as there are columns."""
        if self._signs:
            signs = np.array(self._signs, np.float32)[:, : found.shape[1]]
            np.maximum.at(found, self._places, signs.take(self._which, 0))


def _due(signs: Sequence[int], told: Sequence[int] | None, hour: int) -> float:
    """How much it is time again for what was bought: if often enough to be a habit, from a little before its interval is over; what
    is long overdue was mostly bought elsewhere.
    """
    count, first, last = signs[:3]
    usual = (last - first + _BELIEF * cycle_of(told)) / (count - 1 + _BELIEF)
    ratio, habit = (hour - last) / max(usual, 1.0), count / (count + _BELIEF)
    return habit * (_passed(ratio - _DUE) - _ELSEWHERE * _passed(ratio - _LAPSED))


def _passed(over: float) -> float:
    return 1 / (1 + exp(min(50.0, -over / _STEEP)))


def _signs(signs: Sequence[int], told: Sequence[int] | None, hour: int) -> tuple[float, ...]:
    """Bought, due, viewed, saved, tried: what was bought since it was saved or tried is no longer wanted for that."""
    count, _, last, viewed, saved, tried = signs
    due = _due(signs, told, hour) if count else 0.0
    fades = [
        exp(-max(0, hour - at) / fade) if at > last else 0.0
        for at, fade in zip((viewed, saved, tried), _FADES, strict=True)
    ]
    return count / (count + 2.0), due, *fades
