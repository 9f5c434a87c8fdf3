"""The person: who is this, and why so?"""

import datetime as dt
import re
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from patron.console import words
from patron.console.charts.identity import leaves, order_links
from patron.console.render import ref
from patron.console.visit import Visit
from patron.model.errors import BadRequest, RequestError
from patron.model.views import IdentifierView, LinkView, PersonView, TimelineEvent, TimelinePage

PAGE = 20
CHIPS = 7
_ORDER = {name: rank for rank, name in enumerate(("email", "phone", "card", "user_id", "crm_id"))}


async def show(visit: Visit) -> Response:
    """The whole page. Looking at a person is itself recorded."""
    person = visit.person(visit.path["id"])
    if person.id != visit.path["id"]:
        moved = "This id moved: the person was joined or split. You see who holds it today."
        return visit.go(address(person.id), "" if ":" in visit.path["id"] else moved)
    visit.app.audit(visit.user.name, "view", person.id)
    accepted, others = order_links(person.links)
    return visit.page(
        "person.html",
        person=person,
        chips=_chips(person.identifiers),
        accepted=accepted,
        main=_main(accepted, leaves(person.links)),
        others=_by_outsider(others, person),
        keys=_keys(person),
        money=[words.money(amount, currency) for currency, amount in sorted(person.revenue.items())],
        offers=[d for d in person.decisions if d.decision.action != "nothing"][:4],
        newest=_newest(visit, person.id),
        audiences=await visit.app.audiences().of_person(person.id),
        **_timeline(visit, person),
    )


async def timeline(visit: Visit) -> Response:
    """The timeline alone: a filter, an older page, or what is new."""
    person = visit.person(visit.path["id"])
    context = _timeline(visit, person)
    if not visit.partial:
        return await show(visit)
    template = "parts/timeline_rows.html" if visit.query.get("cursor") else "parts/timeline.html"
    return visit.fragment(template, person=person, newest=_newest(visit, person.id), **context)


async def why(visit: Visit) -> Response:
    """Whether two identifiers are one person, and why (not)."""
    person = visit.person(visit.path["id"])
    a, b = _key(person, visit.form.get("a", "")), visit.form.get("b", "").strip()
    if not a or not b:
        raise BadRequest("two_needed", "Choose one identifier and give the other, as type:value.")
    same, steps = visit.app.why(person.id, a, b)
    return visit.fragment("parts/why.html", same=same, steps=steps, a=a, b=b)


async def split_form(visit: Visit) -> Response:
    """What to split off: some identifiers, or all of one after a time."""
    return _split_page(visit, visit.person(visit.path["id"]), set(), "")


async def split_preview(visit: Visit) -> Response:
    """What the split would do."""
    person = visit.person(visit.path["id"])
    try:
        nodes, cut_node, cut_at = _asked(visit, person)
        if not nodes and cut_node is None:
            return visit.fragment("parts/split_preview.html", preview=None, error="")
        preview = await visit.app.preview_split(person.id, nodes, cut_node, cut_at)
    except RequestError as error:
        return visit.fragment("parts/split_preview.html", preview=None, error=error.message)
    return visit.fragment("parts/split_preview.html", preview=preview, error="")


async def split(visit: Visit) -> Response:
    """Split, and offer to undo."""
    visit.need("split")
    person = visit.person(visit.path["id"])
    nodes: list[str] = []
    try:
        nodes, cut_node, cut_at = _asked(visit, person)
        if not nodes and cut_node is None:
            raise BadRequest("nothing_chosen", "Choose at least one identifier, or an identifier and a time.")
        done = await visit.app.split(person.id, nodes, cut_node, cut_at, visit.user.name)
    except RequestError as error:
        return _split_page(visit, person, set(nodes), error.message, error.status)
    visit.app.audit(visit.user.name, "split", person.id)
    undo = ("/console/people/undo-split", {"split": done.id, "person": person.id})
    return visit.go(address(done.people[0] if done.people else person.id), done.message, undo)


async def undo_split(visit: Visit) -> Response:
    """Join again what a split cut."""
    visit.need("split")
    done = await visit.app.undo_split(visit.form.get("split", ""), visit.user.name)
    visit.app.audit(visit.user.name, "undo_split", visit.form.get("person", ""))
    return visit.go(address(done.people[0] if done.people else visit.form.get("person", "")), done.message)


async def data_form(visit: Visit) -> Response:
    """Download or erase."""
    return _data_page(visit, visit.person(visit.path["id"]), "")


async def export(visit: Visit) -> Response:
    """One archive with all that is kept about the person."""
    visit.need("privacy")
    person = visit.person(visit.path["id"])
    name, content = await visit.app.export(person.id, visit.user.name)
    visit.app.audit(visit.user.name, "export", person.id)
    return Response(content, headers=_download(name))


async def erase(visit: Visit) -> Response:
    """Erase, once the name was typed."""
    visit.need("privacy")
    person = visit.person(visit.path["id"])
    if _folded(visit.form.get("name", "")) != _folded(erase_word(person)):
        error = f"The text does not match. Nothing was erased. Type {erase_word(person)} exactly."
        return _data_page(visit, person, error, 400)
    receipt = await visit.app.erase(person.id, visit.user.name)
    visit.app.audit(visit.user.name, "erase", receipt.id)
    return visit.go(
        f"/console/privacy#{quote(receipt.id)}", "Erased. The receipt says what was removed from where."
    )


