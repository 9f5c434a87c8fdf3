"""Writing a world into a folder: messages by source in order of arrival, and the truth beside them."""

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO

import msgspec
import numpy as np

from patron.sim.folder import (
    EVENTS,
    FEEDS,
    TRUTH,
    BadFolder,
    Manifest,
    SourceFile,
    check_truth,
    write_manifest,
)
from patron.sim.history import arrivals
from patron.sim.messages import SOURCES, Told, iso
from patron.sim.people import ROOM
from patron.sim.town import Town
from patron.sim.truth import traces

_encode = msgspec.json.Encoder().encode


def generate(town: Town, out: Path, name: str, *, progress: Callable[[int], None] | None = None) -> Manifest:
    """Write a town's history and its truth into a new folder.

    Parameters
    ----------
    town : what to tell.
    out : a folder that is empty or does not exist, in no data directory.
    name : the name of its size, for the manifest.
    progress : told the number of the day whenever one is over.

    Raises BadFolder when the folder holds something already, or lies in a data directory.
    """
    out = check_truth(out)
    if out.exists() and any(out.iterdir()):
        raise BadFolder(f"{out} is not empty; give a new folder")
    for part in (EVENTS, FEEDS):
        (out / part).mkdir(parents=True)
    (out / TRUTH).mkdir(mode=0o700)
    counts = _write(town, out, progress or (lambda _: None))
    manifest = Manifest(
        world=town.world,
        size=name,
        seed=town.seed,
        first=town.first,
        days=town.days,
        people=len(town.people),
        sources=tuple(SourceFile(source, source, counts[source]) for source in SOURCES),
        versions={"python": platform.python_version(), "numpy": np.__version__, "patron": version("patron")},
    )
    write_manifest(out / TRUTH, manifest)
    write_manifest(out, manifest)
    return manifest


def _write(town: Town, out: Path, progress: Callable[[int], None]) -> dict[str, int]:
    counts = dict.fromkeys(SOURCES, 0)
    with contextlib.ExitStack() as stack:
        files = {
            source: stack.enter_context((out / EVENTS / f"{source}.ndjson").open("wb")) for source in SOURCES
        }
        people = stack.enter_context(_private(out / TRUTH / "person_map.ndjson"))
        last = -1
        for arrival, _, told in arrivals(town):
            day = arrival // 86_400_000 - town.first
            if day != last:
                last = day
                progress(day)
            counts[told.source] += 1
            files[told.source].write(_line(arrival, told))
            people.write(_owner(told))
    with _private(out / TRUTH / "identifiers.ndjson") as lines:
        for row in _identifiers(town):
            lines.write(_encode(row) + b"\n")
    return counts


def _line(arrival: int, told: Told) -> bytes:
    return _encode({**told.message, "receivedAt": iso(arrival)}) + b"\n"


def _owner(told: Told) -> bytes:
    row = {"messageId": told.message["messageId"], "person": told.person, "household": told.person // ROOM}
    return json.dumps(row).encode() + b"\n"


def _identifiers(town: Town) -> Iterator[dict[str, object]]:
    owners: dict[str, set[int]] = {}
    for row in range(len(town.people)):
        person = town.who(row)
        for key in traces(person):
            owners.setdefault(key, set()).add(person.number)
    for key in sorted(owners):
        yield {"identifier": key, "people": sorted(owners[key])}


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
