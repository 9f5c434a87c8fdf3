"""One stream a tab: small updates, one a second, while somebody looks."""

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from patron.console import words
from patron.console.port import LiveUpdate
from patron.console.render import Times
from patron.console.visit import House

_LONGEST_WATCH = 600


def endpoint(house: House) -> Callable[[Request], Awaitable[Response]]:
    """The stream of `/console/live`; `?watch=` names a person id or an identifier key."""

    async def stream(request: Request) -> Response:
        key = request.cookies.get(house.cookie, "")
        if house.sessions.find(key) is None:
            return Response("Signed out.", 401)
        watch = request.query_params.get("watch", "")[:_LONGEST_WATCH]
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_updates(house, key, watch), media_type="text/event-stream", headers=headers)

    return stream


async def _updates(house: House, key: str, watch: str) -> AsyncIterator[bytes]:
    """Updates until the browser leaves or its session ends (the stream itself does not count as activity)."""
    times = Times(house.app.workspace()[1], house.app.now())
    yield b"retry: 3000\n\n"
    async for update in house.app.subscribe(watch):
        if house.sessions.find(key, touch=False) is None:
            yield b"event: signed_out\ndata: {}\n\n"
            return
        yield b"data: " + msgspec.json.encode(_shown(update, times)) + b"\n\n"


def _shown(update: LiveUpdate, times: Times) -> dict[str, object]:
    return {
        "time": times.hms(update.now),
        "rates": {rate.channel: words.rate(rate.per_second) for rate in update.rates},
        "total": words.rate(sum(rate.per_second for rate in update.rates)),
        "events": words.count(sum(rate.today for rate in update.rates)),
        "decisions": words.count(update.decisions_today),
        "decision": update.newest_decision,
        "person": update.watched,
        "position": update.position,
    }
