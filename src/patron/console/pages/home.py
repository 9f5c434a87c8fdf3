"""Home: does all arrive, and what needs me?"""

from starlette.responses import Response

from patron.console import words
from patron.console.visit import Visit
from patron.model.guide import Story
from patron.model.views import ChannelRate

ROWS = 8
SILENT_MS = 10 * 60_000


async def show(visit: Visit) -> Response:
    """The page of today."""
    health, rates, figures = visit.app.health(), visit.app.rates(), visit.app.figures()
    return visit.page(
        "home.html",
        sentence=_sentence(visit, rates, [text for _, well, text in health.checks if not well]),
        effect=await visit.app.effect(),
        figures=figures,
        rates=rates,
        per_second=sum(rate.per_second for rate in rates),
        silent={rate.channel: _silent(rate, visit.now) for rate in rates},
        decisions=visit.app.recent_decisions(ROWS),
        hour=visit.times.hour(),
        planted=_planted(visit),
    )


def _planted(visit: Visit) -> tuple[Story, ...]:
    """The stories of a demo; their titles name nobody."""
    found = visit.app.stories()
    return found.stories if found is not None else ()


async def newest(visit: Visit) -> Response:
    """The newest decisions alone, for the live list."""
    return visit.fragment("parts/decision_rows.html", decisions=visit.app.recent_decisions(ROWS))


def _silent(rate: ChannelRate, now: int) -> str:
    """How long a channel that sent something today has been silent; empty while it is alive."""
    if rate.last is None or now - rate.last < SILENT_MS:
        return ""
    return words.span(now - rate.last)


def _sentence(visit: Visit, rates: list[ChannelRate], faults: list[str]) -> str:
    if faults:
        return faults[0]
    silent = [rate for rate in rates if _silent(rate, visit.now)]
    if silent:
        quiet = max(silent, key=lambda rate: visit.now - (rate.last or 0))
        return f"All that arrives is answered. {words.channel(quiet.channel)}: silent for {_silent(quiet, visit.now)}."
    return "Everything that arrives is durable and answered."
