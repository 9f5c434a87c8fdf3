"""Placements: where something may be shown or sent, what each may show, and how often somebody hears from us."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.decide.said import cap_said, quiet_said, success_said, weight_said
from patron.decide.variants import allows
from patron.model.offers import Catalogue


async def show(visit: Visit) -> Response:
    """All placements with the offers that each may show, then caps, quiet hours and how offers are ranked."""
    held = visit.app.catalogue().held()
    catalogue = held.catalogue if held else Catalogue()
    names = {offer.id: offer.name for offer in catalogue.offers}
    rows = [
        (place, success_said(place), [offer for offer in catalogue.offers if allows(place, offer)])
        for place in catalogue.placements
    ]
    named = dict.fromkeys(place for offer in catalogue.offers for place in offer.placements)
    return visit.page(
        "placements.html",
        rows=rows,
        names=names,
        undeclared=[place for place in named if not catalogue.placements],
        caps=[(cap.id, cap_said(cap)) for cap in catalogue.caps],
        quiet=quiet_said(catalogue.quiet) if catalogue.quiet else "",
        scoring=catalogue.scoring,
        weights=[weight_said(weight, names) for weight in catalogue.scoring.weights],
    )
