"""Rows about answers: profile reads, decisions, both under load, and how soon an event changes a decision."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from patron.cli.bench import bodies, machine
from patron.cli.bench.catalogues import PLACEMENT, flip, wide
from patron.cli.bench.figures import PROMISES, Figure
from patron.cli.bench.load import Outcome, Pump, Shot, drive, paced, percentile
from patron.cli.bench.target import Target

FULL_RATE = 27_500.0
"""Events a second of the mixed load; half of it is the `half load` of the changed decision."""


def _prepared(target: Target, people: int, prefix: str) -> None:
    stream = bodies.messages([p for p in range(people) for _ in range(3)], prefix)
    drive(target.port, [Shot(one) for one in bodies.tracked(bodies.batches(stream), target.write_key)])
    target.settle()


def handlers(quick: bool) -> Iterator[Figure]:
    """Profile read and decision in the handler; then decisions over HTTP and their bytes in the log."""
    people, count = (1_000, 500) if quick else (10_000, 3_000)
    with Target() as target:
        target.load_catalogue(wide())
        _prepared(target, people, "ask")
        treated = _treated(target, people, 100 if quick else 1_000)
        target.stop()
        base = machine.baseline()
        read = _inside(target, "read", count, list(range(people)))
        note = f"p50 {percentile(read['cpu'], 0.5):.0f} us CPU"
        yield Figure(PROMISES["read"], percentile(read["cpu"], 0.99) / 1000, base, note)
        made = _inside(target, "decide", count, treated)
        note = f"{made['alone']:.0f} us one at a time; {_walls(made)}"
        yield Figure(PROMISES["decide_p50"], percentile(made["cpu"], 0.5), base, note)
        note = (
            f"p99.9 {percentile(made['cpu'], 0.999):,.0f} us; {count:,} decisions, 1 % for people never seen"
        )
        yield Figure(PROMISES["decide_p99"], percentile(made["cpu"], 0.99), base, note)
        yield Figure(PROMISES["disk_decision"], made["log_bytes"] / count, 0.0, "not yet packed")
        target.start()
        yield _over_http(target, treated, count * 2)


def actions(quick: bool) -> Iterator[Figure]:
    """The whole decision in the handler, ledger and durable record on, by how many actions there are; six in ten survive."""
    people, count = (200, 400) if quick else (2_000, 2_000)
    for many in (10, 100, 1_000):
        with Target() as target:
            target.load_catalogue(wide(many, many * 6 // 10))
            _prepared(target, people, "ask")
            treated = _treated(target, people, people // 4)
            target.stop()
            base = machine.baseline()
            made = _inside(target, "decide", count, treated)
            cpu = made["cpu"]
            note = f"p99 {percentile(cpu, 0.99):,.0f}, p99.9 {percentile(cpu, 0.999):,.0f} us; {_walls(made)}"
            yield Figure(PROMISES[f"actions_{many}"], percentile(cpu, 0.5), base, note)


def _walls(made: dict[str, Any]) -> str:
    p50, p99, most = (percentile(made["wall"], share) / 1000 for share in (0.5, 0.99, 0.999))
    return f"wall p50 {p50:.2f}, p99 {p99:.2f}, p99.9 {most:.2f} ms"


def _treated(target: Target, people: int, wanted: int) -> list[int]:
    """People who are not held out: only for them are all actions weighed."""
    found: list[int] = []
    for person in range(people):
        asked = {"placement": PLACEMENT, "anonymousId": f"ask-a{person}", "context": {"weather": "rain"}}
        status, decision = target.call("POST", "/v1/decide", asked)
        if status != 200:
            raise click.ClickException(f"the server answered {decision} to a decision")
        if decision["group"] == "treated":
            found.append(person)
        if len(found) == wanted:
            break
    return found


def _inside(target: Target, kind: str, count: int, people: list[int]) -> dict[str, Any]:
    command = [sys.executable, "-m", "patron.cli.bench.inside", str(target.data), kind, str(count), "ask"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, input=json.dumps(people))  # noqa: S603
    if done.returncode:
        raise click.ClickException(f"measuring `{kind}` failed:\n{done.stderr[-2_000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise click.ClickException(f"measuring `{kind}`: the handler answered {found['statuses']}")
    return found


def _asks(target: Target, people: list[int], count: int) -> list[bytes]:
    found = []
    for drawn in bodies.uniform(len(people), count, seed=7).tolist():
        asked = {
            "placement": PLACEMENT,
            "anonymousId": f"ask-a{people[drawn]}",
            "context": {"weather": "rain"},
        }
        found.append(bodies.request("POST", "/v1/decide", target.admin, json.dumps(asked).encode()))
    return found


def _over_http(target: Target, people: list[int], count: int) -> Figure:
    asks = [Shot(one) for one in _asks(target, people, count)]
    base, before = machine.baseline(), target.cpu()
    outcome = drive(target.port, asks, connections=32)
    spent = target.cpu() - before
    _all_well(outcome)
    wall = f"{count / outcome.seconds:,.0f} req/s wall at 32 connections"
    return Figure(PROMISES["decide_http"], count / spent, base, wall)


def _all_well(outcome: Outcome) -> None:
    bad = {status: n for status, n in outcome.statuses.items() if status not in {200, 429, 503}}
    if bad:
        raise click.ClickException(f"the server answered {bad}")


def half(quick: bool) -> Iterator[Figure]:
    """400 decisions a second over HTTP while events come at half of the mixed load's rate."""
    people, seconds = (2_000, 4) if quick else (20_000, 20)
    rate = FULL_RATE / 2
    with Target() as target:
        target.load_catalogue(wide())
        _prepared(target, people // 4, "ask")
        treated = _treated(target, people // 4, 100 if quick else 1_000)
        stream = bodies.messages(bodies.uniform(people, int(rate * (seconds + 2))).tolist(), "ask2")
        events = bodies.tracked(bodies.batches(stream), target.write_key)
        shots = paced(_asks(target, treated, 400 * seconds), 400, "decide")
        base = machine.baseline()
        pump = Pump(target.port, events, rate / 100)
        time.sleep(1.0)
        outcome = drive(target.port, shots, connections=32)
        taken, _, took = pump.finish()
        _all_well(outcome)
        waits = outcome.latencies["decide"]
        note = (
            f"p50 {percentile(waits, 0.5) * 1000:.1f}, p99.9 {percentile(waits, 0.999) * 1000:.1f} ms; "
            f"{len(waits) / outcome.seconds:,.0f} decisions/s, {taken * 100 / took:,.0f} ev/s"
        )
        yield Figure(PROMISES["half_p99"], percentile(waits, 0.99) * 1000, base, note)


def mixed(quick: bool) -> Iterator[Figure]:
    """27,500 events, 800 decisions and 200 reads a second together, checkpoints on, paced from two processes."""
    people, seconds = (5_000, 4) if quick else (100_000, 20)
    rate = FULL_RATE
    with Target() as target:
        target.load_catalogue(wide())
        _prepared(target, min(people, 5_000), "ask")
        treated = _treated(target, min(people, 5_000), 100 if quick else 1_000)
        stream = bodies.messages(bodies.uniform(people, int(rate * seconds)).tolist(), "ask2")
        events = bodies.tracked(bodies.batches(stream), target.write_key)
        shots = _questions(target, treated, seconds)
        base = machine.baseline()
        pump = Pump(target.port, events, rate / 100)
        time.sleep(1.0)
        outcome = drive(target.port, shots, connections=32)
        taken, refused, took = pump.finish()
        _all_well(outcome)
        decided, reads = outcome.latencies["decide"], outcome.latencies["read"]
        note = (
            f"p50 {percentile(decided, 0.5) * 1000:.1f} ms; reads p99 {percentile(reads, 0.99) * 1000:.1f} ms; "
            f"{len(decided) / outcome.seconds:,.0f} decisions/s, {len(reads) / outcome.seconds:,.0f} reads/s"
        )
        yield Figure(PROMISES["mixed_p99"], percentile(decided, 0.99) * 1000, base, note)
        yield Figure(
            PROMISES["mixed_rate"], taken * 100 / took, base, f"{refused} requests were refused first (503)"
        )


def _questions(target: Target, people: list[int], seconds: int) -> list[Shot]:
    asks = paced(_asks(target, people, 800 * seconds), 800, "decide")
    who = bodies.uniform(len(people), 200 * seconds, seed=8).tolist()
    reads = [bodies.request("GET", f"/v1/profiles/anonymous_id:ask-a{people[p]}", target.admin) for p in who]
    return sorted(asks + paced(reads, 200, "read"), key=lambda shot: shot.due)


def changed(quick: bool) -> Iterator[Figure]:
    """A trait arrives; how long until a decision of that person counts with it, from the sending of the event."""
    count = 40 if quick else 300
    with Target() as target:
        target.load_catalogue(flip())
        background = bodies.messages(
            bodies.uniform(20_000, int(FULL_RATE / 2 * (count * 0.04 + 3))).tolist(), "bg"
        )
        events = bodies.tracked(bodies.batches(background), target.write_key)
        base = machine.baseline()
        pump = Pump(target.port, events, FULL_RATE / 2 / 100)
        time.sleep(1.0)
        delays: list[float] = []
        tries, person = 0, 0
        while len(delays) < count:
            person += 1
            found = _flip(target, person)
            if found is not None:
                delays.append(found[0])
                tries += found[1]
        pump.finish()
        note = f"p50 {percentile(delays, 0.5) * 1000:.1f} ms; {tries / count:.2f} decisions asked for each"
        yield Figure(PROMISES["changed"], percentile(delays, 0.99) * 1000, base, note)


def _flip(target: Target, person: int) -> tuple[float, int] | None:
    """Seconds from sending the event to holding a decision whose gates saw it, and how many decisions that took.

    None for a person who is held out.
    """
    ask = {"placement": PLACEMENT, "userId": f"flip-{person}"}
    before = target.call("POST", "/v1/decide", ask)[1]
    if before["group"] != "treated":
        return None
    if _open_to_gold(before):
        raise click.ClickException("the bench's person was gold before the event came")
    message = {"messageId": f"flip-{person}", "userId": f"flip-{person}", "traits": {"tier": "gold"}}
    body = json.dumps(message).encode()
    begun = time.perf_counter()
    _all_well(drive(target.port, [Shot(bodies.request("POST", "/v1/identify", target.write_key, body))]))
    for tries in range(1, 200):
        if _open_to_gold(target.call("POST", "/v1/decide", ask)[1]):
            return time.perf_counter() - begun, tries
    raise click.ClickException("the event never changed the decision")


def _open_to_gold(decision: dict[str, Any]) -> bool:
    """Whether the offer passed its condition on the trait, whichever action was drawn."""
    return "gold" in decision["eligible"]
