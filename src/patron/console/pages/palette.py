"""The palette behind Ctrl K: people, and places to go."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.views import PersonRow

PEOPLE = 6


async def find(visit: Visit) -> Response:
    """People and places for what was typed so far."""
    query = visit.form.get("q", "").strip()[:200]
    rows: list[PersonRow] = await visit.app.find(query, PEOPLE) if len(query) >= 2 else []
    folded = query.casefold()
    known = visit.places()
    fitting = [place for place in known if folded in f"{place[0]} {place[4]}".casefold()]
    return visit.fragment("parts/palette.html", rows=rows, places=fitting, query=query)
