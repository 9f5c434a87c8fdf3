"""The load generator: a few kept-alive connections to the loopback address, each with one request under way."""

import multiprocessing
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.process import BaseProcess

from msgspec import Struct

CONNECTIONS = 8
PATIENCE = 60.0
"""Seconds without any answer after which the run is given up."""


class Outcome(Struct):
    """What came back: status -> count, latencies in seconds by kind (from when a request was due), wall seconds."""

    statuses: dict[int, int] = {}
    latencies: dict[str, list[float]] = {}
    seconds: float = 0.0

    @property
    def refused(self) -> int:
        """Answers other than 200."""
        return sum(count for status, count in self.statuses.items() if status != 200)


class Shot(Struct):
    """One request: its bytes, when it is due (seconds from the start; 0 = as soon as possible) and its kind."""

    data: bytes
    due: float = 0.0
    kind: str = ""


class _Line:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.shot: Shot | None = None
        self.buffer = b""
        self.need = -1

    def send(self, shot: Shot) -> None:
        self.shot, self.buffer, self.need = shot, b"", -1
        self.socket.sendall(shot.data)

    def receive(self) -> int | None:
        """Take what is there; the status once the answer is whole."""
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError("the server closed a connection in the middle of the run")
        self.buffer += part
        if self.need < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            self.need = end + 4 + _length(self.buffer[:end].lower())
        return int(self.buffer[9:12]) if len(self.buffer) >= self.need else None


def _length(head: bytes) -> int:
    r"""Content-Length of a lower-cased head.

    >>> _length(b"http/1.1 200 ok\r\ncontent-length: 17")
    17
    """
    _, _, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def drive(port: int, shots: Sequence[Shot], connections: int = CONNECTIONS) -> Outcome:
    """Send every shot, each no earlier than it is due, and wait for all answers.

    Refused shots (429, 503) are sent again; latency counts from when a shot was due, so a server that falls
    behind cannot hide it. Raises ConnectionError when the server goes away or stops answering.
    """
    outcome = Outcome()
    waiting = deque(shots)
    lines = [_Line(port) for _ in range(min(connections, len(shots)))]
    idle, busy = list(lines), 0
    watch = selectors.DefaultSelector()
    for line in lines:
        watch.register(line.socket, selectors.EVENT_READ, line)
    started = time.perf_counter()
    try:
        while waiting or busy:
            now = time.perf_counter() - started
            while waiting and idle and waiting[0].due <= now:
                idle.pop().send(waiting.popleft())
                busy += 1
            for line in _ready(watch, waiting, idle, busy, started):
                status = line.receive()
                if status is not None:
                    _note(outcome, line, status, time.perf_counter() - started, waiting)
                    idle.append(line)
                    busy -= 1
    finally:
        watch.close()
        for line in lines:
            line.socket.close()
    outcome.seconds = time.perf_counter() - started
    return outcome


def _ready(
    watch: selectors.BaseSelector, waiting: deque[Shot], idle: list[_Line], busy: int, started: float
) -> list[_Line]:
    pause = PATIENCE
    if waiting and idle:
        pause = max(0.0, waiting[0].due - (time.perf_counter() - started))
    found = watch.select(pause)
    if not found and busy and pause == PATIENCE:
        raise ConnectionError(f"no answer for {PATIENCE:.0f} s")
    return [key.data for key, _ in found]


def _note(outcome: Outcome, line: _Line, status: int, now: float, waiting: deque[Shot]) -> None:
    shot = line.shot
    assert shot is not None
    outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
    if status in {429, 503}:
        waiting.appendleft(shot)
    else:
        outcome.latencies.setdefault(shot.kind, []).append(now - shot.due)


def paced(data: Sequence[bytes], per_second: float, kind: str = "") -> list[Shot]:
    """Shots at even intervals."""
    return [Shot(one, number / per_second, kind) for number, one in enumerate(data)]


def _pump(
    port: int, data: list[bytes], per_second: float, answer: "multiprocessing.Queue[tuple[int, int, float]]"
) -> None:
    outcome = drive(port, paced(data, per_second))
    answer.put((outcome.statuses.get(200, 0), outcome.refused, outcome.seconds))


class Pump:
    """Paced load from a second process, so that it does not disturb what this one measures."""

    def __init__(self, port: int, data: list[bytes], per_second: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._answer: multiprocessing.Queue[tuple[int, int, float]] = context.Queue()
        self._process: BaseProcess = context.Process(
            target=_pump, args=(port, data, per_second, self._answer), daemon=True
        )
        self._process.start()

    def finish(self, timeout: float = 120.0) -> tuple[int, int, float]:
        """Wait for the end: (taken, refused, seconds)."""
        found = self._answer.get(timeout=timeout)
        self._process.join(timeout)
        return found


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank).

    >>> percentile([5.0, 1.0, 3.0], 0.5)
    3.0
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
