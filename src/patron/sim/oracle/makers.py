"""What writes each oracle file: the jobs it is made of, and its rows from what they found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from msgspec import Struct, structs

from patron.sim.oracle import ads_effects, channel_effects, files, lifetimes, needs, policy_values
from patron.sim.oracle import potential as potentials
from patron.sim.oracle.jobs import Crew
from patron.sim.oracle.latent import latent
from patron.sim.oracle.open_loop import Lived, parts
from patron.sim.oracle.points import Points, fewest, gathered, schedule
from patron.sim.oracle.rows import Made, Potential, Row
from patron.sim.oracle.stack import join, take
from patron.sim.oracle.tally import cents
from patron.sim.oracle.without import Days, live_without, quiet
from patron.sim.policies import POLICIES
from patron.sim.town import Town
from patron.sim.world.people import CHANNELS

K = TypeVar("K")
R = TypeVar("R")


class Plan(Struct, frozen=True):
    """How much is lived for the files that are means over branches."""

    sample: int = 2_000
    """Decision points of `potential`."""
    branches: int = 200
    """Branches of each action there."""
    rollouts: int = 64
    """Years of each customer in `clv`."""


class Work(Struct):
    """A world, and who works on it."""

    town: Town
    truth: Path
    plan: Plan
    crew: Crew
    lived: list[Lived]
    """By part of the people."""


def _made(work: Work, name: str, rows: Iterable[Row], people_days: int = 0) -> Made:
    count = files.write_rows(work.truth / files.file_of(name), rows)
    return Made(file=files.file_of(name), rows=count, cpu_seconds=0.0, people_days=people_days)


def latent_file(work: Work) -> Made:
    """Write `person_latent`."""
    return _made(work, "person_latent", latent(work.town))


def needs_file(work: Work) -> Made:
    """Write `needs`."""
    found = needs.joined([lived.needs for lived in work.lived])
    path = work.truth / files.file_of("needs")
    files.write(path, lambda file: needs.write(found, file))
    days = len(found) * work.town.days
    return Made(file=path.name, rows=len(found.met.row), cpu_seconds=0.0, people_days=days)


def potential_file(work: Work) -> Made:
    """Write `potential`."""
    town, branches = work.town, work.plan.branches
    jobs = [
        (town.setting, town.first, block, branches)
        for points in _points(work)
        for block in potentials.blocks(points, branches)
    ]
    rows, days = list[Potential](), 0
    for found, lived in work.crew.each(potentials.potential, jobs):
        rows += found
        days += lived
    made = _made(work, "potential", rows, days)
    return structs.replace(
        made,
        sample=len(rows),
        branches=branches,
        horizon=potentials.HORIZON,
        error=_median([row.error for row in rows]),
        gain_error=_median([row.gain_error[2:] for row in rows]),
    )


def _points(work: Work) -> list[Points]:
    """The points of each day, chosen over all people."""
    wanted = schedule(work.town.days, work.plan.sample)
    return [
        found
        for day, some in zip(wanted, zip(*(lived.points for lived in work.lived), strict=True), strict=True)
        if len((found := fewest(gathered(some), wanted[day])).day)
    ]


def policy_values_file(work: Work) -> Made:
    """Write `policy_values`."""
    done = _worlds(work, policy_values.rehearse, {name: (name,) for name in POLICIES})
    days = 2 * policy_values.HALF
    made = _made(work, "policy_values", policy_values.rows(done), len(done) * len(work.town.people) * days)
    return structs.replace(made, horizon=days)


def clv_file(work: Work) -> Made:
    """Write `clv`."""
    town, rollouts = work.town, work.plan.rollouts
    state, noted = join([lived.state for lived in work.lived]), join([lived.noted for lived in work.lived])
    came = np.concatenate([lived.needs.came for lived in work.lived])
    still = quiet(town.setting, frozenset(CHANNELS))
    start = lifetimes.Start(town.days, town.first + town.days, rollouts, lifetimes.HORIZON)
    jobs = [
        (still, town.people.take(rows), take(state, rows), take(noted, rows), start)
        for rows in lifetimes.groups(np.flatnonzero(state.here), rollouts)
    ]
    found = {int(person): lifetimes.gone(int(person)) for person in town.people.ids[came < needs.FOREVER]}
    days = 0
    for some, lived in work.crew.each(lifetimes.lifetimes, jobs):
        found.update({row.person: row for row in some})
        days += lived
    made = _made(work, "clv", [found[person] for person in sorted(found)], days)
    errors = _median([(row.error,) for row in found.values()])
    return structs.replace(
        made, sample=len(found), branches=rollouts, horizon=lifetimes.HORIZON, error=errors
    )


def channel_effects_file(work: Work) -> Made:
    """Write `channel_effects`."""
    base = _worlds(work, live_without, {channel_effects.EVERYTHING: (frozenset[str](),)})
    told = base[channel_effects.EVERYTHING]
    channels = channel_effects.used(told, bool(work.town.people.prospect.any()))
    others = {world: (world,) for world in channel_effects.worlds(channels)}
    done = base | _worlds(work, live_without, others)
    return _made(work, "channel_effects", channel_effects.rows(done), _days(work, len(done)))


def ads_effects_file(work: Work) -> Made:
    """Write `ads_effects`."""
    worlds = [ads_effects.AS_TOLD, *ads_effects.worlds()]
    done: dict[frozenset[int], list[Days]] = _worlds(
        work, live_without, {dark: (frozenset[str](), dark) for dark in worlds}
    )
    rows = ads_effects.rows(done, work.town.people.prospect)
    return _made(work, "ads_effects", rows, _days(work, len(done)))


def _worlds(work: Work, live: Callable[..., R], worlds: Mapping[K, tuple[object, ...]]) -> dict[K, list[R]]:
    """Each world on each part of the people."""
    some = list(parts(work.town))
    jobs = [(part, *given) for given in worlds.values() for part in some]
    found = iter(work.crew.each(live, jobs))
    done = {world: [next(found) for _ in some] for world in worlds}
    # the crew counts the last job when it is asked for one more
    for _ in found:
        pass
    return done


def _days(work: Work, worlds: int) -> int:
    return worlds * len(work.town.people) * work.town.days


def _median(errors: Iterable[Sequence[float]]) -> float | None:
    every = [error for some in errors for error in some]
    return cents(float(np.median(every))) if every else None


MAKERS: dict[str, Callable[[Work], Made]] = {
    "person_latent": latent_file,
    "needs": needs_file,
    "potential": potential_file,
    "policy_values": policy_values_file,
    "clv": clv_file,
    "channel_effects": channel_effects_file,
    "ads_effects": ads_effects_file,
}
"""Name of an oracle file -> what writes it."""
