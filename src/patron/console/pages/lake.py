"""The lake: how far it is, what is in it, and what went wrong last."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.errors import NotFound


async def show(visit: Visit) -> Response:
    """One page, as it is now."""
    found = await visit.app.lake()
    if found is None:
        raise NotFound("no_lake", "There is no lake here. Start the server with the lake switched on.")
    return visit.page("lake.html", lake=found)
