"""Named conditions: what each says, its parameters, and the rules that use it."""

from starlette.responses import Response

from patron.console.visit import Visit
from patron.model.errors import NotFound

BASE = "/console/people/conditions"


async def show(visit: Visit) -> Response:
    """Every condition, by name."""
    rows = sorted(visit.app.audiences().conditions(), key=lambda row: (row.name.casefold(), row.id))
    return visit.page("conditions.html", rows=rows)


async def ask_to_remove(visit: Visit) -> Response:
    """What removing would do, or what stands against it."""
    visit.need("audience")
    held = visit.app.audiences().held("condition", visit.path["id"])
    if held is None:
        raise NotFound("unknown_condition", "There is no condition of this id. It may have been removed.")
    return visit.removal(
        "condition",
        str(held.definition.get("name", held.id)),
        f"{BASE}/{held.id}",
        "No rule can use it any more. Its versions stay in the log.",
        ("Conditions", BASE),
        visit.app.audiences().users("condition", held.id),
    )


async def remove(visit: Visit) -> Response:
    """Take a condition out of force; its versions stay in the log."""
    visit.need("audience")
    await visit.app.audiences().remove("condition", visit.path["id"], visit.user.name)
    visit.app.audit(visit.user.name, "remove_condition", visit.path["id"])
    return visit.go(BASE, "Removed. Its versions stay in the log.")
