"""How placements are decided, and what another policy would have earned: read from the decisions and what followed them."""

from typing import Any, Protocol

from msgspec import Struct

from patron.model.errors import BadRequest
from patron.model.policies import Judged, PolicyView
from patron.serve.router import Query, Reply, Request, Route

_DAYS = 366


class PoliciesDoor(Protocol):
    """What answers."""

    def placements(self) -> list[str]: ...
    async def view(self, placement: str, days: int = 28) -> PolicyView: ...
    async def evaluate(
        self, challenger: str, placement: str, change: Any = None, days: int = 28
    ) -> Judged: ...
    def change(self, **fields: Any) -> Any: ...


class PoliciesBackend(Protocol):
    """What these routes need of whatever runs behind them."""

    @property
    def policies(self) -> PoliciesDoor: ...


class PlacementNames(Struct, frozen=True):
    """Where anything is decided."""

    data: list[str]


class Challenge(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy to judge: a base, and what it does otherwise."""

    placement: str
    challenger: str = "greedy"
    """`greedy`: always the highest score; `uniform`: all alike."""
    days: int = 28
    stop: list[str] = []
    """Offers that it never gives."""
    at_most: int = 0
    """Not more than so many in `hours` for a person; 0 = no cap."""
    hours: int = 24
    formula: str = ""
    """Another formula, in which `propensity` is the recorded score."""


def routes(backend: PoliciesBackend) -> list[Route]:
    """Reading how placements were decided, and judging challengers."""

    async def names(_request: Request) -> Reply:
        return Reply(PlacementNames(backend.policies.placements()))

    async def show(request: Request) -> Reply:
        days = _days(request.query.get("days", "28"))
        return Reply(await backend.policies.view(request.path["placement"], days))

    async def evaluate(request: Request) -> Reply:
        asked = request.json(Challenge)
        if not (0 <= asked.at_most <= 10_000 and 1 <= asked.hours <= 24 * _DAYS and len(asked.stop) <= 1_000):
            raise BadRequest(
                "bad_body", "`at_most` is 0 to 10,000, `hours` 1 to 8,784, `stop` at most 1,000 offers."
            )
        change = backend.policies.change(
            stop=tuple(asked.stop), at_most=asked.at_most, hours=asked.hours, formula=asked.formula
        )
        days = _days(str(asked.days))
        return Reply(await backend.policies.evaluate(asked.challenger, asked.placement, change, days))

    return [
        Route("GET", "/v1/policies", "admin", "Where anything is decided.", names, returns=PlacementNames),
        Route(
            "GET", "/v1/policies/{placement}", "admin",
            "How a placement was decided lately: arms, days, what followed.", show, (Query("days", "integer", "Days back; 28 when left out.", low=1, high=366),), returns=PolicyView,
        ),
        Route(
            "POST", "/v1/policies/evaluate", "admin",
            "What another policy would have earned, judged from the recorded decisions.", evaluate, (), Challenge, Judged,
        ),
    ]  # fmt: skip


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _DAYS:
        raise BadRequest("bad_query", f"`days` is a whole number from 1 to {_DAYS}.")
    return int(text)