def address(person_id: str) -> str:
    """The page of a person.

    >>> address("p_7F3K2Q")
    '/console/people/p_7F3K2Q'
    """
    return f"/console/people/{quote(person_id, safe='')}"


def erase_word(person: PersonView) -> str:
    """What must be typed to erase: the name when it can be typed, else the id."""
    name = person.name.strip()
    return name if 0 < len(name) <= 80 and name.isprintable() else person.id


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _download(name: str) -> dict[str, str]:
    """Headers of a download whose name holds nothing but plain characters.

    >>> _download('p_1/../x".zip')["content-disposition"]
    'attachment; filename="p_1_.._x_.zip"'
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:100] or "download"
    kind = "application/zip" if plain.endswith(".zip") else "application/octet-stream"
    return {"content-type": kind, "content-disposition": f'attachment; filename="{plain}"'}


def _key(person: PersonView, stand_in: str) -> str:
    """The identifier of this person that a form field stands for; empty when it has none such."""
    return next((key for key in [*_keys(person), *person.nodes] if ref(key) == stand_in), "")


def _asked(visit: Visit, person: PersonView) -> tuple[list[str], str | None, int | None]:
    """The identifiers to split off, or the one to cut and the time (in the workspace's zone)."""
    if visit.form.get("how") != "time":
        keys = [_key(person, stand_in) for stand_in in visit.form.getlist("node")]
        return [key for key in keys if key], None, None
    node, at = _key(person, visit.form.get("cut_node", "")), visit.form.get("cut_at", "")
    if not node or not at:
        return [], None, None
    try:
        when = dt.datetime.fromisoformat(at[:19]).replace(tzinfo=visit.times.tz)
        return [], node, int(when.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise BadRequest(
            "bad_time", "Give the time as date and hours, for example 2026-11-19 18:00."
        ) from None


def _split_page(
    visit: Visit, person: PersonView, chosen: set[str], error: str, status: int = 200
) -> Response:
    context: dict[str, Any] = {
        "person": person,
        "keys": _keys(person),
        "nodes": _nodes(person),
        "chosen": chosen,
        "error": error,
        "cut_default": f"{words.local(visit.now, visit.times.tz):%Y-%m-%dT%H:00}",
    }
    if visit.partial:
        return visit.fragment("parts/split_dialog.html", status, **context)
    return visit.page("split.html", status, **context)


def _data_page(visit: Visit, person: PersonView, error: str, status: int = 200) -> Response:
    total = visit.app.timeline(person.id, None, "", "desc", 1).total
    context: dict[str, Any] = {"person": person, "word": erase_word(person), "error": error, "total": total}
    if visit.partial:
        return visit.fragment("parts/data_dialog.html", status, **context)
    return visit.page("person_data.html", status, **context)


def _timeline(visit: Visit, person: PersonView) -> dict[str, Any]:
    channel = visit.query.get("channel", "")
    order = "asc" if visit.query.get("order") == "asc" else "desc"
    cursor = visit.query.get("cursor") or None
    page: TimelinePage = visit.app.timeline(person.id, cursor, channel, order, PAGE)
    previous_day = visit.query.get("day", "")
    days: list[tuple[str, list[TimelineEvent]]] = []
    for event in page.data:
        heading = visit.times.day(event.time)
        if not days or days[-1][0] != heading:
            days.append((heading, []))
        days[-1][1].append(event)
    shown = int(visit.query.get("shown", "0") or 0) if visit.query.get("shown", "0").isdigit() else 0
    return {
        "days": days,
        "previous_day": previous_day,
        "cursor": page.cursor,
        "total": page.total,
        "left": max(0, page.total - shown - len(page.data)),
        "shown": shown + len(page.data),
        "channel": channel,
        "order": order,
    }


def _newest(visit: Visit, person_id: str) -> int:
    """Log position of the newest event that has arrived."""
    page = visit.app.timeline(person_id, None, "", "desc", 5)
    return max((event.position for event in page.data), default=0)


def _chips(identifiers: list[IdentifierView]) -> list[IdentifierView]:
    told = [one for one in identifiers if one.type not in {"order_id", "visit_id"}]
    ranked = sorted(told, key=lambda one: (_ORDER.get(one.type, 9), -one.last_seen, one.value))
    return ranked[:CHIPS]


def _main(accepted: list[LinkView], hanging: set[str]) -> int:
    """How many links the list shows at once: those that join what people have, else the first few."""
    joining = sum(not {link.a, link.b} & hanging for link in accepted)
    return min(joining or 4, 16)


def _keys(person: PersonView) -> list[str]:
    """The identifiers, orders and visits last."""
    keys = [f"{one.type}:{one.value}" for one in person.identifiers]
    return sorted(keys, key=lambda key: key.startswith(("order_id:", "visit_id:")))


def _nodes(person: PersonView) -> list[str]:
    """Identifiers that hold events of their own: only those can be cut at a time."""
    return person.nodes or _keys(person)


def _by_outsider(others: list[LinkView], person: PersonView) -> list[LinkView]:
    """Links that do not count, those to identifiers outside first."""
    inside = set(_keys(person))
    return sorted(others, key=lambda link: (link.a in inside and link.b in inside, link.time, link.a, link.b))
