"""Results over the lake: a funnel, who comes back, the ways of sessions, baskets, RFM. Each is computed when it is asked for."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from patron.console.audience_port import Insights
from patron.console.visit import Visit
from patron.model.audiences import Baskets, Funnel, Paths, Rfm
from patron.model.errors import BadRequest, NotFound, RequestError

T = TypeVar("T")
STEPS = 6
DAYS = (7, 30, 90, 365)
WITHIN = (1, 3, 7, 14, 30)
USUAL = ("Product Viewed", "Product Added", "Order Completed")
BOUGHT = "Order Completed"


async def funnel(visit: Visit) -> Response:
    """Who did one thing, then the next."""
    insights = _insights(visit)
    events = [one.id for one in visit.app.audiences().vocabulary().events]
    asked = [name.strip()[:200] for name in visit.query.getlist("step")]
    steps = [name for name in asked if name] or [name for name in USUAL if name in events or not events]
    days, within = _one_of(visit, "days", DAYS, 30), _one_of(visit, "within", WITHIN, 7)
    found: Funnel | None = None
    error = ""
    try:
        if len(steps) > STEPS:
            raise BadRequest("too_many_steps", f"At most {STEPS} steps; take one out.")
        if len(steps) >= 2:
            found = None if _working(visit) else await insights.funnel(steps, days, within)
        elif asked:
            raise BadRequest("two_steps", "A funnel needs at least two steps.")
    except RequestError as problem:
        error = problem.message
    wanted = [*steps[:STEPS], *[""] * max(0, min(STEPS, max(len(steps) + 1, 3)) - len(steps))]
    return visit.page(
        "funnel.html", working=_working(visit) if len(steps) >= 2 and not error else "", found=found, error=error, steps=wanted, events=events, days=days, within=within,
        all_days=DAYS, all_within=WITHIN,
    )  # fmt: skip


async def cohorts(visit: Visit) -> Response:
    """Who comes back."""
    insights = _insights(visit)
    events = [one.id for one in visit.app.audiences().vocabulary().events]
    event = visit.query.get("event", "").strip()[:200] or BOUGHT
    again = visit.query.get("again", "").strip()[:200] or event
    period: Literal["week", "month"] = "month" if visit.query.get("period") == "month" else "week"
    found, error = await _answer(visit, lambda: insights.cohorts(event, again, period, 8))
    return visit.page(
        "cohorts.html",
        working=_working(visit),
        found=found,
        error=error,
        events=events,
        event=event,
        again=again,
        period=period,
    )


async def paths(visit: Visit) -> Response:
    """The most frequent ways of sessions."""
    insights = _insights(visit)
    return await _over_days(visit, "paths.html", 30, lambda days: insights.paths(days, 5, 20))


async def baskets(visit: Visit) -> Response:
    """Products that are bought together."""
    insights = _insights(visit)
    return await _over_days(visit, "baskets.html", 90, lambda days: insights.baskets(days, 25))


async def rfm(visit: Visit) -> Response:
    """Buyers by recency, and by frequency and money."""
    return await _over_days(visit, "rfm.html", 365, _insights(visit).rfm)


async def _over_days(
    visit: Visit, template: str, usual: int, ask: Callable[[int], Awaitable[Paths | Baskets | Rfm]]
) -> Response:
    """A page whose only choice is how far back is looked."""
    days = _one_of(visit, "days", DAYS, usual)
    found, error = await _answer(visit, lambda: ask(days))
    return visit.page(template, working=_working(visit), found=found, error=error, days=days, all_days=DAYS)


async def _answer(visit: Visit, ask: Callable[[], Awaitable[T]]) -> tuple[T | None, str]:
    """An answer, or why there is none; neither while the page is drawn without it."""
    try:
        return (None if _working(visit) else await ask()), ""
    except RequestError as problem:
        return None, problem.message


def _insights(visit: Visit) -> Insights:
    found = visit.app.insights()
    if found is None:
        raise NotFound("no_lake", "There is no lake here to ask. Start the server with the lake switched on.")
    return found


def _working(visit: Visit) -> str:
    """Where the answer is, while a page is drawn without it; empty for whoever waits for the answer itself."""
    if "now" in visit.query:
        return ""
    return f"{visit.request.url.path}?{urlencode([*visit.query.multi_items(), ('now', '1')])}"


def _one_of(visit: Visit, name: str, choices: tuple[int, ...], usual: int) -> int:
    said: Any = visit.query.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and int(said) in choices else usual
