"""Policies: how each placement decides, how that goes, and what another policy would have earned."""

from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from patron.console import launch_words as ways
from patron.console import policy_words as said
from patron.console.visit import Visit
from patron.decide.said import budget_said, span_said, success_said
from patron.model.errors import BadRequest, RequestError
from patron.model.offers import Catalogue, Placement
from patron.model.policies import Judged

BASE = "/console/decisions/policies"
DAYS = (7, 28, 90, 365)
_MOST_OFFERS = 500
"""Offers that the form lists."""


async def show(visit: Visit) -> Response:
    """Every placement, and how it decides."""
    places = {one.id: one for one in _catalogue(visit).placements}
    rows = [_row(name, places.get(name)) for name in visit.app.policies().placements()]
    return visit.page("policies.html", rows=rows, launches=visit.app.launching().rows(), ways=ways)


async def open_one(visit: Visit) -> Response:
    """One placement: arms, days, and the question what another policy would have earned."""
    name, days = visit.path["placement"], _days(visit)
    view = await visit.app.policies().view(name, days)
    catalogue = _catalogue(visit)
    place = next((one for one in catalogue.placements if one.id == name), None)
    wanted, told, error = await _judged(visit, name, days)
    names = {offer.id: offer.name for offer in catalogue.offers}
    launches = [row for row in visit.app.launching().rows() if name in row.placements]
    kinds = {f"{row.id}-{row.version}": row.kind for row in launches}
    asking = bool(wanted.challenger) and told is None and not error
    context: dict[str, Any] = {
        "working": f"{BASE}/{quote(name)}?{urlencode([*visit.query.multi_items(), ('now', '1')])}" if asking else "",
        "moved": said.moved(told, names) if told else [],
        "budget": "" if (b := view.messages) is None else budget_said(b.wanted, b.got, b.price),
        "ends": _ends(told) if told else (0.0, 1.0),
        "launches": launches,
        "ways": ways,
        "span_said": span_said,
        "offers": [(offer.id, offer.name) for offer in catalogue.offers[:_MOST_OFFERS]],
    }  # fmt: skip
    return visit.page(
        "policy.html", 400 if error else 200, view=view, said=said, how=said.how(place, view.policies, kinds),
        goes=said.goes(view, days), success=success_said(place) if place else "", series=said.every_day(view.days),
        days=days, all_days=DAYS, base=BASE, wanted=wanted, told=told, error=error, **context,
    )  # fmt: skip


async def _judged(visit: Visit, name: str, days: int) -> tuple[said.Asked, Judged | None, str]:
    """What was asked for, and its judgement: none yet while the page is drawn without it; or what is wrong with it."""
    fields = {key: visit.query.getlist(key) for key in visit.query}
    if not fields.get("challenger"):
        return said.Asked(), None, ""
    try:
        wanted = said.asked(fields)
    except RequestError as problem:
        kept = said.Asked(
            challenger=fields["challenger"][-1][:40],
            stop=tuple(fields.get("stop", ())[: said.MOST_STOPPED]),
            formula=fields.get("formula", [""])[-1][: said.LONGEST_FORMULA],
        )
        return kept, None, problem.message
    if "now" not in visit.query:
        return wanted, None, ""
    policies = visit.app.policies()
    change = policies.change(
        stop=wanted.stop, at_most=wanted.at_most, hours=wanted.hours, formula=wanted.formula
    )
    try:
        return wanted, await policies.evaluate(wanted.challenger, name, change, days), ""
    except BadRequest as problem:
        return wanted, None, problem.message


def _row(name: str, place: Placement | None) -> dict[str, Any]:
    return {
        "id": name,
        "name": place.name if place else name,
        "channel": place.channel if place else "",
        "success": success_said(place) if place else "",
        "how": "" if place is None else "Learns by trying" if place.explore else "Always the best ranked",
        "declared": place is not None,
    }


def _ends(told: Judged) -> tuple[float, float]:
    """Where the shared scale of all estimates begins and ends; zero is always on it."""
    figures = [one.figure for one in told.estimates] + ([told.logging] if told.logging else [])
    return min([0.0, *(one.low for one in figures)]), max([0.0, *(one.high for one in figures)])


def _catalogue(visit: Visit) -> Catalogue:
    held = visit.app.catalogue().held()
    return held.catalogue if held else Catalogue()


def _days(visit: Visit) -> int:
    text = visit.query.get("days", "")
    return int(text) if text in {str(one) for one in DAYS} else 28
