"""The bench measures what it says: its bodies are what SDKs send, its load loses nothing, its verdicts are right."""

import json
import socket
import threading
import tomllib
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from patron.cli.bench import bodies, catalogues, machine, peer
from patron.cli.bench.figures import PROMISES, Figure
from patron.cli.bench.load import Pump, Shot, drive, paced, percentile


class _Counting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    seen: Counter[bytes]
    refuse_every = 0
    lock = threading.Lock()
    count = 0

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            cls = type(self)
            cls.count += 1
            refused = cls.refuse_every and cls.count % cls.refuse_every == 0
            if not refused:
                cls.seen[body] += 1
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def counting() -> Iterator[Any]:
    """A local server that counts bodies."""

    class Handler(_Counting):
        seen: Counter[bytes] = Counter()

    site = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


def _port(site: Any) -> int:
    return int(site.server_address[1])


def test_load_sends_each_shot_once_and_again_after_a_refusal(counting: Any) -> None:
    counting.RequestHandlerClass.refuse_every = 7
    data = [bodies.request("POST", "/v1/track", "key", b"%d" % number) for number in range(200)]
    outcome = drive(_port(counting), [Shot(one) for one in data], connections=5)
    assert counting.RequestHandlerClass.seen == {b"%d" % number: 1 for number in range(200)}
    assert outcome.statuses[200] == 200
    assert outcome.refused == outcome.statuses[503] > 0


def test_paced_load_counts_latency_from_when_a_shot_was_due(counting: Any) -> None:
    data = [bodies.request("POST", "/", "k", b"%d" % number) for number in range(20)]
    shots = paced(data, 100.0, "late")
    assert [round(shot.due, 2) for shot in shots[:3]] == [0.0, 0.01, 0.02]
    outcome = drive(_port(counting), shots, connections=1)
    assert outcome.seconds >= 0.19
    assert len(outcome.latencies["late"]) == 20
    assert all(latency >= 0 for latency in outcome.latencies["late"])


def test_a_pump_in_its_own_process_tells_what_was_taken(counting: Any) -> None:
    data = [bodies.request("POST", "/", "k", b"%d" % number) for number in range(30)]
    taken, refused, seconds = Pump(_port(counting), data, 300.0).finish()
    assert (taken, refused) == (30, 0)
    assert seconds >= 0.09


def test_a_server_that_goes_away_ends_the_run(counting: Any) -> None:
    counting.RequestHandlerClass.do_POST = lambda self: self.connection.shutdown(socket.SHUT_RDWR)
    with pytest.raises(OSError):
        drive(_port(counting), [Shot(bodies.request("POST", "/", "k", b"x"))])


def test_bodies_are_batches_of_distinct_messages() -> None:
    found = bodies.batches(bodies.messages(bodies.uniform(50, 250).tolist(), "t"))
    parsed = [json.loads(body) for body in found]
    assert [len(body["batch"]) for body in parsed] == [100, 100, 50]
    messages = [message for body in parsed for message in body["batch"]]
    assert len({message["messageId"] for message in messages}) == 250
    assert Counter(message["type"] for message in messages)["track"] > 150
    assert all(("userId" in m) == (int(m["anonymousId"].removeprefix("t-a")) % 2 == 1) for m in messages)


def test_zipf_is_skewed_and_uniform_is_not() -> None:
    share = [
        Counter(who.tolist()).most_common(1)[0][1] / 5000
        for who in (bodies.zipf(1000, 5000), bodies.uniform(1000, 5000))
    ]
    assert share[0] > 0.1
    assert share[1] < 0.01


def test_percolating_pairs_name_a_device_and_a_user_each() -> None:
    found = [json.loads(one) for one in bodies.pairs(10, 10, 100, "t")]
    assert len({(one["anonymousId"], one["userId"]) for one in found}) > 50


def test_the_wide_catalogue_is_valid_and_as_wide_as_promised() -> None:
    from patron.decide.catalogue import read

    found, faults = read(catalogues.wide())
    assert (len(found.offers), list(faults)) == (200, [])
    assert len(tomllib.loads(catalogues.flip())["offer"]) == 1


def test_every_row_has_a_bar_that_makes_sense() -> None:
    for promise in PROMISES.values():
        if promise.floor is not None and promise.goal is not None:
            assert (promise.goal >= promise.floor) == (promise.better == "more"), promise


def test_a_ratio_is_the_same_on_a_machine_of_twice_the_speed() -> None:
    rate, time = PROMISES["uniform"], PROMISES["read"]
    assert Figure(rate, 30_000, 100_000).ratio == Figure(rate, 60_000, 200_000).ratio
    assert Figure(time, 0.4, 100_000).ratio == Figure(time, 0.2, 200_000).ratio


def test_cpu_and_memory_of_this_process_are_read() -> None:
    import os

    before = machine.cpu_seconds(os.getpid())
    assert machine.baseline() > 1_000
    assert machine.cpu_seconds(os.getpid()) > before
    assert machine.resident_bytes(os.getpid()) > 1 << 20
    assert "Python" in machine.describe()


def test_an_access_to_memory_is_dearer_in_a_long_list_than_in_a_short_one() -> None:
    assert 0 < machine.memory_nanoseconds(1_000_000, 100_000) < 10_000


def test_the_peer_answers_the_same_requests_and_its_speed_frees_a_rate_of_the_machine() -> None:
    speeds = peer.measure()
    assert set(speeds) == set(peer.REFERENCE)
    assert all(speed > 100 for speed in speeds.values())
    slow, fast = (
        Figure(PROMISES["uniform"], v, 1.0, "", p) for v, p in ((10_000, 200_000), (20_000, 400_000))
    )
    assert slow.of_peer == fast.of_peer == 0.05
    assert slow.plain()["floor_of_peer"] == pytest.approx(30_000 / 411_000, abs=1e-5)


def test_percentile_takes_the_nearest_rank() -> None:
    assert percentile([float(n) for n in range(100)], 0.99) == 99.0
    assert percentile([4.0], 0.5) == 4.0
