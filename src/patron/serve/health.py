"""Whether it lives, whether it takes traffic, how it is: for load balancers, Prometheus and people."""

from patron.model.views import Health, Status
from patron.serve.answers import Alive, Ready
from patron.serve.openapi import PLAIN
from patron.serve.port import Backend
from patron.serve.router import Reply, Request, Route


def routes(backend: Backend) -> list[Route]:
    """`/healthz`, `/readyz`, `/metrics`, `/v1/status`, `/v1/health`."""

    async def alive(_: Request) -> Reply:
        return Reply({"ok": True})

    async def ready(_: Request) -> Reply:
        status = backend.status()
        return Reply({"ready": True, "applied": status.applied})

    async def metrics(_: Request) -> Reply:
        return Reply(raw=backend.metrics().encode(), content_type="text/plain; version=0.0.4; charset=utf-8")

    async def status(_: Request) -> Reply:
        return Reply(backend.status())

    async def health(_: Request) -> Reply:
        return Reply(backend.health())

    return [
        Route("GET", "/healthz", "", "The process answers.", alive, returns=Alive),
        Route("GET", "/readyz", "", "The log is replayed and traffic is taken.", ready, returns=Ready),
        Route("GET", "/metrics", "", "Prometheus text.", metrics, returns=PLAIN),
        Route(
            "GET",
            "/v1/status",
            "admin",
            "Log positions: accepted, applied, durable, and the lag.",
            status,
            returns=Status,
        ),
        Route("GET", "/v1/health", "admin", "Everything the health page shows.", health, returns=Health),
    ]
