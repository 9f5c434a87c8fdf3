"""A policy on its way: the path with who moved it, the guards, the buttons with what each will do, and refusals with the reason."""

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from patron.console import launch_words as said
from patron.console import policy_words
from patron.console.visit import Visit
from patron.model.errors import BadRequest, Conflict, Fault, NotFound, RequestError
from patron.model.policies import Judged

BASE = "/console/decisions/launches"
ACT = "launch"
SHOWN = 40
"""Moves on a page."""


async def open_one(visit: Visit) -> Response:
    """One policy; with `judge` in the address it is judged too, which takes some seconds."""
    return await _page(visit, visit.path["id"])


async def new(visit: Visit) -> Response:
    """The form of a new policy."""
    visit.need(ACT)
    blank = {"id": "", "name": "", "formula": "", "kind": "learned", "explore": "1", "minimum": "100"}
    return _form(visit, {**blank, "placements": visit.query.getlist("placement")})


async def edit(visit: Visit) -> Response:
    """The form of a policy as it is."""
    visit.need(ACT)
    policy = visit.app.launching().view(visit.path["id"]).policy
    given = {name: getattr(policy, name) for name in policy.__struct_fields__}
    return _form(
        visit, {**given, "explore": f"{policy.explore:g}", "minimum": str(policy.minimum)}, held=policy.id
    )


async def save(visit: Visit) -> Response:
    """Save a policy: a new one, or another version."""
    visit.need(ACT)
    given, held = _given(visit), visit.path.get("id", "")
    known = {row.id for row in visit.app.launching().rows()}
    name = held or given["id"]
    faults: Collection[Fault] = ()
    try:
        if not held and name in known:
            raise BadRequest(
                "exists", f"There is a policy `{name}` already.", (Fault("$.id", "There is one already."),)
            )
        await visit.app.launching().put(name, _policy(visit, given, held), visit.user.name)
    except (BadRequest, Conflict) as error:
        faults = error.faults or (Fault("$", error.message),)
        return _form(visit, given, held=held, faults=faults, status=error.status)
    visit.app.audit(visit.user.name, "save_policy", name)
    return visit.go(f"{BASE}/{quote(name)}", "Saved as a draft. Nothing is decided by it yet.")


async def move(visit: Visit) -> Response:
    """Take a step; a refusal stands on the page with its reason."""
    visit.need(ACT)
    name, to = visit.path["id"], visit.form.get("to")
    try:
        await visit.app.launching().move(name, to, visit.user.name, visit.form.get("why"))
    except NotFound:
        raise
    except (BadRequest, Conflict) as error:
        return await _page(visit, name, refused=(to, error), status=error.status)
    visit.app.audit(visit.user.name, "move_policy", f"{name} {to}")
    done = (
        f"Done: {said.STAGES.get(to, to)}." if to != "stopped" else "Done: the champion decides from now on."
    )
    return visit.go(f"{BASE}/{quote(name)}", done)


async def _page(
    visit: Visit, name: str, refused: tuple[str, RequestError] | None = None, status: int = 200
) -> Response:
    launching = visit.app.launching()
    view = launching.view(name)
    asked = "judge" in visit.query and refused is None
    told: list[Judged] = await launching.judge(name) if asked and "now" in visit.query else []
    address = f"{BASE}/{quote(name)}"
    offers = visit.app.catalogue().held()
    names = {offer.id: offer.name for offer in offers.catalogue.offers} if offers else {}
    return visit.page(
        "launch.html", status, view=view, policy=view.policy, said=said, words=policy_words, address=address,
        working=f"{address}?judge=1&now=1" if asked and not told else "", told=told,
        moved={one.placement: policy_words.moved(one, names, 5) for one in told},
        refused_to=refused[0] if refused else "", refused=refused[1].message if refused else "",
        needs_reason=bool(refused and refused[1].code == "not_ready"), why=visit.form.get("why"),
        shown=SHOWN,
    )  # fmt: skip


# --- the form ------------------------------------------------------------------------------------------------------


def _given(visit: Visit) -> dict[str, Any]:
    form = visit.form
    return {
        **{name: form.get(name).strip() for name in ("id", "name", "kind", "formula", "explore", "minimum")},
        "placements": list(dict.fromkeys(form.getlist("placement"))),
    }


def _policy(visit: Visit, given: dict[str, Any], held: str) -> dict[str, Any]:
    """The definition that the form says; guards and alpha, which it does not show, stay as they were."""
    found = {**given, "explore": _number(given["explore"], 1.0), "minimum": _number(given["minimum"], 100)}
    if held:
        before = visit.app.launching().view(held).policy
        found |= {"id": held, "guards": before.guards, "alpha": before.alpha}
    return found


def _number(text: str, usual: float) -> Any:
    """The number that a text says; a text that says none stays one, and is refused."""
    if not text:
        return usual
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _form(
    visit: Visit, given: dict[str, Any], held: str = "", faults: Collection[Fault] = (), status: int = 200
) -> Response:
    beside = {one.path.rpartition(".")[2]: one.problem for one in faults}
    shown = {"id", "name", "placements", "kind", "formula", "explore", "minimum"}
    return visit.page(
        "launch_form.html", status, given=given, held=held, kinds=said.KINDS, base=BASE,
        faults={name: text for name, text in beside.items() if name in shown},
        others=[text for name, text in beside.items() if name not in shown],
        placements=_places(visit, given["placements"]),
    )  # fmt: skip


def _places(visit: Visit, chosen: Collection[str]) -> list[tuple[str, str]]:
    """(id, name) of every placement; what is chosen stays, whatever the catalogue says by now."""
    held = visit.app.catalogue().held()
    names = {one.id: one.name for one in held.catalogue.placements} if held else {}
    return [
        (name, names.get(name, name)) for name in dict.fromkeys([*visit.app.policies().placements(), *chosen])
    ]
