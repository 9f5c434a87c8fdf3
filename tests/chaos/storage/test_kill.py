"""Death at every named point: whatever was acknowledged is there afterwards, and erasing can be finished."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zstandard

from patron.storage.embedded import directory
from patron.storage.embedded.dedup import DUPLICATE, NEW, Dedup
from patron.storage.embedded.log import SegmentLog
from patron.storage.embedded.runs import runs_in
from patron.storage.embedded.state import State
from tests.chaos.storage import shopkeeper
from tests.chaos.storage.shopkeeper import ENTRIES, MARK, SEGMENT, SPECS, body, edited

POINTS = [
    *(
        f"{name}:{n}"
        for name in ("before_append", "after_write", "before_sync", "after_sync")
        for n in (1, 6, 14)
    ),
    *(f"{name}:{n}" for name in ("before_rotate", "after_rotate") for n in (1, 4)),
    *(f"{name}:{n}" for name in ("before_index", "after_index", "before_pack", "after_pack") for n in (1, 4)),
    *(f"{name}:{n}" for name in ("before_swap", "after_swap") for n in (1, 4, 6, 7)),
    *(f"{name}:{n}" for name in ("before_rewrite", "after_rewrite") for n in (1, 2, 5)),
    "before_forget",
    "after_floor",
    "never",
]


def _run(what: str, path: Path, point: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, shopkeeper.__file__, what, str(path), point],
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout.splitlines()


def _all_bytes(folder: Path) -> bytes:
    found = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        found.append(data)
        at = -1
        while (at := data.find(b"\x28\xb5\x2f\xfd", at + 1)) >= 0:
            found.append(zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]))
    return b"\n".join(found)


def _each(points: list[str], quick: set[str]) -> list[object]:
    return [point if point in quick else pytest.param(point, marks=pytest.mark.slow) for point in points]


@pytest.mark.parametrize("point", _each(POINTS, {"after_write:6", "after_swap:4", "after_rewrite:1"}))
def test_what_was_acknowledged_is_there_after_death(tmp_path: Path, point: str) -> None:
    code, lines = _run("log", tmp_path, point)
    assert code == (0 if point == "never" else 137), f"the point {point} was not reached"
    kept = [int(line.split()[1]) for line in lines if line.startswith("kept")]
    assert kept == list(range(1, 2 * len(kept), 2))
    erasing = "settled" in lines

    log = SegmentLog.open(tmp_path, segment_bytes=SEGMENT)
    assert not list(tmp_path.glob("*.tmp"))
    found = {entry.base: text for entry, text in log.read(1)}
    first = min(found, default=1)
    # A record that was written and not acknowledged may be there too: at most the last one.
    assert sorted(found) in (list(range(first, 2 * len(kept), 2)), list(range(first, 2 * len(kept) + 2, 2)))
    assert first == 1 or "erased" in lines
    for base, text in found.items():
        assert text == body(base) or (erasing and text == b"null"), base
        assert log.at(base)[1] == log.at(base + 1)[1] == text
    assert ("dropped" not in lines) or first > 1

    for begin, end in log.unindexed():
        for position in range(begin + begin % 2, end + 1, 2):
            log.note(7, position, position, True)
    if "erased" not in lines:
        rows = {row.position for row in log.find([7])}
        # What the erasure removed from the index, it had removed from the bodies before.
        assert rows >= {base + 1 for base, text in found.items() if text != b"null"}
    log.rewrite([base + 1 for base in found], edited, [7])
    assert MARK not in _all_bytes(tmp_path)
    assert {text for _, text in log.read(1)} <= {b"null"}

    again = shopkeeper.append(log, b"a new customer")
    assert again is None
    log.applied(log.last)
    assert log.settle()
    log.close()
    log = SegmentLog.open(tmp_path, segment_bytes=SEGMENT)
    assert [text for _, text in log.read(log.last)] == [b"a new customer"]
    log.close()


def test_every_point_is_tried() -> None:
    """A crash point that nobody dies at is a hole in this file."""
    import re

    sources = Path(directory.__file__).parent.glob("*.py")
    named = {name for path in sources for name in re.findall(r'crash\("(\w+)"\)', path.read_text())}
    assert named == {point.partition(":")[0] for point in POINTS} - {"never"}
    assert ENTRIES >= 14


def test_the_kernel_refusing_bytes_in_mid_write_costs_nothing(tmp_path: Path) -> None:
    code, lines = _run("full", tmp_path, "")
    assert code == 0
    log = SegmentLog.open(tmp_path)
    assert [f"kept {entry.base}" for entry, _ in log.read(1)] == lines
    assert all(text == body(entry.base) for entry, text in log.read(1))
    assert len(lines) == 7
    log.close()


@pytest.mark.parametrize(
    "steps", [0, 5, 8, pytest.param(1, marks=pytest.mark.slow), pytest.param(200, marks=pytest.mark.slow)]
)
def test_a_process_that_dies_in_mid_checkpoint_leaves_the_last_one(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "shop"
    directory.create(path)
    code, lines = _run("state", path, str(steps))
    assert code == 137
    held = directory.hold(path)  # waits for the writer child, which holds the lock too while it finishes
    state = State.open(path, SPECS)
    people = state.table("people")
    finished = "checkpoint 2" in lines
    assert finished == (steps == 200)
    assert state.offset == (2 if finished else 1) or steps == 8
    if state.offset == 1:
        assert [people.get(f"p{n}") for n in range(400)] == [f"first {n}" for n in range(400)]
    else:
        assert people.get("p1") is None
        assert people.get("p2") == "second 2" + "x" * 2000
    assert state.meta == {"n": state.offset}
    state.close()
    held.release()


@pytest.mark.slow
@pytest.mark.parametrize("wait", [3, 8])
def test_ids_flushed_before_death_are_known(tmp_path: Path, wait: int) -> None:
    with subprocess.Popen(
        [sys.executable, shopkeeper.__file__, "ids", str(tmp_path), ""], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(wait)]
        time.sleep(0.003 * wait)
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    last = int(lines[-1].split()[1])
    dedup = Dedup.open(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))
    assert all(dedup.seen("shop", f"m{n}", 19_700 + n % 2, 1) == DUPLICATE for n in range(1, last + 1))
    assert dedup.seen("shop", f"m{last + 5000}", 19_700, 1) == NEW
    for runs in runs_in(tmp_path).values():
        assert [run.begin for run in runs[1:]] == [run.end + 1 for run in runs[:-1]]
    dedup.close()
