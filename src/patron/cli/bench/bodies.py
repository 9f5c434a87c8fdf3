"""Request bodies as the vendors' SDKs write them, made before the clock starts."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
from numpy.typing import NDArray

People = NDArray[np.int64]

_CONTEXT = {
    "library": {"name": "analytics.js", "version": "next-1.84.3"},
    "page": {
        "path": "/p/espresso",
        "url": "https://shop.example/p/espresso",
        "title": "Espresso",
        "referrer": "",
    },
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "locale": "it-IT",
    "timezone": "Europe/Rome",
}
_PROPERTIES = {
    "product_id": "p-1207",
    "name": "Espresso beans 1 kg",
    "category": "Coffee",
    "price": 21.9,
    "currency": "EUR",
}
_VIEW: dict[str, object] = {"type": "track", "event": "Product Viewed", "properties": _PROPERTIES}
_PAGE: dict[str, object] = {"type": "page", "name": "Home", "properties": {"path": "/", "title": "Shop"}}
_ADD: dict[str, object] = {
    "type": "track",
    "event": "Product Added",
    "properties": {**_PROPERTIES, "quantity": 1},
}
_KNOW: dict[str, object] = {
    "type": "identify",
    "traits": {"first_name": "Ana", "city": "Bari", "plan": "gold"},
}
_ORDER: dict[str, object] = {
    "type": "track",
    "event": "Order Completed",
    "properties": {
        "order_id": "o-NUMBER",
        "revenue": 43.8,
        "currency": "EUR",
        "products": [{**_PROPERTIES, "quantity": 2}],
    },
}
_KINDS = (*[_VIEW] * 12, *[_PAGE] * 5, *[_ADD] * 2, _KNOW)
"""Twenty messages: 12 views, 5 pages, 2 additions, 1 identify."""
_NUMBER = b"NUMBER"
"""Stands for what only this message has."""
SHOPPING = (*[_VIEW] * 11, *[_PAGE] * 5, *[_ADD] * 2, _KNOW, _ORDER)
"""The same with an order among twenty."""


def uniform(people: int, count: int, seed: int = 1) -> People:
    """Who acts: each person equally likely."""
    return np.random.default_rng(seed).integers(0, people, count)


def zipf(people: int, count: int, exponent: float = 1.1, seed: int = 2) -> People:
    """Who acts: the person of rank k with weight k^-exponent, over a bounded number of people."""
    weights = np.arange(1, people + 1, dtype=np.float64) ** -exponent
    return np.random.default_rng(seed).choice(people, count, p=weights / weights.sum())


def messages(
    who: Iterable[int],
    prefix: str,
    mix: Sequence[dict[str, object]] = _KINDS,
    moments: Iterator[bytes] | None = None,
    part: str = "",
) -> Iterator[bytes]:
    """One message for each entry of `who`, a millisecond apart, from an hour ago on; every second person is logged in.

    Ids of people start with `prefix`, of messages with `prefix` and `part`; messages take turns as in `mix`.

    >>> json.loads(next(messages([3], "t")))["userId"]
    't-u3'
    """
    kinds = [json.dumps({**kind, "context": _CONTEXT})[1:].encode() for kind in mix]
    moments = moments or _moments()
    head, sign = prefix.encode(), (prefix + part).encode()
    for number, person in enumerate(who):
        user = b'"userId":"%b-u%d",' % (head, person) if person % 2 else b""
        ids = b'{"messageId":"%b-%08d-4c1e-8f3a-9b2d7c5e6f01","timestamp":"%b","anonymousId":"%b-a%d",%b' % (
            sign,
            number,
            next(moments),
            head,
            person,
            user,
        )
        kind = kinds[number % len(kinds)]
        yield ids + (kind.replace(_NUMBER, b"%b-%d" % (sign, number)) if _NUMBER in kind else kind)


def pairs(devices: int, users: int, count: int, prefix: str, seed: int = 3) -> Iterator[bytes]:
    """Random device-user pairs: the evidence that percolates into one giant component."""
    rng = np.random.default_rng(seed)
    rest = json.dumps(
        {"type": "track", "event": "Product Viewed", "properties": _PROPERTIES, "context": _CONTEXT}
    )
    moments, tail, head = _moments(), rest[1:].encode(), prefix.encode()
    chosen = zip(rng.integers(0, devices, count), rng.integers(0, users, count), strict=True)
    for number, (device, user) in enumerate(chosen):
        ids = b'{"messageId":"%b-%08d-4c1e-8f3a-9b2d7c5e6f01","timestamp":"%b",' % (
            head,
            number,
            next(moments),
        )
        yield b'%b"anonymousId":"%b-a%d","userId":"%b-u%d",%b' % (ids, head, device, head, user, tail)


def spread(days: float, count: int) -> Iterator[bytes]:
    """ISO times of `count` events, evenly over the days before the last hour."""
    now = datetime.now(UTC) - timedelta(hours=1)
    for number in range(count):
        text = (now - timedelta(days=days * (1 - number / count))).isoformat(timespec="milliseconds")
        yield text.replace("+00:00", "Z").encode()


def _moments() -> Iterator[bytes]:
    """ISO times a millisecond apart, from an hour ago on: as in live traffic, no two events have the same."""
    start = datetime.now(UTC) - timedelta(hours=1)
    second = 0
    while True:
        text = (start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S").encode()
        yield from (b"%b.%03dZ" % (text, ms) for ms in range(1_000))
        second += 1


def batches(stream: Iterator[bytes], size: int = 100) -> list[bytes]:
    """Bodies of `size` messages each, with the `sentAt` that clients add."""
    sent = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
    found = []
    while part := list(islice(stream, size)):
        found.append(b'{"batch":[%b],"sentAt":"%b"}' % (b",".join(part), sent))
    return found


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """A whole HTTP/1.1 request; the key as Basic user, as SDKs send it."""
    secret = b64encode(f"{key}:".encode()).decode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Basic {secret}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def tracked(bodies: Iterable[bytes], key: str, path: str = "/v1/batch") -> list[bytes]:
    """Tracking requests, ready to send."""
    return [request("POST", path, key, body) for body in bodies]
