"""What the console asks about segments, computed traits, analyses and the lake; part of `port.ConsoleApp`.

Plain methods answer from memory; `async` ones look at people, the log or the lake. Definitions are plain data. They raise
`patron.model.errors` with a sentence for people.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from patron.model.audiences import (
    AnyKind,
    Baskets,
    Checked,
    Cohorts,
    ConditionRow,
    Funnel,
    Held,
    Kind,
    Overlap,
    Paths,
    PersonAudiences,
    Reach,
    ReadyRow,
    Rfm,
    SegmentRow,
    TraitRow,
    Trial,
    User,
    Values,
    Vocabulary,
    Weeks,
)


class RowAsk(Struct, frozen=True):
    """One row of a form whose people are to be counted."""

    place: str
    rule: dict[str, Any]
    step: bool
    """Whether it is a row of the outermost group, whose running total is wanted."""


class Audiences(Protocol):
    """Segments and computed traits."""

    def segments(self) -> list[SegmentRow]: ...
    def traits(self) -> list[TraitRow]: ...
    def conditions(self) -> list[ConditionRow]: ...
    async def ready(self, kind: Kind) -> list[ReadyRow]:
        """The library: what it needs, and whether that was seen. Empty when there is none."""
        ...

    def starting(self, kind: Kind, ready: str) -> dict[str, Any] | None:
        """The definition of a ready one."""
        ...

    def held(self, kind: AnyKind, name: str) -> Held | None: ...
    def vocabulary(self) -> Vocabulary: ...
    def check(self, kind: Kind, definition: dict[str, Any]) -> Checked:
        """Every fault, else the sentence and how it would be run. Never raises for a bad definition."""
        ...

    def users(self, kind: AnyKind, name: str) -> list[User]: ...
    async def reach(
        self, definition: dict[str, Any], rows: Sequence[RowAsk], mode: Literal["all", "any"]
    ) -> Reach | None:
        """How many a segment would hold; None for accounts, or when there is nobody. Raises BadRequest for a bad one."""
        ...

    async def trials(self, definition: dict[str, Any], people: Sequence[str], by: str) -> list[Trial]:
        """The definition tried on these people (any identifier); of none, on people whom `by` looked at lately."""
        ...

    async def weeks(self, definition: dict[str, Any]) -> Weeks | None: ...
    async def overlap(self, first: str, second: str) -> Overlap: ...
    async def values(self, definition: dict[str, Any]) -> Values | None: ...
    def speaks_sql(self) -> bool:
        """Whether there is a lake to ask in SQL."""
        ...

    async def sql(self, kind: Kind, definition: dict[str, Any]) -> str | None:
        """The query over the lake; None when there is no lake here."""
        ...

    async def save(self, kind: Kind, definition: dict[str, Any], by: str) -> Held:
        """Put in force. Raises BadRequest with faults, or Conflict when others would break."""
        ...

    async def remove(self, kind: AnyKind, name: str, by: str) -> None:
        """Take out of force. Raises Conflict when something uses it."""
        ...

    async def of_person(self, person_id: str) -> PersonAudiences: ...


class Insights(Protocol):
    """Analyses over the lake. They may take seconds."""

    async def funnel(self, steps: Sequence[str], days: int, within_days: int) -> Funnel:
        """People who did the first of these events in the last `days`, then each next within `within_days` of the first."""
        ...

    async def cohorts(
        self, event: str, again: str, period: Literal["week", "month"], periods: int
    ) -> Cohorts:
        """People by the period of their first `event`, and the share that did `again` in each later period."""
        ...

    async def paths(self, days: int, length: int, limit: int) -> Paths:
        """The most frequent beginnings of sessions, by channel and event."""
        ...

    async def baskets(self, days: int, limit: int) -> Baskets:
        """Products that are bought together most often."""
        ...

    async def rfm(self, days: int) -> Rfm:
        """Buyers by fifths of recency and of frequency and money together."""
        ...


__all__ = ["Audiences", "Insights", "RowAsk"]
