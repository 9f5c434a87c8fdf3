"""`POST /v1/decide`: one call from any touchpoint, answered when its record is durable."""

from typing import Any

from msgspec import Struct

from patron.model.errors import BadKey, BadRequest, TooLarge
from patron.model.offers import Ask
from patron.model.views import DecisionView, Preview, PreviewAsk
from patron.serve.answers import Decided
from patron.serve.cors import cors, preflight
from patron.serve.port import Backend
from patron.serve.router import Reply, Request, Route

_PATH = "/v1/decide"
_CORS = cors("POST", reads="Patron-Position, Retry-After")
LARGEST = 128 << 10
"""Bytes of an ask: a cart of a thousand lines fits."""
_LONGEST = 512
_MOST = 50
_PLACES = 8
"""Placements of one ask: each is decided for before the best is taken."""


class DecideRequest(
    Struct,
    frozen=True,
    rename={
        "user_id": "userId",
        "anonymous_id": "anonymousId",
        "write_key": "writeKey",
        "user_hash": "userHash",
    },
):
    """Where something may be shown, to whom, and what is known of the moment."""

    placement: str = ""
    user_id: str | None = None
    anonymous_id: str | None = None
    channel: str | None = None
    context: dict[str, Any] = {}
    count: int = 1
    user_hash: str = ""
    write_key: str = ""
    placements: tuple[str, ...] = ()
    """Instead of `placement`: several, each with a channel of its own, of which the best is decided for."""


def routes(backend: Backend) -> list[Route]:
    """The decide operation and its preflight."""

    async def decide(request: Request) -> Reply:
        if len(request.body) > LARGEST:
            raise TooLarge(
                "ask_too_large",
                f"An ask has at most {LARGEST >> 10} KiB, this has {len(request.body) >> 10}: send only the context that offers "
                "and their conditions name.",
            )
        asked = request.json(DecideRequest)
        trusted = request.key is not None and request.key.may("decide")
        write_key = request.secret or asked.write_key
        source = None if trusted else backend.source_of(write_key)
        if source is not None:
            backend.charge(write_key, source, max(1, min(len(set(asked.placements)), _PLACES)))
        elif not trusted:
            raise BadKey("bad_key", "Give a secret key with the scope `decide`, or a live write key.")
        _check(asked)
        first, *beside = dict.fromkeys(asked.placements or (asked.placement,))
        channel = asked.channel or (source.channel if source and not asked.placements else "")
        ask = Ask(
            first,
            asked.user_id,
            asked.anonymous_id,
            channel,
            asked.context,
            asked.count,
            beside=tuple(beside),
        )
        user_hash = asked.user_hash or str(asked.context.get("userHash") or "")
        value = await backend.decide(ask, trusted=trusted, source=source, user_hash=user_hash)
        return Reply(value)

    async def read(request: Request) -> Reply:
        return Reply(backend.decision(request.path["decision"], request.who))

    async def preview(request: Request) -> Reply:
        about = request.json(PreviewAsk)
        return Reply(backend.preview(about, request.who.name, request.who))

    return [
        Route(
            "POST",
            "/v1/preview",
            "profiles:read",
            "What somebody would see now at every placement: nothing is reserved, recorded or learned.",
            preview,
            (),
            PreviewAsk,
            Preview,
        ),
        Route(
            "POST",
            _PATH,
            "",
            "The next best action at a placement, with its reasons.",
            decide,
            (),
            DecideRequest,
            Decided,
            direct=True,
            cors=_CORS,
        ),
        preflight(_PATH, _CORS),
        Route(
            "GET",
            "/v1/decisions/{decision}",
            "profiles:read",
            "One decision, why, and what followed.",
            read,
            returns=DecisionView,
        ),
    ]


def _check(asked: DecideRequest) -> None:
    if not 1 <= asked.count <= _MOST:
        raise BadRequest("bad_body", f"`count` is {asked.count}; ask for 1 to {_MOST} at a time.")
    if not (all(asked.placements) if asked.placements else asked.placement):
        raise BadRequest("bad_body", "`placement` is empty: name the place that asks, e.g. kiosk_home.")
    if asked.placements and (asked.placement or asked.channel):
        raise BadRequest(
            "bad_body",
            "Give either one `placement`, or `placements` of which each has a channel of its own, and no `channel`.",
        )
    if len(asked.placements) > _PLACES:
        raise BadRequest("bad_body", f"`placements` names {len(asked.placements)}; name {_PLACES} at most.")
    for name, value in (
        ("placement", asked.placement),
        *(("placements", place) for place in asked.placements),
        ("userId", asked.user_id),
        ("anonymousId", asked.anonymous_id),
        ("channel", asked.channel),
    ):
        if value is not None and (len(value) > _LONGEST or "\0" in value):
            raise BadRequest("bad_body", f"`{name}` is longer than {_LONGEST} characters or holds a NUL.")
