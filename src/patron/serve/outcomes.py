"""`POST /v1/outcomes`: what followed a decision, by its id."""

from msgspec import Struct

from patron.model.errors import BadKey
from patron.model.outcomes import Reported
from patron.serve.cors import cors, preflight
from patron.serve.port import Backend
from patron.serve.router import Reply, Request, Route

_PATH = "/v1/outcomes"
_CORS = cors("POST")


class Taken(Struct, frozen=True):
    """An outcome that is in the log."""

    decisionId: str  # noqa: N815 - as the answer has it
    event: str
    """The ordinary event that it became."""
    accepted: bool
    """False: it was told before."""
    position: int


def routes(backend: Backend) -> list[Route]:
    """Reporting an outcome, and its preflight."""

    async def report(request: Request) -> Reply:
        told = request.json(Reported)
        trusted = request.key is not None and request.key.may("decide")
        write_key = request.secret or told.write_key
        source = None if trusted else backend.source_of(write_key)
        if source is not None:
            backend.charge(write_key, source)
        elif not trusted:
            raise BadKey("bad_key", "Give a secret key with the scope `decide`, or a live write key.")
        return Reply(await backend.outcome(told, trusted=trusted, source=source))

    return [
        Route(
            "POST",
            _PATH,
            "",
            "What followed a decision: seen, clicked, used, a visit, an order, or none of it after all.",
            report,
            (),
            Reported,
            Taken,
            cors=_CORS,
        ),
        preflight(_PATH, _CORS),
    ]
