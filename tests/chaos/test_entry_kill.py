"""People come in while the process is killed, twice: in the end each entry was decided for exactly once."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PatronServer, ServerDied, bearer, request

pytestmark = pytest.mark.slow
PEOPLE = 60
CATALOGUE = """
[[placement]]
id = "associate_card"
name = "Associate's tablet"
channel = "associate_tablet"
trigger = "Store Entered"

[[offer]]
id = "coupon"
name = "Coupon"
value = 50.0
stock = 10

[[offer]]
id = "tea"
name = "Tea"
value = 20.0
"""


def _decided(server: PatronServer) -> list[dict[str, Any]]:
    path = "/v1/placements/associate_card/decisions?everyone=true"
    found: list[dict[str, Any]] = server.get(path).json()["data"]
    return found


def _come(server: PatronServer, key: str, first: int, last: int) -> None:
    server.track(key, *(
        {"type": "track", "event": "Store Entered", "userId": f"u{n}", "messageId": f"e{n}", "properties": {"store_id": "S1"}}
        for n in range(first, last)
    ))  # fmt: skip


def _died(server: PatronServer) -> None:
    with contextlib.suppress(ServerDied, OSError):
        while True:
            server.check_alive()
            time.sleep(0.02)
    server.process = None


def test_killed_twice_everybody_who_came_in_is_decided_for_once(server: Callable[..., PatronServer]) -> None:
    one = server()
    key = one.write_key("app")
    text = json.dumps({"text": CATALOGUE})
    assert request("PUT", f"{one.url}/v1/catalogue", text, bearer(one.admin)).status == 200
    one.settle()
    one.stop()
    one.env["PATRON_CRASH_AT"] = "entry:20"
    one.start()
    with contextlib.suppress(OSError):
        _come(one, key, 0, PEOPLE)
    _died(one)
    one.start()  # and dies again where it goes on
    _died(one)
    del one.env["PATRON_CRASH_AT"]
    one.start()
    _come(one, key, 0, PEOPLE)  # who was not answered tells it again
    rows = _decided(one)
    assert len({row["node"] for row in rows}) == len({row["decision"] for row in rows}) == len(rows) == PEOPLE
    assert sum(row["offer"] == "coupon" for row in rows) <= 10
    _come(one, key, 0, PEOPLE)
    assert _decided(one) == rows
    replay = one.post("/v1/admin/replay").json()
    assert replay["equal"], replay["differences"]
