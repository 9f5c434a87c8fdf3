"""When an answer changes by time alone: the moments at which something leaves a window, grows older or passes a date."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from patron.model.clock import HOUR
from patron.rules import dates
from patron.rules.calendar import Calendar
from patron.rules.evaluate import fact_value, matching
from patron.rules.tree import AllOf, AnyOf, Did, Fact, Member, Not, Rule, Sequence, Where, Window
from patron.runtime.definitions import Active
from patron.runtime.subjects import Subject

MOST = 400
"""Moments that are tried; a change after these is not told."""
_AGES = ("first", "last")
_FAR = 2_500_000
"""A day in the year 8814."""


async def turn(subject: Subject, holds: Callable[[], bool], moments: list[int]) -> int | None:
    """The first of some moments (ascending) at which `holds`, asked of the subject at that moment, is another than now."""
    now, before = subject.now, holds()
    try:
        for at, moment in enumerate(moments[:MOST], 1):
            subject.at(moment)
            if holds() != before:
                return moment
            if at % 10 == 0:
                subject.at(now)  # whoever else reads the subject meanwhile reads it as of now
                await asyncio.sleep(0)
    finally:
        subject.at(now)
    return None


def moments(rule: Rule, subject: Subject, active: Active) -> list[int]:
    """The moments after now at which what a rule says of a subject may change if no event comes; ascending, ms."""
    found = set(_moments(rule, subject, active, frozenset()))
    return sorted(moment for moment in found if moment > subject.now)


def _moments(rule: Rule, subject: Subject, active: Active, above: frozenset[str]) -> Iterator[int]:
    match rule:
        case AllOf(of) | AnyOf(of):
            for one in of:
                yield from _moments(one, subject, active, above)
        case Not(inner):
            yield from _moments(inner, subject, active, above)
        case Did():
            yield from _measured(rule, rule.value, subject)
        case Sequence():
            for step in rule.steps:
                yield from _window(step.event, step.where, rule.within, subject)
        case Fact():
            yield from _fact(rule, subject, active)
        case Member(name) if name in active.segments and name not in above:
            yield from _moments(active.segments[name].rule, subject, active, above | {name})
        case _:
            pass


def _measured(did: Did, wanted: Any, subject: Subject) -> Iterator[int]:
    yield from _window(did.event, did.where, did.within, subject)
    if did.measure in _AGES:
        ages = [n for n in (wanted if isinstance(wanted, list | tuple) else [wanted]) if _is_number(n)]
        calendar = subject.calendar
        for event in matching(did.event, did.where, None, subject.history, subject.now, calendar):
            yield from _begin(calendar, (calendar.day(event.time) + int(age) + n for age in ages for n in (0, 1)))


def _window(name: str, where: tuple[Where, ...], within: Window | None, subject: Subject) -> Iterator[int]:
    if within is not None:
        for event in matching(name, where, within, subject.history, subject.now, subject.calendar):
            yield _leaves(event.time, within, subject.calendar)


def _leaves(time: int, within: Window, calendar: Calendar) -> int:
    """When an event leaves a window, ms."""
    if isinstance(within.days, int):
        return calendar.begins(calendar.day(time) + within.days)
    assert isinstance(within.hours, int)
    return (time // HOUR + within.hours) * HOUR


def _fact(fact: Fact, subject: Subject, active: Active) -> Iterator[int]:
    root, _, name = fact.field.partition(".")
    trait = active.traits.get(name) if root == "computed" else None
    if trait is not None:
        for measure in (trait.measure, trait.per):
            if measure is not None:
                yield from _measured(measure, fact.value, subject)
    if fact.op in ("in_last", "in_next"):
        day = dates.day_of(fact_value(fact.field, subject.history))
        if day is not None:
            yield from _begin(subject.calendar, (day + n for n in (0, 1, fact.value, 1 - fact.value)))


def _begin(calendar: Calendar, days: Iterable[int]) -> Iterator[int]:
    """When days begin; those that no calendar holds are left out."""
    return (calendar.begins(day) for day in days if 0 <= day < _FAR)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**6
