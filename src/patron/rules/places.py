"""Rules about places with the feed of stores read into them: which stores lie inside each radius, as known now.

The live execution keeps what it counted, so a rule must not change its meaning under it. A `near` that is located says by
itself which stores are inside; when the feed changes, it is another rule, and is counted anew from the past.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec import structs

from patron.rules.filters import INSIDE, PLACE, Stores, centre_of, distance_km
from patron.rules.tree import AllOf, AnyOf, Computed, Did, Not, Rule, Segment, Sequence, Step, Where
from patron.rules.walk import needs

Part = TypeVar("Part", Did, Step)


def located(rule: Rule, stores: Stores) -> Rule:
    """The rule with every `near` read against the stores; one around an unknown store holds for nothing.

    >>> here = Where("place", "near", {"store": "S1", "km": 1})
    >>> stores = {"S1": (44.49, 11.34), "S2": (44.495, 11.34), "S3": (45.46, 9.19)}
    >>> located(Did("Order Completed", where=(here,)), stores).where[0].value["inside"]
    ['S1', 'S2']
    """
    if isinstance(rule, AllOf | AnyOf):
        return structs.replace(rule, of=tuple(located(one, stores) for one in rule.of))
    if isinstance(rule, Not):
        return structs.replace(rule, rule=located(rule.rule, stores))
    if isinstance(rule, Sequence):
        return structs.replace(rule, steps=tuple(_read(step, stores) for step in rule.steps))
    return _read(rule, stores) if isinstance(rule, Did) else rule


def located_segment(segment: Segment, stores: Stores) -> Segment:
    """The segment as the live execution runs it; the same one where its rule is about no place."""
    if not needs(segment.rule).stores:
        return segment
    return structs.replace(segment, rule=located(segment.rule, stores))


def located_trait(trait: Computed, stores: Stores) -> Computed:
    """The computed trait as the live execution runs it; the same one where it is about no place."""
    if not needs(trait.measure, *(() if trait.per is None else (trait.per,))).stores:
        return trait
    per = None if trait.per is None else _read(trait.per, stores)
    return structs.replace(trait, measure=_read(trait.measure, stores), per=per)


def reads_stores(items: Iterable[Segment | Computed]) -> bool:
    """Whether any of these looks at the feed of stores."""
    return any(needs(*_rules(item)).stores for item in items)


def unknown_stores(item: Segment | Computed, stores: Stores) -> tuple[str, ...]:
    """The stores around which a definition looks, and of which the feed does not say where they are; sorted.

    >>> far = Did("Order Completed", where=(Where("place", "near", {"store": "S9", "km": 1}),))
    >>> unknown_stores(Segment("a", "A", far), {"S1": (44.49, 11.34)})
    ('S9',)
    """
    return tuple(sorted(needs(*_rules(item)).near - stores.keys()))


def _rules(item: Segment | Computed) -> tuple[Rule, ...]:
    if isinstance(item, Segment):
        return (item.rule,)
    return (item.measure,) if item.per is None else (item.measure, item.per)


def _read(part: Part, stores: Stores) -> Part:
    if not any(where.field == PLACE for where in part.where):
        return part
    return structs.replace(part, where=tuple(_inside(where, stores) for where in part.where))


def _inside(where: Where, stores: Stores) -> Where:
    if where.field != PLACE:
        return where
    value: dict[str, Any] = dict(where.value)
    centre = centre_of(value, stores)
    if centre is None:
        return structs.replace(where, value={**value, INSIDE: []})
    inside = [store for store, point in sorted(stores.items()) if distance_km(centre, point) <= value["km"]]
    return structs.replace(where, value={**value, "lat": centre[0], "lon": centre[1], INSIDE: inside})
