"""A touchpoint that goes on when Patron is away: the reference client of docs/fallback.md, on the standard library alone.

It asks Patron and waits at most 200 ms; else it draws from the bundle that it holds, and keeps what it showed in a queue until
Patron is back. Nothing of a person is in either file but the identifiers that the touchpoint itself gave.
"""

import datetime as dt
import hashlib
import hmac
import http.client
import json
import os
import secrets
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from msgspec import Struct

BUNDLE, QUEUE = "bundle.json", "exposures.jsonl"
PATIENCE = 0.2
"""Seconds that a customer is kept waiting for Patron."""
_BATCH = 500
_LATER = (408, 429)
"""Answers after which the same may be sent again; also all from 500 on."""


class Shown(Struct, frozen=True):
    """What to show, and how it came about."""

    decision: str
    action: str
    content: dict[str, Any]
    propensity: float
    alone: bool
    """Whether it was drawn from the bundle."""
    seal: str = ""
    bundle: str = ""


NOTHING = Shown("", "nothing", {}, 1.0, alone=True)
"""Without Patron and without a bundle that holds: the touchpoint's own default."""


class Touchpoint:
    """One place that asks.

    Parameters
    ----------
    url, key : Patron's address and the touchpoint's write key.
    folder : where the bundle and the queue are kept.
    clock : seconds since 1970.
    """

    def __init__(
        self, url: str, key: str, placement: str, folder: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = urlsplit(url)
        self._key = key
        self._placement = placement
        self._folder = folder
        self._clock = clock
        self._writing = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    # --- while Patron is there ---------------------------------------------------------------------------------------

    def refresh(self, seconds: float = 10.0) -> bool:
        """Fetch the bundle; call it at every start and then once an hour. False: Patron is away, or sent none that is good."""
        held = self.bundle()
        headers = {"If-None-Match": f'"{held["bundle"]}"'} if held else {}
        answer = self._call("GET", f"/v1/fallback/{quote(self._placement, safe='')}", None, seconds, headers)
        if answer is None or answer[0] not in (200, 304):
            return False
        if answer[0] == 304:
            return True
        if read(answer[1], self._key) is None:
            return False
        _write(self._folder / BUNDLE, answer[1])
        return True

    def ask(
        self,
        anonymous_id: str,
        context: Mapping[str, Any] | None = None,
        *,
        seconds: float = PATIENCE,
        held_out: bool = False,
    ) -> Shown:
        """What to show now: Patron's answer when it comes in time, else a draw from the bundle, which is queued.

        Parameters
        ----------
        held_out : what `group` of the last live answer to this device said was `control`: then nothing is shown from a bundle.
        """
        told = dict(context or {})
        body = {"placement": self._placement, "anonymousId": anonymous_id, "context": told}
        answer = self._call("POST", "/v1/decide", body, seconds)
        if answer is not None and answer[0] == 200:
            made = json.loads(answer[1])
            return Shown(made["decisionId"], made["action"], made["content"], made["propensity"], alone=False)
        if held_out:
            return NOTHING
        shown = self.alone(str(told.get("weather", "")), str(told.get("language", "")))
        if shown.decision:
            self._queue(shown, anonymous_id, told)
        return shown

    # --- while it is away --------------------------------------------------------------------------------------------

    def bundle(self) -> dict[str, Any] | None:
        """The bundle that is held; None when there is none or it was changed."""
        try:
            return read((self._folder / BUNDLE).read_bytes(), self._key)
        except OSError:
            return None

    def alone(self, weather: str = "", language: str = "") -> Shown:
        """A draw from the bundle; `NOTHING` when none holds."""
        held, now = self.bundle(), int(self._clock() * 1_000)
        if held is None or not held["issued"] <= now < held["expires"]:
            return NOTHING
        return drawn(held, now, f"f_{secrets.token_hex(12)}", weather, language)

    def _queue(self, shown: Shown, anonymous_id: str, context: Mapping[str, Any]) -> None:
        line = json.dumps(exposure(shown, anonymous_id, self._placement, self._clock(), context))
        with self._writing, (self._folder / QUEUE).open("a", encoding="utf-8") as queue:
            queue.write(f"\n{line}\n")  # a line that a power cut left unfinished ends here
            queue.flush()
            os.fsync(queue.fileno())

    def deliver(self, seconds: float = 10.0) -> int:
        """Send what is queued; gives how many messages Patron took. What it did not take stays queued.

        Safe to repeat, also after a power cut in the middle: every message has its own id, and Patron takes each once.
        """
        messages = self._waiting()
        done = 0
        while done < len(messages):
            part = messages[done : done + _BATCH]
            now = dt.datetime.fromtimestamp(self._clock(), dt.UTC).isoformat()
            answer = self._call("POST", "/v1/batch", {"batch": part, "sentAt": now}, seconds)
            if answer is None or answer[0] in _LATER or answer[0] >= 500:
                break
            done += len(part)  # taken; or refused as a whole, which sending again does not mend
        with self._writing:
            rest = "".join(f"{json.dumps(message)}\n" for message in self._waiting()[done:])
            _write(self._folder / QUEUE, rest.encode())
        return done

    def _waiting(self) -> list[dict[str, Any]]:
        path = self._folder / QUEUE
        lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
        return [message for line in lines if (message := _message(line)) is not None]

    def _call(
        self, method: str, path: str, body: object, seconds: float, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes] | None:
        """Status and body; None when Patron does not answer within the time."""
        until = time.monotonic() + seconds
        host, port = self._url.hostname or "127.0.0.1", self._url.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
            if self._url.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=seconds)
        )
        told = {
            "Authorization": f"Basic {b64encode(f'{self._key}:'.encode()).decode()}",
            "Content-Type": "application/json",
            **(headers or {}),
        }
        try:
            connection.connect()
            connection.sock.settimeout(max(0.001, until - time.monotonic()))
            connection.request(method, path, None if body is None else json.dumps(body).encode(), told)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def read(signed: bytes, key: str) -> dict[str, Any] | None:
    """A bundle out of what Patron sent, or out of the file; None when it was changed or signed for another key.

    >>> read(b'{"bundle": "{}", "signature": "00"}', "wk_1") is None
    True
    """
    try:
        told = json.loads(signed)
        text, proof = told["bundle"], told["signature"]
        expected = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), str(proof).encode()):
            return None
        found: dict[str, Any] = json.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return found


