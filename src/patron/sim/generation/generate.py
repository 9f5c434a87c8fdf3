"""Writing a world into a folder: messages by source in order of arrival, the other systems' files, and the truth apart.

People are told in chunks of fixed size, in as many processes as are wanted, and merged: the bytes are the same for any number
of processes and in any folder, and memory does not depend on the number of days or people.
"""

import os
import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed
from importlib.metadata import version
from multiprocessing import active_children
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from patron.sim.generation import chunk, feeds_of_world, planted
from patron.sim.generation.chunk import Sums
from patron.sim.generation.folder import (
    EVENTS,
    FEEDS,
    PARAMETERS,
    TRUTH,
    BadFolder,
    Manifest,
    SourceFile,
    check_truth,
    write_manifest,
)
from patron.sim.generation.merging import merge_as_written, merge_sorted
from patron.sim.messages import SOURCES
from patron.sim.town import Town
from patron.sim.workers import workers
from patron.sim.world.people import ROOM

CHUNK = 1_000
"""Households told together; it names no luck, so it may change, but not with the number of processes."""
_PARTS = ".parts"
_JOINED = {
    "person_map": "person_map",
    "consent": "consent",
    "identifiers": "identifiers",
    "geofence_truth": "geofence",
}
"""Truth file -> its parts, sorted and merged."""
_encode = msgspec.json.Encoder().encode


def generate(
    town: Town,
    out: Path,
    name: str,
    *,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Write a town's history and its truth into a new folder.

    Parameters
    ----------
    town : what to tell.
    out : a folder that is empty or does not exist, in no data directory.
    name : the name of its size, for the manifest.
    processes : how many tell side by side.
    progress : told the number of chunks that are done, and of all.

    Raises BadFolder when the folder holds something already, or lies in a data directory.
    """
    out = check_truth(out)
    if out.exists() and any(out.iterdir()):
        raise BadFolder(f"{out} is not empty; give a new folder")
    for part in (EVENTS, FEEDS):
        (out / part).mkdir(parents=True)
    (out / TRUTH).mkdir(mode=0o700)
    # parts hold the truth, too
    (out / _PARTS).mkdir(mode=0o700)
    try:
        sums, parts = _tell(town, out / _PARTS, processes, progress or (lambda _done, _all: None))
        _merge(parts, out)
    finally:
        shutil.rmtree(out / _PARTS, ignore_errors=True)
    _totals(sums, out / TRUTH)
    _planted(town, sums, out / TRUTH)
    feeds_of_world.write(town, sums, out / FEEDS, out / EVENTS)
    manifest = _manifest(town, name, sums)
    write_manifest(out / TRUTH, manifest)
    write_manifest(out, manifest)
    return manifest


def _manifest(town: Town, name: str, sums: Sums) -> Manifest:
    return Manifest(
        world=town.world,
        size=name,
        seed=town.seed,
        first=town.first,
        days=town.days,
        people=len(town.people),
        sources=tuple(SourceFile(source, source, sums.messages[source]) for source in SOURCES),
        versions={"python": platform.python_version(), "numpy": np.__version__, "patron": version("patron")},
    )


def chunks(town: Town) -> Iterator[Town]:
    """The town in parts: households of a block of numbers live together in each."""
    block = town.people.ids // (ROOM * CHUNK)
    for number in np.unique(block):
        yield town.take(np.flatnonzero(block == number))


def _tell(
    town: Town, parts: Path, processes: int, progress: Callable[[int, int], None]
) -> tuple[Sums, list[Path]]:
    some = list(chunks(town))
    folders = [parts / f"{number:05d}" for number in range(len(some))]
    sums, done = Sums(), 0
    progress(0, len(some))
    if processes <= 1 or len(some) == 1:
        for part, folder in zip(some, folders, strict=True):
            sums.add(chunk.tell(part, folder))
            done += 1
            progress(done, len(some))
        return sums, folders
    before = set(active_children())
    with workers(min(processes, len(some))) as pool:
        waiting = [pool.submit(chunk.tell, *job) for job in zip(some, folders, strict=True)]
        try:
            for future in as_completed(waiting):
                sums.add(future.result())
                done += 1
                progress(done, len(some))
        except BaseException:
            # Ctrl C, or a full disk: nobody waits for what the others tell
            for other in set(active_children()) - before:
                other.kill()
            raise
    return sums, folders


def _merge(parts: list[Path], out: Path) -> None:
    for source in SOURCES:
        with (out / EVENTS / f"{source}.ndjson").open("wb") as file:
            merge_sorted([part / source for part in parts], file)
    for name, part_name in _JOINED.items():
        # the purposes of one consent stand as they were asked, not by the alphabet
        merge = merge_as_written if name == "consent" else merge_sorted
        with private(out / TRUTH / f"{name}.ndjson") as file:
            merge([part / part_name for part in parts], file)


def _planted(town: Town, sums: Sums, truth: Path) -> None:
    """What is planted in the world, and what was counted beside the messages."""
    with private(truth / PARAMETERS) as file:
        file.write(msgspec.json.format(_encode(town.parameters), indent=2) + b"\n")
    write_lines(truth / "associates_truth.ndjson", planted.associates(town.setting, sums.contacts))
    write_lines(truth / "creative_truth.ndjson", planted.creative(town.setting))
    write_lines(truth / "benefit_truth.ndjson", planted.benefits(town.setting, sums.benefits))
    write_lines(truth / "journey_truth.ndjson", planted.steps(sums.edges))
    write_lines(truth / "points_truth.ndjson", planted.points(town.setting))


def _totals(sums: Sums, truth: Path) -> None:
    """`totals.ndjson`: what every day, source, store and currency sold and gave back, in cents."""
    places = sorted(sums.orders.keys() | sums.refunds.keys())
    write_lines(
        truth / "totals.ndjson",
        (
            {
                "day": day,
                "source": source,
                "store": store,
                "currency": currency,
                "orders": sums.orders[place],
                "gross_cents": sums.gross[place],
                "refund_cents": sums.refunds[place],
            }
            for place in places
            for day, source, store, currency in (place,)
        ),
    )
    write_lines(truth / "ads_truth.ndjson", [{"acquired": sums.acquired, "by_ads": sums.aided}])


def write_lines(path: Path, rows: Iterable[dict[str, object]]) -> None:
    """A truth file, readable by its owner only."""
    with private(path) as file:
        for row in rows:
            file.write(_encode(row) + b"\n")


def private(path: Path) -> IO[bytes]:
    """A new file that nobody else may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
