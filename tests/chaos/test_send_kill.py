"""A send whose process is killed in the middle, twice: in the end everybody was decided for exactly once."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PatronServer, ServerDied, bearer, request, run_patron

pytestmark = pytest.mark.slow
PEOPLE = 600
CATALOGUE = """
[[placement]]
id = "mail"
name = "Newsletter"
channel = "email"
outbound = true
explore = false
reward = "click"

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
SPRING = {"id": "spring", "name": "Spring", "placements": ["mail"], "holdout": 0.2, "hours": [0, 24]}


def _decisions(server: PatronServer) -> list[dict[str, Any]]:
    found, cursor = [], ""
    while True:
        page = server.get(f"/v1/sends/spring/decisions?everyone=true&cursor={cursor}").json()
        found += page["data"]
        if page["cursor"] is None:
            return found
        cursor = page["cursor"]


def _decided(server: PatronServer) -> int:
    return int(server.get("/v1/sends/spring").json()["decided"])


def test_killed_twice_everybody_is_decided_for_once(server: Callable[..., PatronServer]) -> None:
    one = server()
    key = one.write_key("crm")
    assert (
        request("PUT", f"{one.url}/v1/catalogue", json.dumps({"text": CATALOGUE}), bearer(one.admin)).status
        == 200
    )
    for first in range(0, PEOPLE, 200):
        one.track(key, *(
            {"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@mail.example"}, "messageId": f"i{n}"}
            for n in range(first, first + 200)
        ))  # fmt: skip
    one.settle()
    one.stop()
    one.env["PATRON_CRASH_AT"] = "send_part:3"
    one.start()
    assert one.post("/v1/sends", SPRING).status == 202
    with contextlib.suppress(ServerDied, OSError):
        while True:
            one.check_alive()
            time.sleep(0.02)
    one.process = None
    del one.env["PATRON_CRASH_AT"]
    one.start()
    reached = _decided(one)
    assert 0 < reached < PEOPLE, "it died in the middle"
    while _decided(one) < min(PEOPLE - 50, reached + 50):
        time.sleep(0.005)
    one.kill9()
    one.start()
    while (told := one.get("/v1/sends/spring").json())["state"] == "running":
        time.sleep(0.05)
    assert (told["state"], told["looked"], told["decided"], told["unreachable"]) == (
        "ended",
        PEOPLE,
        PEOPLE,
        0,
    )
    rows = _decisions(one)
    assert len({row["person"] for row in rows}) == len({row["node"] for row in rows}) == len(rows) == PEOPLE
    assert sum(row["offer"] == "coupon" for row in rows) == 10
    assert 80 < sum(row["arm"] == "control" for row in rows) < 165
    said = run_patron("send", "show", "spring", "--data", str(one.data)).stdout
    assert f"Spring (spring): ended, {PEOPLE} decided for." in said
    assert "Coupon" in said
    lines = run_patron(
        "send", "decisions", "spring", "--format", "csv", "--data", str(one.data)
    ).stdout.splitlines()
    assert len(lines) == 1 + sum(row["offer"] != "nothing" for row in rows)
    tried = run_patron(
        "send", "try", "--definition", json.dumps({**SPRING, "id": "b"}), "--data", str(one.data)
    ).stdout
    assert f"{PEOPLE} people looked at" in tried
    replay = one.post("/v1/admin/replay").json()
    assert replay["equal"], replay["differences"]
