"""Exports: who and what is carried elsewhere, how each does, and a form for one. All of it works without a script."""

import re
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

from patron.console import words
from patron.console.export_port import Exports
from patron.console.visit import Visit
from patron.model.errors import Fault, NotFound, RequestError
from patron.model.exports import Export, ExportView, FileTarget, PostgresTarget, Run
from patron.rules.faults import near

BASE = "/console/data/exports"
SHOWN = 30
"""Runs on the page of an export."""
EVERY = {15: "15 minutes", 60: "hour", 360: "6 hours", 1440: "day", 10_080: "week"}
KINDS = {"file": "Files on this server", "webhook": "A webhook", "postgres": "A PostgreSQL table"}
FORMATS = {"csv": "CSV, for spreadsheets", "jsonl": "JSON lines", "parquet": "Parquet"}
IDS = {
    "user_id": "User id", "crm_id": "CRM id", "anonymous_id": "Browser id", "device_id": "Device id",
    "ga_client_id": "Analytics id",
}  # fmt: skip
"""Identifiers that need more than one word where they stand alone."""
_ID = re.compile(r"[^a-z0-9]+")
_NUMBERS = {"keep": (1, 1000), "batch": (1, 5000)}
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Choice(Struct, frozen=True):
    """One fact that an export may tell, and what people call it."""

    field: str
    name: str


async def show(visit: Visit) -> Response:
    """Every export, what its last run did, and when it runs next."""
    rows = visit.app.exports().rows()
    return visit.page("exports.html", rows=[(view, told(visit, view.export)) for view in rows], state=state)


async def open_one(visit: Visit) -> Response:
    """One export with its runs and what they could not tell."""
    view = _view(visit)
    runs = visit.app.exports().runs(view.export.id)
    return visit.page(
        "export.html",
        view=view,
        export=view.export,
        sentence=told(visit, view.export),
        state=state(view),
        runs=runs[:SHOWN],
        more=max(0, len(runs) - SHOWN),
        names=[_name(visit, field) for field in view.export.fields],
        where_to=place(view.export, whole=visit.may("export")),
        segment=_segment(visit, view.export.segment),
        rejected=runs[0].rejected if runs else (),
        every=every(view.export.every),
    )


async def new(visit: Visit) -> Response:
    """The form of a new export, begun with a segment or a fact when the address names one."""
    visit.need("export")
    segment, field = visit.query.get("segment", ""), visit.query.get("field", "")
    name = _segment(visit, segment)
    given: dict[str, Any] = {
        "name": f"{name} to " if name else "",
        "segment": segment,
        "fields": ["identifiers.user_id", "identifiers.email", *([field] if field else [])],
        "target": {"kind": "file"},
    }
    return _form(visit, given)


async def edit(visit: Visit) -> Response:
    """The form of an export as it is."""
    visit.need("export")
    view = _view(visit)
    return _form(visit, msgspec.to_builtins(view.export), held=view.export)


async def create(visit: Visit) -> Response:
    """Save a new one."""
    return await _save(visit, None)


async def change(visit: Visit) -> Response:
    """Save another version of one."""
    return await _save(visit, _view(visit).export)


async def run(visit: Visit) -> Response:
    """Run it now; a page does not wait long for it."""
    visit.need("export")
    export = _view(visit).export
    visit.app.audit(visit.user.name, "run_export", export.id)
    done = await visit.app.exports().start(export.id)
    if done is None:
        return visit.go(f"{BASE}/{export.id}", "It runs. Its report stands here when it has ended.")
    if done.error:
        return visit.go(f"{BASE}/{export.id}", "Stopped before its end. The report says why.")
    return visit.go(f"{BASE}/{export.id}", f"Done: {outcome(done)}.")


async def pause(visit: Visit) -> Response:
    """Stop it from running by the clock, or let it go on."""
    visit.need("export")
    export = _view(visit).export
    await visit.app.exports().pause(export.id, visit.user.name, paused=not export.paused)
    visit.app.audit(visit.user.name, "resume_export" if export.paused else "pause_export", export.id)
    text = "It runs by the clock again." if export.paused else "Paused. It runs only when you say so."
    return visit.go(f"{BASE}/{export.id}", text)


async def ask_to_remove(visit: Visit) -> Response:
    """What removing would do, and the button."""
    visit.need("export")
    export = _view(visit).export
    return visit.removal(
        "export",
        export.name,
        f"{BASE}/{export.id}",
        "It runs no more, and forgets whom it told. The other side keeps what it has; files on this server are deleted.",
        ("Exports", BASE),
    )


async def remove(visit: Visit) -> Response:
    """Take it away."""
    visit.need("export")
    export = _view(visit).export
    await visit.app.exports().remove(export.id, visit.user.name)
    visit.app.audit(visit.user.name, "remove_export", export.id)
    return visit.go(BASE, f"{export.name} is removed. The other side keeps what it has.")


