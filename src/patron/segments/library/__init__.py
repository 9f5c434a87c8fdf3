"""The ready library: segments and computed traits that most retailers want, each as a rule anybody can read and change.

The two TOML files are part of the code and are read once. What a rule needs is taken from the rule itself, so that the
library can say, before anybody uses it, whether the events it lives from are being sent.
"""

import tomllib
from collections.abc import Collection
from functools import cache
from importlib.resources import files

from msgspec import Struct

from patron.rules.check import parse
from patron.rules.describe import Names, describe
from patron.rules.tree import ANY_EVENT, AllOf, AnyOf, Computed, Not, Rule, Segment
from patron.rules.walk import needs, rules_of


class Ready(Struct, frozen=True):
    """One entry of the library and whether the data for it is there."""

    item: Segment | Computed
    sentence: str
    needs: tuple[str, ...]
    """Event names that it looks at."""
    missing: tuple[str, ...]
    """Those of them that it cannot do without and that nobody sends."""

    @property
    def ready(self) -> bool:
        """Whether it can find somebody with what is sent today."""
        return not self.missing


@cache
def segments() -> tuple[Segment, ...]:
    """The ready segments, in the order in which they are shown.

    >>> segments()[0].name
    'New buyers'
    """
    return tuple(parse(row, Segment) for row in _rows("segments.toml", "segment"))


@cache
def traits() -> tuple[Computed, ...]:
    """The ready computed traits.

    >>> traits()[0].name
    'Days since the last order'
    """
    return tuple(parse(row, Computed) for row in _rows("traits.toml", "trait"))


def ready(present: Collection[str]) -> tuple[Ready, ...]:
    """Every entry with its sentence and what it lacks, segments first.

    Parameters
    ----------
    present : names of the events that have been received.

    >>> [one.item.id for one in ready({"Complaint Opened"}) if one.ready]
    ['app-users', 'complainers', 'channels_90d', 'days_since_seen', 'complaints_365d']
    """
    items: list[Segment | Computed] = [*segments(), *traits()]
    return tuple(_entry(item, frozenset(present)) for item in items)


def _entry(item: Segment | Computed, present: frozenset[str]) -> Ready:
    rules = [rule for _, rule in rules_of(item)]
    lacking = sorted(frozenset[str]().union(*(_lacking(rule, present) for rule in rules)))
    return Ready(item, describe(item, _names()).text, tuple(sorted(needs(*rules).events)), tuple(lacking))


def _lacking(rule: Rule, present: frozenset[str]) -> frozenset[str]:
    """Events that a rule cannot do without: of alternatives one is enough, and what must not be has to be seen."""
    match rule:
        case AllOf(of):
            return frozenset[str]().union(*(_lacking(one, present) for one in of))
        case AnyOf(of):
            ways = [_lacking(one, present) for one in of]
            return frozenset() if not all(ways) else frozenset[str]().union(*ways)
        case Not(inner):
            return _lacking(inner, present)
        case _:
            sent = present | {ANY_EVENT} if present else present
            return needs(rule).events - sent


@cache
def _names() -> Names:
    return Names({one.id: one.name for one in segments()}, {one.id: one.name for one in traits()})


def _rows(file: str, key: str) -> list[dict[str, object]]:
    text = files(__name__).joinpath(file).read_text("utf-8")
    rows: list[dict[str, object]] = tomllib.loads(text)[key]
    return rows
