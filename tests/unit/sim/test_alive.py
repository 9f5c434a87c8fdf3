"""The live runner against a real socket: it sends, asks, reports what was shown, and stops when told."""

import datetime as dt
import json
import threading
import time

import pytest

from patron.sim import make_town
from patron.sim.alive.alive import run_live
from tests.unit.sim.tracking import Tracking

KEYS = {
    name: f"k-{name}" for name in ("web", "app", "pos", "kiosk", "associate_tablet", "call_centre", "email")
}


@pytest.fixture(scope="module")
def town():
    """A small town."""
    return make_town(seed=7, today=dt.datetime.now(dt.UTC).date(), size=40)


def live_until(enough, town, server, rate=60.0):
    """Run live in a thread until there is enough (or a minute has gone); what it did, and how long stopping took."""
    stop, done, began = threading.Event(), [], time.monotonic()
    thread = threading.Thread(
        target=lambda: done.append(run_live(server.url, KEYS, "k-decide", town, stop, rate))
    )
    thread.start()
    while not enough() and time.monotonic() - began < 60:
        time.sleep(0.02)
    asked = time.monotonic()
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    return done[0], time.monotonic() - asked


def test_it_sends_asks_and_reports_what_was_shown(town):
    busy = []

    def answers(number, path, _body):
        if path == "/v1/batch" and number > 2 and not busy:
            busy.append(number)  # one batch, whichever it is, is told to come back
            return 503, {"Retry-After": "0"}, b"{}"
        if path == "/v1/decide":
            text = json.dumps({"decisionId": f"d{number}", "action": "house-blend", "content": {}})
            return 200, {}, text.encode()
        return 200, {}, b"{}"

    with Tracking(answers) as server:
        done, stopping = live_until(lambda: len(server.requests) > 40, town, server)
    assert stopping < 10
    assert done.failures == 0, done.last_failure
    assert done.retries == len(busy) == 1
    assert done.messages == len(server.taken)
    asked = [body for path, _, body in server.requests if path == "/v1/decide"]
    assert done.asked == len(asked) == done.shown > 3
    assert all(body["placement"] and body["channel"] and isinstance(body["context"], dict) for body in asked)
    known = [b for b in asked if b.get("userId") or b.get("anonymousId") or b["context"].get("externalIds")]
    assert known == asked
    shown = [m for _, m in server.taken if m.get("event") == "Offer Shown"]
    assert len(shown) >= 1
    now = dt.datetime.now(dt.UTC)
    for _, message in server.taken:
        assert abs((now - dt.datetime.fromisoformat(message["sentAt"])).total_seconds()) < 60


def test_it_lives_on_when_requests_are_refused(town):
    with Tracking(lambda *_: (401, {}, b'{"code":"bad_key","message":"unknown"}')) as server:
        done, _ = live_until(lambda: len(server.requests) > 5, town, server)
    assert done.failures > 2
    assert "401" in done.last_failure
    assert done.messages == 0


def test_it_stops_while_the_server_is_away(town):
    with Tracking() as server:
        pass
    began = time.monotonic()
    done, stopping = live_until(lambda: time.monotonic() - began > 1.0, town, server)
    assert stopping < 10
    assert done.messages == 0
