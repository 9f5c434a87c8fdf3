"""What definitions say of each other: names that are not there, circles, and the order in which segments can be worked out."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from graphlib import TopologicalSorter
from itertools import pairwise

from msgspec import Struct

from patron.model.errors import BadRequest, Fault
from patron.rules.faults import Faults, near
from patron.rules.resolve import resolve
from patron.rules.tree import Computed, Condition, Fact, Member, Rule, Segment, Use
from patron.rules.walk import leaves, needs

Item = Segment | Computed | Condition


class Definitions(Struct, frozen=True):
    """All that is defined, by id."""

    segments: Mapping[str, Segment] = {}
    computed: Mapping[str, Computed] = {}
    conditions: Mapping[str, Condition] = {}
    scores: Collection[str] | None = None
    """Names of the models' scores; None when any may be named (a missing score matches only `missing`)."""

    def including(self, item: Item) -> "Definitions":
        """These with one added or replaced.

        >>> list(Definitions().including(Segment("a", "A", Member("b"))).segments)
        ['a']
        """
        segments, computed, conditions = dict(self.segments), dict(self.computed), dict(self.conditions)
        if isinstance(item, Segment):
            segments[item.id] = item
        elif isinstance(item, Computed):
            computed[item.id] = item
        else:
            conditions[item.id] = item
        return Definitions(segments, computed, conditions, self.scores)


def reference_problems(item: Item, definitions: Definitions) -> tuple[Fault, ...]:
    """What a definition refers to that is not there, of another subject, or that leads back to it.

    `definitions` may or may not hold the item already; the one given counts. Open parameters and the inside of
    conditions are the matter of `resolve`.

    >>> b = Segment("b", "B", Member("a"))
    >>> reference_problems(Segment("a", "A", Member("b")), Definitions({"b": b}))[0].problem
    'goes round in a circle: `a` is made of `b`, `b` of `a`'
    """
    if isinstance(item, Computed):
        return ()
    around, faults = definitions.including(item), Faults()
    for path, leaf in leaves(item.rule):
        if isinstance(leaf, Member):
            faults.add(f"{path}.segment", _segment_problem(leaf.segment, item, around))
        elif isinstance(leaf, Fact):
            faults.add(f"{path}.field", _fact_problem(leaf.field, item, around))
        elif isinstance(leaf, Use) and leaf.condition not in around.conditions:
            hint = near(leaf.condition, around.conditions) or "; make it first"
            faults.add(f"{path}.condition", f"there is no condition `{leaf.condition}`{hint}")
    ring = _ring(item, around)
    if ring and not faults.list:
        tail = ", ".join(f"`{a}` of `{b}`" for a, b in pairwise(ring[1:]))
        told = f"`{ring[0]}` is made of `{ring[1]}`{', ' + tail if tail else ''}"
        faults.add("$.rule", f"goes round in a circle: {told}")
    return tuple(faults.list)


def order(definitions: Definitions) -> tuple[str, ...]:
    """The ids of all segments, each after those that it is made of; otherwise by id.

    Raises
    ------
    graphlib.CycleError : they go round in a circle, which `reference_problems` keeps from being saved.

    >>> order(Definitions({"a": Segment("a", "A", Member("b")), "b": Segment("b", "B", Fact("traits.x", "exists"))}))
    ('b', 'a')
    """
    below = {name: _segments_below(one, definitions) for name, one in sorted(definitions.segments.items())}
    return tuple(name for name in TopologicalSorter(below).static_order() if name in below)


def dependants(item: Item, definitions: Definitions) -> tuple[str, ...]:
    """The segments and conditions that name a definition and would be left without it: `segment a`, `condition b`.

    >>> b = Segment("b", "B", Fact("traits.x", "exists"))
    >>> dependants(b, Definitions({"a": Segment("a", "A", Member("b")), "b": b}))
    ('segment a',)
    """
    segments = [("segment", name, one.rule) for name, one in sorted(definitions.segments.items())]
    conditions = [("condition", name, one.rule) for name, one in sorted(definitions.conditions.items())]
    return tuple(f"{what} {name}" for what, name, rule in segments + conditions if _names(rule, item))


def _names(rule: Rule, item: Item) -> bool:
    found = needs(rule)
    if isinstance(item, Segment):
        return item.id in found.segments
    return item.id in (found.computed if isinstance(item, Computed) else found.conditions)


def _segment_problem(name: str, item: Item, around: Definitions) -> str | None:
    other = around.segments.get(name)
    if other is None:
        return f"there is no segment `{name}`{near(name, around.segments) or '; make it first'}"
    if isinstance(item, Segment) and other.subject != item.subject:
        return f"`{name}` is of the subject {other.subject} and this is of {item.subject}"
    return None


def _fact_problem(field: str, item: Item, around: Definitions) -> str | None:
    root, _, name = field.partition(".")
    if root == "computed":
        trait = around.computed.get(name)
        if trait is None:
            return f"there is no computed trait `{name}`{near(name, around.computed) or '; make it first'}"
        if isinstance(item, Segment) and trait.subject != item.subject:
            return f"`{name}` is of the subject {trait.subject} and this is of {item.subject}"
    elif root == "scores" and around.scores is not None and name not in around.scores:
        return f"there is no score `{name}`{near(name, around.scores)}"
    return None


def _ring(item: Item, around: Definitions) -> tuple[str, ...]:
    """The shortest way from a definition back to itself; empty when there is none."""
    if isinstance(item, Computed):
        return ()
    start, came = item.id, dict[str, str]()
    ahead = deque([start])
    while ahead:
        name = ahead.popleft()
        for below in sorted(_below(name, item, around)):
            if below == start:
                return (*_way(name, start, came), start)
            if below not in came:
                came[below] = name
                ahead.append(below)
    return ()


def _way(name: str, start: str, came: Mapping[str, str]) -> tuple[str, ...]:
    way = [name]
    while way[-1] != start:
        way.append(came[way[-1]])
    return tuple(reversed(way))


def _below(name: str, item: Item, around: Definitions) -> Iterable[str]:
    if isinstance(item, Condition):
        return needs(around.conditions[name].rule).conditions if name in around.conditions else ()
    return _segments_below(around.segments[name], around) if name in around.segments else ()


def _segments_below(segment: Segment, around: Definitions) -> frozenset[str]:
    """The segments that a segment is made of, those in its conditions too."""
    try:
        return needs(resolve(segment.rule, around.conditions)).segments
    except BadRequest:  # its own faults are told where it is checked
        return needs(segment.rule).segments
