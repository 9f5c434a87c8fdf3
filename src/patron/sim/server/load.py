"""Sending deliveries to a running Patron: bodies of at most 100 messages over a few kept-alive connections.

A body is sent until it is acknowledged, always with the same messageIds, so a retry never makes a second event.
"""

import base64
import http.client
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from patron.model.errors import PatronError
from patron.sim.messages import Delivery, Message

BODY = 100
BYTES = 480_000
"""Largest body, as the SDKs keep it."""
WINDOW = 1_000
"""Deliveries looked at together, so that bodies of one source fill up while arrival order is kept roughly."""
GIVE_UP = 300.0
"""Seconds without any success after which a body is given up."""
MEET = 5.0
"""Seconds after which a server that has never answered is taken for none: it may be starting, or not be there."""
_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_encode = msgspec.json.Encoder().encode


class LoadFailed(PatronError):
    """The load had to stop; the message says why, and that it can simply be run again."""


class NoAnswer(LoadFailed):
    """Nobody answers there, or nobody any more; `problem` is what was seen of it, for a sentence of one's own."""

    def __init__(self, message: str, problem: str) -> None:
        super().__init__(message)
        self.problem = problem


class Loaded(Struct):
    """What a load did."""

    sent: int = 0
    """Messages acknowledged."""
    bodies: int = 0
    retries: int = 0
    rejected: int = 0
    """Of the acknowledged, those that became dead letters."""
    duplicates: int = 0
    """Of the acknowledged, those that had arrived before."""
    position: int = 0
    """The highest `Patron-Position` of a reply."""
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.sent / self.seconds if self.seconds else 0.0


