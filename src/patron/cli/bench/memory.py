"""The duplicate filter's memory, measured on the filter itself in a process of its own.

By the filter's own account of its arrays: the resident size of a process this small mostly tells what earlier merges
of files have left behind, and hides what fits into that.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patron.cli.bench import machine
from patron.cli.bench.figures import PROMISES, Figure

if TYPE_CHECKING:
    from patron.storage.embedded.dedup import Dedup


def dedup(quick: bool) -> Iterator[Figure]:
    """What each further million ids of one day adds to filters, dict and mapped files (which count, though they give way)."""
    count = 500_000 if quick else 1_000_000
    command = [sys.executable, "-m", "patron.cli.bench.memory", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"measuring the duplicate filter failed:\n{done.stderr[-2_000:]}")
    first, last, resident = json.loads(done.stdout)
    each = (last - first) / 2 / count * 1e6 / 2**20
    note = f"over {2 * count:,} ids; the process grew by {resident / 2**20:.0f} MiB in all"
    yield Figure(PROMISES["dedup"], each, 0.0, note)


def main() -> None:
    """Fill a filter with `count` ids, then twice as many more; print its memory after each, and the process's growth."""
    from patron.storage.embedded.dedup import Dedup

    count = int(sys.argv[1])
    sys.setswitchinterval(0.0005)  # as in the server: the thread that writes ids down gets its turn
    with tempfile.TemporaryDirectory() as folder:
        seen = Dedup.open(Path(folder) / "dedup")
        empty = machine.resident_bytes(os.getpid())
        steps = [_fill(seen, 0, count), _fill(seen, count, 3 * count)]
        print([*steps, machine.resident_bytes(os.getpid()) - empty])
        seen.close()


def _fill(seen: "Dedup", start: int, end: int) -> int:
    for number in range(start, end):
        seen.add("web", f"node-next-1795290204677-{number:08d}-0168-4980-9cf9-031f6b02d50f", 20_001, number)
        if not number % 1_000:
            time.sleep(0.002)  # no more than half a million a second come
    seen.flush()
    return seen.stats().memory_bytes


if __name__ == "__main__":
    main()
