"""What Alder & Rosso sells: twelve categories with their cycles and list prices, and the products in each."""

from functools import cache

import numpy as np
from msgspec import Struct

from patron.sim.luck import Dice, Floats

SHELVES: dict[str, tuple[int, float, tuple[tuple[str, float], ...]]] = {
    "coffee": (
        14,
        9.0,
        (
            ("Espresso beans 250 g", 6.90),
            ("Espresso beans 1 kg", 21.90),
            ("Filter roast, Ethiopia 250 g", 8.50),
            ("Decaf blend 250 g", 7.40),
            ("Moka ground coffee 250 g", 5.90),
            ("Single origin, Guatemala 250 g", 9.20),
            ("Coffee capsules, 40 pieces", 13.90),
            ("Cold brew bags, 6 pieces", 9.90),
            ("House blend 500 g", 12.50),
            ("Descaling kit", 11.90),
        ),
    ),
    "tea": (
        21,
        12.0,
        (
            ("Breakfast tea, 50 bags", 6.50),
            ("Earl Grey loose leaf 100 g", 9.80),
            ("Sencha 100 g", 12.40),
            ("Camomile flowers 50 g", 7.20),
            ("Rooibos vanilla 100 g", 8.90),
            ("Jasmine pearls 80 g", 16.50),
            ("Matcha for whisking 30 g", 22.00),
            ("Masala chai 100 g", 9.40),
            ("Mint and liquorice, 20 bags", 5.60),
            ("Tea sampler, 12 tins", 24.00),
        ),
    ),
    "pet": (
        21,
        14.0,
        (
            ("Cat food, salmon 1.5 kg", 13.90),
            ("Cat food, chicken pouches, 24", 15.80),
            ("Dog kibble, lamb 3 kg", 19.50),
            ("Dog chews, 10 pieces", 7.90),
            ("Cat litter, clumping 10 l", 11.20),
            ("Fish flakes 200 ml", 6.40),
            ("Kitten milk, 4 bottles", 9.60),
            ("Grain-free treats 300 g", 8.20),
            ("Flea collar", 17.90),
            ("Puppy starter pack", 24.90),
        ),
    ),
    "pantry": (
        28,
        18.0,
        (
            ("Extra virgin olive oil 750 ml", 14.90),
            ("Balsamic vinegar 250 ml", 12.80),
            ("Bronze-cut pasta, 6 packs", 13.50),
            ("Dark chocolate gift box", 18.90),
            ("Chestnut honey 500 g", 11.40),
            ("Almond biscuits 400 g", 9.20),
            ("Sea salt and pepper set", 15.60),
            ("Pesto trio", 16.80),
            ("Smoked paprika tin", 6.90),
            ("Truffle cream 90 g", 21.50),
        ),
    ),
    "care": (
        35,
        22.0,
        (
            ("Olive soap, 6 bars", 16.20),
            ("Hand cream, fig 75 ml", 12.90),
            ("Shower oil 250 ml", 18.40),
            ("Solid shampoo, rosemary", 11.50),
            ("Face serum 30 ml", 34.00),
            ("Body butter 200 ml", 21.80),
            ("Beard oil 50 ml", 17.60),
            ("Bath salts, lavender 600 g", 14.30),
            ("Lip balm trio", 9.90),
            ("Shaving set", 39.00),
        ),
    ),
    "cleaning": (
        45,
        25.0,
        (
            ("Laundry liquid refill 3 l", 21.40),
            ("Dish tablets, 80 pieces", 18.90),
            ("Marseille soap flakes 1 kg", 13.70),
            ("Citric acid cleaner, 4 bottles", 22.60),
            ("Oven and hob paste", 9.80),
            ("Bamboo cloths, 10 pieces", 14.50),
            ("Floor care concentrate 2 l", 19.20),
            ("Machine care kit", 26.90),
            ("Beechwood brush set", 31.00),
            ("Refill starter set", 36.50),
        ),
    ),
    "candles": (
        60,
        30.0,
        (
            ("Candle, cedar 220 g", 26.00),
            ("Candle, bergamot 220 g", 26.00),
            ("Beeswax tapers, 8 pieces", 19.50),
            ("Reed diffuser 200 ml", 34.90),
            ("Room spray, linen", 18.20),
            ("Travel candle trio", 29.80),
            ("Large three-wick candle", 48.00),
            ("Tea lights, 50 pieces", 14.90),
            ("Oil burner, stoneware", 32.50),
            ("Winter spice candle", 28.00),
        ),
    ),
    "tableware": (
        60,
        35.0,
        (
            ("Espresso cups, set of 4", 32.00),
            ("Stoneware mug, ash", 13.90),
            ("Dinner plates, set of 4", 46.00),
            ("Wine glasses, set of 6", 38.50),
            ("Milk jug 350 ml", 24.50),
            ("Serving board, olive wood", 35.90),
            ("Water carafe", 27.40),
            ("Cutlery set, 16 pieces", 59.00),
            ("Breakfast bowls, set of 4", 29.80),
            ("Salad bowl, acacia", 41.50),
        ),
    ),
    "textiles": (
        90,
        45.0,
        (
            ("Linen tea towels, set of 3", 26.50),
            ("Bath towel, waffle", 34.90),
            ("Tablecloth, washed linen", 64.00),
            ("Cushion cover, bouclé", 29.50),
            ("Wool throw", 79.00),
            ("Duvet cover, percale", 89.00),
            ("Apron, denim", 36.00),
            ("Napkins, set of 6", 32.40),
            ("Bath mat, cork", 39.90),
            ("Oven gloves", 21.80),
        ),
    ),
    "cookware": (
        90,
        55.0,
        (
            ("Moka pot, 6 cups", 34.90),
            ("Cast-iron pan 28 cm", 59.00),
            ("Chef's knife 20 cm", 74.00),
            ("Steamer basket", 24.50),
            ("Roasting tray", 42.80),
            ("Copper saucepan 16 cm", 96.00),
            ("Pasta machine", 69.90),
            ("Mortar, granite", 38.40),
            ("Bread tin, set of 2", 29.60),
            ("Digital scale", 32.00),
        ),
    ),
    "garden": (
        120,
        70.0,
        (
            ("Herb planter, terracotta", 48.00),
            ("Watering can 5 l", 36.50),
            ("Secateurs", 42.90),
            ("Lemon tree", 89.00),
            ("Bird feeder, oak", 54.00),
            ("Outdoor lantern, set of 2", 68.00),
            ("Potting bench", 139.00),
            ("Seed library, 24 packets", 39.80),
            ("Garden apron and gloves", 57.60),
            ("Folding bistro chair", 98.00),
        ),
    ),
    "machines": (
        180,
        90.0,
        (
            ("Burr grinder G2", 119.00),
            ("Espresso machine E1", 189.00),
            ("Milk frother", 59.00),
            ("Gooseneck kettle", 79.00),
            ("Pour-over set", 46.00),
            ("Toaster, two slots", 69.00),
            ("Hand blender", 64.00),
            ("Capsule machine", 99.00),
            ("Soda maker", 84.00),
            ("Electric mill, salt and pepper", 52.00),
        ),
    ),
}
"""category -> (cycle in days, list price in EUR, products with their EUR prices); cycles and list prices as 7.3."""

