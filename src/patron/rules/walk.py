"""Going through a rule: every part with its JSON path, and what the parts name."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from patron.rules.filters import PLACE, canonical
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Bucket,
    Computed,
    Consented,
    Did,
    Fact,
    Member,
    Not,
    Rule,
    Segment,
    Sequence,
    Step,
    Use,
)

Leaf = Fact | Did | Sequence | Member | Consented | Bucket | Use
"""A rule that holds no other."""


class Needs(Struct, frozen=True):
    """What a rule looks at: what must be sent for it to find somebody."""

    events: frozenset[str] = frozenset()
    """Event names; `*` means whatever is sent."""
    fields: frozenset[tuple[str, str]] = frozenset()
    """(event name, field): `("Order Completed", "properties.revenue")`."""
    traits: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    scores: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    consents: frozenset[tuple[str, str]] = frozenset()
    """(purpose, channel)."""
    stores: bool = False
    """The feed of stores, for places."""
    near: frozenset[str] = frozenset()
    """Stores around which places are looked for."""


def nodes(rule: Rule, path: str = "$.rule") -> Iterator[tuple[str, Rule]]:
    """Every part of a rule with its path, a group before what is in it.

    >>> [path for path, _ in nodes(AllOf((Not(Did("A")), Did("B"))))]
    ['$.rule', '$.rule.of[0]', '$.rule.of[0].rule', '$.rule.of[1]']
    """
    yield path, rule
    match rule:
        case AllOf(of) | AnyOf(of):
            for at, one in enumerate(of):
                yield from nodes(one, f"{path}.of[{at}]")
        case Not(inner):
            yield from nodes(inner, f"{path}.rule")
        case _:
            pass


def leaves(rule: Rule, path: str = "$.rule") -> Iterator[tuple[str, Leaf]]:
    """The parts that hold no other, with their paths, in reading order.

    >>> [leaf.event for _, leaf in leaves(AllOf((Not(Did("A")), Did("B"))))]
    ['A', 'B']
    """
    for at, one in nodes(rule, path):
        if not isinstance(one, AllOf | AnyOf | Not):
            yield at, one


def rules_of(item: Segment | Computed) -> tuple[tuple[str, Rule], ...]:
    """The rules in a definition with their paths: a segment's one, a trait's one or two measures.

    >>> [path for path, _ in rules_of(Computed("r", "Returns", Did("Order Refunded"), per=Did("Order Completed")))]
    ['$.measure', '$.per']
    """
    if isinstance(item, Segment):
        return (("$.rule", item.rule),)
    per = () if item.per is None else (("$.per", item.per),)
    return (("$.measure", item.measure), *per)


def needs(*rules: Rule) -> Needs:
    """What rules look at, each name once.

    >>> needs(Did("Order Completed", ">", 50, "sum", "revenue")).fields
    frozenset({('Order Completed', 'properties.revenue')})
    """
    found = [leaf for rule in rules for _, leaf in leaves(rule)]
    steps = list(_steps(found))
    named = [field for leaf in found if isinstance(leaf, Fact) for field in [leaf.field.partition(".")]]
    return Needs(
        events=frozenset(name for name, _ in steps),
        fields=frozenset((name, field) for name, fields in steps for field in fields),
        traits=frozenset(name for root, _, name in named if root == "traits"),
        computed=frozenset(name for root, _, name in named if root == "computed"),
        scores=frozenset(name for root, _, name in named if root == "scores"),
        segments=frozenset(leaf.segment for leaf in found if isinstance(leaf, Member)),
        conditions=frozenset(leaf.condition for leaf in found if isinstance(leaf, Use)),
        consents=frozenset((leaf.purpose, leaf.channel) for leaf in found if isinstance(leaf, Consented)),
        stores=any(field == PLACE for _, fields in steps for field in fields),
        near=frozenset(store for leaf in found for store in _near(leaf)),
    )


def _near(leaf: Leaf) -> Iterator[str]:
    """The stores that a leaf's radii are drawn around."""
    for part in leaf.steps if isinstance(leaf, Sequence) else (leaf,):
        for where in part.where if isinstance(part, Step | Did) else ():
            if where.field == PLACE and isinstance(where.value, Mapping) and "store" in where.value:
                yield where.value["store"]


def _steps(found: list[Leaf]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(event, the fields that are read of it)"""
    for leaf in found:
        for part in leaf.steps if isinstance(leaf, Sequence) else (leaf,):
            if isinstance(part, Step | Did):
                measured = part.property if isinstance(part, Did) else None
                fields = [w.field for w in part.where] + ([canonical(measured)] if measured else [])
                yield part.event, tuple(fields)
