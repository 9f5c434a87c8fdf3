"""Rows about events coming in: rates, replay, load at start, memory, disk, the worst person."""

from collections.abc import Iterator

import click

from patron.cli.bench import bodies, machine
from patron.cli.bench.figures import PROMISES, Figure
from patron.cli.bench.load import Shot, drive
from patron.cli.bench.target import Target


def send(target: Target, data: list[bytes], connections: int = 8) -> tuple[float, float, float]:
    """Send all; (CPU seconds of the server until applied = accepted, of its children, wall seconds)."""
    before, writer = target.cpu(), machine.children_cpu_seconds(target.pid)
    outcome = drive(target.port, [Shot(one) for one in data], connections)
    target.settle()
    bad = {status: n for status, n in outcome.statuses.items() if status not in {200, 429, 503}}
    if bad:
        raise click.ClickException(f"the server answered {bad} to the bench's events")
    return target.cpu() - before, machine.children_cpu_seconds(target.pid) - writer, outcome.seconds


def _rate(name: str, count: int, spent: tuple[float, float, float], base: float, unit: str = "ev") -> Figure:
    cpu, writer, wall = spent
    note = f"{count / wall:,.0f} {unit}/s wall; state writer beside it {writer:.1f} cpu-s"
    return Figure(PROMISES[name], count / cpu, base, note)


def uniform(quick: bool) -> Iterator[Figure]:
    """Fresh keys, uniform people; then on the same directory: memory, disk, replay after a crash, load at start."""
    people, count = (10_000, 30_000) if quick else (100_000, 300_000)
    data = bodies.batches(bodies.messages(bodies.uniform(people, count).tolist(), "uni"))
    with Target() as target:
        idle_cpu, idle_memory = target.cpu(), machine.resident_bytes(target.pid)
        base = machine.baseline()
        requests = bodies.tracked(data, target.write_key)
        yield _rate("uniform", count, send(target, requests), base)
        grown = machine.resident_bytes(target.pid) - idle_memory
        yield Figure(
            PROMISES["memory"],
            grown / people,
            base,
            f"{people:,} people, {grown / 2**20:,.0f} MiB more than idle",
        )
        yield from _restarts(target, people, count, idle_cpu)


def _restarts(target: Target, people: int, count: int, idle_cpu: float) -> Iterator[Figure]:
    target.stop()
    parts = [f"{name} {target.size(name) / count:,.0f}" for name in _stores(target)]
    yield Figure(PROMISES["disk"], target.size() / count, 0.0, ", ".join(parts))
    base = machine.baseline()
    spent = max(target.start() - idle_cpu, 0.01)
    yield Figure(PROMISES["load"], spent * 1e6 / people, base, f"{people:,} people in {spent:.2f} cpu-s")
    target.kill()
    for left in target.data.glob("state.db*"):
        left.unlink()
    base = machine.baseline()
    spent = max(target.start() - idle_cpu, 0.01)
    target.settle()
    yield Figure(
        PROMISES["replay"], count / spent, base, f"{count:,} events, state deleted, {spent:.1f} cpu-s"
    )


def _stores(target: Target) -> list[str]:
    return sorted(path.name for path in target.data.iterdir() if target.size(path.name) > 65_536)


def zipf(quick: bool) -> Iterator[Figure]:
    """Realistic skew."""
    people, count = (10_000, 30_000) if quick else (100_000, 300_000)
    data = bodies.batches(bodies.messages(bodies.zipf(people, count).tolist(), "zpf"))
    with Target() as target:
        base = machine.baseline()
        yield _rate("zipf", count, send(target, bodies.tracked(data, target.write_key)), base)


def single(quick: bool) -> Iterator[Figure]:
    """One event a request, 64 connections, each reply after its own event is durable."""
    people, count = (2_000, 5_000) if quick else (10_000, 30_000)
    data = list(bodies.messages(bodies.uniform(people, count).tolist(), "one"))
    with Target() as target:
        base = machine.baseline()
        spent = send(target, bodies.tracked(data, target.write_key, "/v1/track"), connections=64)
        yield _rate("single", count, spent, base, "req")


def worst(quick: bool) -> Iterator[Figure]:
    """Random pairs of devices and users, against the same number of ordinary events on another directory."""
    count = 10_000 if quick else 60_000
    speeds = []
    for stream in (
        bodies.messages(bodies.uniform(count // 3, count).tolist(), "nrm"),
        bodies.pairs(count // 6, count // 6, count, "prc"),
    ):
        with Target() as target:
            cpu, _, _ = send(target, bodies.tracked(bodies.batches(stream), target.write_key))
            speeds.append(count / cpu)
    normal, percolated = speeds
    note = f"{percolated:,.0f} against {normal:,.0f} ev/cpu-s"
    yield Figure(PROMISES["worst"], 100 * percolated / normal, 0.0, note)
