"""The tracking door: one plain ASGI callable that speaks the Segment HTTP API as its real clients do (WIRE.md).

It finds the key, receives and inflates the body, and hands it to the intake; the 200 leaves when that says the bytes
are durable and applied. Any other address goes to the fallback application.
"""

import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from patron.collect import keys, replies
from patron.collect.body import BATCH_ROUTES, bad_json
from patron.collect.limits import Limits
from patron.collect.pixel import message_of
from patron.collect.rate import Rates
from patron.collect.receive import Disconnected, opened, read_body
from patron.collect.replies import Asgi, Headers, Receive, Reply, Scope, Send
from patron.model.access import Source
from patron.model.clock import Clock
from patron.model.errors import BadKey, Busy, RequestError, StorageError
from patron.model.events import CALL_TYPES
from patron.model.ingest import Intake

log = logging.getLogger("patron.collect")

_ROUTES = {
    **{f"/v1/{route}": route for route in (*CALL_TYPES, "batch", "import")},
    **{f"/v1/{route[0]}": route for route in (*CALL_TYPES, "batch")},
    "/beacon/v1/batch": "batch",
}
_METRICS = "/v1/m"
_SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings")
_PIXEL = re.compile(r"/pixel/v1/(\w*)")
_SCRIPT = re.compile(r"/analytics\.js/v1/[^/]+/analytics(?:\.min)?\.js")
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")
_SLASHES = re.compile(r"/{2,}")
_NO_SCRIPT = (
    "Patron does not serve analytics.js. Install @segment/analytics-next from npm and give it this host as cdnURL "
    "and as apiHost (with /v1)."
)
_BAD_KEY = (
    "The write key is missing, unknown or revoked. Send it as the user of Basic authorization or as writeKey "
    "in the body; `patron source list` shows the sources."
)

Handler = Callable[[Scope, Receive], Awaitable[Reply]]
Direct = Callable[[Headers, bytes], Coroutine[Any, None, tuple[int, bytes, bytes]]]
"""Headers and whole body -> status, header lines, body."""


