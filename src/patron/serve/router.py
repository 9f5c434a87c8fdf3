"""A plain ASGI router: routes are data, so the OpenAPI document and the dispatch can never disagree."""

import base64
import binascii
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import msgspec
from msgspec import Struct

from patron.model.access import ApiKey
from patron.model.errors import BadKey, BadRequest, Forbidden, NotFound, RequestError, StorageError, TooLarge

log = logging.getLogger("patron.serve")
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, as they came."""
Direct = Callable[[Headers, bytes], Coroutine[Any, None, tuple[int, bytes, bytes]]]
"""Headers and whole body -> status, header lines, body."""
MAX_BODY = 8 << 20


class Request(Struct):
    """One request as a handler sees it: decoded path parts, query and body, and who asks."""

    path: dict[str, str]
    query: dict[str, str]
    body: bytes
    key: ApiKey | None
    secret: str
    origin: str = ""
    held: str = ""
    """What the caller holds already (`If-None-Match`), of operations that say so."""

    @property
    def who(self) -> ApiKey:
        """The key, of an operation that needs one."""
        if self.key is None:  # the router has checked the scope, so this is a fault of ours
            raise RuntimeError("a route without scope reached a handler that needs a key")
        return self.key

    def json(self, kind: Any) -> Any:
        """Decode the body. Raises BadRequest naming the place that is wrong."""
        try:
            return msgspec.json.decode(self.body or b"{}", type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise BadRequest("bad_body", f"The JSON body is not as documented: {error}.") from error

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """An integer of the query, inside its bounds."""
        text = self.query.get(name)
        if text is None:
            return default
        try:
            value = int(text)
        except ValueError as error:
            raise BadRequest("bad_query", f"`{name}` must be a whole number.") from error
        if not low <= value <= high:
            raise BadRequest("bad_query", f"`{name}` must lie between {low} and {high}.")
        return value


class Reply(Struct, frozen=True):
    """An answer: a value written as JSON, or bytes of another type."""

    value: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes | None = None
    content_type: str = "application/json"


Handler = Callable[[Request], Awaitable[Reply]]


class Query(Struct, frozen=True):
    """One documented query parameter."""

    name: str
    kind: str = "string"
    about: str = ""
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()


class Route(Struct, frozen=True):
    """One operation. `scope` is what the secret key must hold; empty = open."""

    method: str
    path: str
    scope: str
    summary: str
    handler: Handler
    query: tuple[Query, ...] = ()
    body: Any = None
    returns: Any = None
    status: int = 200
    direct: bool = False
    """Whether a POST that arrives whole is answered without ASGI: its handler waits for futures only."""
    held: bool = False
    """Whether a caller that holds the same already is told no more than that (304)."""
    may_miss: bool = False
    """Whether what its query names may not be there (404)."""
    cors: tuple[tuple[str, str], ...] = ()
    """Headers of each of its answers, refusals and faults included."""


class Router:
    """Dispatches by method and path; turns every RequestError into JSON `{code, message, faults}`."""

    def __init__(
        self, routes: Iterable[Route], keys: Callable[[str], ApiKey | None], fallback: Asgi | None = None
    ) -> None:
        """`fallback` serves what lies below `/console`; `/` leads there."""
        self.routes = list(routes)
        self._keys = keys
        self._fallback = fallback
        self._fixed: dict[str, list[tuple[re.Match[str] | None, Route]]] = {}
        self._by_shape: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        self.direct: dict[bytes, Direct] = {
            route.path.encode(): self._direct(route) for route in self.routes if route.direct
        }
        """Address -> what answers a POST there from its headers and its whole body, without ASGI in between."""
        for route in self.routes:
            if "{" in route.path:
                self._by_shape.setdefault(_stem(route.path), []).append((_pattern(route.path), route))
            else:
                self._fixed.setdefault(route.path, []).append((None, route))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if self._fallback is not None:
                await self._fallback(scope, receive, send)
            return
        raw = scope.get("raw_path", scope["path"].encode()).partition(b"?")[0].decode("latin-1")
        found = self._fixed.get(raw) or [
            (m, r) for p, r in self._by_shape.get(_stem(raw), ()) if (m := p.fullmatch(raw))
        ]
        if not found and self._fallback is not None and _is_page(raw):
            await self._fallback(scope, receive, send)
            return
        template = found[0][1].path if found else "unknown route"
        reply = await _guarded(self._answer(scope, receive, found), scope["method"], template)
        cors = next((route.cors for _, route in found if route.cors), ())
        await _send(send, reply, cors, head=scope["method"] == "HEAD")

    def _direct(self, route: Route) -> Direct:
        """The way of a route for requests that arrived whole."""

        async def answer(headers: Headers, body: bytes) -> tuple[int, bytes, bytes]:
            reply = await _guarded(self._whole(route, headers, body), "POST", route.path)
            content = _content(reply)
            lines = _lines(reply.content_type, reply.headers + route.cors)[1]
            return reply.status, b"%bcontent-length: %d\r\n" % (lines, len(content)), content

        return answer

    async def _whole(self, route: Route, headers: Headers, body: bytes) -> Reply:
        secret, key, origin = self._who(route, headers)
        if len(body) > MAX_BODY:
            raise _too_large()
        return await route.handler(Request({}, {}, body, key, secret, origin))

    def _who(self, route: Route, headers: Headers) -> tuple[str, ApiKey | None, str]:
        """Secret, key and origin of a request. Raises BadKey or Forbidden when the route asks for more."""
        authorization = origin = b""
        for name, value in headers:
            if name == b"authorization":
                authorization = value
            elif name == b"origin":
                origin = value
        secret = _secret(authorization) if authorization else ""
        key = self._keys(secret) if secret else None
        if route.scope:
            _check(key, route.scope)
        return secret, key, origin.decode("latin-1")

    async def _answer(
        self, scope: Scope, receive: Receive, found: Sequence[tuple[re.Match[str] | None, Route]]
    ) -> Reply:
        if not found and self._fallback is not None and scope["path"] == "/":
            return Reply({"console": "/console"}, 307, (("location", "/console"),))
        if not found:
            raise NotFound("no_route", "There is no such address; see /v1/openapi.json.")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        hits = [(m, r) for m, r in found if r.method == method]
        if not hits:
            methods = {r.method for _, r in found}
            allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
            return Reply({"code": "bad_method", "message": f"Use {allowed}."}, 405, (("allow", allowed),))
        match, route = hits[0]
        secret, key, origin = self._who(route, scope["headers"])
        asked = scope.get("query_string", b"")
        query = _query(asked) if asked else {}
        body = await _body(receive) if method in {"POST", "PUT", "PATCH", "DELETE"} else b""
        path = {k: _text(v) for k, v in match.groupdict().items()} if match else {}
        held = _header(scope["headers"], b"if-none-match") if route.held else ""
        return await route.handler(Request(path, query, body, key, secret, origin, held))


def _header(headers: Headers, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == wanted), "")


async def _guarded(work: Awaitable[Reply], method: str, template: str) -> Reply:
    """The answer of a handler, whatever happens in it."""
    try:
        return await work
    except RequestError as error:
        return error_reply(error)
    except StorageError as error:
        return Reply({"code": "storage", "message": str(error)}, 503, (("retry-after", "5"),))
    except Exception as error:  # noqa: BLE001 - a caller that gets no answer would not know what was done
        _note(method, template, error)
        return Reply({"code": "fault", "message": "Patron failed at this; it is in its log."}, 500)


def _is_page(path: str) -> bool:
    return path == "/console" or path.startswith("/console/")


def _note(method: str, route: str, error: Exception) -> None:
    """Log a fault by its type and place. Its message is left out: it may quote what was asked, or a customer."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    log.error("fault in %s %s: %s at %s", method, route, type(error).__name__, place)


