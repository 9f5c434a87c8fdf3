"""The decisions of a send, page by page, for whoever sends them."""

from patron.decide.encoding import look
from patron.decide.index import CatalogueIndex
from patron.model.errors import BadRequest
from patron.model.people import Person
from patron.model.sends import SendRow, SentPage, SentRow
from patron.profiles.public import iso
from patron.rules.consent import standing
from patron.runtime.breath import Breath
from patron.runtime.decisions.known import consents_of
from patron.runtime.people import people
from patron.runtime.sends.report import WHY_NOT, stopped, variant_of
from patron.runtime.sends.sending import has_address
from patron.runtime.sends.sent import Place
from patron.runtime.tables import DecisionRow
from patron.runtime.workspace import Workspace

_BEGIN = "0-"
"""The cursor before the first decision."""
_MOST_LOOKED = 5_000
"""Decisions that one page looks through."""


async def page(workspace: Workspace, row: SendRow, cursor: str, limit: int, *, everyone: bool) -> SentPage:
    """A page of decisions: those that give something, or of everybody. It may be short; the cursor leads on.

    While the send goes on, what was decided in the newest millisecond comes later, and there is always a cursor.
    Raises BadRequest.
    """
    running, made = row.state == "running", workspace.sent.made(row.send.id)
    before = made[-1][0] if running and made else None
    found = await pages(workspace, row.send.id, cursor, limit, everyone=everyone, before=before)
    return found if running or found.more else SentPage(found.data, None)


async def pages(
    workspace: Workspace,
    name: str,
    cursor: str,
    limit: int,
    *,
    everyone: bool,
    before: int | None = None,
    store: str = "",
) -> "Page":
    """A page of the decisions under a name, with a cursor. Raises BadRequest.

    Parameters
    ----------
    before : only of places before this one.
    store : only of who came in there; empty: anywhere.
    """
    breath, rows, last = Breath(), list[SentRow](), cursor or _BEGIN
    places = workspace.sent.made(name, _place(last), _MOST_LOOKED)
    for place in places:
        if before is not None and place[0] >= before:
            break
        if len(rows) == limit:
            return Page(rows, last, more=True)
        last = f"{place[0]}-{place[1]}"
        made = workspace.decisions.get(place[1])
        if made is None or not (everyone or made.grants):
            continue
        if not store or (made.sent is not None and made.sent.store == store):
            await breath.take()
            rows.append(shown(workspace, place[1], made))
    return Page(rows, last, more=len(places) == _MOST_LOOKED)


class Page(SentPage, frozen=True):
    """A page with a cursor, and whether there is more already."""

    more: bool = False


def shown(workspace: Workspace, decision: str, row: DecisionRow) -> SentRow:
    """One decision of a send. Whether it may still be sent is asked now."""
    index, record, told = workspace.catalogues.version(row.catalogue), look(row.record), row.sent
    if told is None:
        raise RuntimeError(f"decision {decision} is of no send")
    person, offer = people.by_key(workspace, row.node), index.by_id.get(row.action)
    return SentRow(
        decision=decision,
        person=person.id if person else record.person,
        node=row.node,
        placement=record.placement,
        channel=row.channel,
        address=person is not None and has_address(workspace, person, row.channel),
        allowed=offer is not None and person is not None and _allowed(workspace, person, offer.purpose, row.channel, index),
        offer=row.action,
        variant="" if offer is None else variant_of(offer, record.placement, record.language),
        language=record.language,
        due=str(iso(told.due)),
        hour=told.hour,
        moments=told.moments,
        expires=str(iso(record.expires)) if offer is not None else "",
        arm=told.arm,
        reason="" if offer is not None else WHY_NOT[stopped(row, record)],
        store=told.store,
    )  # fmt: skip


def _allowed(workspace: Workspace, person: Person, purpose: str, channel: str, index: CatalogueIndex) -> bool:
    """Whether consents of this moment allow it still."""
    parts = [(key, part) for key in person.members if (part := workspace.nodes.get(key)) is not None]
    said = standing(consents_of(parts, workspace.settings.profiles), purpose, channel)
    return said is True or (said is None and purpose not in index.opt_in)


def _place(cursor: str) -> Place:
    """
    >>> _place("17-d_ab")
    (17, 'd_ab')
    """
    time, dash, decision = cursor.partition("-")
    if not dash or not time.isascii() or not time.isdigit() or len(time) > 18:
        raise BadRequest("bad_cursor", "`cursor` is what the page before gave.")
    return int(time), decision
