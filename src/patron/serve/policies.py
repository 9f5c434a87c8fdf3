"""Policies over HTTP: what they are and how far each has come, how placements are decided, and what another would have earned."""

from typing import Any, Protocol

from msgspec import Struct, structs

from patron.model.errors import BadRequest
from patron.model.policies import (
    GUARDS,
    Guard,
    GuardFigure,
    Judged,
    Kind,
    LaunchRow,
    LaunchView,
    Move,
    Option,
    Policy,
    PolicyView,
)
from patron.profiles.public import iso
from patron.serve.router import Query, Reply, Request, Route

ADMIN = "admin"
_DAYS = 366


class PoliciesDoor(Protocol):
    """What answers about placements and judges challengers."""

    def placements(self) -> list[str]: ...
    async def view(self, placement: str, days: int = 28) -> PolicyView: ...
    async def evaluate(
        self, challenger: str, placement: str, change: Any = None, days: int = 28
    ) -> Judged: ...
    def change(self, **fields: Any) -> Any: ...


class LaunchingDoor(Protocol):
    """What keeps policies and moves them."""

    def rows(self) -> list[LaunchRow]: ...
    def view(self, name: str) -> LaunchView: ...
    async def put(self, name: str, value: Any, by: str) -> LaunchView: ...
    async def move(self, name: str, to: str, by: str, why: str = "") -> LaunchView: ...
    async def judge(self, name: str) -> list[Judged]: ...


class PoliciesBackend(Protocol):
    """What these routes need of whatever runs behind them."""

    @property
    def policies(self) -> PoliciesDoor: ...
    @property
    def launching(self) -> LaunchingDoor: ...


class PolicyRow(Struct, frozen=True):
    """A policy in the list."""

    id: str
    name: str
    kind: str
    version: int
    placements: list[str]
    stage: str
    since: str
    by: str
    """Who moved it last."""


class PolicyRows(Struct, frozen=True):
    """Every policy, and where anything is decided."""

    data: list[PolicyRow]
    placements: list[str]


class NewPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy, but for its id, which the address says."""

    name: str
    placements: tuple[str, ...]
    kind: Kind = "learned"
    formula: str = ""
    explore: float = 1.0
    guards: tuple[Guard, ...] = GUARDS
    alpha: float = 0.05
    minimum: int = 100


class MoveAnswer(Struct, frozen=True):
    """One step of a policy."""

    time: str
    by: str
    before: str
    to: str
    version: int
    why: str
    evidence: str
    overridden: str
    """The refusal that was overridden with `why`; empty when none was."""


class PolicyAnswer(Struct, frozen=True):
    """A policy with all that is known of its way."""

    policy: Policy
    version: int
    stage: str
    since: str
    decides_as: str
    """Its name in records of decisions."""
    share: float
    """Of people for whom it decides."""
    options: list[Option]
    guards: list[GuardFigure]
    moves: list[MoveAnswer]
    """Newest first."""


class PolicyHistory(Struct, frozen=True):
    """Every step of a policy, newest first."""

    data: list[MoveAnswer]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """The step to take: the next stage, a smaller share of people, or `stopped`."""

    to: str
    why: str = ""
    """A reason; it overrides evidence that is missing, and stands on the record."""


class Judgements(Struct, frozen=True):
    """A policy judged at each of its placements, since it is in shadow."""

    data: list[Judged]


class Challenge(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy to judge: a base, and what it does otherwise."""

    placement: str
    challenger: str = "greedy"
    """`greedy`: always the highest score; `uniform`: all alike; or the id of a policy, which is judged as it is."""
    days: int = 28
    stop: list[str] = []
    """Offers that it never gives."""
    at_most: int = 0
    """Not more than so many in `hours` for a person; 0 = no cap."""
    hours: int = 24
    formula: str = ""
    """Another formula, in which `propensity` is the recorded score."""


