"""What a bare HTTP server on this machine does with the same requests, in the same minute: the peer of the rates."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterable

import click

from patron.cli.bench import bodies, machine
from patron.cli.bench.load import Shot, drive
from patron.cli.bench.target import free_port

REFERENCE = {"batch": 411_000.0, "single": 24_900.0}
"""What the peer did on the machine whose floors and goals these are: events (100 a body) and requests per CPU second."""
_SINGLES, _BATCHES = 6_000, 500
_READY_SECONDS = 30.0
_COMMAND = (
    "import uvicorn; uvicorn.run('patron.cli.bench.bare:app', host='127.0.0.1', port={port}, loop='uvloop', "
    "http='httptools', lifespan='off', access_log=False, log_level='error')"
)


def measure() -> dict[str, float]:
    """Run the peer for a few seconds: its `batch` (events) and `single` (requests) per CPU second.

    Raises ClickException when it does not start.
    """
    port = free_port()
    process = subprocess.Popen(  # noqa: S603
        (sys.executable, "-c", _COMMAND.format(port=port)), stdin=subprocess.DEVNULL
    )
    try:
        _await(process, port)
        some = list(bodies.messages(bodies.uniform(10_000, _SINGLES).tolist(), "peer"))
        single = bodies.tracked(some, "x" * 32, "/v1/track")
        batch = bodies.tracked(bodies.batches(iter(some)), "x" * 32)
        repeated = batch * (_BATCHES // len(batch))
        return {
            "single": len(single) / _spent(process.pid, port, single, 64),
            "batch": 100 * len(repeated) / _spent(process.pid, port, repeated, 8),
        }
    finally:
        process.kill()
        process.wait(30)


def _spent(pid: int, port: int, requests: Iterable[bytes], connections: int) -> float:
    before = machine.cpu_seconds(pid)
    drive(port, [Shot(one) for one in requests], connections)
    return max(machine.cpu_seconds(pid) - before, 0.01)


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise click.ClickException("the bare server that the bench compares with did not start")
