"""What a browser must be told before it lets a page of another address read an answer (WHATWG Fetch, CORS protocol)."""

from patron.serve.router import Reply, Request, Route

_DAY = "7200"
"""Seconds for which a browser need not ask again; Chromium keeps no answer longer."""


def cors(method: str, sends: str = "content-type", reads: str = "Retry-After") -> tuple[tuple[str, str], ...]:
    """The headers of all answers of an operation, refusals included: without them a page cannot even see the status.

    Parameters
    ----------
    sends : request headers beside `authorization` that a page may set.
    reads : headers of the answer that a page may read.

    >>> dict(cors("POST"))["access-control-allow-methods"]
    'POST, OPTIONS'
    """
    return (
        ("access-control-allow-origin", "*"),
        ("access-control-allow-headers", f"authorization, {sends}"),
        ("access-control-allow-methods", f"{method}, OPTIONS"),
        ("access-control-max-age", _DAY),
        ("access-control-expose-headers", reads),
    )


def preflight(path: str, headers: tuple[tuple[str, str], ...]) -> Route:
    """What a browser asks first."""

    async def allow(_request: Request) -> Reply:
        return Reply({})

    return Route("OPTIONS", path, "", "CORS preflight.", allow, cors=headers)
