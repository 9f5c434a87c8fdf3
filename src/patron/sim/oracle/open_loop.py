"""The world as `generate` lived it, lived once more: the same people, the same days, business as usual."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from patron.sim.engine.day import Plan, live_day
from patron.sim.engine.state import Noted, State, begin, nothing_noted
from patron.sim.generation import folder
from patron.sim.generation.folder import TRUTH, BadFolder
from patron.sim.luck import Ints
from patron.sim.oracle.needs import BEFORE, ELSEWHERE, FOREVER, HERE, Met, Needs
from patron.sim.oracle.points import Points, Wanted, points
from patron.sim.oracle.stack import copy, join
from patron.sim.policies import BusinessAsUsual
from patron.sim.telling.history import BURN_IN
from patron.sim.town import Town, make_town
from patron.sim.world.shops import EPOCH
from patron.sim.world.sizes import SIZES

CHUNK = 4_000
"""People lived together."""


class Lived(Struct):
    """What the days told left behind."""

    needs: Needs
    state: State
    """On the morning after the last day."""
    noted: Noted
    points: list[Points]
    """Decision points that were asked for, by day."""
    orders: int
    acquired: int
    near: Ints
    """Of each day: people near a store with the app on, those who went in, and the sum of their numbers: (days, 3)."""


def open_world(place: Path) -> Town:
    """The town of a generated world, with the parameters that stand in its truth.

    Parameters
    ----------
    place : the folder that `patron sim generate --out` made.

    Raises BadFolder when it is no such folder, lies in a data directory, or cannot be lived again.
    """
    place = folder.check_truth(place)
    manifest = folder.read_manifest(place)
    if not (place / TRUTH).is_dir():
        raise BadFolder(
            f"{place} has no {TRUTH}/: the oracle files stand beside the truth that `generate` wrote"
        )
    given = folder.read_parameters(place / TRUTH)
    if manifest.size not in SIZES and not manifest.size.isdigit():
        raise BadFolder(
            f"{place} has the size {manifest.size!r}, which cannot be made again; generate a world"
        )
    size = int(manifest.size) if manifest.size.isdigit() else manifest.size
    today = EPOCH + dt.timedelta(days=manifest.first + manifest.days)
    town = make_town(manifest.seed, today, size, manifest.days, manifest.world, given=given)
    if len(town.people) != manifest.people:
        raise BadFolder(_OTHER.format(place=place, what=f"{manifest.people} people", found=len(town.people)))
    return town


def check(place: Path, town: Town, lived: Sequence[Lived]) -> None:
    """Whether the world lived, part by part, is the one told. Raises BadFolder, before hours are spent on another one.

    Who came near which store on which day depends on nearly all that happened before: it must be the same to the last person.
    """
    truth, near = place / TRUTH, np.sum([one.near for one in lived], axis=0)
    if (truth / "geofence_truth.ndjson").exists():
        told = np.zeros_like(near)
        for row in folder.rows(truth, "geofence_truth"):
            told[row["day"] - town.first] += (1, row["entered"], row["person"])
        other = np.flatnonzero((told != near).any(axis=1))
        if len(other):
            day = int(other[0])
            what = f"{told[day, 0]} people near a store on day {day}"
            raise BadFolder(_OTHER.format(place=place, what=what, found=f"{near[day, 0]}, or others"))
    if (truth / "ads_truth.ndjson").exists():
        acquired = sum(one.acquired for one in lived)
        won = next(
            (row["acquired"] for row in folder.rows(truth, "ads_truth") if "acquired" in row), acquired
        )
        if won != acquired:
            raise BadFolder(_OTHER.format(place=place, what=f"{won} new customers", found=acquired))


def parts(town: Town) -> Iterator[Town]:
    """The town in parts of `CHUNK` people; nobody's life depends on who else is there."""
    for at in range(0, len(town.people), CHUNK):
        yield town.take(np.arange(at, min(at + CHUNK, len(town.people))))


def morning(town: Town) -> tuple[State, Noted]:
    """The first morning told: after the days that are lived before anybody hears of them."""
    state, noted = begin(town.setting, town.people, -BURN_IN), nothing_noted(len(town.people))
    usual = BusinessAsUsual()
    for day in range(-BURN_IN, 0):
        live_day(town.setting, town.people, state, noted, usual, day, town.first + day)
    return state, noted


def relive(town: Town, wanted: Mapping[int, Wanted]) -> Lived:
    """Live the days told; on the days in `wanted`, keep some decision points."""
    people, (state, noted) = town.people, morning(town)
    usual, seen = BusinessAsUsual(), _Seen(state)
    kept, orders, acquired, near = [], 0, 0, np.zeros((town.days, 3), dtype=np.int64)
    for day in range(town.days):
        before = (copy(state), copy(noted)) if day in wanted else None
        plan = live_day(town.setting, people, state, noted, usual, day, town.first + day)
        seen.close(day, plan, state)
        orders += int(plan.bought.any(axis=1).sum())
        acquired += len(plan.media.acquired)
        crossed = plan.crossings
        near[day] = len(crossed.rows), crossed.entered.sum(), people.ids[crossed.rows].sum()
        if before is not None:
            kept.append(points(town, *before, plan, wanted[day]))
    return Lived(seen.needs(town), state, noted, kept, orders, acquired, near)


class _Seen:
    """When needs were met, and who was a customer."""

    def __init__(self, state: State) -> None:
        n, width = state.since.shape
        row, category = np.divmod(np.arange(n * width), width)
        first = -1 - state.since.astype(np.int64).ravel()
        self._met = [Met(row, category, first, np.full(n * width, BEFORE))]
        self._came = np.where(state.here, -1, FOREVER)
        self._left = np.full(n, FOREVER)
        self._here = state.here.copy()

    def close(self, day: int, plan: Plan, state: State) -> None:
        """Note what a day changed; `state` is that of the evening."""
        bought = np.zeros(state.since.shape, dtype=np.bool_)
        bought[plan.shoppers.rows] = plan.bought
        row, category = np.nonzero(state.since == 0)
        how = np.where(bought[row, category], HERE, ELSEWHERE)
        self._met.append(Met(row, category, np.full(len(row), day), how))
        self._came[plan.media.acquired] = day
        gone = (self._here | (self._came == day)) & ~state.here
        self._left[gone] = day + 1
        self._here = state.here.copy()

    def needs(self, town: Town) -> Needs:
        """Everything noted, in order."""
        people, met = town.people, join(self._met)
        order = np.lexsort((met.day, met.category, met.row))
        left = np.where(self._came < FOREVER, np.minimum(self._left, people.until + 1), FOREVER)
        return Needs(
            people.ids,
            people.tau,
            people.adopts,
            self._came,
            np.minimum(left, FOREVER),
            town.parameters.needs.steepness,
            town.days,
            Met(*(getattr(met, name)[order] for name in Met.__struct_fields__)),
        )


_OTHER = "{place} tells of {what}, but living it again gives {found}: use the version that generated it, or generate it again"