def routes(backend: PoliciesBackend) -> list[Route]:
    """`/v1/policies`, and how a placement was decided."""
    doors = _Policies(backend)
    days = (Query("days", "integer", "Days back; 28 when left out.", low=1, high=366),)
    one = "/v1/policies/{policy}"
    return [
        Route("GET", "/v1/policies", ADMIN, "Every policy, and where anything is decided.", doors.rows, returns=PolicyRows),
        Route(
            "GET", "/v1/placements/{placement}/policy", ADMIN,
            "How a placement was decided lately: arms, days, what followed.", doors.placement, days, returns=PolicyView,
        ),
        Route(
            "POST", "/v1/policies/evaluate", ADMIN,
            "What another policy would have earned, judged from the recorded decisions.", doors.evaluate, (), Challenge, Judged,
        ),
        Route(
            "GET", one, ADMIN, "A policy: its stage, who moved it, its guards, and what may be done now.", doors.show,
            returns=PolicyAnswer,
        ),
        Route(
            "PUT", one, ADMIN, "Save a policy. A change begins as a draft; what is on its way must be stopped first.",
            doors.put, (), NewPolicy, PolicyAnswer,
        ),
        Route(
            "POST", f"{one}/move", ADMIN, "Take the next step of the launch path, or go back; refused with the reason.",
            doors.move, (), Step, PolicyAnswer,
        ),
        Route("GET", f"{one}/history", ADMIN, "Who took which step when, and why.", doors.history, returns=PolicyHistory),
        Route(
            "GET", f"{one}/judgement", ADMIN,
            "What it would have earned at each of its placements, judged since it is in shadow.", doors.judgement,
            returns=Judgements,
        ),
    ]  # fmt: skip


class _Policies:
    def __init__(self, backend: PoliciesBackend) -> None:
        self._backend = backend

    async def rows(self, _: Request) -> Reply:
        found = [
            PolicyRow(r.id, r.name, r.kind, r.version, list(r.placements), r.stage, _time(r.since), r.by)
            for r in self._backend.launching.rows()
        ]
        return Reply(PolicyRows(found, self._backend.policies.placements()))

    async def placement(self, request: Request) -> Reply:
        days = _days(request.query.get("days", "28"))
        return Reply(await self._backend.policies.view(request.path["placement"], days))

    async def show(self, request: Request) -> Reply:
        return Reply(_told(self._backend.launching.view(request.path["policy"])))

    async def put(self, request: Request) -> Reply:
        asked, name = request.json(NewPolicy), request.path["policy"]
        policy = Policy(id=name, **structs.asdict(asked))
        return Reply(_told(await self._backend.launching.put(name, policy, request.who.name)))

    async def move(self, request: Request) -> Reply:
        asked, name = request.json(Step), request.path["policy"]
        return Reply(_told(await self._backend.launching.move(name, asked.to, request.who.name, asked.why)))

    async def history(self, request: Request) -> Reply:
        return Reply(PolicyHistory(_told(self._backend.launching.view(request.path["policy"])).moves))

    async def judgement(self, request: Request) -> Reply:
        return Reply(Judgements(await self._backend.launching.judge(request.path["policy"])))

    async def evaluate(self, request: Request) -> Reply:
        asked, policies = request.json(Challenge), self._backend.policies
        if not (0 <= asked.at_most <= 10_000 and 1 <= asked.hours <= 24 * _DAYS and len(asked.stop) <= 1_000):
            raise BadRequest(
                "bad_body", "`at_most` is 0 to 10,000, `hours` 1 to 8,784, `stop` at most 1,000 offers."
            )
        change = policies.change(
            stop=tuple(asked.stop), at_most=asked.at_most, hours=asked.hours, formula=asked.formula
        )
        return Reply(
            await policies.evaluate(asked.challenger, asked.placement, change, _days(str(asked.days)))
        )


def _told(view: LaunchView) -> PolicyAnswer:
    return PolicyAnswer(
        view.policy, view.version, view.stage, _time(view.since), view.decides_as, view.share, view.options, view.guards,
        [_step(move) for move in view.moves],
    )  # fmt: skip


def _step(move: Move) -> MoveAnswer:
    return MoveAnswer(
        _time(move.time),
        move.by,
        move.before,
        move.to,
        move.version,
        move.why,
        move.evidence,
        move.overridden,
    )


def _time(ms: int) -> str:
    return iso(ms) or ""


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _DAYS:
        raise BadRequest("bad_query", f"`days` is a whole number from 1 to {_DAYS}.")
    return int(text)
