"""The running segments as doors ask for them (`live.Live`)."""

from typing import Any

from patron.model.people import Person
from patron.runtime.segments.from_lake import FromLake
from patron.runtime.segments.live import Above, Belonging, Change, Standing
from patron.runtime.segments.segments import Segments


class Memberships:
    """`Live` over the execution of one workspace. What is asked of one person is exact, above a cap too.

    Parameters
    ----------
    from_lake : what only the lake answers, minutes behind.
    above : where a list was cut off, what the person's own events say; without it answers come from the lists.
    """

    def __init__(self, segments: Segments, from_lake: FromLake, above: Above | None = None) -> None:
        self._segments = segments
        self._from_lake = from_lake
        self._above = above

    def members(self, segment: str, after: str, limit: int) -> list[str]:
        """Ids of members greater than `after` ("" = from the first), ascending, at most `limit`."""
        return self._of(segment).members(segment, after, limit)

    def is_in(self, person: str, segment: str) -> bool | None:
        """Whether somebody is in a segment now; None while nobody knows: it is being filled, or the lake was not asked yet."""
        if self._segments.is_in(person, segment):
            return True
        return self._from_lake.is_in(person, segment) if self._segments.knows(segment) else None

    def of(self, person: Person) -> list[Belonging]:
        """The segments that a person is in, by segment id."""
        answer = None if self._above is None else self._above.of(person)
        held = self._segments.memberships(person.id, None if answer is None else answer.bits)
        since = {m.segment: m.time for m in self._segments.changes() if m.person == person.id and m.entered}
        found = [Belonging(name, since.get(name)) for name in held]
        return sorted([*found, *self._from_lake.of(person.id)], key=lambda one: one.segment)

    def count(self, segment: str) -> int:
        """How many members."""
        return self._of(segment).count(segment)

    def changes(self, segment: str, since: int, until: int) -> list[Change]:
        """Entries and exits with since < time <= until (ms), oldest first, as far as kept."""
        if self._is_slow(segment):
            return self._from_lake.changes(segment, since, until)
        return [
            Change(one.segment, one.person, one.time, one.entered, one.cause)
            for one in self._segments.changes()
            if one.segment == segment and since < one.time <= until
        ]

    def kept_since(self, segment: str) -> int:
        """The time (ms) from which `changes` is complete."""
        return self._from_lake.kept_since(segment) if self._is_slow(segment) else self._segments.kept_since

    def computed(self, person: Person) -> dict[str, Any]:
        """Computed trait id -> value (number or text); traits without a value are left out."""
        values = self._segments.values(person.id)
        answer = None if self._above is None else self._above.of(person)
        found = {**values, **({} if answer is None else answer.values), **self._from_lake.computed(person.id)}
        return {name: value for name, value in found.items() if value is not None}

    def status(self, segment: str) -> Standing:
        """How a segment stands."""
        if self._is_slow(segment):
            return self._from_lake.status(segment)
        held = self._segments
        state = held.state(segment)
        return Standing(
            state,
            held.count(segment),
            held.barred(segment),
            held.short(segment),
            progress=held.progress(segment) if state == "filling" else 1.0,
        )

    def _is_slow(self, segment: str) -> bool:
        return segment in self._from_lake.wanted()[0]

    def _of(self, segment: str) -> Segments | FromLake:
        return self._from_lake if self._is_slow(segment) else self._segments
