"""Ready questions over the lake by HTTP: funnels, retention, sessions, paths, products bought together, RFM."""

from typing import Any, Literal, Protocol

from msgspec import Struct

from patron.serve.router import Reply, Request, Route


class InsightsDoor(Protocol):
    """What answers."""

    async def ask(self, kind: str, options: dict[str, Any]) -> dict[str, Any]: ...


class InsightsBackend(Protocol):
    """What these routes need of whatever runs behind them."""

    @property
    def insights(self) -> InsightsDoor: ...


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """A question and its options; each has a default but the `steps` of a funnel."""

    kind: Literal["funnel", "retention", "sessions", "paths", "pairs", "rfm"]
    options: dict[str, Any] = {}
    """`docs/lake.md` lists them by kind."""


class InsightAnswer(Struct, frozen=True):
    """Rows as lists, in the order of `columns` (name and type); `now` is when it was asked."""

    now: str
    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    truncated: bool


def routes(backend: InsightsBackend) -> list[Route]:
    """The one operation."""

    async def ask(request: Request) -> Reply:
        asked = request.json(Ask)
        return Reply(await backend.insights.ask(asked.kind, asked.options))

    summary = "Ask a ready question of the lake: funnel, retention, sessions, paths, pairs or rfm."
    return [Route("POST", "/v1/insights", "lake", summary, ask, (), Ask, InsightAnswer)]
