"""What one export told so far and what it is about to tell, on disk, so that a crash repeats a batch and never loses one.

| file | holds |
|---|---|
| `told` | person -> digest of the values that the other side took |
| `pending` | the changes of the run under way |
| `progress` | how many of them are delivered, and which the other side refused |
| `runs.jsonl` | a line a run |

A batch is delivered, then `progress` rises on disk. A crash between the two delivers that batch again under the same id, which
the other side can tell from a new one.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from patron.exports.changes import taken
from patron.model.errors import StorageError
from patron.model.exports import Difference, Rejected, Run

T = TypeVar("T")
_PRIVATE_FILE = 0o600
_TOLD_REJECTS = 100
_KEPT_RUNS = 200
_TORN = (msgspec.DecodeError, msgspec.ValidationError)


class Progress(Struct):
    """How far a run is: changes delivered (or refused), and key -> why the other side did not take it."""

    number: int
    done: int = 0
    refused: dict[str, str] = {}


class Pending(Struct):
    """A run under way."""

    number: int
    started: int
    changes: list[Difference]
    without_basis: int = 0


class Outbox:
    """The durable side of one export, in a folder of its own.

    >>> import tempfile
    >>> box = Outbox(Path(tempfile.mkdtemp()) / "vips")
    >>> box.begin(Pending(box.next_number, 0, [Difference("added", "p_1", ("a",), 5)]))
    >>> box.deliver(1, {}); box.end(9).added, Outbox(box.folder).told
    (1, {'p_1': 5})
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for torn in folder.glob("*.tmp"):
            torn.unlink()
        self.told: dict[str, int] = self._read("told", dict[str, int]) or {}
        self.pending: Pending | None = self._read("pending", Pending)
        held = self._read("progress", Progress)
        number = self.pending.number if self.pending else 0
        self.progress = held if held is not None and held.number == number else Progress(number)

    @property
    def next_number(self) -> int:
        """Number of the next run, from 1."""
        runs = self.runs()
        return runs[-1].number + 1 if runs else 1

    def runs(self) -> list[Run]:
        """The runs that ended, oldest first; the newest two hundred."""
        path = self.folder / "runs.jsonl"
        if not path.exists():
            return []
        runs = []
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(
                *_TORN
            ):  # a line torn by a crash tells of nothing that `told` does not know
                runs.append(msgspec.json.decode(line, type=Run))
        return runs[-_KEPT_RUNS:]

    def begin(self, pending: Pending) -> None:
        """Write down what a run will tell, before it tells anything."""
        self.pending, self.progress = pending, Progress(pending.number)
        self._write("pending", pending)

    def deliver(self, done: int, refused: dict[str, str]) -> None:
        """The changes up to `done` are delivered, except those refused."""
        self._under_way()
        self.progress.done = done
        self.progress.refused.update(refused)
        self._write("progress", self.progress)

    def end(self, now: int, error: str = "") -> Run:
        """Finish the run: remember what was taken. With an error the changes not delivered come up again in the next one."""
        pending, progress = self._under_way(), self.progress
        delivered = [c for c in pending.changes[: progress.done] if c.key not in progress.refused]
        taken(self.told, delivered)
        run = Run(
            pending.number,
            pending.started,
            now,
            sum(c.op == "added" for c in delivered),
            sum(c.op == "changed" for c in delivered),
            sum(c.op == "removed" for c in delivered),
            _rejected(progress.refused),
            len(progress.refused),
            pending.without_basis,
            error,
        )
        self._write("told", self.told)
        self._keep(run)
        self.pending, self.progress = None, Progress(0)
        for name in ("pending", "progress"):
            (self.folder / name).unlink(missing_ok=True)
        return run

    def begin_anew(self) -> None:
        """Another place is told from now on: everybody is added there. What runs did so far stays on record.

        >>> import tempfile
        >>> box = Outbox(Path(tempfile.mkdtemp()) / "vips")
        >>> box.begin(Pending(1, 0, [Difference("added", "p_1", ("a",), 5)])); box.deliver(1, {})
        >>> box.end(9).added, box.begin_anew(), Outbox(box.folder).told, box.next_number
        (1, None, {}, 2)
        """
        self.told, self.pending, self.progress = {}, None, Progress(0)
        for name in ("pending", "progress", "told"):
            (self.folder / name).unlink(missing_ok=True)

    def forget(self, keys: frozenset[str]) -> int:
        """Remove what is kept of erased people; how many places held something.

        Their ids stay until the next run: it tells the other side that they are removed, and then they are forgotten.
        """
        found, pending = 0, self.pending
        if pending is not None and any(c.key in keys for c in pending.changes):
            found = sum(c.key in keys for c in pending.changes)
            pending.changes = [
                _bare(c, at < self.progress.done) if c.key in keys else c
                for at, c in enumerate(pending.changes)
            ]
            self.progress.refused = {k: v for k, v in self.progress.refused.items() if k not in keys}
            self._write("pending", pending)
            self._write("progress", self.progress)
        runs = self.runs()
        if any(r.key in keys for run in runs for r in run.rejected):
            found += 1
            self._write_runs(
                msgspec.structs.replace(run, rejected=tuple(r for r in run.rejected if r.key not in keys))
                for run in runs
            )
        return found

    def _under_way(self) -> Pending:
        if self.pending is None:
            raise StorageError(f"{self.folder}: no run is under way")
        return self.pending

    def _keep(self, run: Run) -> None:
        # after a crash between this line and the next step the same run ends a second time
        self._write_runs([*(r for r in self.runs() if r.number != run.number), run][-_KEPT_RUNS:])

    def _write_runs(self, runs: Iterable[Run]) -> None:
        self._write_bytes("runs.jsonl", b"".join(msgspec.json.encode(r) + b"\n" for r in runs))

    def _read(self, name: str, kind: type[T]) -> T | None:
        path = self.folder / name
        if not path.exists():
            return None
        try:
            return msgspec.msgpack.decode(path.read_bytes(), type=kind)
        except _TORN as error:
            raise StorageError(
                f"{path} cannot be read ({error}). Remove the folder to begin anew: everybody is then told again as added"
            ) from error

    def _write(self, name: str, value: object) -> None:
        self._write_bytes(name, msgspec.msgpack.encode(value))

    def _write_bytes(self, name: str, data: bytes) -> None:
        path, beside = self.folder / name, self.folder / f"{name}.tmp"
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
        with os.fdopen(fd, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _rejected(refused: Mapping[str, str]) -> tuple[Rejected, ...]:
    return tuple(Rejected(key, reason) for key, reason in list(refused.items())[:_TOLD_REJECTS])


def _bare(change: Difference, delivered: bool) -> Difference:
    """A change of somebody erased: of one delivered only that it was, and one not yet delivered becomes a removal."""
    return Difference(change.op if delivered else "removed", change.key, (), change.digest)
