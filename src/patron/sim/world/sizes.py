"""How large a world is: people, places, goods, days (7.2). The town of the demo is the smallest."""

from functools import lru_cache

from msgspec import Struct

from patron.sim.world.catalogue import Assortment
from patron.sim.world.geography import TOWN, Geography, geography


class Size(Struct, frozen=True):
    """One size. `burn_in` days are told too: they are the past that a platform starts with."""

    customers: int
    prospects: int
    cities: int
    stores: int
    products: int
    """In each of the twelve categories."""
    associates: int
    burn_in: int
    live: int

    @property
    def days(self) -> int:
        """Days told."""
        return self.burn_in + self.live


SIZES: dict[str, Size] = {
    "XS": Size(400, 0, 6, 6, 10, 4, 0, 90),
    "S": Size(2_000, 1_000, 8, 24, 20, 4, 90, 90),
    "M": Size(20_000, 10_000, 8, 48, 60, 6, 180, 185),
    "L": Size(200_000, 100_000, 24, 192, 200, 6, 180, 185),
}


@lru_cache(maxsize=8)
def places(name: str) -> Geography:
    """The cities and stores of a size; the six stores of the demo's town are the first of every one."""
    size = SIZES[name]
    return TOWN if name == "XS" else geography(size.stores, size.cities, size.associates)


@lru_cache(maxsize=8)
def goods(name: str) -> Assortment:
    """What is sold in a world of a size."""
    return Assortment(SIZES[name].products)
