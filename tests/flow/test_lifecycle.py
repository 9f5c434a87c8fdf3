"""A real server through its life: started, asked, killed, started again, stopped; and commands beside it."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.flow.serving import PATRON, PatronServer, ServerDied, basic, request, run_patron

pytestmark = pytest.mark.slow

Start = Callable[..., PatronServer]


def view(number: int, user: str = "ana") -> dict[str, Any]:
    """One product view with an id of its own."""
    return {
        "type": "track",
        "event": "Product Viewed",
        "userId": user,
        "messageId": f"m-{number}",
        "properties": {"n": number},
    }


def test_what_was_acknowledged_outlives_sigkill(server: Start) -> None:
    one = server()
    key = one.write_key("web")
    assert one.admin
    for number in range(50):
        one.track(key, view(number))
        if number in {20, 40}:
            one.kill9()
            one.restart()
    arrived = [event["messageId"] for event in one.events("user_id:ana")]
    assert sorted(arrived) == sorted(f"m-{n}" for n in range(50))
    assert one.profile("user_id:ana").json()["counters"]["Product Viewed"] == 50


def test_an_orderly_stop_ends_with_zero_and_keeps_everything(server: Start) -> None:
    one = server()
    one.track(one.write_key("web"), view(1))
    before = one.profile("user_id:ana").body
    assert one.stop() == 0
    one.start()
    assert json.loads(one.profile("user_id:ana").body) == json.loads(before)


def test_read_your_writes(server: Start) -> None:
    one = server()
    key = one.write_key("web")
    for number in range(20):
        reply = one.track(key, view(number, f"u{number}"))
        position = int(reply.headers["patron-position"])
        assert one.profile(f"user_id:u{number}", after=position).status == 200


def test_commands_work_while_the_server_runs_and_when_it_does_not(server: Start) -> None:
    one = server()
    key = one.write_key("pos", "till")
    assert one.track(key, view(1)).status == 200
    running = run_patron("person", "show", "user_id:ana", "--json", "--data", str(one.data)).stdout
    one.stop()
    stopped = run_patron("person", "show", "user_id:ana", "--json", "--data", str(one.data)).stdout
    assert json.loads(running)["id"] == json.loads(stopped)["id"]


def test_a_second_server_on_the_directory_is_refused_with_a_sentence(server: Start) -> None:
    one = server()
    other = PatronServer(one.data)
    with pytest.raises(ServerDied) as told:
        other.start()
    assert "Traceback" not in str(told.value)
    assert one.get("/readyz").status == 200


def test_a_taken_port_is_refused_with_a_sentence(server: Start) -> None:
    one = server()
    other = PatronServer(one.data.with_name("other"), port=one.port)
    other.init()
    done = subprocess.run(
        [PATRON, "serve", "--data", str(other.data), "--port", str(one.port)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert str(one.port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_revoked_or_unknown_key_is_401(server: Start) -> None:
    one = server()
    reply = request("POST", f"{one.url}/v1/track", json.dumps(view(1)), basic("no-such-key"))
    assert reply.status == 401
    assert set(reply.json()) >= {"code", "message"}


def test_the_fixture_tells_of_a_server_that_died(tmp_path: Any) -> None:
    one = PatronServer(tmp_path / "patron")
    one.init()
    one.start()
    os.kill(one.pid, signal.SIGKILL)
    assert one.process is not None
    one.process.wait(30)
    assert "ended by itself with -9" in one.close()
