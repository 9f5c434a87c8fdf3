"""The loader against a server that says "later", hangs up, or refuses: nothing is lost, nothing is sent as new."""

import base64
import collections
import json
import threading
import time

import pytest

from patron.sim import Delivery
from patron.sim.server.load import BYTES, LoadFailed, Sender, bodies, load
from tests.unit.sim.tracking import Tracking

KEYS = {"web": "k-web", "pos": "k-pos"}


def made(count, size=10):
    """Deliveries of two sources in turn."""
    return [
        Delivery(n, "web" if n % 3 else "pos", {"type": "track", "messageId": f"m-{n}", "x": "y" * size})
        for n in range(count)
    ]


def test_bodies_hold_at_most_a_hundred_messages_and_keep_rough_order():
    grouped = list(bodies(made(5_000)))
    assert max(count for _, _, count in grouped) == 100
    assert sum(count for _, _, count in grouped) == 5_000
    for source in KEYS:
        ids = [m["messageId"] for s, body, _ in grouped if s == source for m in json.loads(body)["batch"]]
        assert ids == [d.message["messageId"] for d in made(5_000) if d.source_name == source]
    order = [int(m["messageId"][2:]) for _, body, _ in grouped for m in json.loads(body)["batch"]]
    assert max(abs(place - number) for place, number in enumerate(order)) <= 1_000


def test_large_messages_make_smaller_bodies():
    grouped = list(bodies(made(200, size=20_000)))
    assert max(len(body) for _, body, _ in grouped) <= BYTES + 20_000
    assert sum(count for _, _, count in grouped) == 200


def test_everything_arrives_once_although_the_server_is_busy_limits_and_hangs_up():
    def answers(number, _path, _body):
        if number in {0, 1, 9}:
            return 503, {"Retry-After": "0"}, b'{"code":"busy","message":"later"}'
        if number == 4:
            return 429, {"Retry-After": "1"}, b'{"code":"rate_limited","message":"later"}'
        if number in {6, 12}:
            return None  # taken, but the answer is lost
        reply = b'{"success": true, "accepted": 100, "duplicates": 2, "rejected": 1}'
        return 200, {"Patron-Position": str(number * 10)}, reply

    sent, marks = made(3_000), []
    with Tracking(answers) as server:
        began = time.monotonic()
        done = load(server.url, KEYS, sent, marks.append, connections=3)
    assert time.monotonic() - began >= 1.0
    assert done.sent == 3_000
    assert {m["messageId"] for _, m in server.taken} == {d.message["messageId"] for d in sent}
    copies = collections.Counter(m["messageId"] for _, m in server.taken)
    twice = {key for key, n in copies.items() if n > 1}
    assert twice  # the two bodies whose answer was lost, with the same ids
    assert len(twice) <= 200
    assert done.retries == 6
    assert done.bodies == len(server.requests) - 6
    assert (done.duplicates, done.rejected) == (2 * done.bodies, done.bodies)
    assert done.position == (len(server.requests) - 1) * 10
    assert marks[-1] == 3_000
    assert marks == sorted(marks)
    assert done.rate > 0
    assert len(server.connections) <= 3 + 2
    for key, message in server.taken:
        source = "web" if int(message["messageId"][2:]) % 3 else "pos"
        assert base64.b64decode(key.removeprefix("Basic ")).decode() == f"{KEYS[source]}:"


def test_a_server_that_stays_away_is_given_up_with_a_word_on_what_is_safe():
    with Tracking() as gone:
        url = gone.url
    sender = Sender(url, give_up=0.3)
    with pytest.raises(LoadFailed, match=r"gave up .* no answer .*nothing is sent twice"):
        sender.post("/v1/batch", "k", b"{}")
    sender.close()


@pytest.mark.parametrize("status", [400, 401, 413])
def test_a_refused_body_stops_the_load_with_the_servers_words(status):
    with Tracking(lambda *_: (status, {}, b'{"code":"bad_key","message":"unknown key"}')) as server:
        with pytest.raises(
            LoadFailed, match=rf"refused a body of source '(web|pos)' with {status}: .*unknown key"
        ):
            load(server.url, KEYS, made(10_000))
        assert len(server.requests) <= 3


def test_a_source_without_key_is_named():
    with (
        Tracking() as server,
        pytest.raises(LoadFailed, match="no write key for the source 'pos'; keys are given for web"),
    ):
        load(server.url, {"web": "k"}, made(500))


def test_a_fault_of_the_source_ends_all_threads():
    def broken():
        yield from made(400)
        raise RuntimeError("the town burnt down")

    before = threading.active_count()
    with Tracking(), Tracking() as server, pytest.raises(RuntimeError, match="burnt down"):
        load(server.url, KEYS, broken())
    assert threading.active_count() <= before


def test_an_address_that_is_none_is_refused():
    with pytest.raises(LoadFailed, match="is no address"):
        load("localhost:80", KEYS, [])
