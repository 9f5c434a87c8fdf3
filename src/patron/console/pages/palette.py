"""The palette behind Ctrl K: people, and places to go."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.views import PersonRow

PLACES = (
    ("Home", "home", "/console", "G H", "today figures needs"),
    ("People", "people", "/console/people", "G P", "find search customer"),
    ("Identity rules", "people", "/console/people/rules", "", "dry run merge split limits try"),
    ("Decisions", "decisions", "/console/decisions", "G D", "log why offers"),
    ("Health", "data", "/console/data", "G A", "data checks status clock"),
    ("Sources", "data", "/console/data/sources", "G S", "write keys add source channel"),
    ("Quarantine", "quarantine", "/console/data/quarantine", "G Q", "dead letters replay map"),
    ("Keys", "key", "/console/data/keys", "G K", "api secret scopes"),
    ("Privacy", "privacy", "/console/privacy", "G R", "erase erasure receipts export"),
    ("Account", "people", "/console/account", "", "password sign out theme"),
)
SHOP = ("Be the customer", "shop", "/console/shop", "G B", "demo shop kiosk till act")
PEOPLE = 6


async def find(visit: Visit) -> Response:
    """People and places for what was typed so far."""
    query = visit.form.get("q", "").strip()[:200]
    rows: list[PersonRow] = visit.app.find(query, PEOPLE) if len(query) >= 2 else []
    places = [*PLACES, *([SHOP] if visit.app.shop() is not None else [])]
    folded = query.casefold()
    fitting = [place for place in places if folded in f"{place[0]} {place[4]}".casefold()]
    return visit.fragment("parts/palette.html", rows=rows, places=fitting, query=query)