def drawn(bundle: Mapping[str, Any], now: int, decision: str, weather: str = "", language: str = "") -> Shown:
    """What a decision id draws from a bundle at a time (ms).

    >>> bundle = {"bundle": "b_1", "timezone": "UTC", "parts": [["day", 0, 24]], "when": {"day": {"": 0}},
    ...     "tables": [{"choices": ["tea", "nothing"], "chances": [0.5, 0.5], "seal": "s"}],
    ...     "offers": {"tea": [{"languages": [], "content": {"title": "Tea"}}]}}
    >>> drawn(bundle, 0, "f_00").action, drawn(bundle, 0, "f_01").action
    ('nothing', 'tea')
    """
    hour = dt.datetime.fromtimestamp(now / 1_000, ZoneInfo(bundle["timezone"])).hour
    part = next(name for name, first, end in bundle["parts"] if first <= hour < end)
    here = bundle["when"][part]
    table = bundle["tables"][here.get(weather, here[""])]
    chances = table["chances"]
    at = _draw(chances, unit(bundle["bundle"], decision))
    action = table["choices"][at]
    content = _content(bundle["offers"].get(action, []), language)
    return Shown(
        decision, action, content, chances[at], alone=True, seal=table["seal"], bundle=bundle["bundle"]
    )


def unit(bundle: str, decision: str) -> float:
    """The number, 0 <= u < 1, that a decision id draws from a bundle: the first 53 bits of a SHA-256.

    >>> 0 <= unit("b_1", "f_00") < 1
    True
    """
    digest = hashlib.sha256(f"{bundle}/{decision}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def _draw(chances: list[float], u: float) -> int:
    sums, total = [], 0.0
    for chance in chances:
        total += chance
        sums.append(total)
    found = next((at for at, so_far in enumerate(sums) if so_far > u * total), len(sums))
    return found if found < len(sums) else max(at for at, chance in enumerate(chances) if chance > 0)


def _content(shown: list[dict[str, Any]], language: str) -> dict[str, Any]:
    """What is shown to a reader: the first that is for everybody or for their language (`it` fits `it-CH`)."""
    said = language.lower().replace("_", "-")
    for one in shown:
        wanted = [tag.lower() for tag in one["languages"]]
        if not wanted or any(said == tag or said.startswith(f"{tag}-") for tag in wanted):
            content: dict[str, Any] = one["content"]
            return content
    return {}


def exposure(
    shown: Shown, anonymous_id: str, placement: str, seconds: float, context: Mapping[str, Any]
) -> dict[str, Any]:
    """The event that tells Patron later what was shown."""
    return {
        "type": "track",
        "event": "Decision Exposed" if shown.action == "nothing" else "Offer Shown",
        "messageId": f"{shown.decision}-shown",
        "anonymousId": anonymous_id,
        "timestamp": dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(),
        "properties": {
            "decision_id": shown.decision,
            "action": shown.action,
            "propensity": shown.propensity,
            "placement": placement,
            "bundle": shown.bundle,
            "bundle_seal": shown.seal,
            **({"language": context["language"]} if context.get("language") else {}),
        },
    }


def _message(line: str) -> dict[str, Any] | None:
    """A line of the queue; None for one that a power cut left unfinished."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _write(path: Path, data: bytes) -> None:
    """Replace a file whole: a power cut leaves the old one or the new one."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
