"""The durable part of the memory of message ids: sorted files by day, their filters, and when they are merged.

A day with many ids has its own partition; the stragglers of all other days share one (`rest`), so that an import of ten
years, or a hostile sender, cannot make thousands of files. Only the worker thread changes anything here; readers take
`Partition.view`, which is replaced whole.
"""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from patron.storage.embedded.bloom import Bloom, Keys
from patron.storage.embedded.files import (
    make_private_directory,
    remove_unfinished,
    sync_directory,
    write_durably,
)
from patron.storage.embedded.runs import (
    Checksums,
    Columns,
    Run,
    open_run,
    runs_in,
    sorted_columns,
    to_merge,
    write_run,
)
from patron.storage.embedded.segments import OpenFiles

Days = npt.NDArray[np.int64]
REST = "rest"
OWN_PARTITION = 1024
"""Ids of one day in one flush from which on that day gets files of its own."""

FILTERS = 4
"""Days that have a filter in memory: the last ones written to, and the rest."""


class View(NamedTuple):
    """What readers see of a partition at one moment."""

    runs: tuple[Run, ...]
    bloom: Bloom | None


class Partition:
    """One day's files (or the rest's)."""

    def __init__(self, name: str, runs: Iterable[Run]) -> None:
        self.name = name
        self.view = View(tuple(runs), None)

    @property
    def count(self) -> int:
        """Ids in its files."""
        return sum(run.ids for run in self.view.runs)


class Partitions:
    """All partitions in one directory."""

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        remove_unfinished(directory)
        self._directory = directory
        self._files = OpenFiles()
        self.all = {name: Partition(name, runs) for name, runs in runs_in(directory).items()}
        self._filtered: list[str] = []

    def secret(self) -> bytes:
        """The key of the fingerprints, made once: without it nobody can construct two ids with one fingerprint."""
        path = self._directory / "key"
        if not path.exists():
            write_durably(path, secrets.token_bytes(16))
        return path.read_bytes()

    # --- reading, by the owner's thread --------------------------------------------------------------------------

    def find(self, partition: str, key: int) -> int | None:
        """The checksum stored under a fingerprint; the oldest wins."""
        held = self.all.get(partition)
        while held is not None:
            view = held.view
            if view.bloom is not None and not view.bloom.may_hold(key):
                return None
            try:
                return self._search(view, key)
            except FileNotFoundError:
                # A merge removed the file between the two lines above; the view shows the merged one now.
                if held.view is view:
                    raise
        return None

    def _search(self, view: View, key: int) -> int | None:
        wanted = np.uint64(key)
        for run in view.runs:
            columns = self._files.load(run.path, open_run)
            place = int(columns.keys.searchsorted(wanted))
            if place < len(columns.keys) and int(columns.keys[place]) == key:
                return int(columns.checksums[place])
        return None

    def find_many(self, partition: str, keys: Keys) -> list[tuple[int, int]]:
        """(place in `keys`, stored checksum) of the fingerprints that a partition holds; the oldest of each comes last."""
        held = self.all.get(partition)
        while held is not None:
            view = held.view
            try:
                return self._search_many(view, keys) if view.runs else []
            except FileNotFoundError:
                if held.view is view:
                    raise
        return []

    def _search_many(self, view: View, keys: Keys) -> list[tuple[int, int]]:
        places = np.arange(len(keys)) if view.bloom is None else view.bloom.passing(keys).nonzero()[0]
        if not len(places):
            return []
        found: list[tuple[int, int]] = []
        wanted = keys[places]
        for run in reversed(view.runs):
            columns = self._files.load(run.path, open_run)
            spots = columns.keys.searchsorted(wanted)
            hits = (columns.keys.take(spots, mode="clip") == wanted).nonzero()[0]
            if len(hits):
                checksums = columns.checksums[spots[hits]]
                found += zip(places[hits].tolist(), checksums.tolist(), strict=True)
        return found

    # --- writing, by the worker's thread ---------------------------------------------------------------------------

    def warm(self) -> None:
        """Make the filters of the newest partitions, after opening."""
        days = sorted((name for name in self.all if name != REST), key=int)[-2:]
        for name in [REST, *days]:
            if name in self.all:
                self._filter(self.all[name])

    def store(self, days: Days, keys: Keys, checksums: Checksums) -> None:
        """Make fingerprints durable, each in its day's partition or the rest. Raises OSError."""
        order = days.argsort(kind="stable")
        days, keys, checksums = days[order], keys[order], checksums[order]
        names, starts, counts = np.unique(days, return_index=True, return_counts=True)
        own = [n for n, c in zip(names.tolist(), counts.tolist(), strict=True) if self._has_own(str(n), c)]
        rest = ~np.isin(days, np.array(own, np.int64))
        if rest.any():
            self._append(REST, sorted_columns(keys[rest], checksums[rest]))
        for name, start, count in zip(names.tolist(), starts.tolist(), counts.tolist(), strict=True):
            if name in own:
                part = slice(start, start + count)
                self._append(str(name), sorted_columns(keys[part], checksums[part]))
        sync_directory(self._directory)

    def merge(self) -> None:
        """Merge files that have become too many. Raises OSError, with nothing lost."""
        for partition in list(self.all.values()):
            runs, bloom = partition.view
            take = to_merge([run.ids for run in runs])
            if take:
                old = runs[len(runs) - take :]
                parts = [open_run(run.path) for run in old]
                merged = write_run(self._directory, partition.name, old[0].begin, old[-1].end, parts)
                sync_directory(self._directory)
                partition.view = View((*runs[: len(runs) - take], merged), bloom)
                for run in old:
                    self._files.forget(run.path)
                    run.path.unlink()

    def _has_own(self, name: str, count: int) -> bool:
        return count >= OWN_PARTITION or name in self._filtered

    def _append(self, name: str, columns: Columns) -> None:
        partition = self.all.get(name) or Partition(name, ())
        runs, bloom = partition.view
        number = runs[-1].end + 1 if runs else 0
        run = write_run(self._directory, name, number, number, [columns])
        if bloom is not None and bloom.count + run.ids <= bloom.capacity:
            bloom.add(columns.keys)
            partition.view = View((*runs, run), bloom)
        else:
            partition.view = View((*runs, run), None)
            self._filter(partition)
        self.all[name] = partition

    def _filter(self, partition: Partition) -> None:
        """Make a filter with room to double, and let go of the one used longest ago."""
        bloom = Bloom(2 * partition.count)
        for run in partition.view.runs:
            bloom.add(open_run(run.path).keys)
        partition.view = View(partition.view.runs, bloom)
        if partition.name == REST:
            return
        self._filtered = [*(name for name in self._filtered if name != partition.name), partition.name]
        while len(self._filtered) > FILTERS:
            cold = self.all[self._filtered.pop(0)]
            cold.view = View(cold.view.runs, None)
