"""Keeping a town alive against a running Patron: one thread, in step with the clock, answers its asks on the way."""

import http
import threading
import time
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from patron.sim.alive.live import Live, live
from patron.sim.alive.visits import Answer, AskDecision
from patron.sim.messages import Delivery, Message
from patron.sim.server.load import LoadFailed, Sender
from patron.sim.town import Town

TICK = 0.25
"""Seconds of deliveries that are sent together."""
ASLEEP = 15_000
"""A lag in ms after which the machine is taken to have slept, and nothing is caught up."""


class Alive(Struct):
    """What a live run has done so far."""

    messages: int = 0
    bodies: int = 0
    asked: int = 0
    shown: int = 0
    """Answers with something to show."""
    failures: int = 0
    """Requests that were refused or not answered; the town lives on."""
    last_failure: str = ""
    retries: int = 0


def _now() -> int:
    return time.time_ns() // 1_000_000


def run_live(
    url: str,
    keys: Mapping[str, str],
    decide_key: str,
    town: Town,
    stop: threading.Event,
    rate: float = 5.0,
    progress: Callable[[Alive], None] | None = None,
) -> Alive:
    """Live until `stop` is set: send what happens when it happens, ask for decisions, act on the answers.

    A server that is away for a while gets what it missed when it comes back, with the same messageIds; after a refused
    request the town goes on (`failures`, `last_failure`). Sources without a key are left out. Prints nothing.

    Parameters
    ----------
    keys : source name -> write key.
    decide_key : a secret key with the scope `decide`.
    rate : messages a second.
    """
    runner = _Runner(url, keys, decide_key, live(town, _now(), rate), stop)
    while not stop.is_set():
        runner.turn()
        if progress is not None:
            progress(runner.done)
    runner.close()
    return runner.done


class _Runner:
    """One live run: what is due, and the connection it goes over."""

    def __init__(
        self, url: str, keys: Mapping[str, str], decide_key: str, stream: Live, stop: threading.Event
    ) -> None:
        self._sender = Sender(url, timeout=20.0, stop=stop)
        self._keys, self._decide_key, self._stream, self._stop = keys, decide_key, stream, stop
        self._held: dict[str, list[Message]] = {}
        self.done = Alive()

    def turn(self) -> None:
        """Take what is due, send it, and wait for the next tick."""
        now = _now()
        if now - self._stream.due() > ASLEEP:
            self._stream.resume(now)
        while self._stream.due() <= now and not self._stop.is_set():
            item = next(self._stream)
            if isinstance(item, Delivery):
                self._held.setdefault(item.source_name, []).append(item.message)
            else:
                self._flush()  # what led to the ask is known before it is asked
                self._stream.answer(item, self._ask(item))
        self._flush()
        self._stop.wait(min(TICK, max(0.02, (self._stream.due() - _now()) / 1000)))

    def close(self) -> None:
        """Let the connection go."""
        self._sender.close()

    def _flush(self) -> None:
        for source, messages in self._held.items():
            key = self._keys.get(source)
            if key is None:
                continue
            for start in range(0, len(messages), 100):
                part = messages[start : start + 100]
                body = msgspec.json.encode({"batch": part, "sentAt": part[-1]["sentAt"]})
                if self._post("/v1/batch", key, body) is not None:
                    self.done.messages += len(part)
                    self.done.bodies += 1
        self._held = {}

    def _ask(self, ask: AskDecision) -> Answer:
        self.done.asked += 1
        said = self._post("/v1/decide", self._decide_key, msgspec.json.encode(ask.body()))
        if said is None:
            return None
        try:
            answer = msgspec.json.decode(said)
        except msgspec.DecodeError:
            return None
        if not isinstance(answer, dict):
            return None
        self.done.shown += answer.get("action") not in {None, "nothing"}
        return answer

    def _post(self, path: str, key: str, body: bytes) -> bytes | None:
        try:
            status, answer, _ = self._sender.post(path, key, body)
        except LoadFailed as error:
            self._failed(str(error))
            return None
        finally:
            self.done.retries = self._sender.retries
        if status != http.HTTPStatus.OK:
            self._failed(f"{path} answers {status}: {answer[:200].decode(errors='replace')}")
            return None
        return answer

    def _failed(self, why: str) -> None:
        if not self._stop.is_set():
            self.done.failures += 1
            self.done.last_failure = why
