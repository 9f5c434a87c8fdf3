"""Why somebody is in a segment or is not: every part of the rule with its value, its events, and until when that stands.

The answer is the reference execution's, over the subject's own events. Parts that a key may not read are told neither in
themselves nor through the groups above them.
"""

from collections.abc import Sequence as Several
from typing import Any

from patron.model.access import ApiKey
from patron.model.events import Event
from patron.profiles.public import iso
from patron.rules.describe import Names, phrase
from patron.rules.evaluate import evaluate, matching
from patron.rules.explain import explain
from patron.rules.tree import AllOf, AnyOf, Computed, Did, Fact, Member, Not, Rule, Segment
from patron.runtime.segments.belonging import is_moment
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.readable import may_read, may_read_segment, may_read_trait
from patron.runtime.segments.subjects import Subject
from patron.runtime.segments.told import names_of
from patron.runtime.segments.turning import moments, turn

EVENTS = 5
"""Newest events that are told of one part."""
INSIDE = 3
"""Segments inside segments that are opened."""
Node = dict[str, Any]
_NOTHING: Node = {
    "held": None, "hidden": False, "value": None, "events": [], "more_events": 0, "until": None,
}  # fmt: skip


class Explainer:
    """Explains rules for one subject within what one key may read.

    It reads nothing but the subject, so it may run in a thread of its own while events go on.
    """

    def __init__(self, subject: Subject, active: Active, key: ApiKey | None) -> None:
        self._subject = subject
        self._active = active
        self._key = key
        self._names = names_of(active)
        self._by_position = {event.position: event for event in subject.history.events}

    def segment(self, segment: Segment, version: int, sentence: str) -> dict[str, Any]:
        """The whole explanation of a segment in force."""
        subject = self._subject
        basis = subject.has_basis(segment.purpose)
        tree = self.node(segment.rule)
        is_told = (
            tree["held"] is not None or not basis or may_read_segment(self._key, segment.id, self._active)
        )
        member = subject.is_in(segment.id) if is_told else None
        turns = None
        if is_told and basis:
            when = moments(segment.rule, subject, self._active)
            turns = turn(subject, lambda: subject.is_in(segment.id), when)
        return {
            "segment": segment.id,
            "version": version,
            "subject": subject.name,
            "member": member,
            "basis": basis,
            "purpose": segment.purpose,
            "sentence": sentence,
            "now": iso(subject.now),
            "leaves": iso(turns) if member else None,
            "joins": iso(turns) if member is False else None,
            "whole": subject.whole,
            "verdict": _verdict(member, basis, segment.purpose, iso(turns)),
            "rule": tree,
        }

    def trait(self, trait: Computed, version: int, sentence: str) -> dict[str, Any]:
        """The value of a computed trait in force, with its events."""
        subject, hidden = self._subject, not may_read_trait(self._key, trait.id, self._active)
        measures = [m for m in (trait.measure, trait.per) if m is not None]
        events = {e.uid: e for m in measures for e in self._of(m)} if not hidden else {}
        newest = sorted(events.values(), key=lambda e: e.time)
        return {
            "trait": trait.id,
            "version": version,
            "subject": subject.name,
            "value": None if hidden else self._value_of(trait, newest),
            "hidden": hidden,
            "basis": subject.has_basis(trait.purpose),
            "sentence": sentence,
            "now": iso(subject.now),
            "whole": subject.whole,
            **self._evidence(newest, 4 * EVENTS, len(newest)),
        }

    def _value_of(self, trait: Computed, events: list[Event]) -> Any:
        """As profiles show it: for the first or last event its time."""
        value = self._subject.computed(trait.id)
        if value is None or not is_moment(trait):
            return value
        return iso(events[0 if trait.measure.measure == "first" else -1].time)

    def node(self, rule: Rule, inside: tuple[str, ...] = ()) -> Node:
        """One part of a rule and what is below it."""
        below = self._below(rule, inside)
        found: Node = {**_NOTHING, "kind": str(rule.__struct_config__.tag), "of": below}
        if not below:
            return self._leaf(rule, found)
        held = self._held(rule, below)
        return {**found, "text": words(rule, self._names), "held": held, "hidden": held is None}

    def _leaf(self, rule: Rule, node: Node) -> Node:
        if not may_read(self._key, rule, self._active):
            return {**node, "text": words(rule, self._names), "hidden": True}
        subject = self._subject
        why = explain(rule, subject.history, subject.now, subject.calendar, self._names)
        until = self._until(rule) if isinstance(rule, Member | Fact) else why.until
        events = [self._by_position[w.position] for w in why.events]
        node |= {"text": why.sentence, "held": why.held, "value": why.value, "until": iso(until)}
        return {**node, **self._evidence(events, EVENTS, len(self._matched(rule)))}

    def _below(self, rule: Rule, inside: tuple[str, ...]) -> list[Node]:
        match rule:
            case AllOf(of) | AnyOf(of):
                return [self.node(one, inside) for one in of]
            case Not(inner):
                return [self.node(inner, inside)]
            case Member(name) if (
                name in self._active.segments and name not in inside and len(inside) < INSIDE
            ):
                return [self.node(self._active.segments[name].rule, (*inside, name))]
            case _:
                return []

    def _held(self, rule: Rule, below: list[Node]) -> bool | None:
        """Whether a group holds, as far as what is below may be told: it never tells more than its parts do."""
        helds = [node["held"] for node in below]
        match rule:
            case AllOf():
                return False if False in helds else (None if None in helds else True)
            case AnyOf():
                return True if True in helds else (None if None in helds else False)
            case Not():
                return None if helds[0] is None else not helds[0]
            case Member(name):
                granted = may_read_segment(self._key, name, self._active)
                return self._subject.is_in(name) if granted else None
            case _:
                raise TypeError(f"a {type(rule).__name__} holds no other rules")

    def _until(self, rule: Rule) -> int | None:
        """When time alone turns a leaf that refers to other definitions."""
        subject = self._subject

        def holds() -> bool:
            return evaluate(rule, subject.history, subject.now, subject.calendar)

        return turn(subject, holds, moments(rule, subject, self._active))

    def _matched(self, rule: Rule) -> list[Event]:
        return self._of(rule) if isinstance(rule, Did) else []

    def _of(self, did: Did) -> list[Event]:
        subject = self._subject
        return list(
            matching(did.event, did.where, did.within, subject.history, subject.now, subject.calendar)
        )

    def _evidence(self, events: Several[Event], most: int, total: int) -> dict[str, Any]:
        """The newest events that the key may see, newest last; of a `total` that counts, the others are counted."""
        sources = self._key.sources if self._key is not None else ()
        seen = [event for event in events if not sources or event.source in sources][-most:]
        rows = [
            {
                "id": event.message_id,
                "time": iso(event.time),
                "event": event.name,
                "source": event.source,
                "channel": event.channel,
            }
            for event in seen
        ]
        return {"events": rows, "more_events": max(0, total - len(rows))}


def words(rule: Rule, names: Names) -> str:
    """What a part that holds others is, in a few words.

    >>> words(AllOf(()), Names()), words(Member("tea"), Names({"tea": "Tea lovers"}))
    ('All of these', 'Are in the segment “Tea lovers”')
    """
    if isinstance(rule, AllOf | AnyOf | Not):
        return {AllOf: "All of these", AnyOf: "At least one of these", Not: "Not"}[type(rule)]
    text = phrase(rule, names)
    return text[:1].upper() + text[1:]


def _verdict(member: bool | None, basis: bool, purpose: str, turns: str | None) -> str:
    """One sentence.

    >>> _verdict(True, True, "personalization", "2026-03-11T00:00:00.000Z")
    'a member, until 2026-03-11 00:00 UTC if nothing happens.'
    """
    when = f"{turns[:16].replace('T', ' ')} UTC" if turns else ""
    if not basis:
        return f"no member: there is no lawful basis for the purpose {purpose}."
    if member is None:
        return "not told: the rule reads fields that this key may not read."
    if member:
        return f"a member, until {when} if nothing happens." if when else "a member."
    return f"no member; from {when} on, if nothing happens." if when else "no member."
