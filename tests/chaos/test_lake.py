"""The jobs process, or the server with it, dies at each named point: every event is in the lake once."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PatronServer, basic, bearer, request, run_patron

POINTS = [
    *("lake_before_people", "lake_after_people", "lake_after_members", "lake_after_decisions"),
    *("lake_before_events", "lake_after_events", "lake_after_merge"),
]


def _batch(number: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "group" if n == 4 else "track",
            "event": "Counted",
            "userId": f"u{number}",
            "anonymousId": f"c{n}-{number}",
            "messageId": f"m-{number}-{n}",
            **({"groupId": "acme"} if n == 4 else {}),
        }
        for n in range(5)
    ]


def _send(patron: PatronServer, key: str, secret: str, number: int) -> None:
    body = json.dumps({"batch": _batch(number)})
    assert request("POST", f"{patron.url}/v1/batch", body, basic(key)).status == 200
    ask = json.dumps({"placement": "web_home", "userId": f"u{number}"})
    assert request("POST", f"{patron.url}/v1/decide", ask, bearer(secret)).status == 200


def _counts(patron: PatronServer, secret: str) -> Any:
    run_patron("lake", "flush", "--data", str(patron.data))
    sql = (
        "SELECT (SELECT [count(*), count(DISTINCT position), count(DISTINCT message_id)] FROM events), "
        "(SELECT [count(*), count(DISTINCT id)] FROM decisions), (SELECT count(*) FROM members), "
        "(SELECT [count(*), count(DISTINCT (node, position))] FROM people), "
        "(SELECT count(*) FROM events ANTI JOIN people_now USING (node))"
    )
    reply = request(
        "POST", f"{patron.url}/v1/lake/query", json.dumps({"sql": sql}), bearer(secret), timeout=60
    )
    assert reply.status == 200, reply
    return reply.json()["rows"][0]


def _check(counts: Any, sent: int) -> None:
    events, decisions, members, people, without = counts
    assert events == [5 * sent] * 3
    assert decisions == [sent] * 2
    assert members == sent
    assert people[0] == people[1] >= 6 * sent
    assert without == 0


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_jobs_process_that_dies_loses_and_doubles_nothing(
    server: Callable[..., PatronServer], point: str
) -> None:
    patron = server(env={"PATRON_LAKE_FLUSH_SECONDS": "0.2"})
    key, secret = patron.write_key("web"), patron.secret("admin")
    patron.stop()
    patron.env["PATRON_JOBS_CRASH_AT"] = f"{point}:1" if "merge" in point else f"{point}:3"
    patron.start()
    for number in range(12):
        _send(patron, key, secret, number)
        time.sleep(0.25)
    if "merge" in point:
        request("POST", f"{patron.url}/v1/lake/compact", b"{}", bearer(secret), timeout=60)
    patron.stop()
    del patron.env["PATRON_JOBS_CRASH_AT"]
    patron.start()
    _check(_counts(patron, secret), 12)


@pytest.mark.slow
def test_a_server_that_is_killed_again_and_again_loses_and_doubles_nothing(
    server: Callable[..., PatronServer],
) -> None:
    patron = server(env={"PATRON_LAKE_FLUSH_SECONDS": "0.1", "PATRON_STORAGE_CHECKPOINT_SECONDS": "1"})
    key, secret = patron.write_key("web"), patron.secret("admin")
    sent = 0
    for turn in range(4):
        until = time.monotonic() + 3.0 + turn / 3
        while time.monotonic() < until:
            _send(patron, key, secret, sent)
            sent += 1
            time.sleep(0.1)
        patron.kill9()
        patron.start()
    _check(_counts(patron, secret), sent)
