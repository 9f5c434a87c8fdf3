"""What the running segments answer, as the API asks for it. The live execution implements this and is put into
`LocalBackend.live`.

A subject is named by `Person.id` (or the id of an account or household, where the segment is about these).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

from msgspec import Struct

from patron.model.people import Person


class Change(Struct, frozen=True):
    """Somebody came into a segment or left it."""

    segment: str
    subject: str
    time: int
    """ms UTC: of the event or the moment that did it."""
    entered: bool
    cause: str = ""
    """`event`, `time`, `merge`, `definition`, `consent` or `erasure`, as far as it is known."""


class Belonging(Struct, frozen=True):
    """One segment that somebody is in."""

    segment: str
    since: int | None = None
    """ms UTC; None when it is not known (the segment is older than what is kept)."""
    until: int | None = None
    """ms UTC: when time alone takes them out; None when nothing but an event can."""


class Standing(Struct, frozen=True):
    """How the execution of one segment stands."""

    state: Literal["live", "filling", "lake", "off"]
    """`filling`: its aggregates are being made from the past; `lake`: answered from the lake, `minutes` behind."""
    members: int = 0
    without_basis: int = 0
    """People who would be in it, had they a lawful basis for its purpose."""
    capped: int = 0
    """People above a cap, whose answer comes from their own events: within `minutes` (later under a full load), `of` and
    `computed` at once."""
    minutes: int = 0
    progress: float = 1.0


class Answer(Struct, frozen=True):
    """What the events of a person say where the lists kept of them do not reach."""

    bits: int
    """Segments that they are in, as bits, of those that a list cannot tell."""
    barred: int
    """Those that they would be in, had they a lawful basis."""
    values: Mapping[str, Any]
    """Computed trait -> its value, None where it has none; of the first and last event the time (ms)."""


class Above(Protocol):
    """People of whom more happened than lists keep: what is right of them, from their own events (`above_cap`)."""

    def of(self, person: Person) -> Answer | None:
        """What is right of one person now; None when the lists kept of them tell all."""
        ...

    async def ready(self, person: Person) -> None:
        """Have the answer ready, serving others meanwhile: `of` costs nothing then."""
        ...

    async def look(self) -> None:
        """Set the bits of whoever changed since they were last set, serving others meanwhile."""
        ...

    def work(self) -> Iterator[None]:
        """Set the bits of who is due, in slices."""
        ...


class Live(Protocol):
    """Membership and computed traits as of now. All ids are of `Definitions.active()`; unknown ones have nobody."""

    def members(self, segment: str, after: str, limit: int) -> list[str]:
        """Ids of members greater than `after` ("" = from the first), ascending, at most `limit`."""
        ...

    def is_in(self, person: str, segment: str) -> bool | None:
        """Whether somebody is in a segment; None while nobody knows yet."""
        ...

    def of(self, person: Person) -> list[Belonging]:
        """The segments that a person is in, by segment id."""
        ...

    def count(self, segment: str) -> int:
        """How many members."""
        ...

    def changes(self, segment: str, since: int, until: int) -> list[Change]:
        """Entries and exits with since < time <= until (ms), oldest first, as far as kept."""
        ...

    def kept_since(self, segment: str) -> int:
        """The time (ms) from which `changes` is complete."""
        ...

    def computed(self, person: Person) -> dict[str, Any]:
        """Computed trait id -> value (number or text); traits without a value are left out."""
        ...

    def status(self, segment: str) -> Standing:
        """How a segment stands."""
        ...
