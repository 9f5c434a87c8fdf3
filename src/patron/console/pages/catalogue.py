"""The catalogue: what can be shown, where and how it looks, its text to edit, and every version it ever had."""

import difflib
from typing import Any

from starlette.responses import Response

from patron.console.offering import condition_said, found, refusals, spots, state
from patron.console.visit import Visit
from patron.decide.changes import Trial, changes
from patron.model.errors import BadRequest, Conflict, NotFound
from patron.model.offers import Offer
from patron.runtime.decisions.catalogues import Held

BASE = "/console/decisions/catalogue"
PAGE = 100
ACT = "catalogue"
_SHOWN_LINES = 400
"""Lines of a difference that are shown."""


async def show(visit: Visit) -> Response:
    """All offers, or those that fit what is looked for."""
    held = _held(visit)
    query, place = visit.query.get("q", "")[:200], visit.query.get("placement", "")
    rows = found(held.catalogue, query, place)
    start = _start(visit.query.get("at", ""), len(rows))
    return visit.page(
        "catalogue.html",
        held=held,
        rows=[(offer, state(offer, visit.now)) for offer in rows[start : start + PAGE]],
        total=len(rows),
        more=start + PAGE if start + PAGE < len(rows) else 0,
        query=query,
        chosen=place,
        names={one.id: one.name for one in held.catalogue.placements},
    )


async def offer(visit: Visit) -> Response:
    """One offer: what each placement shows of it, who gets it, and what it is worth."""
    held = _held(visit)
    one = next((row for row in held.catalogue.offers if row.id == visit.path["id"]), None)
    if one is None:
        raise NotFound("unknown_offer", "The catalogue in force has no offer of this id.")
    places = spots(one, held.catalogue)
    return visit.page(
        "offer.html",
        held=held,
        offer=one,
        state=state(one, visit.now),
        shown=[spot for spot in places if not spot.refusal],
        refused=refusals(places),
        conditions=[condition_said(condition) for condition in one.conditions],
        segments=_segments(visit, one),
    )


async def edit(visit: Visit) -> Response:
    """The text, to change."""
    held = _held(visit)
    return _form(visit, held.text, held.version)


async def load(visit: Visit) -> Response:
    """Check a text, or load it."""
    visit.need(ACT)
    text = visit.form.get("text").replace("\r\n", "\n")
    based_on = visit.form.get("based_on") or _held(visit).version
    if visit.form.get("act") != "load":
        return _form(visit, text, based_on, visit.app.catalogue().tried(text))
    before = _held(visit).version
    try:
        await visit.app.catalogue().save(text, visit.user.name, based_on)
    except Conflict as error:
        return _form(visit, text, before, visit.app.catalogue().tried(text), error.message, 409)
    except BadRequest as error:
        trial = visit.app.catalogue().tried(text)
        return _form(visit, text, based_on, trial, "" if trial.faults else error.message, 400)
    visit.app.audit(visit.user.name, "load_catalogue", _held(visit).version)
    undo = (f"{BASE}/restore", {"version": before}) if before != _held(visit).version else None
    return visit.go(BASE, "The catalogue is in force.", undo)


async def restore(visit: Visit) -> Response:
    """Put an earlier version in force again."""
    visit.need(ACT)
    held = _old(visit, visit.form.get("version"))
    try:
        await visit.app.catalogue().save(held.text, visit.user.name, "")
    except BadRequest as error:
        return _form(
            visit, held.text, _held(visit).version, visit.app.catalogue().tried(held.text), error.message, 400
        )
    visit.app.audit(visit.user.name, "load_catalogue", held.version)
    return visit.go(BASE, f"Version {held.version} is in force again.")


async def versions(visit: Visit) -> Response:
    """Every version, newest first."""
    return visit.page("catalogue_versions.html", rows=visit.app.catalogue().kept(), held=_held(visit))


async def version(visit: Visit) -> Response:
    """One version: what it changed, and its text."""
    held, rows = _old(visit, visit.path["version"]), visit.app.catalogue().kept()
    at = next((n for n, row in enumerate(rows) if row.version == held.version), len(rows) - 1)
    earlier = (
        visit.app.catalogue().held(rows[at + 1].version)
        if at + 1 < len(rows) and rows[at + 1].since
        else None
    )
    return visit.page(
        "catalogue_version.html",
        held=held,
        now=_held(visit).version,
        earlier=earlier,
        changes=changes(earlier.catalogue, held.catalogue) if earlier else None,
        lines=_difference(earlier, held) if earlier else [],
        longest=_SHOWN_LINES,
    )


def _held(visit: Visit) -> Held:
    found_one = visit.app.catalogue().held()
    if found_one is None:
        raise NotFound("no_catalogue", "There is no catalogue in force yet.")
    return found_one


def _old(visit: Visit, name: str) -> Held:
    found_one = visit.app.catalogue().held(name) if name else None
    if found_one is None:
        raise NotFound("unknown_version", "There never was a catalogue of this version.")
    return found_one


def _form(
    visit: Visit, text: str, based_on: str, trial: Trial | None = None, problem: str = "", status: int = 200
) -> Response:
    lines = text.split("\n")
    quoted = (
        {one.line: lines[one.line - 1].strip()[:160] for one in trial.faults if one.line} if trial else {}
    )
    context: dict[str, Any] = {"text": text, "based_on": based_on, "trial": trial, "problem": problem}
    return visit.page(
        "catalogue_edit.html", status, **context, quoted=quoted, rows=min(max(len(lines) + 1, 16), 60)
    )


def _segments(visit: Visit, one: Offer) -> list[tuple[str, bool, str]]:
    """(id, whether it lets in, name) of every segment that an offer names."""
    names = []
    for segment, lets_in in [*((s, True) for s in one.segments), *((s, False) for s in one.not_segments)]:
        held = visit.app.audiences().held("segment", segment)
        names.append((segment, lets_in, str(held.definition.get("name", segment)) if held else ""))
    return names


def _difference(before: Held, after: Held) -> list[tuple[str, str]]:
    """The lines of two texts that differ, with two around: (`+`, `-`, ` ` or `@`, the line)."""
    found_lines = difflib.unified_diff(before.text.splitlines(), after.text.splitlines(), lineterm="", n=2)
    return [(line[0], line[1:]) for line in list(found_lines)[2:]]


def _start(text: str, total: int) -> int:
    start = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    return start if start < total else 0
