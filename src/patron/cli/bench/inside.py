"""Handlers measured from inside: what the server calls for a request that is whole, in a process of its own, without the socket.

Run as `python -m patron.cli.bench.inside DIR KIND COUNT PREFIX` with a JSON list of people on standard input; prints
JSON with CPU microseconds of each request. `UNDER_WAY` requests are under way at a time, as many as one group commit holds
at the promised 5,000 decisions a second. A request's CPU time is that of its own steps, and its equal share of everything
else that the process did meanwhile: applying, the committer thread, the sync. So nothing is left out of the mean.
`alone` is the CPU time of the whole process for one request at a time, whose group commit and waking up it pays alone.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any

from patron.cli.bench.catalogues import PLACEMENT

WARM_UP = 200
UNDER_WAY = 10
UNSEEN_EVERY = 100
"""One in so many decisions is for somebody who was never seen."""
_NEVER_SEEN = 10**9

Ask = Callable[[int], Coroutine[Any, Any, int]]
"""Serves one request about a person; gives the status."""


class _Timed:
    """A coroutine that adds up the CPU time of its own steps, ns."""

    def __init__(self, work: Coroutine[Any, Any, int]) -> None:
        self._work = work
        self.used = 0

    def __await__(self) -> Generator[Any, None, int]:
        while True:
            begun = time.thread_time_ns()
            try:
                awaited = self._work.send(None)
            except StopIteration as end:
                return int(end.value)
            finally:
                self.used += time.thread_time_ns() - begun
            yield awaited


async def _measure(data: Path, kind: str, count: int, prefix: str, people: list[int]) -> dict[str, Any]:
    from patron.runtime.backend import LocalBackend
    from patron.runtime.serving.doors import whole_door

    backend = await LocalBackend.start(data, lasting=True)
    try:
        door = whole_door(backend, None)
        ask = _read(door, backend.token, prefix) if kind == "read" else _decide(door, backend.token, prefix)
        draw = random.Random(5)  # noqa: S311 - which person is asked for next, nothing secret
        who = [draw.choice(people) for _ in range(WARM_UP + count)]
        if kind == "decide":
            for at in range(0, WARM_UP + count, UNSEEN_EVERY):
                who[at] = _NEVER_SEEN + at
        alone = [await _alone(ask, person) for person in who[:WARM_UP]]
        size = _log_bytes(data)
        found = await _together(ask, who[WARM_UP:])
        return {**found, "alone": sorted(alone)[WARM_UP // 2], "log_bytes": _log_bytes(data) - size}
    finally:
        await backend.app.stop()


async def _alone(ask: Ask, person: int) -> float:
    begun = time.process_time_ns()
    await ask(person)
    return (time.process_time_ns() - begun) / 1000


async def _together(ask: Ask, who: list[int]) -> dict[str, Any]:
    own, wall, statuses = list[float](), list[float](), dict[int, int]()
    left = iter(who)

    async def client() -> None:
        for person in left:
            timed, began = _Timed(ask(person)), time.perf_counter_ns()
            status = await timed
            wall.append((time.perf_counter_ns() - began) / 1000)
            own.append(timed.used / 1000)
            statuses[status] = statuses.get(status, 0) + 1

    begun = time.process_time_ns()
    await asyncio.gather(*(client() for _ in range(UNDER_WAY)))
    rest = ((time.process_time_ns() - begun) / 1000 - sum(own)) / len(own)
    return {"cpu": [used + rest for used in own], "wall": wall, "statuses": statuses}


def _log_bytes(data: Path) -> int:
    return sum(path.stat().st_size for path in (data / "log").rglob("*") if path.is_file())


def _read(door: Any, token: str, prefix: str) -> Ask:
    async def ask(person: int) -> int:
        namespace = f"user_id:{prefix}-u{person}" if person % 2 else f"anonymous_id:{prefix}-a{person}"
        path = f"/v1/profiles/{namespace}"
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": _headers(token, 0),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
        }
        return await _call(door, scope)

    return ask


def _decide(door: Any, token: str, prefix: str) -> Ask:
    direct = door.direct[b"/v1/decide"]

    async def ask(person: int) -> int:
        asked = {"placement": PLACEMENT, "anonymousId": f"{prefix}-a{person}", "context": {"weather": "rain"}}
        body = json.dumps(asked).encode()
        status, _, _ = await direct(_headers(token, len(body)), body)
        return int(status)

    return ask


def _headers(token: str, size: int) -> list[tuple[bytes, bytes]]:
    return [
        (b"host", b"127.0.0.1"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"content-length", str(size).encode()),
    ]


async def _call(door: Any, scope: dict[str, Any]) -> int:
    found: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    await door(scope, receive, send)
    return found[0]


def main() -> None:
    """Measure and print."""
    data, kind, count, prefix = sys.argv[1:5]
    people = json.load(sys.stdin)
    with asyncio.Runner(loop_factory=_uvloop) as runner:
        json.dump(runner.run(_measure(Path(data), kind, int(count), prefix, people)), sys.stdout)


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


if __name__ == "__main__":
    main()
