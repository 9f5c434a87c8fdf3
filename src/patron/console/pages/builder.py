"""The segment builder: a rule as rows, its sentence, whom it reaches, and whom one knows, all from one form.

The form carries the draft as JSON (`state`); its fields say what changed since. Each button sends all of it, so the page
works without a script; with one, the same answers replace parts of the page.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from starlette.responses import Response

from patron.console import drafts, fields
from patron.console.audience_port import RowAsk
from patron.console.masking import is_personal
from patron.console.permissions import who_may
from patron.console.visit import Visit
from patron.model.audiences import Checked, Held, Reach, Trial
from patron.model.errors import BadRequest, Fault, Forbidden, NotFound, RequestError

LONGEST_STATE = 200_000
PEOPLE = 8
"""People on whom a draft is tried at once."""
PATIENCE = 0.8
"""Seconds that a page waits for its numbers before it is drawn without them."""
_HEAD = ("name", "purpose", "description", "subject", "hat")
_ID = re.compile(r"[^a-z0-9]+")


class Draft(Struct):
    """What stands in the form."""

    definition: dict[str, Any]
    """Without its rule."""
    tree: drafts.Node
    people: list[str] = []
    sql: bool = False

    def whole(self) -> dict[str, Any]:
        """The definition that would be saved."""
        return {**self.definition, "rule": drafts.rule_of(self.tree)}

    def filled(self) -> tuple[drafts.Node, dict[str, str], bool]:
        """The tree without rows that are still blank, where its parts stand in the form, and whether there were such."""
        tree, stood = drafts.filled(self.tree)
        if tree is None:
            return self.tree, {place: place for _, place in drafts.places(self.tree)}, True
        return tree, stood, drafts.size(tree) != drafts.size(self.tree)


class Look(Struct):
    """What the product says of a draft."""

    checked: Checked
    reach: Reach | None = None
    waiting: bool = False
    """Whether its numbers are still being counted."""
    trials: list[Trial] = []
    problem: str = ""
    sql: str = ""
    blank: bool = False
    """Whether rows that are still blank were left out."""


async def new(visit: Visit) -> Response:
    """An empty segment, or one that begins as a ready one."""
    visit.need("audience")
    definition = visit.app.audiences().starting("segment", visit.query.get("ready", "")) or _using(visit)
    if definition is None:
        definition = {"id": "", "name": "", "rule": {"kind": "did", "event": "", "within": {"days": 30}}}
    return await _page(visit, _draft(definition), None)


def _using(visit: Visit) -> dict[str, Any] | None:
    """A segment that begins with a named condition, its parameters at their defaults."""
    held = visit.app.audiences().held("condition", visit.query.get("condition", ""))
    if held is None:
        return None
    given = {
        name: "" if value is None else value for name, value in held.definition.get("parameters", {}).items()
    }
    rule = {"kind": "use", "condition": held.id, "given": given}
    return {"id": "", "name": "", "rule": rule}


async def show(visit: Visit) -> Response:
    """A segment as it is in force."""
    held = visit.app.audiences().held("segment", visit.path["id"])
    if held is None:
        raise NotFound("unknown_segment", "There is no segment of this id. It may have been removed.")
    return await _page(visit, _draft(held.definition), held)


async def change(visit: Visit) -> Response:
    """A button: the draft after it, as a page or as the form alone."""
    visit.need("audience")
    draft, held = _sent(visit), _held(visit)
    do = visit.form.get("do") or "look"
    if do == "save":
        return await _save(visit, draft, held)
    focus = ""
    if do == "sql":
        draft.sql = not draft.sql
    elif do == "try":
        draft.people = _tried(draft.people, visit.form.get("person"))
    elif do.startswith("untry:"):
        draft.people = [one for one in draft.people if one != do[6:]]
    else:
        draft.tree, focus = drafts.act(draft.tree, do)
    return await _page(visit, draft, held, focus=focus)


async def preview(visit: Visit) -> Response:
    """What the product says of what is being typed."""
    draft, held = _sent(visit), _held(visit)
    look = await _look(visit, draft)
    return visit.fragment("parts/builder_look.html", **_context(visit, draft, held, look))


async def _save(visit: Visit, draft: Draft, held: Held | None) -> Response:
    _refuse_personal(visit, draft)
    definition = draft.whole()
    if held is None:
        definition["id"] = _free_id(visit, str(definition.get("name", "")))
    try:
        saved = await visit.app.audiences().save("segment", definition, visit.user.name)
    except RequestError as error:
        look = await _look(visit, draft)
        if look.blank:
            look.problem = "Not saved. A condition is still empty: say what it is about, or remove it."
        elif error.faults:
            look.checked = Checked(error.faults)
            look.problem = "Not saved. What is wrong stands beside its field."
        else:
            look.problem = f"Not saved. {error.message}"
        return await _page(visit, draft, held, look=look, status=error.status)
    visit.app.audit(visit.user.name, "save_segment", saved.id)
    return visit.go(f"/console/people/segments/{saved.id}", f"Saved as version {saved.version}.")


def _free_id(visit: Visit, name: str) -> str:
    """An id made of the name that no segment has."""
    plain = _ID.sub("-", name.casefold()).strip("-")[:48] or "segment"
    number, found = 1, plain
    while visit.app.audiences().held("segment", found) is not None:
        number += 1
        found = f"{plain}-{number}"
    return found


# --- the draft -------------------------------------------------------------------------------------------------


def _draft(definition: Mapping[str, Any]) -> Draft:
    rest = {name: value for name, value in definition.items() if name != "rule"}
    return Draft(rest, drafts.read(definition.get("rule")))


def _sent(visit: Visit) -> Draft:
    """The draft of the form: what it was when the page was drawn, and what its fields say now."""
    text = visit.form.get("state")
    if len(text) > LONGEST_STATE:
        raise BadRequest(
            "draft_too_long", "This rule is too long for the form. Save it as JSON with patron segment."
        )
    try:
        draft = msgspec.json.decode(text, type=Draft)
        sound = "mode" in draft.tree and bool(draft.tree.get("of")) and drafts.is_sound(draft.tree)
    except (msgspec.DecodeError, RecursionError):
        sound = False
    if not sound:
        raise BadRequest(
            "bad_draft", "The draft in this form cannot be read. Nothing was changed. Open the segment again."
        )
    if drafts.size(draft.tree)[0] > drafts.LARGEST * 2:
        raise BadRequest(
            "bad_draft", "This rule is too large for the form. Write it as JSON with patron segment."
        )
    sent = {name: visit.form.get(name) for name in visit.form.names() if name.startswith(("r.", "m."))}
    draft.tree = fields.merge(draft.tree, sent)
    for name in _HEAD:
        if name in visit.form.names():
            _set(draft.definition, name, visit.form.get(name).strip())
    draft.people = draft.people[:PEOPLE]
    return draft


def _set(definition: dict[str, Any], name: str, value: str) -> None:
    plain = {"description": "", "subject": "person", "hat": "any", "purpose": "personalization"}
    if name in plain and value == plain[name]:
        definition.pop(name, None)
    else:
        definition[name] = value


def _held(visit: Visit) -> Held | None:
    name = visit.form.get("held")
    return visit.app.audiences().held("segment", name) if name else None


def _tried(people: list[str], added: str) -> list[str]:
    added = added.strip()[:300]
    return [*(one for one in people if one != added), added][-PEOPLE:] if added else people


def personal(draft: Draft) -> list[str]:
    """Fields of a draft that hold personal data, which roles that see it masked may not build on.

    >>> personal(Draft({}, drafts.read({"kind": "fact", "field": "traits.email", "op": "=", "value": "a@b.it"})))
    ['traits.email']
    """
    found: list[str] = []
    for _, row in drafts.rows(draft.tree):
        named = [str(row.get("field", "")), str(row.get("property", ""))]
        filters = [*row.get("where", ())]
        for step in row.get("steps", ()):
            filters += step.get("where", ())
        named += [str(one.get("field", "")) for one in filters]
        found += [name for name in named if _personal_field(name)]
    return found


def _personal_field(field: str) -> bool:
    _, _, name = field.rpartition("properties.") if "properties." in field else field.partition(".")
    parts = (name or field).replace("[]", "").split(".")
    return any(is_personal(part, trait=field.startswith("traits.")) for part in parts)


def _refuse_personal(visit: Visit, draft: Draft) -> None:
    if visit.masked and (named := personal(draft)):
        raise Forbidden(
            "masked",
            f"This rule reads {named[0]}, which is masked for your account. Building on it is up to {who_may('see')}.",
        )


# --- what the product says -----------------------------------------------------------------------------------------


async def _look(visit: Visit, draft: Draft) -> Look:
    """Check, count and try; faults and refusals are part of the answer."""
    audiences = visit.app.audiences()
    tree, _, blank = draft.filled()
    definition = {**draft.definition, "rule": drafts.rule_of(tree)}
    definition["id"] = definition.get("id") or "draft"
    definition["name"] = definition.get("name") or "Draft"
    if visit.masked and (named := personal(draft)):
        faults = tuple(
            Fault(f"$.{name}", f"{name} is masked for your account; building on it is up to {who_may('see')}")
            for name in named[:1]
        )
        return Look(Checked(faults), problem=f"Not counted: {faults[0].problem}.")
    if drafts.filled(draft.tree)[0] is None:
        return Look(Checked(), blank=True)
    look = Look(audiences.check("segment", definition), blank=blank)
    if look.checked.faults:
        return look
    counting = asyncio.ensure_future(_count(visit, draft, definition))
    done, _ = await asyncio.wait({counting}, timeout=None if visit.partial else PATIENCE)
    if not done:
        look.waiting = True
        counting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return look
    try:
        look.reach, look.trials = counting.result()
    except RequestError as error:
        look.problem = error.message
    if draft.sql:
        look.sql = await audiences.sql("segment", definition) or ""
    return look


async def _count(visit: Visit, draft: Draft, definition: dict[str, Any]) -> tuple[Reach | None, list[Trial]]:
    audiences = visit.app.audiences()
    tree, stood, _ = draft.filled()
    asks = []
    for number, one in enumerate(tree["of"]):
        asks.append(RowAsk(stood[str(number)], drafts.rule_of(one), step=True))
        if "mode" in one:
            asks += [
                RowAsk(stood[place], drafts.rule_of(row), step=False)
                for place, row in drafts.rows(one, str(number))
            ]
    mode: Literal["all", "any"] = "any" if tree["mode"] in ("any", "none") else "all"
    reach = await audiences.reach(definition, asks, mode)
    return reach, await audiences.trials(definition, draft.people, visit.user.name)


async def _page(
    visit: Visit,
    draft: Draft,
    held: Held | None,
    *,
    focus: str = "",
    look: Look | None = None,
    status: int = 200,
) -> Response:
    look = look or await _look(visit, draft)
    context = {**_context(visit, draft, held, look), "focus": focus}
    if visit.partial:
        return visit.fragment("parts/builder.html", status, **context)
    return visit.page("builder.html", status, **context)


def _context(visit: Visit, draft: Draft, held: Held | None, look: Look) -> dict[str, Any]:
    audiences = visit.app.audiences()
    words = audiences.vocabulary()
    tree, stood, _ = draft.filled()
    by_place, others = _faults(tree, stood, look.checked.faults)
    users = audiences.users("segment", held.id) if held is not None else []
    draft_now = drafts.rule_of(draft.tree)
    changed = held is None or {**draft.definition, "rule": draft_now} != {
        **held.definition,
        "rule": drafts.rule_of(drafts.read(held.definition.get("rule"))),
    }
    return {
        "draft": draft,
        "held": held,
        "look": look,
        "state": msgspec.json.encode(draft).decode(),
        "changed": changed,
        "users": users,
        "words": words,
        "faults": by_place,
        "bad_ids": {fields.name_of(at, path): at for at, found in by_place.items() for path, _ in found},
        "other_faults": others,
        "counts": {one.path: one for one in look.reach.rows} if look.reach is not None else {},
        "slot": lambda path: stood.get(drafts.place_of(tree, path)[0], ""),
        "fields": fields,
        "modes": drafts.MODES,
        "focus": "",
        "locked": visit.masked and bool(personal(draft)),
        "with_sql": audiences.speaks_sql(),
        "told_blank": "A condition is still empty; it does not count until it is filled.",
        "told_live": "Changes people in and out as events arrive, and by time alone.",
    }


def _faults(
    tree: drafts.Node, stood: dict[str, str], faults: tuple[Fault, ...]
) -> tuple[dict[str, list[tuple[str, str]]], list[str]]:
    """Faults by the row they belong to, with the field in it, and those of no row."""
    found: dict[str, list[tuple[str, str]]] = {}
    others: list[str] = []
    for fault in faults:
        path = fault.path if fault.path.startswith("$") else f"$.{fault.path}"
        place, rest = drafts.place_of(tree, path)
        place = stood.get(place, "")
        if place:
            found.setdefault(place, []).append((rest, fault.problem))
        else:
            others.append(
                fault.problem if rest in ("", "$") else f"{rest.removeprefix('$.')}: {fault.problem}"
            )
    return found, others