CATEGORIES: tuple[str, ...] = tuple(SHELVES)
CYCLES: Floats = np.array([shelf[0] for shelf in SHELVES.values()], dtype=np.float64)
LIST_PRICES: Floats = np.array([shelf[1] for shelf in SHELVES.values()])
SEASONAL: tuple[str, ...] = ("candles", "pantry")
"""Sell 1.8 times as much in weeks 46-52."""
MARGIN = 0.34
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


def _shelf(number: int, category: str) -> tuple[Product, ...]:
    rows = SHELVES[category][2]
    return tuple(
        Product(f"P{number:02d}{n:02d}", name, category, round(eur * 100), _pounds(round(eur * 100)))
        for n, (name, eur) in enumerate(rows, start=1)
    )


SHELF: tuple[tuple[Product, ...], ...] = tuple(_shelf(n, c) for n, c in enumerate(CATEGORIES, start=1))
"""The products of each category, in the order of `CATEGORIES`."""


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


def pick_product(dice: Dice, habits: Dice, category: int) -> Product:
    """The product somebody takes from a shelf: a personal favourite six times in ten, else a popular one."""
    if dice.chance(0.6, "favourite", category):
        return SHELF[category][habits.choice(_POPULARITY, "favourite", category)]
    return SHELF[category][dice.choice(_POPULARITY, "product", category)]


def promotion(seed: int, category: int, week: int, share: float = 0.10, factor: float = 0.85) -> float:
    """The price factor of a category in a week: `factor` in a `share` of all weeks, else 1 (7.3)."""
    return factor if Dice(seed, category, week).chance(share, "promotion") else 1.0


def season(iso_week: int, more: float = 1.8) -> Floats:
    """How much each category is wanted in an ISO week, 1 in an ordinary one."""
    factor = np.ones(len(CATEGORIES))
    if 46 <= iso_week <= 52:
        factor[[CATEGORIES.index(name) for name in SEASONAL]] = more
    return factor
