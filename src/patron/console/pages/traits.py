"""Computed traits: the list, and the builder of one with the values it gives people."""

import asyncio
import re
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

from patron.console import drafts, fields
from patron.console.masking import is_personal
from patron.console.pages.builder import LONGEST_STATE, PATIENCE
from patron.console.permissions import who_may
from patron.console.visit import Visit
from patron.model.audiences import Checked, Held, Values
from patron.model.errors import BadRequest, Forbidden, NotFound, RequestError

_HEAD = ("name", "purpose", "description", "unit")
_ID = re.compile(r"[^a-z0-9]+")
_NEW: dict[str, Any] = {"kind": "did", "event": "", "within": {"days": 90}}


class TraitDraft(Struct):
    """What stands in the form: the definition without its measures, and these as rows."""

    definition: dict[str, Any]
    tree: drafts.Node
    sql: bool = False

    def whole(self) -> dict[str, Any]:
        """The definition that would be saved."""
        measures = [
            {name: value for name, value in drafts.rule_of(row).items() if name not in ("op", "value")}
            for row in self.tree["of"][:2]
        ]
        found = {**self.definition, "measure": measures[0]}
        return {**found, "per": measures[1]} if len(measures) > 1 else found


class TraitLook(Struct):
    """What the product says of a draft."""

    checked: Checked
    values: Values | None = None
    waiting: bool = False
    problem: str = ""
    sql: str = ""
    blank: bool = False
    """Whether a measure does not say yet which event it is of."""


async def show(visit: Visit) -> Response:
    """Every computed trait, then the ready ones."""
    audiences = visit.app.audiences()
    rows = sorted(audiences.traits(), key=lambda row: (row.name.casefold(), row.id))
    ready = sorted(await audiences.ready("trait"), key=lambda one: (one.used, not one.there))
    return visit.page("traits.html", rows=rows, ready=ready)


async def new(visit: Visit) -> Response:
    """An empty trait, or a ready one."""
    visit.need("audience")
    definition = visit.app.audiences().starting("trait", visit.query.get("ready", ""))
    return await _page(visit, _draft(definition or {"id": "", "name": "", "measure": _NEW}), None)


async def open_one(visit: Visit) -> Response:
    """A trait as it is in force."""
    held = visit.app.audiences().held("trait", visit.path["id"])
    if held is None:
        raise NotFound("unknown_trait", "There is no computed trait of this id. It may have been removed.")
    return await _page(visit, _draft(held.definition), held)


async def change(visit: Visit) -> Response:
    """A button: the draft after it."""
    visit.need("audience")
    draft, held = _sent(visit), _held(visit)
    do = visit.form.get("do") or "look"
    if do == "save":
        return await _save(visit, draft, held)
    focus = ""
    if do == "sql":
        draft.sql = not draft.sql
    elif do == "per" and len(draft.tree["of"]) == 1:
        draft.tree["of"].append({**_NEW, "not": False})
        focus = "1"
    elif do == "remove:1" and len(draft.tree["of"]) == 2:
        del draft.tree["of"][1]
    elif do.startswith(("where:", "unwhere:")):
        draft.tree, focus = drafts.act(draft.tree, do)
    return await _page(visit, draft, held, focus=focus)


async def preview(visit: Visit) -> Response:
    """What the product says of what is being typed."""
    draft, held = _sent(visit), _held(visit)
    return visit.fragment("parts/trait_look.html", **_context(visit, draft, held, await _look(visit, draft)))


async def ask_to_remove(visit: Visit) -> Response:
    """What removing would do, or what stands against it."""
    visit.need("audience")
    held = visit.app.audiences().held("trait", visit.path["id"])
    if held is None:
        raise NotFound("unknown_trait", "There is no computed trait of this id. It may have been removed.")
    return visit.removal(
        "trait",
        str(held.definition.get("name", held.id)),
        f"/console/people/traits/{held.id}",
        "Profiles show it no more, and rules and exports can no longer read it. Its versions stay in the log.",
        ("Traits", "/console/people/traits"),
        visit.app.audiences().users("trait", held.id),
    )


async def remove(visit: Visit) -> Response:
    """Take a trait out of force."""
    visit.need("audience")
    await visit.app.audiences().remove("trait", visit.path["id"], visit.user.name)
    visit.app.audit(visit.user.name, "remove_trait", visit.path["id"])
    return visit.go("/console/people/traits", "Removed. Its versions stay in the log.")


async def _save(visit: Visit, draft: TraitDraft, held: Held | None) -> Response:
    if visit.masked and (named := personal(draft)):
        raise Forbidden("masked", _masked(named[0]))
    definition = draft.whole()
    audiences = visit.app.audiences()
    if held is None:
        plain = _ID.sub("_", str(definition.get("name", "")).casefold()).strip("_")[:48] or "trait"
        number, definition["id"] = 1, plain
        while audiences.held("trait", definition["id"]) is not None:
            number += 1
            definition["id"] = f"{plain}_{number}"
    try:
        saved = await audiences.save("trait", definition, visit.user.name)
    except RequestError as error:
        look = await _look(visit, draft)
        if error.faults:
            look.checked = Checked(error.faults)
        look.problem = (
            f"Not saved. {error.message}"
            if not error.faults
            else "Not saved. What is wrong stands beside its field."
        )
        return await _page(visit, draft, held, look=look, status=error.status)
    visit.app.audit(visit.user.name, "save_trait", saved.id)
    return visit.go(f"/console/people/traits/{saved.id}", f"Saved as version {saved.version}.")


