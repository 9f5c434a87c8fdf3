"""What rules count: distinct series of events, each kept once per node however many rules, thresholds and windows read it."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from patron.rules.tree import AllOf, AnyOf, Computed, Did, Fact, Not, Rule, Segment, Sequence, Step, Where

Kind = Literal["count", "total", "hours", "sums", "times", "texts", "numbers"]
"""`count`, `total`: for all time (events; events and the sum of a property). `hours`, `sums`: the same by UTC hours.
`numbers`, `texts`: the least and greatest of a property, and each of its texts, by UTC hours. `times`: single events."""
CAPPED: frozenset[str] = frozenset({"times", "texts"})
"""Of these a node keeps a bounded number of entries."""
LAYOUT: dict[str, int] = {"times": 2, "texts": 2, "numbers": 2}
"""Kinds whose rows have lain otherwise before: rows of another number are counted anew from the past."""
VALUED: frozenset[str] = frozenset({"total", "sums", "texts", "numbers"})

_encode = msgspec.json.Encoder(order="deterministic").encode


class Series(Struct, frozen=True):
    """The events of one name that pass some filters, and what is kept of each.

    >>> series_of(Did("Order Completed", measure="sum", property="revenue")).id
    '{"kind":"total","event":"Order Completed","where":[],"reads":"revenue"}'
    """

    kind: Kind
    event: str
    where: tuple[Where, ...] = ()
    reads: str = ""
    """The field whose values are kept."""

    def __hash__(self) -> int:
        return hash(self.id)  # values of filters may be lists

    @property
    def layout(self) -> int:
        """How its rows lie: another number than the one they were written with means another order of their parts."""
        return LAYOUT.get(self.kind, 1)

    @property
    def id(self) -> str:
        """The same for the same series in every process: its canonical JSON."""
        return _encode(self).decode()


def series_of(did: Did) -> Series:
    """The series that a measure is read from.

    >>> series_of(Did("Order Completed")).kind, series_of(Did("Order Completed", measure="last")).kind
    ('count', 'count')
    """
    windowed = did.within is not None
    where, name = _sorted(did.where), did.property or ""
    if did.measure in ("count", "first", "last"):
        return Series("hours" if windowed else "count", did.event, where)
    if did.measure in ("sum", "average"):
        return Series("sums" if windowed else "total", did.event, where, name)
    return Series("numbers" if did.measure in ("min", "max") else "texts", did.event, where, name)


def step_series(step: Step) -> Series:
    """The series of one step of a sequence."""
    return Series("times", step.event, _sorted(step.where))


def moment_series(did: Did) -> Series:
    """Where the exact time of the first or last event inside a window is read, for a computed trait."""
    return Series("times" if did.within is not None else "count", did.event, _sorted(did.where))


def _sorted(where: tuple[Where, ...]) -> tuple[Where, ...]:
    """Filters without order: all of them must hold."""
    by_text = {_encode(one): one for one in where}
    return tuple(by_text[text] for text in sorted(by_text))


def leaves_of(rule: Rule) -> Iterator[Rule]:
    """Every condition of a rule that is no group."""
    if isinstance(rule, AllOf | AnyOf):
        for one in rule.of:
            yield from leaves_of(one)
    elif isinstance(rule, Not):
        yield from leaves_of(rule.rule)
    else:
        yield rule


def trait_series(trait: Computed) -> set[Series]:
    """The series that a computed trait reads."""
    parts = [trait.measure] if trait.per is None else [trait.measure, trait.per]
    found = {series_of(part) for part in parts}
    if trait.per is None and trait.measure.measure in ("first", "last"):
        found.add(moment_series(trait.measure))
    return found


def segment_series(segment: Segment, traits: dict[str, Computed]) -> set[Series]:
    """The series that a segment reads, also through computed traits; those of other segments are their own."""
    found: set[Series] = set()
    for leaf in leaves_of(segment.rule):
        if isinstance(leaf, Did):
            found.add(series_of(leaf))
        elif isinstance(leaf, Sequence):
            found.update(step_series(step) for step in leaf.steps)
        elif isinstance(leaf, Fact) and leaf.field.startswith("computed."):
            trait = traits.get(leaf.field.removeprefix("computed."))
            found |= set() if trait is None else trait_series(trait)
    return found
