"""The server dies at each named point between append, commit, apply and checkpoint: nothing acknowledged is lost.

`PATRON_CRASH_AT=point:n` makes the process end at the n-th passing of a point as by SIGKILL.
"""

import http.client
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PATRON, PatronServer, basic, free_port, request

POINTS = [
    "before_append",
    "after_write",
    "before_sync",
    "after_sync",
    "before_apply",
    "after_apply",
    "before_checkpoint",
    "after_checkpoint",
    "before_rotate",
    "after_rotate",
    "before_index",
    "after_index",
    "before_pack",
    "after_pack",
    "before_swap",
    "after_swap",
]
STORAGE = "PATRON_STORAGE_"


def _batch(number: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "track",
            "event": "Counted",
            "userId": "u",
            "messageId": f"m-{number}-{n}",
            "timestamp": "2026-03-02T10:00:00Z",
            "properties": {"filler": "x" * 2000},
        }
        for n in range(5)
    ]


def _post(server: PatronServer, key: str, number: int) -> bool:
    """Whether the server answered 200."""
    body = json.dumps({"batch": _batch(number)})
    try:
        return request("POST", f"{server.url}/v1/batch", body, basic(key), timeout=10).status == 200
    except (OSError, http.client.HTTPException):
        return False


def _ids(server: PatronServer) -> list[str]:
    known = server.profile("user_id:u").status == 200
    return [e["messageId"] for e in server.events("user_id:u", limit=1000)] if known else []


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_nothing_acknowledged_is_lost_and_a_retry_counts_once(
    server: Callable[..., PatronServer], point: str
) -> None:
    # segments of 1 MB are filled within the test, so that rotation, index and packing happen; checkpoints come often
    small = {
        STORAGE + "SEGMENT_MB": "1",
        STORAGE + "CHECKPOINT_SECONDS": "1",
        STORAGE + "CHECKPOINT_EVENTS": "50",
    }
    patron = server(env=small)
    key = patron.write_key("web")
    patron.stop()
    patron.env = {
        **patron.env,
        "PATRON_CRASH_AT": f"{point}:3" if "append" in point or "apply" in point else f"{point}:2",
    }
    patron.start()
    acknowledged, last = [], 0
    process = patron.process
    assert process is not None
    for number in range(4_000):  # a quick machine sends 400 between two checkpoints
        last = number
        if _post(patron, key, number):
            acknowledged.append(number)
        elif process.poll() is not None:
            break
        time.sleep(0.001)
    assert process.wait(timeout=20) == 137, f"{point} was never passed"
    patron.process = None
    patron.env = {k: v for k, v in patron.env.items() if k != "PATRON_CRASH_AT"}
    patron.start()
    found = _ids(patron)
    assert len(found) == len(set(found))
    missing = {m["messageId"] for n in acknowledged for m in _batch(n)} - set(found)
    assert not missing, f"{len(missing)} acknowledged messages lost at {point}"
    for number in range(last + 1):
        assert _post(patron, key, number)
    found = _ids(patron)
    assert sorted(found) == sorted(m["messageId"] for n in range(last + 1) for m in _batch(n))
    shown = patron.profile("user_id:u")
    assert shown.status == 200, (shown, patron.stderr_tail())
    assert shown.json()["counters"] == {"Counted": 5 * (last + 1)}
    assert patron.post("/v1/admin/replay", {}).json()["equal"]


@pytest.mark.slow
def test_two_servers_on_one_directory_the_second_refuses_clearly(server: Callable[..., PatronServer]) -> None:
    patron = server()
    # Not the port next to the first one's: Linux gives even ports to connections that go out, so a client of another test
    # that ended a moment ago (TIME_WAIT) may hold it, and the refusal would be about the port.
    second = subprocess.run(
        [PATRON, "serve", "--data", str(patron.data), "--port", str(free_port())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1, second.stderr
    assert f"is held by process {patron.pid}." in second.stderr, second.stderr