async def _save(visit: Visit, held: Export | None) -> Response:
    visit.need("export")
    given = _given(visit)
    if held is not None:
        given["paused"] = held.paused
    faults = _faults(given)
    if not faults:
        name = held.id if held is not None else _free_id(visit.app.exports(), given["name"])
        try:
            await visit.app.exports().save(name, given, visit.user.name)
        except RequestError as error:
            faults = list(error.faults) or [Fault("$", error.message)]
    if faults:
        return _form(visit, given, held=held, faults=faults)
    visit.app.audit(visit.user.name, "save_export", name)
    text = "Saved." if held is not None else "Saved. The first run begins within seconds."
    return visit.go(f"{BASE}/{name}", text)


# --- the form ------------------------------------------------------------------------------------------------------


def _given(visit: Visit) -> dict[str, Any]:
    """The definition that the form says; a number that is none stays a text, and is a fault."""
    form = visit.form
    typed = [part for part in re.split(r"[\s,]+", form.get("other")) if part]
    kind = form.get("to")
    target: dict[str, Any] = {"kind": kind}
    if kind == "file":
        target |= {"format": form.get("format"), "keep": _number(form.get("keep"))}
    elif kind == "webhook":
        target |= {"url": form.get("url").strip(), "secret_env": form.get("secret_env").strip(), "batch": _number(form.get("url_batch"))}  # fmt: skip
    else:
        target |= {"dsn_env": form.get("dsn_env").strip(), "table": form.get("table").strip(), "batch": _number(form.get("table_batch"))}  # fmt: skip
    return {
        "name": form.get("name").strip(),
        "segment": form.get("segment"),
        "fields": list(dict.fromkeys([*form.getlist("field"), *typed])),
        "purpose": form.get("purpose") or "personalization",
        "every": _number(form.get("every")),
        "target": target,
    }


def _number(text: str) -> int | str:
    return int(text) if text.strip().isdecimal() and len(text.strip()) < 10 else text


def _faults(given: dict[str, Any]) -> list[Fault]:
    """What can be seen of a form by itself, each in the words of its field.

    >>> [one.path for one in _faults({"name": "", "every": 60, "target": {"kind": "webhook", "url": "crm", "batch": 9}})]
    ['$.name', '$.target.url']
    """
    found, target = [], given["target"]
    if not given["name"]:
        found.append(Fault("$.name", "Give it a name, at most 200 characters."))
    if not isinstance(given["every"], int):
        found.append(Fault("$.every", "Choose how often it runs."))
    if target.get("kind") not in KINDS:
        found.append(Fault("$.target", "Choose where to."))
    for name, (low, high) in _NUMBERS.items():
        number = target.get(name, low)
        if not isinstance(number, int) or not low <= number <= high:
            found.append(Fault(f"$.target.{name}", f"Write a whole number from {low:,} to {high:,}."))
    url = target.get("url")
    if url is not None and not re.fullmatch(r"https?://[^\s/]+\S*", url):
        found.append(Fault("$.target.url", "Write the whole address, such as https://crm.example/patron."))
    if target.get("kind") == "postgres" and not _TABLE.fullmatch(target["table"]):
        found.append(Fault("$.target.table", "Write the name of a table, such as patron_vips or crm.vips."))
    if target.get("kind") == "postgres" and not _VARIABLE.fullmatch(target["dsn_env"]):
        found.append(Fault("$.target.dsn_env", "Write the name of a variable of the server's environment, such as CRM_DSN."))  # fmt: skip
    if target.get("secret_env") and not _VARIABLE.fullmatch(target["secret_env"]):
        found.append(Fault("$.target.secret_env", "Write the name of a variable, such as CRM_SECRET, not the secret itself."))  # fmt: skip
    return found


def _form(
    visit: Visit, given: dict[str, Any], *, held: Export | None = None, faults: list[Fault] | None = None
) -> Response:
    """The form, with what is wrong beside its field."""
    vocabulary = visit.app.audiences().vocabulary()
    groups = _choices(visit)
    known = {choice.field for _, choices in groups for choice in choices}
    by_field, others = _placed(faults or [])
    return visit.page(
        "export_form.html",
        400 if faults else 200,
        held=held,
        given=given,
        target=given["target"],
        groups=groups,
        other=" ".join(field for field in given["fields"] if field not in known),
        segments=vocabulary.segments,
        purposes=vocabulary.purposes,
        every=EVERY
        | ({given["every"]: every(given["every"])} if isinstance(given.get("every"), int) else {}),
        kinds=KINDS,
        formats=FORMATS,
        faults=by_field,
        others=others,
    )


_FIELDS = {
    "$.name": "name", "$.segment": "segment", "$.purpose": "purpose", "$.every": "every", "$.target": "to",
    "$.target.keep": "keep", "$.target.format": "format", "$.target.url": "url", "$.target.secret_env": "secret_env",
    "$.target.dsn_env": "dsn_env", "$.target.table": "table", "$.target.batch": "batch",
}  # fmt: skip