def address(url: str) -> tuple[bool, str, int | None, str]:
    """Whether it is encrypted, host, port and path of an address. Raises LoadFailed when it is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and url.isascii() and url.isprintable():
            return parts.scheme == "https", parts.hostname, parts.port, parts.path.rstrip("/")
    except ValueError:  # a port that cannot be, half an IPv6 address
        pass
    raise LoadFailed(f"{url!r} is no address of a server; give one such as http://127.0.0.1:8080")


class Sender:
    """One kept-alive connection to a Patron. Not for two threads at once.

    Parameters
    ----------
    url : address of the server, such as `http://127.0.0.1:8080`.
    meet : seconds after which a server that never answered is taken for none; `give_up` when left out.
    stop : ends waiting early when it is set; the request under way is then given up.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 60.0,
        give_up: float = GIVE_UP,
        meet: float | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._url, (self._secure, self._host, self._port, self._base) = url, address(url)
        self._timeout, self._give_up, self._meet, self._met = timeout, give_up, meet or 0.0, meet is None
        self._connection: http.client.HTTPConnection | None = None
        self._stop = stop or threading.Event()
        self.retries = 0

    def post(self, path: str, key: str, body: bytes) -> tuple[int, bytes, Mapping[str, str]]:
        """Send a body until it is answered with something else than "try again".

        Raises NoAnswer when nothing has answered for `give_up` seconds, and LoadFailed when told to stop.
        """
        basic = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        return self.ask("POST", path, basic, body)

    def ask(
        self, method: str, path: str, authorization: str, body: bytes | None = None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """The same for any method: status, content and headers of the first answer that is none of "try again"."""
        headers = {"Authorization": authorization}
        if body is not None:
            headers["Content-Type"] = "application/json"
        began, attempt = time.monotonic(), 0
        while True:
            problem, wait = "", None
            try:
                status, answer, said = self._once(method, path, body, headers)
                if status not in _RETRY:
                    return status, answer, said
                problem, wait = f"it answers {status}", _seconds(said.get("Retry-After"))
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem = f"no answer ({error or type(error).__name__})"
            attempt += 1
            self.retries += 1
            self._check(time.monotonic() - began, problem)
            pause = wait if wait is not None else min(5.0, 0.1 * 2 ** min(attempt, 6))
            if self._stop.wait(min(pause, 30.0)):
                raise LoadFailed("stopped")

    def _check(self, waited: float, problem: str) -> None:
        """Raises NoAnswer when patience is at an end."""
        if not self._met and waited > self._meet:
            raise NoAnswer(
                f"no server at {self._url}: {problem}; start one (patron serve), or give another address",
                problem,
            )
        if waited > self._give_up:
            raise NoAnswer(
                f"gave up after {self._give_up:.0f} s: {problem}; run it again, nothing is sent twice",
                problem,
            )

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request(method, self._base + path, body, headers)
        reply = self._connection.getresponse()
        answer = reply.read()
        self._met = True
        if reply.will_close:
            self.close()
        return reply.status, answer, dict(reply.headers.items())

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def close(self) -> None:
        """Let the connection go; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip().isdigit() else None


def bodies(deliveries: Iterable[Delivery], window: int = WINDOW) -> Iterator[tuple[str, bytes, int]]:
    """Group deliveries into request bodies: (source, JSON, number of messages), in rough order of arrival.

    >>> made = [Delivery(1, "web", {"type": "page"}), Delivery(2, "pos", {"type": "track"}), Delivery(3, "web", {"type": "page"})]
    >>> [(source, count) for source, _, count in bodies(made)]
    [('web', 2), ('pos', 1)]
    """
    held: dict[str, list[bytes]] = {}
    sizes: dict[str, int] = {}
    for seen, delivery in enumerate(deliveries, start=1):
        source, message = delivery.source_name, _encode(delivery.message)
        if sizes.get(source, 0) + len(message) > BYTES:
            yield _body(source, held, sizes)
        held.setdefault(source, []).append(message)
        sizes[source] = sizes.get(source, 0) + len(message) + 1
        if len(held[source]) >= BODY:
            yield _body(source, held, sizes)
        if seen % window == 0:
            for waiting in list(held):
                yield _body(waiting, held, sizes)
    for waiting in list(held):
        yield _body(waiting, held, sizes)


def _body(source: str, held: dict[str, list[bytes]], sizes: dict[str, int]) -> tuple[str, bytes, int]:
    messages = held.pop(source)
    sizes.pop(source)
    return source, b'{"batch":[' + b",".join(messages) + b"]}", len(messages)


class _Crew:
    """The threads that send bodies, and what they have done together."""

    def __init__(self, url: str, keys: Mapping[str, str], connections: int, give_up: float) -> None:
        self.done = Loaded()
        self.failure: BaseException | None = None
        self._keys, self._stop, self._lock = keys, threading.Event(), threading.Lock()
        self._work: queue.Queue[tuple[str, bytes, int] | None] = queue.Queue(maxsize=2 * connections)
        self._senders = [Sender(url, give_up=give_up, meet=MEET, stop=self._stop) for _ in range(connections)]
        self._threads = [threading.Thread(target=self._run, args=(s,), daemon=True) for s in self._senders]
        for thread in self._threads:
            thread.start()

    def put(self, work: tuple[str, bytes, int] | None) -> None:
        """Hand over a body; waits while all are busy. Raises what stopped the others."""
        while True:
            if self.failure is not None:
                raise self.failure
            try:
                return self._work.put(work, timeout=0.2)
            except queue.Full:
                continue

    def finish(self) -> None:
        """Wait until everything is acknowledged."""
        for _ in self._threads:
            self.put(None)
        for thread in self._threads:
            thread.join()
        if self.failure is not None:
            raise self.failure

    def abandon(self) -> None:
        """Stop as soon as possible."""
        self._stop.set()
        for thread in self._threads:
            while thread.is_alive():
                try:
                    self._work.put_nowait(None)
                except queue.Full:
                    self._work.get_nowait()
                thread.join(0.05)

    def _run(self, sender: Sender) -> None:
        try:
            while (work := self._work.get()) is not None:
                self._send(sender, *work)
        except BaseException as error:  # noqa: BLE001 (handed to the thread that loads)
            with self._lock:
                self.failure = self.failure or error
            self._stop.set()
        finally:
            sender.close()
            with self._lock:
                self.done.retries += sender.retries

    def _send(self, sender: Sender, source: str, body: bytes, count: int) -> None:
        said, headers = hand_over(sender, source, self._keys[source], body)
        with self._lock:
            done = self.done
            done.sent += count
            done.bodies += 1
            done.rejected += count_of(said, "rejected")
            done.duplicates += count_of(said, "duplicates")
            position = headers.get("Patron-Position", "")
            done.position = max(done.position, int(position) if position.isdigit() else 0)


def hand_over(sender: Sender, source: str, key: str, body: bytes) -> tuple[Message, Mapping[str, str]]:
    """Send one body; gives what the reply says, and its headers. Raises LoadFailed when it is refused."""
    status, answer, headers = sender.post("/v1/batch", key, body)
    if status != http.HTTPStatus.OK:
        raise LoadFailed(
            f"the server refused a body of source {source!r} with {status}: {answer[:300].decode(errors='replace')}"
        )
    return reply_of(answer), headers


def reply_of(answer: bytes) -> Message:
    """What a tracking reply says; {} when it is no JSON object."""
    try:
        said = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def count_of(said: Mapping[str, Any], name: str) -> int:
    """A number in a tracking reply, or the length of a list there."""
    value = said.get(name, 0)
    return value if isinstance(value, int) else len(value) if isinstance(value, list) else 0


def load(
    url: str,
    keys: Mapping[str, str],
    deliveries: Iterable[Delivery],
    progress: Callable[[int], None] | None = None,
    *,
    connections: int = 3,
    give_up: float = GIVE_UP,
) -> Loaded:
    """Send all deliveries; returns what was acknowledged. Prints nothing.

    Parameters
    ----------
    keys : source name -> its write key. A source without one raises LoadFailed before anything of it is sent.
    progress : called about every 50 ms, and at the end, with the number of messages acknowledged so far.
    connections : requests under way at once.

    Raises
    ------
    LoadFailed : a key is missing or refused, a body is refused, or the server does not answer for `give_up` seconds.
        Running the same load again is safe: messageIds stay, so what had arrived is a duplicate.
    """
    crew, began, told = _Crew(url, keys, connections, give_up), time.monotonic(), 0.0
    try:
        for source, body, count in bodies(deliveries):
            if source not in keys:
                raise LoadFailed(
                    f"there is no write key for the source {source!r}; keys are given for {', '.join(sorted(keys))}"
                )
            crew.put((source, body, count))
            if progress is not None and time.monotonic() - told > 0.05:
                told = time.monotonic()
                progress(crew.done.sent)
        crew.finish()
    except BaseException:
        crew.abandon()
        raise
    crew.done.seconds = time.monotonic() - began
    if progress is not None:
        progress(crew.done.sent)
    return crew.done
