"""When an answer about somebody changes by time alone, also where a rule is made of other segments and computed traits.

`rules.turning` foretells single rules and takes what they refer to as it stands; here that is followed.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from patron.rules import turning
from patron.rules.tree import Computed, Fact, Member, Rule
from patron.rules.walk import leaves
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.subjects import Subject

MOST = 400
"""Moments that are tried; a change after these is not told."""


def turn(subject: Subject, holds: Callable[[], bool], moments: list[int]) -> int | None:
    """The first of some moments (ascending) at which `holds`, asked of the subject at that moment, is another than now."""
    now, before = subject.now, holds()
    try:
        for moment in moments[:MOST]:
            subject.at(moment)
            if holds() != before:
                return moment
    finally:
        subject.at(now)
    return None


def moments(rule: Rule, subject: Subject, active: Active) -> list[int]:
    """The moments after now at which what a rule says of a subject may change if no event comes; ascending, ms."""
    found = set(_moments(rule, subject, active, set()))
    return sorted(moment for moment in found if moment > subject.now)


def _moments(rule: Rule, subject: Subject, active: Active, seen: set[str]) -> Iterator[int]:
    for _, leaf in leaves(rule):
        yield from turning.moments(leaf, subject.history, subject.now, subject.calendar)
        if isinstance(leaf, Member) and leaf.segment in active.segments and leaf.segment not in seen:
            seen.add(leaf.segment)
            yield from _moments(active.segments[leaf.segment].rule, subject, active, seen)
        elif isinstance(leaf, Fact) and leaf.field.startswith("computed."):
            trait = active.traits.get(leaf.field.partition(".")[2])
            if trait is not None:
                yield from _of_trait(trait, leaf, subject)


def _of_trait(trait: Computed, fact: Fact, subject: Subject) -> Iterator[int]:
    for measure in (trait.measure, trait.per):
        if measure is not None:
            compared = replace(measure, op=fact.op, value=fact.value)
            yield from turning.moments(compared, subject.history, subject.now, subject.calendar)
