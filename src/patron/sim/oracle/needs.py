"""`needs`: when each need was met in the world as lived; how much is needed on any day, and when it is due, follow from it.

One row for each time that a need was met, instead of one for each day: a world of 30,000 people over a year fits in ten
megabytes, and nothing is rounded.
"""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from msgspec import Struct

from patron.sim.engine.state import sigmoid
from patron.sim.luck import Floats, Ints
from patron.sim.oracle.stack import join
from patron.sim.world.people import Flags

BEFORE, HERE, ELSEWHERE = 0, 1, 2
"""How a need was met: before the first day told, by this retailer, by a competitor."""
FOREVER = 1 << 30
"""A day after all days."""


class Met(Struct):
    """Each time that a need was met: rows of the people, categories, days, and how."""

    row: Ints
    category: Ints
    day: Ints
    how: Ints


class Needs(Struct):
    """The needs of n people on every day told.

    `need = adopts / (1 + exp(-(since - tau) / (steepness tau)))`, where `since` are the full days since it was met.
    """

    person: Ints
    tau: Floats
    """(n, 12), days."""
    adopts: Flags
    """(n, 12)."""
    came: Ints
    """Day on which each became a customer; -1 = was one before, `FOREVER` = never."""
    left: Ints
    """First morning on which they are no customer any more; `FOREVER` = still one."""
    steepness: float
    days: int
    """Days told."""
    met: Met
    """Sorted by person, category, day; the first of each lies before the first day."""

    def __len__(self) -> int:
        return len(self.person)

    def since(self, day: int) -> Ints:
        """Full days since each need was met, on the morning of a day: (n, 12)."""
        return day - 1 - self._last(day)

    def need(self, day: int) -> Floats:
        """How much each person needs each category on the morning of a day, 0 to 1: (n, 12)."""
        need: Floats = self.adopts * sigmoid((self.since(day) - self.tau) / (self.steepness * self.tau))
        return need

    def due(self, day: int) -> Ints:
        """The first day on which a need that nothing met in between is half grown: (n, 12); past days = overdue."""
        due: Ints = np.where(self.adopts, self._last(day) + 1 + np.ceil(self.tau).astype(np.int64), FOREVER)
        return due

    def customers(self, day: int) -> Flags:
        """Who is a customer on the morning of a day."""
        found: Flags = (self.came < day) & (day < self.left)
        return found

    def _last(self, day: int) -> Ints:
        """The day on which each need was last met before a morning: (n, 12). Raises ValueError outside the days told."""
        if not 0 <= day <= self.days:
            raise ValueError(f"day {day} is not told: the days 0 to {self.days} are known")
        width, offset = self.tau.shape[1], 1 << 20
        pair = self.met.row * width + self.met.category
        every = np.arange(self.tau.size)
        at = np.searchsorted(pair * 2 * offset + self.met.day, every * 2 * offset + day) - 1
        last: Ints = self.met.day[at].reshape(self.tau.shape)
        return last


def joined(parts: list[Needs]) -> Needs:
    """The needs of all people of several parts, in their order."""
    shifts = np.cumsum([0, *(len(part) for part in parts)])
    mets = [
        Met(part.met.row + shift, part.met.category, part.met.day, part.met.how)
        for part, shift in zip(parts, shifts, strict=False)
    ]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("person", "tau", "adopts", "came", "left")
    }
    return Needs(**columns, steepness=parts[0].steepness, days=parts[0].days, met=join(mets))


def write(needs: Needs, file: IO[bytes]) -> None:
    """Write an .npz: the fields of `Needs`, and those of `Met` as `met_*`, in small integers."""
    met = needs.met
    np.savez_compressed(
        file,
        person=needs.person,
        tau=needs.tau,
        adopts=needs.adopts,
        came=needs.came.astype(np.int32),
        left=needs.left.astype(np.int32),
        steepness=np.array(needs.steepness),
        days=np.array(needs.days, dtype=np.int32),
        met_row=met.row.astype(np.uint32),
        met_category=met.category.astype(np.uint8),
        met_day=met.day.astype(np.int32),
        met_how=met.how.astype(np.uint8),
    )


def load(path: Path) -> Needs:
    """Read it again. Raises ValueError or OSError for a file that `write` did not make."""
    try:
        with np.load(path, allow_pickle=False) as held:
            met = Met(*(held[f"met_{name}"].astype(np.int64) for name in Met.__struct_fields__))
            wide = {name: held[name].astype(np.int64) for name in ("person", "came", "left")}
            return Needs(
                **wide,
                tau=held["tau"],
                adopts=held["adopts"],
                steepness=float(held["steepness"]),
                days=int(held["days"]),
                met=met,
            )
    except (KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no file of needs ({error})") from None
