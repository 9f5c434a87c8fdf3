"""Every vendor SDK, unmodified, delivers to Patron with only its host changed: each message arrives once.

Three conditions: a quiet day; a proxy that answers 429 and 503 with Retry-After; a server killed with SIGKILL in
the middle of a batch, twice (half of a body sent; a whole body sent and no reply read), and started again on the
same port and directory. Sent ids = timeline ids = counters. Nothing here may be skipped in CI.
"""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.serving import PatronServer
from tests.sdk.clients import BROWSER_CLIENTS, PROCESS_CLIENTS, Client, Page, browser_version, open_page
from tests.sdk.flaky import Fate, FlakyProxy

pytestmark = [pytest.mark.sdk, pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = 1000
BUSY: dict[int, Fate] = {2: "429", 4: "503", 5: "429"}
KILLED: dict[int, Fate] = {3: "cut_whole", 6: "cut_half"}
LATE_SECONDS = 90.0
"""How long a browser may take to send the rest after it was told of failures."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PatronServer]:
    """One server for the tests that leave it alive."""
    one = PatronServer(tmp_path_factory.mktemp("sdk") / "patron")
    one.init()
    one.start()
    yield one
    if death := one.close():
        pytest.fail(death, pytrace=False)


def assert_once_each(server: PatronServer, user: str, sent: list[str], count: int = COUNT) -> None:
    """Sent ids = timeline ids = counters, and what the messages say is there."""
    assert len(sent) == len(set(sent)) == count
    server.settle()
    timeline = server.events(f"user_id:{user}")
    arrived = [event["messageId"] for event in timeline]
    assert sorted(arrived) == sorted(sent)
    tracks = [event for event in timeline if event["type"] == "track"]
    assert sorted(event["properties"]["n"] for event in tracks) == list(range(count - 2))
    assert {event["event"] for event in tracks} == {"Product Viewed"}
    assert sorted(event["type"] for event in timeline if event["type"] != "track") == ["identify", "page"]
    profile = server.profile(f"user_id:{user}").json()
    assert profile["counters"]["Product Viewed"] == count - 2
    assert profile["traits"]["plan"] == "gold"
    assert profile["traits"]["visits"] == 3


class Killer:
    """Kills the server and starts it again, from a thread of the proxy; keeps what went wrong for the test."""

    def __init__(self, server: PatronServer) -> None:
        self.server = server
        self.kills = 0
        self.errors: list[BaseException] = []

    def kill(self) -> None:
        self.server.kill9()
        self.kills += 1

    def restart(self) -> None:
        try:
            self.server.start()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            self.errors.append(error)

    def check(self, kills: int) -> None:
        """The server died as often as planned and came back each time."""
        if self.errors:
            raise self.errors[0]
        assert self.kills == kills


@pytest.mark.parametrize("client", PROCESS_CLIENTS, ids=lambda client: client.name)
class TestProcessClients:
    """SDKs that run in a server of the shop."""

    def test_only_the_host_changed(self, shop: PatronServer, client: Client) -> None:
        key, user = shop.write_key("backend"), f"quiet-{client.name}"
        done = client.send(f"127.0.0.1:{shop.port}", key, COUNT, user, False)
        assert done.version == client.version
        assert done.failed == []
        assert_once_each(shop, user, done.sent)

    def test_refused_for_a_while(self, shop: PatronServer, client: Client) -> None:
        key, user = shop.write_key("backend"), f"busy-{client.name}"
        with FlakyProxy(shop.port, BUSY) as proxy:
            done = client.send(f"127.0.0.1:{proxy.port}", key, COUNT, user, bool(client.impatient))
            assert sorted(proxy.met) == sorted(BUSY.values())
        assert_once_each(shop, user, done.sent)

    def test_killed_in_mid_batch(self, server: Any, client: Client) -> None:
        one: PatronServer = server()
        key, user = one.write_key("backend"), f"killed-{client.name}"
        assert one.admin
        killer = Killer(one)
        with FlakyProxy(one.port, KILLED, killer) as proxy:
            done = client.send(f"127.0.0.1:{proxy.port}", key, COUNT, user, bool(client.impatient))
        killer.check(len(KILLED))
        assert_once_each(one, user, done.sent)


def wait_for(server: PatronServer, user: str, count: int = COUNT) -> None:
    """Wait until the browser's late retries are in; the assertion that follows says what is missing."""
    until = time.monotonic() + LATE_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError, http.client.HTTPException):  # down for a moment, on purpose
            reply = server.profile(f"user_id:{user}")
            if reply.status == 200 and reply.json()["counters"].get("Product Viewed", 0) >= count - 2:
                return
        time.sleep(0.25)


def from_browser(server: PatronServer, port: int, page: Page, user: str, expected: int = COUNT) -> list[str]:
    """Send from the shop's page, keep it open until `expected` are in, return the ids of all."""
    key = server.write_key("web")
    assert server.admin
    with open_page(page.package) as send:
        host = f"127.0.0.1:{port}"
        options = {"host": host, "writeKey": key, "count": COUNT, "userId": user, "batching": page.batching}
        answer = send(options)
        wait_for(server, user, expected)
    sent: list[str] = answer["sent"]
    return sent


@pytest.mark.browser
@pytest.mark.parametrize("page", BROWSER_CLIENTS, ids=lambda page: page.name)
class TestBrowserClients:
    """analytics-next on a page of another origin, in Chromium: preflights, settings and text/plain are real."""

    def test_only_the_host_changed(self, shop: PatronServer, page: Page) -> None:
        assert browser_version(page.package) == page.version
        user = f"quiet-{page.name}"
        sent = from_browser(shop, shop.port, page, user)
        assert_once_each(shop, user, sent)

    def test_refused_for_a_while(self, shop: PatronServer, page: Page) -> None:
        user = f"busy-{page.name}"
        lost = len(BUSY) if page.deaf else 0
        with FlakyProxy(shop.port, BUSY) as proxy:
            sent = from_browser(shop, proxy.port, page, user, COUNT - lost)
            assert sorted(proxy.met) == sorted(BUSY.values())
        if not page.deaf:
            assert_once_each(shop, user, sent)
            return
        refused = {json.loads(body)["messageId"] for body in proxy.refused}
        assert len(refused) == lost
        shop.settle()
        arrived = [event["messageId"] for event in shop.events(f"user_id:{user}")]
        assert sorted(arrived) == sorted(set(sent) - refused)

    def test_killed_in_mid_batch(self, server: Any, page: Page) -> None:
        one: PatronServer = server()
        user = f"killed-{page.name}"
        killer = Killer(one)
        with FlakyProxy(one.port, KILLED, killer) as proxy:
            sent = from_browser(one, proxy.port, page, user)
        killer.check(len(KILLED))
        assert_once_each(one, user, sent)
