"""Why somebody is in a segment or is not: every part of the rule with its value, its events, and until when that stands.

The answer is the reference execution's, over the subject's own events. Parts that a key may not read are told neither in
themselves nor through the groups above them.
"""

from collections.abc import Sequence as Several
from typing import Any

from patron.model.access import ApiKey
from patron.model.events import Event
from patron.profiles.public import iso
from patron.rules.consent import standing
from patron.rules.evaluate import chain, evaluate, fact_value, matching, measured, share
from patron.rules.tree import (
    AllOf, AnyOf, Bucket, Computed, Consented, Did, Fact, Member, Not, Rule, Segment, Sequence,
)  # fmt: skip
from patron.rules.values import shown
from patron.runtime.definitions import Active
from patron.runtime.readable import may_read, may_read_segment, may_read_trait
from patron.runtime.subjects import Subject
from patron.runtime.told import names_of, phrase
from patron.runtime.turning import moments, turn

EVENTS = 5
"""Newest events that are told of one part."""
INSIDE = 3
"""Segments inside segments that are opened."""
Node = dict[str, Any]


class Explainer:
    """Explains rules for one subject within what one key may read."""

    def __init__(self, subject: Subject, active: Active, key: ApiKey | None) -> None:
        self._subject = subject
        self._active = active
        self._key = key
        self._names = names_of(active)

    async def segment(self, segment: Segment, version: int, sentence: str) -> dict[str, Any]:
        """The whole explanation of a segment in force."""
        subject = self._subject
        basis = subject.has_basis(segment.purpose)
        tree = await self.node(segment.rule)
        is_told = tree["held"] is not None or not basis or may_read_segment(self._key, segment.id, self._active)
        member = subject.is_in(segment.id) if is_told else None
        turns = None
        if is_told and basis:
            when = moments(segment.rule, subject, self._active)
            turns = await turn(subject, lambda: subject.is_in(segment.id), when)
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
            "value": None if hidden else subject.computed(trait.id),
            "hidden": hidden,
            "basis": subject.has_basis(trait.purpose),
            "sentence": sentence,
            "now": iso(subject.now),
            "whole": subject.whole,
            **self._evidence(newest, 4 * EVENTS),
        }

    async def node(self, rule: Rule, inside: tuple[str, ...] = ()) -> Node:
        """One part of a rule and what is below it."""
        below = await self._below(rule, inside)
        hidden = not below and not may_read(self._key, rule, self._active)
        found: Node = {
            "kind": str(rule.__struct_config__.tag),
            "text": phrase(rule, self._names),
            "held": None,
            "hidden": hidden,
            "value": None,
            "events": [],
            "more_events": 0,
            "until": None,
            "of": below,
        }
        if hidden:
            return found
        found["held"] = self._held(rule, below)
        if found["held"] is None:
            return {**found, "hidden": True}
        if not below:
            found |= {"value": self._value(rule), **self._evidence(self._events(rule), EVENTS)}
            found["until"] = iso(await self._until(rule))
        return found

    async def _below(self, rule: Rule, inside: tuple[str, ...]) -> list[Node]:
        match rule:
            case AllOf(of) | AnyOf(of):
                return [await self.node(one, inside) for one in of]
            case Not(inner):
                return [await self.node(inner, inside)]
            case Member(name) if name in self._active.segments and name not in inside and len(inside) < INSIDE:
                return [await self.node(self._active.segments[name].rule, (*inside, name))]
            case _:
                return []

    def _held(self, rule: Rule, below: list[Node]) -> bool | None:
        """Whether a part holds, as far as what is below may be told: a group never tells more than its parts do."""
        helds = [node["held"] for node in below]
        match rule:
            case AllOf():
                return False if False in helds else (None if None in helds else True)
            case AnyOf():
                return True if True in helds else (None if None in helds else False)
            case Not():
                return None if helds[0] is None else not helds[0]
            case Member(name) if not may_read_segment(self._key, name, self._active):
                return None
            case _:
                subject = self._subject
                return evaluate(rule, subject.history, subject.now, subject.calendar)

    async def _until(self, rule: Rule) -> int | None:
        subject = self._subject

        def holds() -> bool:
            return evaluate(rule, subject.history, subject.now, subject.calendar)

        return await turn(subject, holds, moments(rule, subject, self._active))

    def _value(self, rule: Rule) -> Any:
        subject = self._subject
        match rule:
            case Did():
                value = measured(rule, subject.history, subject.now, subject.calendar)
                return None if value is None else shown(value)
            case Fact(field):
                return fact_value(field, subject.history)
            case Consented(purpose, channel):
                return standing(subject.history.consents, purpose, channel)
            case Bucket(salt):
                return round(share(salt, subject.name), 6)
            case _:
                return None

    def _events(self, rule: Rule) -> Several[Event]:
        subject = self._subject
        if isinstance(rule, Did):
            return list(self._of(rule))
        if isinstance(rule, Sequence):
            return chain(rule, subject.history, subject.now, subject.calendar) or ()
        return ()

    def _of(self, did: Did) -> list[Event]:
        subject = self._subject
        return list(
            matching(did.event, did.where, did.within, subject.history, subject.now, subject.calendar)
        )

    def _evidence(self, events: Several[Event], most: int) -> dict[str, Any]:
        """The newest events that the key may see, newest last; the others are counted."""
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
        return {"events": rows, "more_events": len(events) - len(rows)}


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
