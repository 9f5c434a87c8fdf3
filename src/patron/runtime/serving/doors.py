"""Which door leads where: the public one (tracking, decide) and the private one (profiles, admin, console)."""

from patron import __version__
from patron.collect import described
from patron.collect.http import Tracking
from patron.runtime.backend import LocalBackend
from patron.serve import (
    admin,
    catalogue,
    decide,
    exports,
    fallback,
    feeds,
    health,
    insights,
    lake,
    openapi,
    outcomes,
    policies,
    profiles,
    rules,
    sends,
)
from patron.serve.router import Asgi, Route, Router


def private_door(backend: LocalBackend, console: Asgi | None) -> Router:
    """Profile API, administration, health, and the console behind them."""
    routes = [
        *health.routes(backend),
        *profiles.routes(backend),
        *decide.routes(backend),
        *fallback.routes(backend),
        *outcomes.routes(backend),
        *admin.routes(backend),
        *catalogue.routes(backend),
        *lake.routes(backend),
        *insights.routes(backend),
        *policies.routes(backend),
        *sends.routes(backend),
        *feeds.routes(backend),
        *rules.routes(backend),
        *exports.routes(backend),
    ]
    told = openapi.route(routes, __version__, described.paths(), described.schemas())
    return Router([*routes, told], backend.api_key, console)


def public_door(backend: LocalBackend) -> Asgi:
    """What may be reached from outside: tracking, decide and health; nothing that reads a profile."""
    routes: list[Route] = [
        *(r for r in health.routes(backend) if not r.scope and r.path != "/metrics"),
        *(r for r in decide.routes(backend) if r.path == "/v1/decide"),
        *fallback.routes(backend),
        *outcomes.routes(backend),
    ]
    return _tracking(backend, Router(routes, backend.api_key))


def whole_door(backend: LocalBackend, console: Asgi | None) -> Asgi:
    """Everything on one port, for a host that only this machine reaches."""
    return _tracking(backend, private_door(backend, console))


def _tracking(backend: LocalBackend, behind: Asgi) -> Asgi:
    return Tracking(backend.app.ingest, behind, backend.app.workspace.clock, rates=backend.rates)
