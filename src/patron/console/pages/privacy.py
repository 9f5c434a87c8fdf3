"""Privacy: what was erased, with the receipt that proves it."""

from starlette.responses import Response

from patron.console.visit import Visit


async def show(visit: Visit) -> Response:
    """Receipts, newest first."""
    receipts = sorted(visit.app.receipts(), key=lambda receipt: -receipt.time)
    return visit.page("privacy.html", receipts=receipts)
