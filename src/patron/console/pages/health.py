"""Health: is everything well, and how far is it?"""

from starlette.responses import Response

from patron.console.visit import Visit


async def show(visit: Visit) -> Response:
    """Checks, positions, space and the clock."""
    health = visit.app.health()
    return visit.page("health.html", health=health, bad=[check for check in health.checks if not check[1]])
