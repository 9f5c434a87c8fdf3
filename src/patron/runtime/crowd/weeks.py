"""How many were in a segment at the end of each of the last weeks, by the rule and the identities of today."""

import asyncio

from patron.model.audiences import Week, Weeks
from patron.model.clock import DAY
from patron.rules import evaluate as reference
from patron.rules.consent import lawful
from patron.rules.evaluate import evaluate
from patron.rules.history import History, consents_of, history_of
from patron.rules.tree import Segment
from patron.runtime.crowd.sample import Crowd
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.subjects import Subject

WEEKS = 12
PEOPLE = 200
"""People of whom the past is worked out."""
BREATH = 5


async def weeks(
    crowd: Crowd, segment: Segment, active: Active, now: int, opt_in: tuple[str, ...]
) -> Weeks | None:
    """The members at the end of each week for which anybody has events; None when there is nobody."""
    people = (await crowd.look())[:PEOPLE] if segment.subject == "person" else []
    firsts = [one.subject.history.events[0].time for one in people if one.subject.history.events]
    if not firsts:
        return None
    ends = [t for n in reversed(range(WEEKS)) if (t := now - n * 7 * DAY) >= min(firsts)]
    counts = [0] * len(ends)
    for at, one in enumerate(people, 1):
        for number, end in enumerate(ends):
            counts[number] += Past(one.subject, active, end, opt_in).is_in(segment.id)
        if at % BREATH == 0:
            await asyncio.sleep(0)
    times = crowd.total / len(people)
    told = tuple(Week(t, round(n * times)) for t, n in zip(ends, counts, strict=True))
    return Weeks(told, min(crowd.total, len(people)), crowd.total)


class Past:
    """One person as they were at an earlier moment, with the people of today's identities and the rules of today."""

    def __init__(self, subject: Subject, active: Active, now: int, opt_in: tuple[str, ...]) -> None:
        events = subject.history.events
        plain = history_of(events, subject.name, now=now)
        self._active, self._opt_in = active, opt_in
        self.now, self.calendar = now, subject.calendar
        self.consents = consents_of(plain.events)
        self.history = History(
            subject.name,
            plain.events,
            plain.traits,
            self.consents,
            subject.history.stores,
            self.is_in,
            self.computed,
        )

    def is_in(self, name: str) -> bool:
        """Whether they were in a segment of today's rules."""
        segment = self._active.segments.get(name)
        if segment is None or not lawful(segment.purpose, self.consents, self._opt_in):
            return False
        return evaluate(segment.rule, self.history, self.now, self.calendar)

    def computed(self, name: str) -> object:
        """What a computed trait was."""
        trait = self._active.traits.get(name)
        return None if trait is None else reference.computed(trait, self.history, self.now, self.calendar)