class Tracking:
    """The door itself: `Tracking(intake, fallback, clock)` is an ASGI application.

    `limits` bound bodies; `clock` fills the rate limits of keys (time to receive is the machine's), unless `rates` are
    counted elsewhere, too.
    """

    def __init__(
        self,
        intake: Intake,
        fallback: Asgi | None,
        clock: Clock,
        *,
        limits: Limits | None = None,
        rates: Rates | None = None,
    ) -> None:
        self._intake = intake
        self._fallback = fallback or _nowhere
        self._limits = limits or Limits()
        self._rates = rates or Rates(clock)
        self._position = 0
        self.direct: dict[bytes, Direct] = {
            **getattr(fallback, "direct", {}),
            **{path.encode(): self._direct(route) for path, route in _ROUTES.items()},
        }
        """Address -> what answers a POST there from its headers and its whole body, without ASGI in between."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self._find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._fallback(scope, receive, send)
            return
        method, handler = found
        if scope["method"] == "OPTIONS":
            reply = replies.preflight()
        elif scope["method"] != method:
            reply = replies.not_allowed(method)
        else:
            try:
                reply = await self._guarded(handler(scope, receive))
            except Disconnected:
                return
        await replies.send_reply(send, reply, self._position)

    def _direct(self, route: str) -> Direct:
        """The way of a route for requests that arrived whole."""

        async def answer(headers: Headers, body: bytes) -> tuple[int, bytes, bytes]:
            reply = await self._guarded(self._take(route, headers, b"", body))
            return replies.written(reply, self._position)

        return answer

    def _find(self, path: str) -> tuple[str, Handler] | None:
        """The method and handler of a path of ours; doubled and trailing slashes are forgiven."""
        route = _ROUTES.get(path)
        if route is not None:
            return "POST", self._track
        tidy = _SLASHES.sub("/", path).rstrip("/")
        if tidy in _ROUTES:
            return "POST", self._track
        if tidy == _METRICS:
            return "POST", self._metrics
        for pattern, handler in (
            (_SETTINGS, self._settings),
            (_PIXEL, self._pixel),
            (_SCRIPT, self._script),
        ):
            if pattern.fullmatch(tidy):
                return "GET", handler
        return None

    async def _guarded(self, work: Awaitable[Reply]) -> Reply:
        try:
            return await work
        except Disconnected:
            raise
        except RequestError as error:
            return replies.problem(error)
        except StorageError as error:
            _note("refused", error)
            return replies.problem(
                Busy(
                    "storage",
                    "Patron cannot store events now; nothing was taken. Send it again.",
                    retry_after=5,
                )
            )
        # Whatever happens, the door answers: a client that gets no answer would not know what was taken.
        except Exception as error:  # noqa: BLE001
            _note("failed", error)
            return replies.internal()

    # ---- handlers

    async def _track(self, scope: Scope, receive: Receive) -> Reply:
        path = scope["path"]
        route = _ROUTES.get(path) or _ROUTES[_SLASHES.sub("/", path).rstrip("/")]
        body = await read_body(scope, receive, self._limits)
        return await self._take(route, scope["headers"], scope.get("query_string", b""), body)

    async def _take(self, route: str, headers: Headers, query: bytes, body: bytes) -> Reply:
        body = opened(body, self._limits)
        if body[:1] != b"{":
            _check_object(body)
        key, source = self._source(headers, query, body)
        return await self._accept(key, source, route, body)

    async def _accept(self, key: str, source: Source, route: str, body: bytes) -> Reply:
        if source.rate > 0:
            self._rates.charge(key, rate=source.rate, messages=_about(body, route))
        receipt = await self._intake.accept(source, route, body)
        self._position = max(self._position, receipt.position)
        return replies.taken(receipt)

    def _source(self, headers: Headers, query: bytes, body: bytes) -> tuple[str, Source]:
        """The key and its source: Basic decides when it is given, then the body, the query, and Bearer."""
        scheme, key = keys.from_header(headers)
        if scheme != "basic" or not key:
            key = keys.from_body(body, self._limits) or keys.from_query(query)[0] or key
        return key, self._source_of(key)

    def _source_of(self, key: str) -> Source:
        source = self._intake.source_of(key) if key else None
        if source is None:
            raise BadKey("bad_key", _BAD_KEY)
        return source

    async def _pixel(self, scope: Scope, _receive: Receive) -> Reply:
        kind = scope["path"].rstrip("/").rpartition("/")[2]
        if kind not in CALL_TYPES:
            return replies.unknown("no_route", f"The pixel takes {', '.join(CALL_TYPES)}.")
        key, parameters = keys.from_query(scope.get("query_string", b""))
        await self._accept(key, self._source_of(key), kind, message_of(kind, parameters))
        return replies.pixel()

    async def _metrics(self, scope: Scope, receive: Receive) -> Reply:
        """Counters of the library itself: taken, so that it stays quiet, and dropped."""
        opened(await read_body(scope, receive, self._limits), self._limits)
        return replies.ok({"success": True})

    async def _settings(self, scope: Scope, _receive: Receive) -> Reply:
        """What analytics-next asks before it starts. Another integration here would make it load legacy code."""
        match = _SETTINGS.fullmatch(_SLASHES.sub("/", scope["path"]).rstrip("/"))
        key = match.group(1) if match else ""
        self._source_of(key)
        segment = {"apiKey": key, "protocol": scope.get("scheme", "http")}
        host = _host(scope)
        if host:
            segment["apiHost"] = f"{host}/v1"
        return replies.ok({"integrations": {"Segment.io": segment}, "metrics": {"sampleRate": 0}})

    async def _script(self, _scope: Scope, _receive: Receive) -> Reply:
        return replies.unknown("no_script", _NO_SCRIPT)


def _check_object(body: bytes) -> None:
    if not body.lstrip(b" \t\r\n").startswith(b"{"):
        raise bad_json("it is not a JSON object")


def _about(body: bytes, route: str) -> int:
    """About how many messages a body holds, for the rate limit: counting names is cheaper than reading twice."""
    if route not in BATCH_ROUTES:
        return 1
    return max(1, body.count(b'"messageId"'), body.count(b'"type"'))


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            host: str = value.decode("latin-1")
            return host if _HOST.fullmatch(host) else ""
    return ""


def _note(what: str, error: Exception) -> None:
    """Log an error by its type and place. Its message is left out: it may quote what a customer sent."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    log.error("tracking %s: %s at %s", what, type(error).__name__, place)


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """The fallback when none is given: starts, stops, and knows no other address."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "http":
        await replies.send_reply(send, replies.unknown("no_route", "There is no such address."), 0)
