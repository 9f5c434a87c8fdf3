"""Feeds: what other systems told of goods, stores, weather and days, how fresh it is, and what was not taken."""

from starlette.responses import Response

from patron.console.visit import Visit

REJECTS = 20
"""Rejects of a load that are shown."""


async def show(visit: Visit) -> Response:
    """All kinds, those with data first, and the rejects of their last loads."""
    found = visit.app.feeds()
    return visit.page(
        "feeds.html",
        loaded=[status for status in found if status.last is not None],
        empty=[status for status in found if status.last is None],
        shown=REJECTS,
    )
