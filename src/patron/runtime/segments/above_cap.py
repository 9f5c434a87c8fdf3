"""People with longer lists than are kept of them: what those lists cannot tell is worked out from their own events.

Exact, by the reference execution; some 40 us an event of the person, so an answer is remembered until the person gets
another event or the hour turns. Who reads one person has it at once. The bits from which members are listed and counted
follow when `work` looks: at most once in some minutes a person.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

from patron.model.clock import HOUR, MINUTE
from patron.model.people import Person
from patron.rules.evaluate import matching
from patron.rules.tree import Computed
from patron.runtime.segments.definitions import Active
from patron.runtime.segments.live import Answer
from patron.runtime.segments.served import Cut
from patron.runtime.segments.subjects import Subject, reading, stand_of
from patron.runtime.workspace import Workspace
from patron.segments.execution import Execution
from patron.segments.reach import numbers_of

_log = logging.getLogger("patron")
REMEMBERED = 5_000
"""Answers remembered."""


class _State(NamedTuple):
    """Equal as long as the answer is the same: nobody's events are told otherwise without one of these changing."""

    members: tuple[str, ...]
    events: int
    rewritten: int
    """How often the log was: rises when somebody is erased."""
    hour: int
    plan: int
    cut: Cut

    def has_events_of(self, other: "_State") -> bool:
        """Whether both rest on the same events: then an answer differs by time or rules alone."""
        return self[:3] == other[:3]


class AboveCap:
    """Answers from the events of people, over one workspace.

    Parameters
    ----------
    timer : seconds that only go forward; it decides who is looked at again, and nothing that is told.
    """

    def __init__(self, workspace: Workspace, timer: Callable[[], float] = time.monotonic) -> None:
        self._workspace = workspace
        self._segments = workspace.segments
        self._timer = timer
        self._every = max(1, math.ceil(workspace.settings.lake.flush_seconds / 60))
        self._answers: dict[str, tuple[_State, Answer]] = {}
        self._looked: dict[str, tuple[int, _State]] = {}
        """When the look began by which the bits of each person were last set, and their state then."""
        self._looks = 0
        """How many looks have begun: some go on side by side, and one that began later knows more."""
        self._seen = workspace.log.rewritten
        self._round = (-math.inf, -math.inf)
        """When everybody was last looked through: by the timer (s) and by the workspace's clock (ms)."""

    def of(self, person: Person) -> Answer | None:
        """What is right of one person now; None when the lists kept of them tell all."""
        steps = self.asking(person)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: Answer | None = end.value
                return found

    def asking(self, person: Person) -> Generator[None, None, Answer | None]:
        """The same in slices."""
        cut = self._segments.cut(person.id)
        if not cut.short and not cut.traits:
            return None
        state = self._state(person, cut)
        held = self._answers.get(person.id)
        if held is not None and held[0] == state:
            return held[1]
        subject = yield from reading(self._workspace, person)
        answer = self._answer(subject, cut)
        if self._workspace.log.rewritten != state.rewritten:
            return answer  # somebody was erased meanwhile: nothing of before is kept
        if len(self._answers) >= REMEMBERED:
            del self._answers[next(iter(self._answers))]
        self._answers[person.id] = (state, answer)
        return answer

    async def ready(self, person: Person) -> None:
        """Have the answer ready, serving others meanwhile: `of` costs nothing then. For whoever asks of many people."""
        for _ in self.asking(person):
            await asyncio.sleep(0)

    async def look(self) -> None:
        """Set the bits of whoever changed since they were last set, serving others meanwhile."""
        for _ in self.work(everybody=True):
            await asyncio.sleep(0)

    def _state(self, person: Person, cut: Cut) -> _State:
        workspace, live = self._workspace, self._segments.live
        parts = (workspace.nodes.get(key) for key in person.members)
        return _State(
            person.members,
            sum(part.events for part in parts if part is not None),
            workspace.log.rewritten,
            workspace.clock.now() // HOUR,
            0 if live is None else live.plan.fingerprint,
            cut,
        )

    def _answer(self, subject: Subject, cut: Cut) -> Answer:
        live = self._segments.live
        rows = [row for _, row in self._segments.served()]
        active = Active(
            segments={row.segment.id: row.segment for row in rows if row.segment is not None},
            traits={row.trait.id: row.trait for row in rows if row.trait is not None},
        )
        subject.use(active)
        stands: dict[int, int] = {0: 0, 1: 0, 2: 0}
        names = {} if live is None else live.plan.names
        for number in numbers_of(cut.short):
            segment = active.segments.get(names.get(number, ""))
            stands[0 if segment is None else stand_of(subject, segment)] |= 1 << number
        values = {name: _value(subject, trait) for name in cut.traits if (trait := active.traits.get(name))}
        return Answer(stands[1], stands[2], values)

    # --- lists of members ----------------------------------------------------------------------------------------

    def work(self, *, everybody: bool = False) -> Iterator[None]:
        """Set the bits of who is due, in slices: who was never looked at, and once in `minutes` who changed since.

        Parameters
        ----------
        everybody : whoever changed is due.
        """
        live = self._segments.live
        if self._seen != self._workspace.log.rewritten:  # somebody may have been erased
            self._seen = self._workspace.log.rewritten
            self._answers.clear()
            self._looked.clear()
        if live is None:
            return
        if everybody or self._is_due():
            self._round = (self._timer(), self._workspace.clock.now())
            self._looked = {name: state for name, state in self._looked.items() if name in live.over}
            for name in list(live.over):
                yield from self._new(live)
                yield from self._look(live, name)
        yield from self._new(live)

    def _new(self, live: Execution) -> Iterator[None]:
        """Whoever nothing is known of comes before whoever only changed."""
        for name in list(live.unanswered):
            yield from self._look(live, name)

    def _is_due(self) -> bool:
        timed, clocked = self._round
        return (
            self._timer() >= timed + 60 * self._every
            or self._workspace.clock.now() >= clocked + MINUTE * self._every
        )

    def _look(self, live: Execution, name: str) -> Iterator[None]:
        live.unanswered.pop(name, None)
        if live is not self._segments.live:
            return
        person = self._workspace.graph.person_by_id(name)
        cut = self._segments.cut(name)
        if person is None or person.id != name or not cut.short:
            live.over.pop(name, None)
            self._looked.pop(name, None)
            return
        state = self._state(person, cut)
        _, before = self._looked.get(name, (0, None))
        if before == state:
            return
        self._looks += 1
        begun = self._looks
        try:
            answer = yield from self.asking(person)
        except Exception:  # noqa: BLE001 - a lake that cannot be reached must not end what else goes on beside events
            _log.exception("a person's segments could not be found from their events; they are tried again")
            return
        latest, before = self._looked.get(name, (0, None))
        if latest > begun:
            return
        now = self._segments.cut(name) if live is self._segments.live else None
        if answer is None or now != cut or self._workspace.log.rewritten != state.rewritten:
            live.unanswered[name] = None  # they changed meanwhile: they are looked at next
            return
        same_events = before is not None and before.has_events_of(state)
        live.answered(name, answer.bits, answer.barred, "time" if same_events else "event")
        self._looked[name] = begun, state
        yield


def _value(subject: Subject, trait: Computed) -> Any:
    """As the live execution gives it: of the first and last event the time."""
    did = trait.measure
    if trait.per is not None or did.measure not in ("first", "last"):
        return subject.computed(trait.id)
    found = matching(did.event, did.where, did.within, subject.history, subject.now, subject.calendar)
    times = [event.time for event in found]
    return (min(times) if did.measure == "first" else max(times)) if times else None
