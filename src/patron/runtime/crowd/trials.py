"""A definition tried on single people: in or out, because of what, and what would change it."""

import math
from collections.abc import Sequence

from patron.model.audiences import Trial
from patron.model.errors import RequestError
from patron.rules.explain import Explained, explain
from patron.rules.tree import Did, Not, Rule, Segment
from patron.runtime.crowd.sample import Crowd
from patron.runtime.people import people
from patron.runtime.people.views import name_of
from patron.runtime.segments import subjects
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.subjects import Subject
from patron.runtime.segments.told import names_of
from patron.runtime.segments.turning import moments, turn
from patron.runtime.workspace import Workspace

SHOWN = 3
"""People that are tried when nobody is named, and parts of a rule that an answer names."""
_NAMED = {"name", "first_name", "firstName"}
_VISITS = 2_000
"""Newest rows of the audit in which somebody's visits are looked for."""


async def trials(workspace: Workspace, segment: Segment, active: Active, names: Sequence[str]) -> list[Trial]:
    """The definition tried on each of these people; none for a rule about accounts."""
    found = []
    for name in names if segment.subject == "person" else ():
        try:
            person = people.find(workspace, name)
        except RequestError as error:
            found.append(Trial("", name, inside=False, because="", problem=error.message))
            continue
        subject = await subjects.of_person(workspace, person)
        subject.use(active)
        found.append(_trial(segment, active, subject, name_of(workspace, person)))
    return found


def lately(workspace: Workspace, crowd: Crowd, by: str) -> list[str]:
    """Whom an account looked at last, then some of the crowd whose names are known."""
    rows = workspace.audit
    seen = [
        row.object
        for key in sorted(rows.keys())[-_VISITS:]
        if (row := rows.get(key)) and row.user == by and row.verb == "view"
    ]
    known = [one.subject.name for one in crowd.people[:200] if _NAMED & one.subject.history.traits.keys()]
    names = list(dict.fromkeys([*reversed(seen), *known[:SHOWN]]))
    return [name for name in names[:20] if workspace.graph.person_by_id(name) is not None][:SHOWN]


def _trial(segment: Segment, active: Active, subject: Subject, name: str) -> Trial:
    if not subject.has_basis(segment.purpose):
        because = f"There is no lawful basis for the purpose {segment.purpose}."
        return Trial(subject.name, name, inside=False, because=because)
    told = explain(segment.rule, subject.history, subject.now, subject.calendar, names_of(active))
    when = turn(subject, lambda: subject.matches(segment), moments(segment.rule, subject, active))
    parts = list(told.of) if told.kind == "all" else [told]
    shown = [part for part in parts if part.held == told.held] or parts
    because = " ".join(_said(part) for part in shown[:SHOWN])
    would = "" if told.held else _missing(segment.rule, told)
    return Trial(subject.name, name, told.held, because, would, when)


def _said(part: Explained) -> str:
    """What a part says of somebody; of a group and a negation what is inside."""
    inner = part
    while inner.kind == "not" and inner.of:
        inner = inner.of[0]
    if inner.of:
        return " ".join(_said(one) for one in inner.of[:2])
    return inner.sentence


def _missing(rule: Rule, told: Explained) -> str:
    """What would bring somebody in, when one count alone stands in the way."""
    parts = rule.of if told.kind == "all" and hasattr(rule, "of") else (rule,)
    shown = told.of if told.kind == "all" else (told,)
    failing = [(part, one) for part, one in zip(parts, shown, strict=False) if not one.held]
    if len(failing) != 1:
        return ""
    part, one = failing[0]
    if (
        isinstance(part, Did)
        and part.measure == "count"
        and part.op in (">=", ">")
        and _is_number(part.value)
    ):
        value = one.value if isinstance(one.value, int) else 0
        short = math.ceil(part.value + (part.op == ">")) - value
        return f"{short} more {'brings' if short == 1 else 'bring'} them in."
    if isinstance(part, Not):
        return "All else holds."
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
