"""A town: a seed, a date, some households, and the world they live in. Everything else follows from it."""

import datetime as dt
from collections.abc import Collection
from functools import cached_property
from pathlib import Path

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import Setting
from patron.sim.luck import Ints
from patron.sim.telling import cast
from patron.sim.world.identities import Dossier, dossier, noise_of, stranger
from patron.sim.world.parameters import Identity, Parameters
from patron.sim.world.people import PROSPECTS, ROOM, Population, crowd, household_size, members, populate
from patron.sim.world.shops import COUNTRIES, EPOCH, Country, Store
from patron.sim.world.sizes import SIZES, goods, places
from patron.sim.world.worlds import jittered, parameters

_KNOWN = 65_536
"""Dossiers kept at hand."""
XS_HOUSEHOLDS = 210
"""Households of the demo's town: about 400 people."""


class Town(Struct, frozen=True, dict=True):
    """A town as it is on the day before `today`; give it to `history`, `live`, `stories` and `generate`."""

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

    def take(self, rows: Ints) -> "Town":
        """The same world with some of its people."""
        return Town(self.setting, self.first, self.days, self.world, self.people.take(rows))

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
        found = cast.DOSSIERS.get(number) or dossier(self.seed, number, country, together, self.parameters)
        return stranger(found) if number // ROOM >= PROSPECTS else found

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
    days: int | None = None,
    world: str = "default",
    only: Collection[int] | None = None,
    file: Path | None = None,
    jitter: float = 0.0,
    given: Parameters | None = None,
) -> Town:
    """Make a town.

    Parameters
    ----------
    seed : names all luck; the same seed gives the same bytes anywhere.
    today : the day on which the town is opened; its history ends the day before. Required.
    size : a name of `SIZES`, or a number of households.
    world : a name of `worlds.worlds()`.
    days : days told; those of the size when left out (90 for the town).
    only : numbers of the people to keep; they live exactly the same lives as in the whole town.
    file : parameters of one's own, over those of the world.
    jitter : share by which every measure is moved at random, by the seed: for worlds that nobody tuned for.
    given : all parameters as an earlier town had them: `file` and `jitter` are not looked at then, and `world` is but a name.

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
    name = size if isinstance(size, str) else "XS"
    lived = jittered(parameters(world, file), jitter, seed) if given is None else given
    setting = Setting(seed, lived, places(name), goods(name))
    ids = _ids(seed, size)
    if only is not None:
        ids = ids[np.isin(ids, list(only))]
    people = populate(seed, ids, setting.parameters, setting.geography)
    told = SIZES[name].days if days is None else days
    cast.settle(people, told)
    return Town(setting, (today - EPOCH).days - told, told, world, people)


def _ids(seed: int, size: str | int) -> Ints:
    if isinstance(size, int) or size == "XS":
        return members(seed, range(XS_HOUSEHOLDS if isinstance(size, str) else size), cast.SIZES)
    plan = SIZES[size]
    customers = crowd(seed, plan.customers, 0, cast.SIZES)
    return np.concatenate([customers, crowd(seed, plan.prospects, PROSPECTS)])
