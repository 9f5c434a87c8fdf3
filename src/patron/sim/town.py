"""A town: a seed, a date, some households, and the world they live in. Everything else follows from it."""

import datetime as dt
from collections.abc import Collection
from functools import lru_cache

import numpy as np
from msgspec import Struct

from patron.sim import cast
from patron.sim.days import WORLDS, World
from patron.sim.identities import Dossier, dossier
from patron.sim.people import ROOM, Population, household_size, members, populate
from patron.sim.shops import COUNTRIES, EPOCH, STORES, Country, Store

SIZES: dict[str, int] = {"XS": 210}
"""Households of each size of town; 210 are about 400 people."""


class Town(Struct, frozen=True):
    """A town as it is on the day before `today`; give it to `history`, `live`, `stories` and `truth`."""

    seed: int
    first: int
    """Date of the first day told, days since 1970."""
    days: int
    world: World
    people: Population

    @property
    def until(self) -> int:
        """Date of the last day told: the day before today."""
        return self.first + self.days - 1

    def who(self, row: int) -> Dossier:
        """The identity of the person in a row of `people`."""
        return _who(self.seed, int(self.people.ids[row]), int(self.people.country[row]))

    def row(self, number: int) -> int | None:
        """The row of a person's number; None when the town was made without them."""
        at = int(np.searchsorted(self.people.ids, number))
        return at if at < len(self.people) and self.people.ids[at] == number else None

    def home(self, row: int) -> Store:
        """The store a person goes to."""
        return STORES[int(self.people.home[row])]

    def market(self, row: int) -> Country:
        """The country a person lives in."""
        return COUNTRIES[int(self.people.country[row])]


@lru_cache(maxsize=65_536)
def _who(seed: int, number: int, country: int) -> Dossier:
    planted = cast.DOSSIERS.get(number)
    return planted or dossier(seed, number, country, size_of(seed, number // ROOM) > 1)


def size_of(seed: int, household: int) -> int:
    """How many people live in a household."""
    return cast.SIZES.get(household) or household_size(seed, household)


def make_town(
    seed: int = 7,
    today: dt.date | None = None,
    size: str | int = "XS",
    days: int = 90,
    world: str = "default",
    only: Collection[int] | None = None,
) -> Town:
    """Make a town.

    Parameters
    ----------
    seed : names all luck; the same seed gives the same bytes anywhere.
    today : the day on which the town is opened; its history ends the day before. Required.
    size : a name of `SIZES`, or a number of households.
    world : `default`, `null` (treatments change nothing) or `messy` (identities twice as dirty, 5 % of messages lost).
    only : numbers of the people to keep; they live exactly the same lives as in the whole town.

    Raises ValueError for an unknown size or world, and for a missing date.

    >>> town = make_town(seed=1, today=dt.date(2026, 11, 21), size=20)
    >>> len(town.people), town.who(0).given
    (38, 'Anna')
    """
    if today is None:
        raise ValueError("give `today`: the simulator reads no clock")
    if world not in WORLDS:
        raise ValueError(f"there is no world {world!r}; choose one of {', '.join(WORLDS)}")
    if isinstance(size, str) and size not in SIZES:
        raise ValueError(
            f"there is no size {size!r}; choose one of {', '.join(SIZES)} or give a number of households"
        )
    households = SIZES[size] if isinstance(size, str) else size
    ids = members(seed, range(households), cast.SIZES)
    if only is not None:
        ids = ids[np.isin(ids, list(only))]
    people = populate(seed, ids)
    cast.settle(people, days)
    return Town(seed, (today - EPOCH).days - days, days, WORLDS[world], people)
