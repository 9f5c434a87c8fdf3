"""The running segments as doors ask for them (`live.Live`)."""

from typing import Any

from patron.model.people import Person
from patron.runtime.segments.live import Above, Belonging, Change, Standing
from patron.runtime.segments.segments import Segments


class Memberships:
    """`Live` over the execution of one workspace. What is asked of one person is exact, above a cap too.

    Parameters
    ----------
    above : where a list was cut off, what the person's own events say; without it answers come from the lists.
    """

    def __init__(self, segments: Segments, above: Above | None = None) -> None:
        self._segments = segments
        self._above = above

    def members(self, segment: str, after: str, limit: int) -> list[str]:
        """Ids of members greater than `after` ("" = from the first), ascending, at most `limit`."""
        return self._segments.members(segment, after, limit)

    def of(self, person: Person) -> list[Belonging]:
        """The segments that a person is in, by segment id."""
        answer = None if self._above is None else self._above.of(person)
        held = self._segments.memberships(person.id, None if answer is None else answer.bits)
        since = {m.segment: m.time for m in self._segments.changes() if m.person == person.id and m.entered}
        return [Belonging(name, since.get(name)) for name in held]

    def count(self, segment: str) -> int:
        """How many members."""
        return self._segments.count(segment)

    def changes(self, segment: str, since: int, until: int) -> list[Change]:
        """Entries and exits with since < time <= until (ms), oldest first, as far as kept."""
        return [
            Change(one.segment, one.person, one.time, one.entered, one.cause)
            for one in self._segments.changes()
            if one.segment == segment and since < one.time <= until
        ]

    def kept_since(self, segment: str) -> int:  # noqa: ARG002 - all segments share what is kept
        """The time (ms) from which `changes` is complete."""
        return self._segments.kept_since

    def computed(self, person: Person) -> dict[str, Any]:
        """Computed trait id -> value (number or text); traits without a value are left out."""
        values = self._segments.values(person.id)
        answer = None if self._above is None else self._above.of(person)
        found = {**values, **({} if answer is None else answer.values)}
        return {name: value for name, value in found.items() if value is not None}

    def status(self, segment: str) -> Standing:
        """How a segment stands."""
        held = self._segments
        state = held.state(segment)
        return Standing(
            state,
            held.count(segment),
            held.barred(segment),
            held.short(segment),
            progress=held.progress(segment) if state == "filling" else 1.0,
        )
