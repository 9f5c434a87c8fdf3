"""`GET /v1/fallback/{placement}`: the signed bundle that a touchpoint holds, for the time when Patron is away."""

from msgspec import Struct

from patron.decide.fallback import signature
from patron.model.errors import BadKey, BadRequest
from patron.model.events import CHANNELS
from patron.serve.cors import cors, preflight
from patron.serve.port import Backend
from patron.serve.router import Query, Reply, Request, Route

_CORS = cors("GET", "if-none-match", "ETag, Retry-After")


class SignedBundle(Struct, frozen=True):
    """A bundle as text, and the proof that it was not changed on the way or where it is kept."""

    bundle: str
    """JSON (docs/fallback.md); what the signature is of, byte for byte."""
    signature: str
    """Hex HMAC-SHA256 of `bundle` as UTF-8, under the key that the caller gave."""


def routes(backend: Backend) -> list[Route]:
    """The bundle of a placement and its preflight."""

    async def bundle(request: Request) -> Reply:
        trusted = request.key is not None and request.key.may("decide")
        source = None if trusted else backend.source_of(request.secret)
        if not trusted and source is None:
            raise BadKey(
                "bad_key",
                "Give a live write key as the user of Basic authorization, or a secret key of scope `decide`.",
            )
        channel = request.query.get("channel") or (source.channel if source else "")
        if channel and channel not in CHANNELS:
            raise BadRequest("bad_query", f"`channel` is one of {', '.join(CHANNELS)}.")
        found = await backend.fallbacks.bundle(request.path["placement"], channel)
        headers = (
            ("etag", f'"{found.id}"'),
            ("cache-control", f"private, max-age={found.seconds(backend.now())}"),
            ("vary", "Authorization"),
        )
        if f'"{found.id}"' in request.held:
            return Reply(status=304, raw=b"", headers=headers)
        return Reply(SignedBundle(found.text, signature(request.secret, found.text)), headers=headers)

    path = "/v1/fallback/{placement}"
    return [
        Route(
            "GET",
            path,
            "",
            "What a touchpoint may show while Patron is away, signed.",
            bundle,
            (
                Query(
                    "channel", about="Of the touchpoint, for a placement that names none.", choices=CHANNELS
                ),
            ),
            returns=SignedBundle,
            held=True,
            cors=_CORS,
        ),
        preflight(path, _CORS),
    ]