def _placed(faults: list[Fault]) -> tuple[dict[str, str], list[str]]:
    """Faults by the field of the form, and those of none."""
    found: dict[str, str] = {}
    others = []
    for fault in faults:
        field = "fields" if fault.path.startswith("$.fields") else _FIELDS.get(fault.path, "")
        if field:
            found[field] = f"{found[field]} {fault.problem}" if field in found else fault.problem
        else:
            others.append(fault.problem)
    return found, others


def _choices(visit: Visit) -> list[tuple[str, list[Choice]]]:
    """What may be told, in groups."""
    vocabulary = visit.app.audiences().vocabulary()
    identifiers = [
        Choice(f"identifiers.{one}", IDS.get(one) or words.kind(one))
        for one in visit.app.exports().identifiers()
    ]
    traits = [Choice(f"traits.{one.id}", words.trait(one.id)) for one in vocabulary.traits]
    computed = [Choice(f"computed.{one.id}", one.name) for one in vocabulary.computed]
    return [
        ("Identifiers, the newest of each kind", identifiers),
        ("Traits", traits),
        ("Computed traits", computed),
        ("Segments", [Choice("segments", "All segments they are in")]),
    ]


def _free_id(exports: Exports, name: str) -> str:
    """An id made of the name that no export has."""
    plain = _ID.sub("-", name.casefold()).strip("-")[:48] or "export"
    number, found = 1, plain
    while exports.row(found) is not None:
        number += 1
        found = f"{plain}-{number}"
    return found


# --- in words ------------------------------------------------------------------------------------------------------


def _view(visit: Visit) -> ExportView:
    exports, name = visit.app.exports(), visit.path["id"]
    found = exports.row(name)
    if found is None:
        meant = near(name, [view.export.id for view in exports.rows()])
        raise NotFound("unknown_export", f"There is no export of this id{meant}. It may have been removed.")
    return found


def told(visit: Visit, export: Export) -> str:
    """Who and what goes where, how often, in a sentence."""
    who = f"Members of {_segment(visit, export.segment)}" if export.segment else "Everybody known"
    names = [_name(visit, field) for field in export.fields]
    more = f" and {len(names) - 4} more" if len(names) > 5 else ""
    what = f" with {', '.join(names[:4] if more else names)}{more}" if names else ""
    return f"{who}{what}, to {place(export, whole=visit.may('export'))}, every {every(export.every)}."


def _segment(visit: Visit, name: str) -> str:
    """What people call a segment; its id where it was removed."""
    known = visit.app.audiences().vocabulary().segments
    return next((one.name for one in known if one.id == name), name)


def _name(visit: Visit, field: str) -> str:
    """What people call a fact.

    >>> _name(None, "identifiers.email"), _name(None, "traits.city"), _name(None, "segments")
    ('E-mail', 'City', 'Segments')
    """
    root, _, rest = field.partition(".")
    if root == "computed":
        known = visit.app.audiences().vocabulary().computed
        return next((one.name for one in known if one.id == rest), rest)
    if root == "segments":
        return "Segments"
    return (IDS.get(rest) or words.kind(rest)) if root == "identifiers" else words.trait(rest)


def place(export: Export, *, whole: bool) -> str:
    """Where an export goes; of an address only its host unless `whole`, for it may hold a secret.

    >>> place(Export("a", "A", FileTarget("jsonl")), whole=False)
    'JSON lines files'
    """
    target = export.target
    if isinstance(target, FileTarget):
        return {"csv": "CSV files", "jsonl": "JSON lines files", "parquet": "Parquet files"}[target.format]
    if isinstance(target, PostgresTarget):
        return f"the table {target.table}"
    return target.url if whole else target.url.split("/")[2].rpartition("@")[2]


def every(minutes: int) -> str:
    """How often, to follow "every".

    >>> every(60), every(1440), every(45), every(2880), every(180)
    ('hour', 'day', '45 minutes', '2 days', '3 hours')
    """
    if minutes in EVERY:
        return EVERY[minutes]
    for size, name in ((1440, "day"), (60, "hour")):
        if minutes % size == 0:
            return name if minutes == size else f"{minutes // size} {name}s"
    return "minute" if minutes == 1 else f"{minutes} minutes"


def state(view: ExportView) -> tuple[str, str]:
    """The pill of an export: its class and its words."""
    if view.running:
        return "warn", "◐ Running"
    if view.last is not None and view.last.error:
        return "bad", "✕ Stopped"
    if view.export.paused:
        return "", "‖ Paused"
    if view.last is not None and view.last.refused:
        return "warn", f"◌ {words.count(view.last.refused)} refused"
    return ("ok", "✓ Well") if view.last is not None else ("", "Not run yet")


def outcome(run: Run) -> str:
    """What a run did.

    >>> outcome(Run(1, 0, 9, added=1_200, removed=1)), outcome(Run(1, 0, 9))
    ('1,200 added, 1 removed', 'nothing to tell')
    """
    told = [
        f"{words.count(number)} {what}"
        for number, what in ((run.added, "added"), (run.changed, "changed"), (run.removed, "removed"))
        if number
    ]
    return ", ".join(told) or "nothing to tell"
