"""Where the retailer trades in a world of some size: its cities, the stores in them, and what is wrong with a few."""

from functools import cached_property

import numpy as np
from msgspec import Struct, structs

from patron.sim.luck import Dice, Floats, Ints
from patron.sim.world.parameters import Parameters
from patron.sim.world.shops import COUNTRIES, STORES, Store, country_of

STORE_LUCK = 1 << 41
"""Added to a store's number, so that its luck is nobody else's."""
_STREETS: dict[str, tuple[str, ...]] = {
    "IT": ("Centro", "Stazione", "Porta Nuova", "Navigli", "Corso", "Mercato", "Giardini", "Università"),
    "ES": ("Centro", "Estación", "Mayor", "Mercado", "Plaza Nueva", "Ensanche", "Puerto", "Jardines"),
    "GB": (
        "High Street",
        "Station Road",
        "Market Place",
        "Riverside",
        "Old Town",
        "Broadway",
        "Northgate",
        "Park Lane",
    ),
}


class City(Struct, frozen=True):
    """A city: where it lies, and its share of the people of its country."""

    name: str
    country: str
    lat: float
    lon: float
    weight: float


CITIES: tuple[City, ...] = (
    City("Milano", "IT", 45.4642, 9.1900, 3.0),
    City("Bologna", "IT", 44.4949, 11.3426, 1.5),
    City("Roma", "IT", 41.9028, 12.4964, 3.5),
    City("Madrid", "ES", 40.4168, -3.7038, 3.5),
    City("Sevilla", "ES", 37.3891, -5.9845, 1.4),
    City("Valencia", "ES", 39.4699, -0.3763, 1.6),
    City("London", "GB", 51.5072, -0.1276, 4.5),
    City("Bristol", "GB", 51.4545, -2.5879, 1.2),
    City("Torino", "IT", 45.0703, 7.6869, 1.6),
    City("Firenze", "IT", 43.7696, 11.2558, 1.1),
    City("Napoli", "IT", 40.8518, 14.2681, 1.9),
    City("Verona", "IT", 45.4384, 10.9916, 0.8),
    City("Genova", "IT", 44.4056, 8.9463, 1.0),
    City("Barcelona", "ES", 41.3874, 2.1686, 2.9),
    City("Zaragoza", "ES", 41.6488, -0.8891, 1.1),
    City("Bilbao", "ES", 43.2630, -2.9350, 0.9),
    City("Málaga", "ES", 36.7213, -4.4214, 1.1),
    City("Granada", "ES", 37.1773, -3.5986, 0.7),
    City("Manchester", "GB", 53.4808, -2.2426, 1.8),
    City("Leeds", "GB", 53.8008, -1.5491, 1.2),
    City("Edinburgh", "GB", 55.9533, -3.1883, 1.1),
    City("Cardiff", "GB", 51.4816, -3.1791, 0.8),
    City("Liverpool", "GB", 53.4084, -2.9916, 1.2),
    City("Brighton", "GB", 50.8225, -0.1372, 0.7),
)
"""The first eight are those of sizes S and M."""

FAULTS = ("traffic", "evening", "basket", "stock")
_FAULTY = ((5, "traffic"), (9, "evening"), (14, "basket"), (18, "stock"), (21, "traffic"), (23, "basket"))
"""Number of a store, from 1 -> what is wrong with it. Small worlds have those that they have."""


class Geography(Struct, frozen=True, dict=True):
    """The cities and stores of one world; stores are told by their index."""

    cities: tuple[City, ...]
    stores: tuple[Store, ...]
    faults: dict[int, str] = {}
    """Index of a store -> its one fault (`traffic`, `evening`, `basket`, `stock`); at most six stores."""

    @cached_property
    def index(self) -> dict[str, int]:
        """Store id -> index."""
        return {store.id: n for n, store in enumerate(self.stores)}

    @cached_property
    def city_of(self) -> Ints:
        """Index of the city of each store."""
        names = [city.name for city in self.cities]
        return np.array([names.index(store.city) for store in self.stores], dtype=np.int64)

    @cached_property
    def by_country(self) -> tuple[tuple[Ints, Floats], ...]:
        """For each country, its stores and the cumulative share of its people that go to each."""
        found = []
        for country in COUNTRIES:
            stores = [n for n, store in enumerate(self.stores) if store.country == country.code]
            weight = np.array([self.cities[self.city_of[n]].weight for n in stores], dtype=np.float64)
            peers = np.array(
                [sum(self.stores[m].city == self.stores[n].city for m in stores) for n in stores]
            )
            shares = np.cumsum(weight / peers)
            found.append((np.array(stores, dtype=np.int64), shares / shares[-1] if stores else shares))
        return tuple(found)

    def country_of(self, store: int) -> int:
        """Index of the country of a store."""
        return country_of(self.stores[store])

    def pull(self, seed: int, parameters: Parameters) -> Floats:
        """What each store adds to the log of visits: its own charm, and a fault that keeps people away."""
        spread, fault = parameters.visits.store_spread, parameters.pain.traffic_fault
        charm = [spread * Dice(seed, STORE_LUCK + n).normal("charm") for n in range(len(self.stores))]
        return np.array(charm) + fault * np.array(
            [self.faults.get(n) == "traffic" for n in range(len(self.stores))]
        )


TOWN = Geography(
    tuple(
        City(store.city, store.country, store.lat, store.lon, 0.58 if n % 2 == 0 else 0.42)
        for n, store in enumerate(STORES)
    ),
    STORES,
)
"""The town of the demo: six stores in six cities."""


def geography(stores: int, cities: int, associates: int = 4) -> Geography:
    """The six stores of the town and more, until each of the first cities has as many as any other, or one less.

    Raises ValueError when there are more cities than stores, or than are known.

    >>> world = geography(24, 8)
    >>> len(world.stores), world.stores[0].id, world.stores[0].city, world.stores[23].id
    (24, 'S01', 'Bologna', 'S24')
    """
    if not 8 <= cities <= min(stores, len(CITIES)):
        raise ValueError(
            f"{cities} cities for {stores} stores is not possible: 8 to {min(stores, len(CITIES))} are allowed"
        )
    here, found = CITIES[:cities], [structs.replace(store, associates=associates) for store in STORES]
    waiting = [city for turn in range(stores) for city in here]
    for store in STORES:
        waiting.remove(next(city for city in here if city.name == store.city))
    for city in waiting[: stores - len(found)]:
        found.append(_store(len(found), city, sum(s.city == city.name for s in found), associates))
    return Geography(here, tuple(found), {number - 1: fault for number, fault in _FAULTY if number <= stores})


def _store(number: int, city: City, turn: int, associates: int) -> Store:
    dice, streets = Dice(0, STORE_LUCK + number), _STREETS[city.country]
    again = f" {1 + turn // len(streets)}" if turn >= len(streets) else ""
    return Store(
        f"S{number + 1:02d}",
        f"{city.name} {streets[turn % len(streets)]}{again}",
        city.name,
        city.country,
        round(city.lat + 0.02 * dice.normal("lat"), 5),
        round(city.lon + 0.025 * dice.normal("lon"), 5),
        associates=associates,
    )