def error_reply(error: RequestError) -> Reply:
    """The JSON answer of an error."""
    value: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.faults:
        value["faults"] = error.faults
    headers = (("retry-after", str(error.retry_after)),) if error.retry_after else ()
    return Reply(value, error.status, headers)


@lru_cache(maxsize=1024)
def _secret(authorization: bytes) -> str:
    return bearer(authorization.decode("latin-1"))


def bearer(header: str) -> str:
    """The key of an Authorization header: Bearer, or the user of Basic.

    >>> bearer("Bearer sk_1"), bearer("Basic c2tfMTo=")
    ('sk_1', 'sk_1')
    """
    kind, _, rest = header.strip().partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest.strip()).decode("utf-8", "replace").partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
    return ""


def _check(key: ApiKey | None, scope: str) -> None:
    if key is None:
        raise BadKey(
            "bad_key",
            "Give a live secret key as `Authorization: Bearer sk_...` (make one: `patron key add`).",
        )
    if not key.may(scope):
        raise Forbidden("no_scope", f"This key may not do that: it needs the scope `{scope}`.")


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _stem(path: str) -> str:
    """The first two fixed parts of a path: enough to find the few patterns that may match."""
    return "/".join(path.split("/", 3)[:3])


def _text(part: str) -> str:
    try:
        return unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("bad_path", "The address is not valid UTF-8.") from error


def _query(raw: bytes) -> dict[str, str]:
    try:
        return {
            k: v[-1]
            for k, v in parse_qs(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=50).items()
        }
    except ValueError as error:
        raise BadRequest("bad_query", "The query is not valid UTF-8 or has too many parts.") from error


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _too_large() -> TooLarge:
    return TooLarge("body_too_large", f"At most {MAX_BODY >> 20} MiB here.")


_encode = msgspec.json.Encoder().encode


def _content(reply: Reply) -> bytes:
    return reply.raw if reply.raw is not None else _encode(reply.value)


_UNSAFE = re.compile(b"[\x00-\x08\x0a-\x1f\x7f]")


@lru_cache(maxsize=256)
def _lines(
    content_type: str, headers: tuple[tuple[str, str], ...]
) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """The headers of an answer but for its length, as pairs and as they go over the wire."""
    own = tuple((k.encode(), v.encode("latin-1", "replace")) for k, v in headers)
    kept = () if any(name == b"cache-control" for name, _ in own) else ((b"cache-control", b"no-store"),)
    pairs = (
        (b"content-type", content_type.encode()),
        *kept,
        (b"x-content-type-options", b"nosniff"),
        *own,
    )
    if any(_UNSAFE.search(name + value) for name, value in pairs):
        raise ValueError("a header of an answer holds a control character")
    return pairs, b"".join(b"%b: %b\r\n" % pair for pair in pairs)


async def _send(send: Send, reply: Reply, cors: tuple[tuple[str, str], ...], *, head: bool) -> None:
    body = _content(reply)
    pairs = _lines(reply.content_type, reply.headers + cors)[0]
    size = () if reply.status == 304 else ((b"content-length", str(len(body)).encode()),)
    headers = [*pairs, *size]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