def personal(draft: TraitDraft) -> list[str]:
    """Fields of a draft that hold personal data.

    >>> personal(TraitDraft({}, {"mode": "all", "of": [{"property": "properties.email"}]}))
    ['properties.email']
    """
    named = [
        str(one.get(name, ""))
        for row in draft.tree["of"]
        for one, name in [(row, "property"), *((w, "field") for w in row.get("where", ()))]
    ]
    return [n for n in named if any(is_personal(part) for part in n.replace("[]", "").split("."))]


def _masked(field: str) -> str:
    return f"This trait reads {field}, which is masked for your account. Building on it is up to {who_may('see')}."


def _draft(definition: dict[str, Any]) -> TraitDraft:
    rest = {name: value for name, value in definition.items() if name not in ("measure", "per")}
    measures = [definition.get("measure") or _NEW, *([definition["per"]] if definition.get("per") else [])]
    return TraitDraft(rest, {"mode": "all", "of": [{"kind": "did", **one, "not": False} for one in measures]})


def _sent(visit: Visit) -> TraitDraft:
    text = visit.form.get("state")
    try:
        draft = msgspec.json.decode(text if len(text) < LONGEST_STATE else "", type=TraitDraft)
        whole = draft.tree.get("mode") == "all" and 1 <= len(draft.tree["of"]) <= 2
        whole = whole and drafts.is_sound(draft.tree)
        whole = whole and all(row.get("kind") == "did" for row in draft.tree["of"])
    except (msgspec.DecodeError, RecursionError, TypeError, KeyError):
        whole = False
    if not whole:
        raise BadRequest(
            "bad_draft", "The draft in this form cannot be read. Nothing was changed. Open the trait again."
        )
    sent = {name: visit.form.get(name) for name in visit.form.names() if name.startswith("r.")}
    draft.tree = fields.merge(draft.tree, {n: t for n, t in sent.items() if not n.endswith(".kind")})
    for name in _HEAD:
        if name in visit.form.names():
            value = visit.form.get(name).strip()
            usual = {"purpose": "personalization", "name": None}.get(name, "")
            if value == usual:
                draft.definition.pop(name, None)
            else:
                draft.definition[name] = value
    return draft


def _held(visit: Visit) -> Held | None:
    name = visit.form.get("held")
    return visit.app.audiences().held("trait", name) if name else None


async def _look(visit: Visit, draft: TraitDraft) -> TraitLook:
    audiences, definition = visit.app.audiences(), draft.whole()
    definition["id"] = definition.get("id") or "draft"
    definition["name"] = definition.get("name") or "Draft"
    if visit.masked and (named := personal(draft)):
        return TraitLook(Checked(), problem=_masked(named[0]))
    if any(drafts.is_blank(row) for row in draft.tree["of"]):
        return TraitLook(Checked(), blank=True)
    look = TraitLook(audiences.check("trait", definition))
    if look.checked.faults:
        return look
    counting = asyncio.ensure_future(audiences.values(definition))
    done, _ = await asyncio.wait({counting}, timeout=None if visit.partial else PATIENCE)
    if not done:
        look.waiting = True
        counting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return look
    try:
        look.values = counting.result()
    except RequestError as error:
        look.problem = error.message
    if draft.sql:
        look.sql = await audiences.sql("trait", definition) or ""
    return look


async def _page(
    visit: Visit,
    draft: TraitDraft,
    held: Held | None,
    *,
    focus: str = "",
    look: TraitLook | None = None,
    status: int = 200,
) -> Response:
    look = look or await _look(visit, draft)
    context = {**_context(visit, draft, held, look), "focus": focus}
    if visit.partial:
        return visit.fragment("parts/trait_form.html", status, **context)
    return visit.page("trait.html", status, **context)


def _context(visit: Visit, draft: TraitDraft, held: Held | None, look: TraitLook) -> dict[str, Any]:
    audiences = visit.app.audiences()
    faults: dict[str, list[tuple[str, str]]] = {}
    others = []
    for fault in look.checked.faults:
        path = fault.path.removeprefix("$.")
        root, _, rest = path.partition(".")
        place = {"measure": "0", "per": "1"}.get(root)
        if place is None:
            others.append(f"{path}: {fault.problem}" if path not in ("", "$") else fault.problem)
        else:
            faults.setdefault(place, []).append((rest, fault.problem))
    changed = held is None or draft.whole() != _draft(held.definition).whole()
    return {
        "draft": draft,
        "held": held,
        "look": look,
        "state": msgspec.json.encode(draft).decode(),
        "changed": changed,
        "users": audiences.users("trait", held.id) if held is not None else [],
        "words": audiences.vocabulary(),
        "faults": faults,
        "bad_ids": {fields.name_of(at, path): at for at, found in faults.items() for path, _ in found},
        "other_faults": others,
        "counts": {},
        "slot": lambda path: {"$.measure": "0", "$.per": "1"}.get(".".join(path.split(".")[:2]), ""),
        "fields": fields,
        "modes": drafts.MODES,
        "focus": "",
        "locked": visit.masked and bool(personal(draft)),
        "with_sql": audiences.speaks_sql(),
        "told_blank": "Say which event it is worked out from.",
        "told_live": "Brought up to date as events arrive, and by time alone.",
    }
