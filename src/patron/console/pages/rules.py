"""Identity rules: what would others make of the people there are? A dry run; nothing is changed here."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.identity.impact import Impact, impact
from patron.model.errors import RequestError
from patron.runtime.settings import tried_rules

LONGEST = 60_000
START = "[identity]\n"


async def show(visit: Visit) -> Response:
    """The form."""
    return _page(visit, START)


async def dry_run(visit: Visit) -> Response:
    """What the rules given would change, in sentences."""
    visit.need("rules")
    text = visit.form.get("rules", "").replace("\r\n", "\n")[:LONGEST]
    try:
        told = impact(visit.app.dry_run(tried_rules(text)))
    except RequestError as error:
        return _page(visit, text, error=error.message, status=error.status)
    visit.app.audit(visit.user.name, "dry_run", "identity rules")
    return _page(visit, text, told)


def _page(
    visit: Visit, text: str, told: Impact | None = None, error: str = "", status: int = 200
) -> Response:
    return visit.page("rules.html", status, rules=text, told=told, error=error, limit=LONGEST)
