"""What Alder & Rosso sells: twelve categories with their cycles and list prices, and the products in each."""

import datetime as dt
from collections.abc import Sequence
from functools import cache, cached_property, lru_cache
from itertools import accumulate

import numpy as np
from msgspec import Struct

from patron.sim.luck import Dice, Floats
from patron.sim.world.goods import SHELVES

CATEGORIES: tuple[str, ...] = tuple(SHELVES)
CYCLES: Floats = np.array([shelf[0] for shelf in SHELVES.values()], dtype=np.float64)
LIST_PRICES: Floats = np.array([shelf[1] for shelf in SHELVES.values()])
SEASONAL: tuple[str, ...] = ("candles", "pantry")
"""Wanted more in the season."""
_SEASON = range(46, 53)
"""ISO weeks."""
_GBP = 0.88
_POPULARITY = (9.0, 16.5, 22.5, 27.5, 31.5, 34.5, 37.0, 39.0, 40.5, 42.0)
"""Cumulative: the first products of a shelf sell most."""


class Product(Struct, frozen=True):
    """One product; prices in cents, so that money stays exact."""

    id: str
    name: str
    category: str
    eur: int
    gbp: int

    def price(self, currency: str) -> int:
        """Its price in cents of a currency (EUR or GBP)."""
        return self.gbp if currency == "GBP" else self.eur

    def paid(self, currency: str, factor: float) -> int:
        """Cents that one piece costs at a price factor, to the nearest five.

        >>> SHELF[0][0].paid("EUR", 0.85)
        585
        """
        return round(self.price(currency) * factor / 5) * 5


SHOP_WINDOW = (
    *(
        "Espresso beans 1 kg",
        "Descaling kit",
        "Burr grinder G2",
        "Milk jug 350 ml",
        "Cat food, salmon 1.5 kg",
    ),
    *("House blend 500 g", "Candle, cedar 220 g", "Olive soap, 6 bars"),
)
"""Names of the products that stand in front."""


def shelf(currency: str = "EUR") -> list[dict[str, str]]:
    """The products in front, for a page that sells them: id, name, category, and price as a decimal.

    >>> shelf()[0]
    {'id': 'P0102', 'name': 'Espresso beans 1 kg', 'category': 'coffee', 'price': '21.90'}
    """
    found = [product_named(name) for name in SHOP_WINDOW]
    return [
        {"id": p.id, "name": p.name, "category": p.category, "price": f"{p.price(currency) / 100:.2f}"}
        for p in found
    ]


def _pounds(cents: int) -> int:
    return max(100, round(cents * _GBP / 50) * 50 - 5)


LINES: tuple[tuple[str, float], ...] = (
    ("", 1.0),
    *(("Riva", 1.20), ("Alba", 0.85), ("Terra", 1.35), ("Nord", 1.10), ("Luna", 0.95), ("Brera", 1.50)),
    *(("Fonte", 0.75), ("Olmo", 1.05), ("Vela", 1.25), ("Piazza", 0.90), ("Sole", 1.15), ("Cedro", 1.60)),
    *(("Duna", 0.80), ("Faro", 1.30), ("Pieve", 1.00), ("Lago", 1.40), ("Corte", 0.70), ("Selva", 1.45)),
    ("Isola", 1.08),
)
"""Product lines and their prices beside the plain one: larger shops carry each product in more of them."""


class Assortment(Struct, frozen=True, dict=True):
    """What a retailer of some size sells.

    Parameters
    ----------
    products : of each category, a multiple of ten up to 200.

    >>> [Assortment(20).shelves[0][n].name for n in (0, 10)]
    ['Espresso beans 250 g', 'Espresso beans 250 g, Riva']
    """

    products: int = 10

    @cached_property
    def shelves(self) -> tuple[tuple[Product, ...], ...]:
        """The products of each category, in the order of `CATEGORIES`."""
        return tuple(self._shelf(n, category) for n, category in enumerate(CATEGORIES, start=1))

    @cached_property
    def _popularity(self) -> tuple[float, ...]:
        """Cumulative: the first products of a shelf sell most, and there is a long tail."""
        tail = (12.0 / (rank + 2) for rank in range(len(_POPULARITY), self.products))
        return (*_POPULARITY[:-1], *accumulate(tail, initial=_POPULARITY[-1]))

    def pick(self, dice: Dice, habits: Dice, category: int) -> Product:
        """The product somebody takes from a shelf: a personal favourite six times in ten, else a popular one."""
        if dice.chance(0.6, "favourite", category):
            return self.shelves[category][habits.choice(self._popularity, "favourite", category)]
        return self.shelves[category][dice.choice(self._popularity, "product", category)]

    def _shelf(self, number: int, category: str) -> tuple[Product, ...]:
        plain = SHELVES[category][2]
        return tuple(
            _product(f"P{number:02d}{n + 1:02d}", category, plain[n % len(plain)], LINES[n // len(plain)])
            for n in range(self.products)
        )


def _product(number: str, category: str, plain: tuple[str, float], line: tuple[str, float]) -> Product:
    (name, euros), (brand, factor) = plain, line
    cents = round(euros * 100) if factor == 1.0 else round(euros * factor * 10) * 10
    return Product(number, f"{name}, {brand}" if brand else name, category, cents, _pounds(cents))


SHELF: tuple[tuple[Product, ...], ...] = Assortment().shelves
"""The products of the smallest shop by category, in the order of `CATEGORIES`: every larger one has them, too."""


@cache
def product_named(name: str) -> Product:
    """The product of this name. KeyError when nothing on the shelves is called so.

    >>> product_named("Espresso beans 1 kg").eur
    2190
    """
    for shelf in SHELF:
        for product in shelf:
            if product.name == name:
                return product
    raise KeyError(f"no product is named {name!r}; see SHELVES")


def wanted_first(need: Sequence[float]) -> list[int]:
    """Indexes of the categories, most needed first.

    >>> wanted_first([0.1, 0.9] + [0.0] * 10)[:2]
    [1, 0]
    """
    return sorted(range(len(CATEGORIES)), key=lambda c: (-need[c], c))


def promotion(seed: int, category: int, week: int, share: float, factor: float) -> float:
    """The price factor of a category in a week: `factor` in a `share` of all weeks, else 1 (7.3)."""
    return factor if Dice(seed, category, week).chance(share, "promotion") else 1.0


def season(date: int, more: float = 1.8) -> Floats:
    """How much each category is wanted on a date (days since 1970), 1 in an ordinary week.

    >>> import datetime as dt
    >>> float(season((dt.date(2026, 11, 20) - dt.date(1970, 1, 1)).days).max())
    1.8
    """
    factor = np.ones(len(CATEGORIES))
    if _week(date) in _SEASON:
        factor[[CATEGORIES.index(name) for name in SEASONAL]] = more
    return factor


@lru_cache(maxsize=1024)
def _week(date: int) -> int:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=date)).isocalendar().week
