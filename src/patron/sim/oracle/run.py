"""All oracle files of a world: the world is lived again, each file from its own paired worlds (SIMULATOR.md 7.7)."""

import hashlib
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
from msgspec import structs

from patron.sim.generation.folder import TRUTH, BadFolder, read_manifest
from patron.sim.oracle import files
from patron.sim.oracle.branches import MOST
from patron.sim.oracle.jobs import Crew
from patron.sim.oracle.makers import MAKERS, Plan, Work
from patron.sim.oracle.open_loop import check, open_world, parts, relive
from patron.sim.oracle.points import schedule
from patron.sim.oracle.rows import FORMAT, NAMES, Report
from patron.sim.town import Town
from patron.sim.world.catalogue import CATEGORIES
from patron.sim.world.people import CHANNELS


def run(
    place: Path,
    only: Sequence[str] = (),
    plan: Plan | None = None,
    *,
    processes: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Add oracle files to the truth of a generated world; files of the same name are replaced.

    Parameters
    ----------
    place : the world's folder.
    only : names of `NAMES`; all when empty.
    plan : how much is lived.
    processes : how many work side by side; the files are the same for any number.
    progress : told the name of what is made, jobs done and all jobs.

    Raises BadFolder for a folder that is no world, whose world cannot be lived again, or that cannot be written to;
    ValueError for an unknown name and for a plan that cannot be.
    """
    names, plan = _names(only), plan or Plan()
    _check(plan)
    town, truth = open_world(place), place.resolve() / TRUTH
    at = ["reliving"]

    def told(done: int, every: int) -> None:
        if progress is not None:
            progress(at[0], done, every)

    with Crew(processes, told) as crew:
        wanted = schedule(town.days, plan.sample) if "potential" in names else {}
        work = Work(
            town, truth, plan, crew, list(crew.each(relive, [(part, wanted) for part in parts(town)]))
        )
        check(place.resolve(), town, work.lived)
        report = _report(place, town)
        for name in names:
            at[0] = name
            crew.restart()
            made = MAKERS[name](work)
            report.files[name] = structs.replace(made, cpu_seconds=round(crew.cpu_seconds, 2))
            # after each file: what is done stays, whatever happens to the next
            files.write_report(truth, report)
    return report


def _names(only: Sequence[str]) -> list[str]:
    unknown = set(only) - set(NAMES)
    if unknown:
        raise ValueError(f"there is no oracle file {min(unknown)!r}; choose among {', '.join(NAMES)}")
    return [name for name in NAMES if not only or name in only]


def _check(plan: Plan) -> None:
    for name, low, high in (("sample", 2, 10**6), ("branches", 2, MOST), ("rollouts", 2, MOST)):
        if not low <= getattr(plan, name) <= high:
            raise ValueError(f"{name} = {getattr(plan, name)} is not possible: {low} to {high:,} are allowed")


def _report(place: Path, town: Town) -> Report:
    manifest = read_manifest(place)
    report = Report(
        format=FORMAT,
        world=town.world,
        size=manifest.size,
        seed=town.seed,
        first=town.first,
        days=town.days,
        parameters=hashlib.sha256(msgspec.json.encode(town.parameters)).hexdigest(),
        categories=CATEGORIES,
        channels=CHANNELS,
        versions={
            "python": platform.python_version(),
            "numpy": np.__version__,
            "patron": version("patron"),
        },
        files={},
    )
    try:
        before = files.read_report(place.resolve() / TRUTH)
    except BadFolder:
        return report
    same = {
        name: getattr(before, name) == getattr(report, name)
        for name in ("format", "parameters", "versions", "categories")
    }
    return structs.replace(report, files=dict(before.files)) if all(same.values()) else report
