"""A town: a seed, a date, some households, and the world they live in. Everything else follows from it."""

import datetime as dt
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import numpy as np
from msgspec import Struct

from patron.sim import cast
from patron.sim.engine.state import Setting
from patron.sim.geography import TOWN
from patron.sim.identities import Dossier, dossier, noise_of
from patron.sim.parameters import Identity, Parameters
from patron.sim.people import ROOM, Population, household_size, members, populate
from patron.sim.shops import COUNTRIES, EPOCH, Country, Store
from patron.sim.worlds import parameters

_KNOWN = 65_536
"""Dossiers kept at hand."""
SIZES: dict[str, int] = {"XS": 210}
"""Households of each size of town; 210 are about 400 people."""


class Town(Struct, frozen=True, dict=True):
    """A town as it is on the day before `today`; give it to `history`, `live`, `stories` and `truth`."""

    setting: Setting
    """Its luck, its parameters, its places."""
    first: int
    """Date of the first day told, days since 1970."""
    days: int
    world: str
    people: Population

    @property
    def seed(self) -> int:
        """What names all luck."""
        return self.setting.seed

    @property
    def parameters(self) -> Parameters:
        """What shapes its world."""
        return self.setting.parameters

    @cached_property
    def noise(self) -> Identity:
        """How wrongly things are written here."""
        return noise_of(self.setting.parameters)

    @property
    def until(self) -> int:
        """Date of the last day told: the day before today."""
        return self.first + self.days - 1

    def who(self, row: int) -> Dossier:
        """The identity of the person in a row of `people`."""
        number = int(self.people.ids[row])
        found = self._dossiers.get(number)
        if found is None:
            if len(self._dossiers) >= _KNOWN:
                self._dossiers.clear()
            found = self._dossiers[number] = self._draw(number, int(self.people.country[row]))
        return found

    @cached_property
    def _dossiers(self) -> dict[int, Dossier]:
        return {}

    def _draw(self, number: int, country: int) -> Dossier:
        together = size_of(self.seed, number // ROOM) > 1
        return cast.DOSSIERS.get(number) or dossier(self.seed, number, country, together, self.parameters)

    def row(self, number: int) -> int | None:
        """The row of a person's number; None when the town was made without them."""
        at = int(np.searchsorted(self.people.ids, number))
        return at if at < len(self.people) and self.people.ids[at] == number else None

    def home(self, row: int) -> Store:
        """The store a person goes to."""
        return self.setting.geography.stores[int(self.people.home[row])]

    def market(self, row: int) -> Country:
        """The country a person lives in."""
        return COUNTRIES[int(self.people.country[row])]


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
    file: Path | None = None,
) -> Town:
    """Make a town.

    Parameters
    ----------
    seed : names all luck; the same seed gives the same bytes anywhere.
    today : the day on which the town is opened; its history ends the day before. Required.
    size : a name of `SIZES`, or a number of households.
    world : a name of `worlds.worlds()`.
    only : numbers of the people to keep; they live exactly the same lives as in the whole town.
    file : parameters of one's own, over those of the world.

    Raises ValueError for an unknown size and for a missing date, BadParameters for a world or parameter that cannot be.

    >>> town = make_town(seed=1, today=dt.date(2026, 11, 21), size=20)
    >>> len(town.people), town.who(0).given
    (38, 'Anna')
    """
    if today is None:
        raise ValueError("give `today`: the simulator reads no clock")
    if isinstance(size, str) and size not in SIZES:
        raise ValueError(
            f"there is no size {size!r}; choose one of {', '.join(SIZES)} or give a number of households"
        )
    setting = Setting(seed, parameters(world, file), TOWN)
    households = SIZES[size] if isinstance(size, str) else size
    ids = members(seed, range(households), cast.SIZES)
    if only is not None:
        ids = ids[np.isin(ids, list(only))]
    people = populate(seed, ids, setting.parameters, setting.geography)
    cast.settle(people, days)
    return Town(setting, (today - EPOCH).days - days, days, world, people)
