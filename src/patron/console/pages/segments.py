"""Segments: the list, and two of them compared."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.audiences import Overlap
from patron.model.errors import NotFound, RequestError

STATES = {"live": "Live, exact", "filling": "Filling", "lake": "From the lake", "off": "Not running"}


async def show(visit: Visit) -> Response:
    """Every segment with its sentence and its members, then the ready ones."""
    audiences = visit.app.audiences()
    rows = sorted(audiences.segments(), key=lambda row: (-row.changed, row.id))
    ready = await audiences.ready("segment")
    return visit.page(
        "segments.html",
        rows=rows,
        states=STATES,
        ready=sorted(ready, key=lambda one: (one.used, not one.there)),
    )


async def ask_to_remove(visit: Visit) -> Response:
    """What removing would do, or what stands against it."""
    visit.need("audience")
    held = visit.app.audiences().held("segment", visit.path["id"])
    if held is None:
        raise NotFound("unknown_segment", "There is no segment of this id. It may have been removed.")
    return visit.removal(
        "segment",
        str(held.definition.get("name", held.id)),
        f"/console/people/segments/{held.id}",
        "Nobody is in it any more, and decisions and exports can no longer read it. Its versions stay in the log.",
        ("Segments", "/console/people/segments"),
        visit.app.audiences().users("segment", held.id),
    )


async def remove(visit: Visit) -> Response:
    """Take a segment out of force; its versions stay in the log."""
    visit.need("audience")
    name = visit.path["id"]
    await visit.app.audiences().remove("segment", name, visit.user.name)
    visit.app.audit(visit.user.name, "remove_segment", name)
    return visit.go("/console/people/segments", "Removed. Its versions stay in the log.")


async def overlap(visit: Visit) -> Response:
    """How many are in both of two segments."""
    rows = sorted(visit.app.audiences().segments(), key=lambda row: row.name.casefold())
    first, second = visit.query.get("a", ""), visit.query.get("b", "")
    found: Overlap | None = None
    error = ""
    if first and second:
        try:
            if first == second:
                raise NotFound("same_segment", "Choose two different segments.")
            found = await visit.app.audiences().overlap(first, second)
        except RequestError as problem:
            error = problem.message
    return visit.page("overlap.html", rows=rows, first=first, second=second, found=found, error=error)


async def weeks(visit: Visit) -> Response:
    """The members of the last weeks, counted when somebody asks."""
    audiences = visit.app.audiences()
    held = audiences.held("segment", visit.path["id"])
    if held is None:
        raise NotFound("unknown_segment", "There is no segment of this id.")
    found = await audiences.weeks(held.definition)
    if visit.partial:
        return visit.fragment("parts/weeks.html", weeks=found)
    return visit.page("weeks.html", weeks=found, held=held)
