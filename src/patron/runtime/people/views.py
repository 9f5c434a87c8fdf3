"""Views for people and other systems, built from the workspace: one person, a timeline, decisions, the effect."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from patron.decide.credit import Order, outcome
from patron.decide.record import Drawn
from patron.identity import explain
from patron.identity.accounts import groups_of_nodes
from patron.model.clock import DAY
from patron.model.events import Event
from patron.model.offers import NOTHING, Decision
from patron.model.people import Key, Person
from patron.model.ports import IndexRow
from patron.model.views import (
    ConsentView,
    DecisionView,
    IdentifierView,
    LinkView,
    PersonRow,
    PersonView,
    TimelineEvent,
    TraitView,
)
from patron.profiles import public
from patron.profiles.merge import Profile
from patron.profiles.sentence import display_name, sentence, summary
from patron.profiles.timeline import late_days
from patron.runtime.decisions.answer import Answers
from patron.runtime.flow import uncut
from patron.runtime.people import people
from patron.runtime.workspace import Workspace


def iso(ms: int) -> str:
    """A time as ISO 8601 with milliseconds, UTC.

    >>> iso(1_772_471_051_120)
    '2026-03-02T17:04:11.120Z'
    """
    second, part = divmod(ms, 1000)
    return f"{_second(second)}.{part:03d}Z" if 0 <= second < _FAR else public.iso(ms) or ""


@lru_cache(maxsize=1024)
def _second(second: int) -> str:
    return (public.iso(1000 * second) or "")[:19]


_FAR = 253_402_300_800
"""Seconds to the year 10000, which no text of four digits names."""


def identifiers(workspace: Workspace, person: Person) -> list[IdentifierView]:
    """The person's identifiers, customers' own first, devices and receipts last."""
    found = []
    for key in person.members:
        kind, _, value = uncut(key, workspace.cuts).partition(":")
        row = workspace.graph.row(key)
        first = row.first if row else 0
        part = workspace.nodes.get(key)
        last = part.last if part is not None else first
        found.append(IdentifierView(kind, value, first, last, workspace.graph.is_shared(key)))
    return sorted(found, key=lambda i: (_rank(workspace, i.type), i.first_seen, i.value))


def _rank(workspace: Workspace, kind: str) -> int:
    order = [t.name for t in workspace.settings.identity.types]
    return order.index(kind) if kind in order else len(order)


def links(workspace: Workspace, person: Person) -> list[LinkView]:
    """The evidence that joins the person, and what was refused, in words; receipts and visits after all others."""
    found = []
    for link in explain.links(workspace.graph, person):
        source, _, _ = link.uid.partition("/")
        event = _event_words(workspace, link.position)
        found.append(
            LinkView(
                link.a,
                link.b,
                link.status,
                link.strength,
                link.assurance,
                link.time,
                event,
                source,
                link.rule,
                link.reason,
            )
        )
    light = workspace.settings.identity.plan.light
    found.sort(key=lambda v: (v.a.startswith(light) or v.b.startswith(light), v.time, v.a, v.b))
    return found


def _event_words(workspace: Workspace, position: int) -> str:
    hit = workspace.event_at(position) if position else None
    return sentence(hit[0]).sentence if hit else ""


def traits(profile: Profile) -> list[TraitView]:
    """Traits with provenance, by name."""
    return [
        TraitView(name, t.value, t.time, t.source, t.message_id) for name, t in sorted(profile.traits.items())
    ]


def consents(profile: Profile) -> list[ConsentView]:
    """Consents as they stand, with their proof."""
    return [
        ConsentView(purpose, channel, c.granted, c.time, c.text_version, c.place, c.source)
        for (purpose, channel), c in sorted(profile.consents.items())
    ]


def timeline_event(event: Event, node: Key, row: IndexRow) -> TimelineEvent:
    """One event as the timeline shows it."""
    told = sentence(event)
    return TimelineEvent(
        message_id=event.message_id,
        type=event.type,
        event=event.name,
        timestamp=iso(event.time),
        channel=event.channel,
        source=event.source,
        properties=event.properties,
        received_at=iso(event.received),
        position=row.position,
        node=node,
        sentence=told.sentence,
        detail=told.detail,
        money=told.money,
        late_days=late_days(event),
        ours=told.ours,
        time=event.time,
    )


def made(decision: Drawn | Decision, behind: Sequence[Mapping[str, Any]], *, trusted: bool) -> dict[str, Any]:
    """A decision as it is answered, with the content of its slate: all its reasons to those who may know them, else the last
    one."""
    everything = trusted or decision.identified == "verified"
    return {
        "decisionId": decision.id,
        "placement": decision.placement,
        "channel": decision.channel,
        "action": decision.action,
        "content": decision.content,
        "propensity": decision.propensity,
        "reasons": list(decision.reasons if everything else decision.reasons[-1:]),
        "group": decision.group,
        "holdout": decision.holdout,
        "policy": decision.policy,
        "expires": iso(decision.expires) if decision.expires else None,
        "eligible": list(decision.eligible),
        "slate": [
            {"action": name, "content": content} for name, content in zip(decision.slate, behind, strict=True)
        ],
    }


def decided(
    workspace: Workspace, answers: Answers, decision: Decision, person: Person | None = None
) -> DecisionView:
    """A decision with what followed it, credited over all nodes that the person has today."""
    person = person or (people.by_key(workspace, decision.node) if decision.node else None)
    profile = people.profile(workspace, person) if person else None
    shown = workspace.shown.get(decision.id)
    window = workspace.settings.decide.window_days * DAY
    followed = outcome(decision, _orders(profile), [shown] if shown is not None else [], window)
    names = dict(answers.names(decision.catalogue))
    name = "Nothing shown" if decision.action == NOTHING else names.get(decision.action, decision.action)
    who = display_name(profile, person.members) if profile and person else "Not identified"
    return DecisionView(decision, followed, name, who, names)


def decided_all(workspace: Workspace, answers: Answers, ids: Iterable[str]) -> list[DecisionView]:
    """The decisions of these ids that are still kept, in this order."""
    rows = [row for name in ids if (row := workspace.decisions.get(name)) is not None]
    return [decided(workspace, answers, answers.read(row)) for row in rows]


def _orders(profile: Profile | None) -> list[Order]:
    if profile is None:
        return []
    return [
        Order(name, o.time, o.currency, o.gross, o.refunded)
        for name, o in profile.orders.items()
        if not o.cancelled
    ]


def decisions_of(
    workspace: Workspace, answers: Answers, person: Person, limit: int = 20
) -> list[DecisionView]:
    """The latest decisions for a person, newest first."""
    ids = [i for key in person.members for i in workspace.asked.get(key) or ()]
    found = [d for i in ids if (d := workspace.decisions.get(i)) is not None]
    found.sort(key=lambda d: -d.time)
    return [decided(workspace, answers, answers.read(d), person) for d in found[:limit]]


def person_view(workspace: Workspace, answers: Answers, person: Person, now: int) -> PersonView:
    """Everything the person page shows."""
    profile = people.profile(workspace, person)
    return PersonView(
        id=person.id,
        name=display_name(profile, person.members),
        summary=summary(profile, now),
        identifiers=identifiers(workspace, person),
        traits=traits(profile),
        consents=consents(profile),
        links=links(workspace, person),
        decisions=decisions_of(workspace, answers, person),
        counters=profile.counters,
        orders=profile.totals.orders,
        revenue=public.money(profile.totals.net),
        channels={c: (s.first, s.last, s.events) for c, s in profile.channels.items()},
        first_seen=profile.first,
        last_seen=profile.last,
        groups=groups(workspace, person),
        nodes=[k for k in person.members if k in workspace.nodes],
        crowded=person.crowded,
        retired=sorted(workspace.graph.retired_ids(person)),
    )


def groups(workspace: Workspace, person: Person) -> list[tuple[str, dict[str, Any]]]:
    """Accounts that the person is a member of."""
    return groups_of_nodes(person.members, workspace.accounts, workspace.members)


def person_row(workspace: Workspace, person: Person, matched: Key) -> PersonRow:
    """One hit of a search."""
    profile = people.profile(workspace, person)
    light = workspace.settings.identity.plan.light
    return PersonRow(
        person.id,
        display_name(profile, person.members),
        [i for i in identifiers(workspace, person) if f"{i.type}:" not in light],
        matched,
        profile.last,
        profile.totals.orders,
        public.money(profile.totals.net),
        sorted(profile.channels),
    )


def name_of(workspace: Workspace, person: Person) -> str:
    """What people call somebody: their name, else their id."""
    return display_name(people.profile(workspace, person), person.members) or person.id
