"""Sends: every one, how each went, and the form that tries one before it begins. All of it works without a script."""

import re
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from patron.console import send_words as said
from patron.console.visit import Visit
from patron.model.errors import Fault, RequestError
from patron.model.offers import Catalogue
from patron.model.sends import Mix, SendReport

BASE = "/console/decisions/sends"
TRIED = 1_000
"""People that a dry run on a page looks at."""
SHOWN = 15
"""Offers that a report lists."""
DAYS = (7, 28, 90)
_ID = re.compile(r"[^a-z0-9]+")
_FIELDS = {"$.name": "name", "$.id": "name", "$.placements": "placements", "$.segment": "segment", "$.offers": "offers", "$.holdout": "holdout", "$.hours": "hours", "$.within": "within"}  # fmt: skip


class Choice(Struct, frozen=True):
    """Something to choose: its id, and what people call it."""

    id: str
    name: str


async def show(visit: Visit) -> Response:
    """Every send; and how different what a placement gave is, when one was asked for."""
    placement, days = visit.query.get("placement", ""), _days(visit)
    mix: Mix | None = None
    if placement:
        mix = await visit.app.sends().distinct(placement, days)
    places = [Choice(one.id, one.name) for one in _catalogue(visit).placements]
    if placement and placement not in {one.id for one in places}:
        places.append(Choice(placement, placement))
    return visit.page(
        "sends.html", rows=visit.app.sends().all(), said=said, places=places, placement=placement, days=days,
        all_days=DAYS, mix=mix, base=BASE,
    )  # fmt: skip


async def open_one(visit: Visit) -> Response:
    """One send: how far it is, what it changed, who got what, where and when, who did not and why, how different it was."""
    view = visit.app.sends().get(visit.path["id"])
    report = await visit.app.sends().report(view.id)
    effect = await visit.app.sends().effect(view.id) if view.send.holdout else None
    names = {one.id: one.name for one in _catalogue(visit).placements}
    return visit.page(
        "send.html", view=view, report=report, effect=effect, said=said, base=BASE, shown=SHOWN,
        segment=_segment(visit, view.send.segment), places=[names.get(one, one) for one in view.send.placements],
    )  # fmt: skip


async def new(visit: Visit) -> Response:
    """The form of a new send."""
    outbound = [one.id for one in _catalogue(visit).placements if one.outbound]
    given = {
        "name": "", "segment": visit.query.get("segment", ""), "placements": outbound[:1], "offers": [],
        "holdout": "10", "from": "9", "until": "20", "within": "24",
    }  # fmt: skip
    return _form(visit, given)


async def create(visit: Visit) -> Response:
    """Try what the form says, or begin it."""
    given = _given(visit)
    begin = visit.form.get("do") == "start"
    if begin:
        visit.need("send")
    value, faults = _value(visit, given)
    if faults:
        return _form(visit, given, faults=faults)
    try:
        if not begin:
            return _form(visit, given, report=await visit.app.sends().dry(value, TRIED))
        view = await visit.app.sends().start(value, visit.user.name)
    except RequestError as error:
        return _form(visit, given, faults=list(error.faults) or [Fault("$", error.message)])
    visit.app.audit(visit.user.name, "start_send", view.id)
    return visit.go(f"{BASE}/{view.id}", "It runs. What it decides stands here.")


async def stop(visit: Visit) -> Response:
    """Decide for nobody else."""
    visit.need("send")
    view = await visit.app.sends().stop(visit.path["id"], visit.user.name)
    visit.app.audit(visit.user.name, "stop_send", view.id)
    return visit.go(f"{BASE}/{view.id}", "Stopped. What is decided stays; nobody else is decided for.")


# --- the form --------------------------------------------------------------------------------------------------------


def _given(visit: Visit) -> dict[str, Any]:
    form = visit.form
    given: dict[str, Any] = {name: form.get(name).strip()[:200] for name in ("name", "segment", "holdout", "from", "until", "within")}  # fmt: skip
    return given | {"placements": form.getlist("placement"), "offers": form.getlist("offer")}


def _value(visit: Visit, given: dict[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The send that the form says, and what can be seen to be wrong."""
    faults = []
    if not given["name"]:
        faults.append(Fault("$.name", "Give it a name, at most 200 characters."))
    if not given["placements"]:
        faults.append(Fault("$.placements", "Choose at least one placement."))
    share = _number(given["holdout"], 0, 90)
    first, end, within = _number(given["from"], 0, 23), _number(given["until"], 0, 24), _number(given["within"], 1, 168)  # fmt: skip
    if share is None:
        faults.append(Fault("$.holdout", "Write a share from 0 to 90 percent."))
    if first is None or end is None:
        faults.append(
            Fault("$.hours", "Write two hours of the day, the first from 0 to 23, the second to 24.")
        )
    if within is None:
        faults.append(Fault("$.within", "Write a whole number of hours from 1 to 168."))
    value = {
        "id": _free_id(visit, given["name"]), "name": given["name"], "placements": given["placements"],
        "segment": given["segment"], "offers": given["offers"], "holdout": (share or 0) / 100,
        "hours": [first or 0, end or 0], "within": within or 1,
    }  # fmt: skip
    return value, faults


def _number(text: str, low: int, high: int) -> int | None:
    """
    >>> _number("7", 1, 9), _number("x", 1, 9), _number("10", 1, 9)
    (7, None, None)
    """
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
    return found if found is not None and low <= found <= high else None


def _free_id(visit: Visit, name: str) -> str:
    """An id made of a name that no send has."""
    taken = {view.id for view in visit.app.sends().all()}
    begin = _ID.sub("-", name.lower()).strip("-")[:56] or "send"
    return next(
        one for n in range(1, len(taken) + 2) if (one := begin if n == 1 else f"{begin}-{n}") not in taken
    )


def _form(
    visit: Visit,
    given: dict[str, Any],
    *,
    report: SendReport | None = None,
    faults: list[Fault] | None = None,
) -> Response:
    catalogue = _catalogue(visit)
    by_field: dict[str, str] = {}
    others = []
    for fault in faults or []:
        field = _FIELDS.get(fault.path.partition("[")[0], "")
        if field:
            by_field.setdefault(field, fault.problem[:1].upper() + fault.problem[1:])
        else:
            others.append(fault.problem)
    return visit.page(
        "send_form.html", 400 if faults else 200, given=given, report=report, faults=by_field, others=others,
        said=said, base=BASE, shown=SHOWN, tried=TRIED,
        segments=visit.app.audiences().vocabulary().segments,
        places=[one for one in catalogue.placements if one.outbound],
        offers=[Choice(one.id, one.name) for one in catalogue.offers],
    )  # fmt: skip


def _segment(visit: Visit, name: str) -> str:
    known = visit.app.audiences().vocabulary().segments if name else ()
    return next((one.name for one in known if one.id == name), name)


def _catalogue(visit: Visit) -> Catalogue:
    held = visit.app.catalogue().held()
    return held.catalogue if held else Catalogue()


def _days(visit: Visit) -> int:
    text = visit.query.get("days", "")
    return int(text) if text in {str(one) for one in DAYS} else 28
