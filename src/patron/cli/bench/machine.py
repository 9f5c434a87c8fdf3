"""The machine under the bench: its name, a process's CPU seconds and memory, and one fixed piece of work."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path

import numpy as np

_FIXED = json.dumps(
    {
        "type": "track",
        "event": "Product Viewed",
        "messageId": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "userId": "u-1",
        "timestamp": "2026-01-01T10:00:00.000Z",
        "properties": {"product_id": "p-1", "price": 12.5, "currency": "EUR", "tags": ["a", "b", "c"]},
        "context": {"page": {"path": "/", "title": "Shop"}, "locale": "it-IT"},
    }
)
_SAMPLE = 0.15


def baseline() -> float:
    """Decodes per CPU second of one fixed JSON document with the standard library: what this machine can do now."""
    count, started = 0, time.process_time()
    while time.process_time() - started < _SAMPLE:
        for _ in range(200):
            json.loads(_FIXED)
        count += 200
    return count / (time.process_time() - started)


def memory_nanoseconds(places: int = 2_000_000, steps: int = 400_000) -> float:
    """What one access to memory costs that has to wait for the one before, beyond the caches, in ns.

    A path leads through a long list and through a short one; a step of either reads a slot and the number it points to.
    Events of many people look into many small objects: on some machines that is most of what they cost.
    """
    return max(0.0, (_walk(places, steps) - _walk(256, steps)) / 2)


def _walk(places: int, steps: int) -> float:
    order = np.random.default_rng(1).permutation(places)
    path = np.empty_like(order)
    path[order] = np.roll(order, -1)
    following, at, started = path.tolist(), 0, time.process_time()
    for _ in range(steps):
        at = following[at]
    return (time.process_time() - started) * 1e9 / steps


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used by itself, user and system."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return _clock(_ps(pid, "time="))


def children_cpu_seconds(pid: int) -> float:
    """CPU seconds of a process's children (the state writer), living and ended. 0 where it cannot be told."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    living = listed.read_text().split() if listed.exists() else []
    return ended + sum(cpu_seconds(int(child)) for child in living if Path(f"/proc/{child}").exists())


def resident_bytes(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024
    return int(_ps(pid, "rss=")) * 1024


def describe() -> str:
    """One line about the machine: processor, cores, memory, system, Python."""
    return f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return 0.0


def _ps(pid: int, field: str) -> str:
    done = subprocess.run(["ps", "-o", field, "-p", str(pid)], capture_output=True, text=True, check=True)  # noqa: S603, S607
    return done.stdout.strip()


def _clock(text: str) -> float:
    """Seconds of `[[dd-]hh:]mm:ss[.cc]`.

    >>> _clock("1:02.50"), _clock("1-00:00:01")
    (62.5, 86401.0)
    """
    days, _, rest = text.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part)
    return total + 86_400 * int(days or 0)
