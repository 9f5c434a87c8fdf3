"""Handlers measured from inside: the server's own ASGI callable in a process of its own, without the socket.

Run as `python -m patron.cli.bench.inside DIR KIND COUNT PREFIX` with a JSON list of people on standard input; prints
JSON with CPU microseconds of each request. CPU time is that of the whole process, so the committer thread's share of
a durable record is in it.
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from patron.cli.bench.catalogues import PLACEMENT

WARM_UP = 200


async def _measure(data: Path, kind: str, count: int, prefix: str, people: list[int]) -> dict[str, Any]:
    from patron.runtime.backend import LocalBackend
    from patron.runtime.doors import whole_door

    backend = await LocalBackend.start(data)
    try:
        door = whole_door(backend, None)
        draw = random.Random(5)  # noqa: S311 - which person is asked for next, nothing secret
        cpu, wall, statuses, size = [], [], dict[int, int](), 0
        for number in range(WARM_UP + count):
            if number == WARM_UP:
                size = _log_bytes(data)
            scope, body = _request(kind, backend.token, prefix, draw.choice(people))
            begun, began = time.process_time_ns(), time.perf_counter_ns()
            status = await _call(door, scope, body)
            used, took = time.process_time_ns() - begun, time.perf_counter_ns() - began
            if number >= WARM_UP:
                cpu.append(used / 1000)
                wall.append(took / 1000)
                statuses[status] = statuses.get(status, 0) + 1
        return {"cpu": cpu, "wall": wall, "statuses": statuses, "log_bytes": _log_bytes(data) - size}
    finally:
        await backend.app.stop()


def _log_bytes(data: Path) -> int:
    return sum(path.stat().st_size for path in (data / "log").rglob("*") if path.is_file())


def _request(kind: str, token: str, prefix: str, person: int) -> tuple[dict[str, Any], bytes]:
    if kind == "read":
        namespace = f"user_id:{prefix}-u{person}" if person % 2 else f"anonymous_id:{prefix}-a{person}"
        method, path, body = "GET", f"/v1/profiles/{namespace}", b""
    else:
        asked = {"placement": PLACEMENT, "anonymousId": f"{prefix}-a{person}", "context": {"weather": "rain"}}
        method, path, body = "POST", "/v1/decide", json.dumps(asked).encode()
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    return scope, body


async def _call(door: Any, scope: dict[str, Any], body: bytes) -> int:
    found: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

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
