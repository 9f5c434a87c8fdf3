"""A plain ASGI router: routes are data, so the OpenAPI document and the dispatch can never disagree."""

import base64
import binascii
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
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
MAX_BODY = 8 << 20


class Request(Struct):
    """One request as a handler sees it: decoded path parts, query and body, and who asks."""

    path: dict[str, str]
    query: dict[str, str]
    body: bytes
    key: ApiKey | None
    secret: str
    origin: str = ""

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
        try:
            reply = await self._answer(scope, receive, found)
        except RequestError as error:
            reply = error_reply(error)
        except StorageError as error:
            reply = Reply({"code": "storage", "message": str(error)}, 503, (("retry-after", "5"),))
        except Exception as error:  # noqa: BLE001 - a caller that gets no answer would not know what was done
            _note(scope["method"], found[0][1].path if found else "unknown route", error)
            reply = Reply({"code": "fault", "message": "Patron failed at this; it is in its log."}, 500)
        await _send(send, reply, head=scope["method"] == "HEAD")

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
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        secret = bearer(headers.get("authorization", ""))
        key = self._keys(secret) if secret else None
        if route.scope:
            _check(key, route.scope)
        asked = scope.get("query_string", b"")
        query = _query(asked) if asked else {}
        body = await _body(receive) if method in {"POST", "PUT", "PATCH", "DELETE"} else b""
        path = {k: _text(v) for k, v in match.groupdict().items()} if match else {}
        return await route.handler(Request(path, query, body, key, secret, headers.get("origin", "")))


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
            raise TooLarge("body_too_large", f"At most {MAX_BODY >> 20} MiB here.")
        parts.append(part)
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _send(send: Send, reply: Reply, *, head: bool) -> None:
    body = reply.raw if reply.raw is not None else msgspec.json.encode(reply.value)
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((k.encode(), v.encode("latin-1", "replace")) for k, v in reply.headers),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
