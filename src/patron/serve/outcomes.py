"""`POST /v1/outcomes`: what followed a decision, by its id."""

from msgspec import Struct

from patron.model.errors import BadKey
from patron.model.outcomes import Reported
from patron.serve.port import Backend
from patron.serve.router import Reply, Request, Route

_CORS = (
    ("access-control-allow-origin", "*"),
    ("access-control-allow-headers", "authorization, content-type"),
    ("access-control-allow-methods", "POST, OPTIONS"),
    ("access-control-max-age", "7200"),
)


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
        return Reply(await backend.outcome(told, trusted=trusted, source=source), headers=_CORS)

    async def preflight(_request: Request) -> Reply:
        return Reply({}, headers=_CORS)

    return [
        Route(
            "POST",
            "/v1/outcomes",
            "",
            "What followed a decision: seen, clicked, used, a visit, an order, or none of it after all.",
            report,
            (),
            Reported,
            Taken,
        ),
        Route("OPTIONS", "/v1/outcomes", "", "CORS preflight.", preflight),
    ]
