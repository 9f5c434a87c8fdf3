"""The duplicate filter's memory, measured on the filter itself in a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from patron.cli.bench import machine
from patron.cli.bench.figures import PROMISES, Figure


def dedup(quick: bool) -> Iterator[Figure]:
    """Resident memory that a million ids of one day add."""
    count = 200_000 if quick else 1_000_000
    command = [sys.executable, "-m", "patron.cli.bench.memory", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"measuring the duplicate filter failed:\n{done.stderr[-2_000:]}")
    grown = json.loads(done.stdout)
    note = f"{count:,} ids of one day took {grown / 2**20:.1f} MiB"
    yield Figure(PROMISES["dedup"], grown / 2**20 * 1e6 / count, 0.0, note)


def main() -> None:
    """Fill a filter with ids and print how much memory that took."""
    import os

    from patron.storage.embedded.dedup import Dedup

    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        seen = Dedup.open(Path(folder) / "dedup")
        for number in range(1_000):
            seen.add("warm", f"w-{number}", 20_000, number)
        before = machine.resident_bytes(os.getpid())
        for number in range(count):
            seen.add(
                "web", f"node-next-1795290204677-{number:08d}-0168-4980-9cf9-031f6b02d50f", 20_001, number
            )
        print(machine.resident_bytes(os.getpid()) - before)
        seen.close()


if __name__ == "__main__":
    main()
