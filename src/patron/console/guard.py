"""The outer door of the console: names it answers to, and the headers that every answer carries. Plain ASGI."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def host_name(value: str) -> str:
    """The name in a Host header, without port.

    >>> host_name("Localhost:8080"), host_name("[::1]:80"), host_name("patron.example")
    ('localhost', '[::1]', 'patron.example')
    """
    value = value.strip().lower()
    if value.startswith("["):
        return value.partition("]")[0] + "]"
    return value.partition(":")[0]


def same_origin(headers: Headers) -> bool:
    """Whether a request that changes something was sent by one of our own pages.

    Browsers send `Origin` with every form and fetch that changes something; a page elsewhere cannot forge it.
    A client that sends neither `Origin` nor `Sec-Fetch-Site` is no browser and has only its form token.

    >>> same_origin(Headers({"host": "a:80", "origin": "http://a:80"}))
    True
    >>> same_origin(Headers({"host": "a:80", "origin": "http://evil"})), same_origin(Headers({"host": "a", "origin": "null"}))
    (False, False)
    """
    origin = headers.get("origin")
    if origin is not None:
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == headers.get("host", "").lower()
    return headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}


class Guard:
    """Refuses names that the console does not answer to (DNS rebinding), and sets the security headers."""

    def __init__(self, app: ASGIApp, allowed_hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host_name(host) for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if host_name(Headers(scope=scope).get("host", "")) not in self._hosts:
            text = "This console does not answer to that name. Open it by the address it printed, or allow the name.\n"
            await PlainTextResponse(text, status_code=421)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)
