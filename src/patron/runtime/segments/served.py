"""What is kept of segments beside tallies and standings: which definitions are in force, and how far each series is filled."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from patron.model.ports import Table
from patron.rules.classify import classify
from patron.rules.filters import Stores
from patron.rules.places import located_segment, located_trait
from patron.rules.tree import Computed, Segment
from patron.runtime.segments.definitions import Active
from patron.segments.judging import in_order
from patron.segments.series import Series, segment_series, trait_series


class SeriesRow(Struct, frozen=True):
    """A series that is kept: its number in tallies, and how far its past is filled."""

    series: Series
    number: int
    since: int = 0
    """Log position after which events feed it as they come."""
    filled: int = 0
    """Log position up to which the past is in it; full when it reaches `since`."""
    gone: bool = False
    """Nobody reads it any more; the row stays, under another key, until the number is out of all tallies."""
    layout: int = 1
    """How its rows in tallies lie (`series.LAYOUT`); 1: as of rows that were kept before there was another."""

    @property
    def full(self) -> bool:
        """Whether its past is in it."""
        return self.filled >= self.since


class ServedRow(Struct, frozen=True):
    """A definition as it is in force. The number of a segment is never given to another one."""

    number: int = -1
    segment: Segment | None = None
    trait: Computed | None = None


class Cut(Struct, frozen=True):
    """What the lists kept of one person cannot tell, as entries inside a window were cut off."""

    short: int = 0
    """Membership bits of segments."""
    traits: tuple[str, ...] = ()
    """Ids of computed traits."""


NOTHING_CUT = Cut()


class Health(Struct, frozen=True):
    """How the live execution does."""

    segments: int
    """In force."""
    filling: int
    """Waiting for a series to be filled."""
    series: int
    tallies: int
    """Nodes with a tally."""
    people: int
    reviewed: int
    """People judged by the rules in force; the others are when they are next looked at."""
    events: int
    """Since the start."""
    moving: int
    """Those of them that changed a membership."""


def live_of(active: Active, stores: Stores) -> tuple[list[Segment], list[Computed]]:
    """The definitions that run live: about persons, and exact from bounded aggregates. The others are the lake's.

    Where they are about places, the feed of stores is read into them.
    """
    traits = [
        located_trait(trait, stores)
        for trait in active.traits.values()
        if trait.subject == "person" and classify(*(did for did in (trait.measure, trait.per) if did)).live
    ]
    slow_traits = active.traits.keys() - {trait.id for trait in traits}
    segments, slow = [], set[str]()
    for segment in in_order(list(active.segments.values())):
        runs = classify(segment.rule, slow_segments=slow, slow_traits=slow_traits)
        if segment.subject == "person" and runs.live:
            segments.append(located_segment(segment, stores))
        else:
            slow.add(segment.id)
    return segments, traits


def needed(segments: Iterable[Segment], traits: Mapping[str, Computed]) -> set[Series]:
    """The series that these definitions read."""
    found: set[Series] = set()
    for segment in segments:
        found |= segment_series(segment, dict(traits))
    for trait in traits.values():
        found |= trait_series(trait)
    return found


def progress(segment: Segment, traits: Mapping[str, Computed], series: Table[SeriesRow]) -> float:
    """How much of the series that a segment reads is filled, 0 to 1."""
    rows = [series.get(one.id) for one in segment_series(segment, dict(traits))]
    shares = [row.filled / row.since for row in rows if row is not None and row.since]
    return min(shares, default=1.0)


def serve(
    served: Table[ServedRow],
    segments: Mapping[str, Segment],
    traits: Mapping[str, Computed],
    full: AbstractSet[Series],
) -> None:
    """Put into force what is full, take out what is no longer wanted.

    A segment that changed stays in force as it was until its new series are full. Of one that is no more its number stays.
    """
    ready = {
        f"trait/{trait.id}": ServedRow(trait=trait)
        for trait in traits.values()
        if trait_series(trait) <= full
    }
    number = 1 + max((row.number for _, row in served.items()), default=-1)
    for name, segment in sorted(segments.items()):
        if segment_series(segment, dict(traits)) <= full:
            old = served.get(f"segment/{name}")
            ready[f"segment/{name}"] = ServedRow(number if old is None else old.number, segment)
            number += old is None
    _take_out(served, {f"trait/{name}" for name in traits} | {f"segment/{name}" for name in segments})
    for key, row in ready.items():
        if served.get(key) != row:
            served.put(key, row)


def suspend(served: Table[ServedRow], series: AbstractSet[Series]) -> None:
    """Take out of force what reads one of these series: it is served again when they are full again."""
    if not series:
        return
    rows = list(served.items())
    traits = {row.trait.id: row.trait for _, row in rows if row.trait is not None}
    for key, row in rows:
        if row.segment is not None and segment_series(row.segment, traits) & series:
            served.put(key, ServedRow(row.number))
        elif row.trait is not None and trait_series(row.trait) & series:
            served.delete(key)


def _take_out(served: Table[ServedRow], wanted: AbstractSet[str]) -> None:
    for key in [key for key in served.keys() if key not in wanted]:
        row = served.get(key)
        if row is None or row.number < 0:
            served.delete(key)
        elif row.segment is not None:
            served.put(key, ServedRow(row.number))
