"""What would they see: every placement as it would answer now, and why not the others. Nothing is reserved, recorded or learned."""

from typing import Any

from starlette.responses import Response

from patron.console.offering import LOOKS, Showing, shown
from patron.console.pages.decisions import rows_of
from patron.console.policy_words import small
from patron.console.visit import Visit
from patron.model.errors import BadRequest, RequestError
from patron.model.offers import NOTHING
from patron.model.views import PlacePreview, Preview, PreviewAsk

ADDRESS = "/console/decisions/preview"
WEATHERS = ("clear", "clouds", "rain", "snow", "storm", "fog")
_LONGEST = 600
_MOST_LINES = 100
_FIELDS = ("who", "hour", "weather", "store", "cart", "language", "placement")


async def show(visit: Visit) -> Response:
    """The form, and what follows from the address: whom, or which placement, it was opened for."""
    fields = {"who": visit.query.get("person", ""), "placement": visit.query.get("placement", "")}
    return _page(visit, {**dict.fromkeys(_FIELDS, ""), **fields, "proved": "on"})


async def ask(visit: Visit) -> Response:
    """The answer to the form as it was filled in."""
    fields = {name: visit.form.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    return _page(visit, {**fields, "proved": visit.form.get("proved")})


def _page(visit: Visit, fields: dict[str, str]) -> Response:
    found: Preview | None = None
    error, status = "", 200
    try:
        found = visit.app.preview(asked(fields), visit.user.name)
    except RequestError as problem:
        error, status = problem.message, problem.status
    held = visit.app.catalogue().held()
    context: dict[str, Any] = {
        "fields": fields,
        "found": found,
        "error": error,
        "places": [_told(one) for one in found.places] if found else [],
        "placements": [(one.id, one.name) for one in held.catalogue.placements] if held else [],
        "weathers": WEATHERS,
        "address": ADDRESS,
        "small": small,
    }
    return visit.page("preview.html", 200 if visit.partial else status, **context)


def asked(fields: dict[str, str]) -> PreviewAsk:
    """What a form asks. Raises BadRequest when the hour is none.

    >>> asked({"who": "user_id:7", "hour": "9", "weather": "rain", "cart": "P1, P2", "proved": "on"})
    PreviewAsk(person='user_id:7', proved=True, hour=9, context={'weather': 'rain', 'cart': ['P1', 'P2']}, placement='', channel='')
    """
    hour = fields.get("hour", "")
    if hour and not (hour.isascii() and hour.isdigit() and int(hour) <= 23):
        raise BadRequest("bad_hour", f"The hour is 0 to 23, not {hour[:20]!r}.")
    cart = [line for part in fields.get("cart", "").split(",") if (line := part.strip())]
    told = {
        "weather": fields.get("weather", ""),
        "store_id": fields.get("store", ""),
        "language": fields.get("language", ""),
        "cart": cart[:_MOST_LINES],
    }
    return PreviewAsk(
        fields.get("who", ""),
        bool(fields.get("proved")),
        int(hour) if hour else None,
        {name: value for name, value in told.items() if value},
        fields.get("placement", ""),
    )


def _told(one: PlacePreview) -> dict[str, Any]:
    """One placement: what it shows and how it looks there, the ranking, and why not the others."""
    decision = one.view.decision
    rows = rows_of(one.view)
    return {
        "place": one,
        "decision": decision,
        "held": decision.group == "control",
        "showing": _showing(one),
        "ranking": [row for row in rows if row["chance"] is not None],
        "dropped": [row for row in rows if row["chance"] is None],
    }


def _showing(one: PlacePreview) -> Showing | None:
    content = one.view.decision.content
    return shown(content, LOOKS.get(one.channel, "card")) if one.view.decision.action != NOTHING else None
