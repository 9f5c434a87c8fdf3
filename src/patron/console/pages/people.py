"""People: find one by any identifier."""

from typing import Any

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.views import PersonRow

LIMIT = 30
LONGEST_QUERY = 600


async def show(visit: Visit) -> Response:
    """The empty search."""
    return visit.page("people.html", query="", rows=[], asked=False, limit=LIMIT)


async def find(visit: Visit) -> Response:
    """The people that a query finds. The query is posted, so that no identifier stands in an address."""
    query = visit.form.get("q", "").strip()[:LONGEST_QUERY]
    rows: list[PersonRow] = []
    if len(query) >= 2:
        rows = await visit.app.find(query, LIMIT)
        visit.app.audit(visit.user.name, "find", f"{len(rows)} found")
    context: dict[str, Any] = {"query": query, "rows": rows, "asked": len(query) >= 2, "limit": LIMIT}
    if visit.partial:
        return visit.fragment("parts/people_rows.html", **context)
    return visit.page("people.html", **context)
