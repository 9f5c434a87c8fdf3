"""What a scoped key may learn of people through rules: no more than it may read of their profiles.

A rule tells something about every field that it reads. Who may not read one of these fields is told neither whether the rule
holds nor its value, unless an administrator granted the answer by name: `segments.ID` or `computed.ID` among the key's fields.
"""

from collections.abc import Iterator

from patron.identity.households import DECLARED, FAMILY
from patron.model.access import ApiKey
from patron.profiles import public
from patron.rules.filters import ITEMS, PROPERTIES, TEXT_FIELDS, TIME_FIELDS
from patron.rules.references import Item
from patron.rules.tree import (
    AllOf,
    AnyOf,
    Computed,
    Did,
    Fact,
    Member,
    Not,
    Rule,
    Segment,
    Sequence,
    Use,
    Where,
)  # fmt: skip
from patron.runtime.people.scoped import is_whole
from patron.runtime.segments.definitions import Active

_COORDINATES = ("latitude", "longitude")
HOME = ("address", "last_name", "household_id")
"""What a household rests on."""


def may_read(key: ApiKey | None, rule: Rule, active: Active) -> bool:
    """Whether a key may read every field that a rule reads, through other segments and computed traits too.

    >>> narrow = ApiKey("crm", "", "", ("profiles:read",), fields=("city",))
    >>> may_read(narrow, Fact("traits.city", "=", "Bari"), Active()), may_read(narrow, Fact("traits.iban", "exists"), Active())
    (True, False)
    """
    return key is None or is_unbound(key) or _may(key, rule, active, set())


def may_read_segment(key: ApiKey | None, name: str, active: Active) -> bool:
    """Whether a key may be told who is in a segment."""
    return key is None or is_unbound(key) or _may_segment(key, name, active, set())


def may_read_trait(key: ApiKey | None, name: str, active: Active) -> bool:
    """Whether a key may be told the values of a computed trait."""
    return key is None or is_unbound(key) or _may_trait(key, name, active)


def may_define(key: ApiKey | None, item: Item, active: Active) -> bool:
    """Whether a key may save a definition, which is in `active` already: it reads every field that the definition reads.

    What was granted by name does not count: a new rule of an old name must not open more.
    """
    if key is None or is_unbound(key):
        return True
    match item:
        case Segment():
            return _may_meet(key, item) and _may(key, active.segments[item.id].rule, active, {item.id})
        case Computed():
            return _may_meet(key, item) and all(
                _may_did(key, m) for m in (item.measure, item.per) if m is not None
            )
        case _:
            return _may(key, item.rule, active, set())


def is_unbound(key: ApiKey) -> bool:
    """Whether a key sees all fields of all sources."""
    return is_whole(key) and not key.sources


def may_know_homes(key: ApiKey) -> bool:
    """Whether a key may know who lives together: that follows from where people live.

    >>> may_know_homes(ApiKey("crm", "", "", (), ("*",))), may_know_homes(ApiKey("crm", "", "", (), ("*",), masked=("address",)))
    (True, False)
    >>> may_know_homes(ApiKey("crm", "", "", (), ("*",), masked=("lastName",)))
    False
    """
    spellings = (*DECLARED, *FAMILY)
    return all(_named(key, name) for name in HOME) and not any(
        public.listed(name, key.masked) for name in spellings
    )


def fields_of(where: tuple[Where, ...], measured: str | None = None) -> Iterator[str]:
    """The fields of an event that filters and a measure read, as a key's `fields` name them.

    >>> list(fields_of((Where("properties.category", "=", "tea"), Where("channel", "=", "web")), "revenue"))
    ['category', 'revenue']
    """
    for one in where:
        if one.field == "place":
            yield from _COORDINATES
        elif one.field.startswith(PROPERTIES):
            yield one.field.removeprefix(PROPERTIES)
    if measured is not None and measured not in _OPEN:
        yield measured.removeprefix(PROPERTIES)


_OPEN = frozenset({*TEXT_FIELDS, *TIME_FIELDS})
"""Fields of an event that every key sees in a timeline."""


def _named(key: ApiKey, path: str) -> bool:
    """Whether a key reads a field as it is. Of `a.b`, the trait `a` may hold it, or a trait that is called `a.b`."""
    heads = path.replace(ITEMS, "").split(".")
    names = [".".join(heads[: n + 1]) for n in range(len(heads))]
    return all(public.listed(n, key.fields) and not public.listed(n, key.masked) for n in names)


def _reads_events(key: ApiKey, where: tuple[Where, ...], measured: str | None = None) -> bool:
    fields = list(fields_of(where, measured))
    # a key of few sources would else learn what events of the others say
    return not (fields and key.sources) and all(_named(key, name) for name in fields)


def _may(key: ApiKey, rule: Rule, active: Active, seen: set[str]) -> bool:
    match rule:
        case AllOf(of) | AnyOf(of):
            return all(_may(key, one, active, seen) for one in of)
        case Not(inner):
            return _may(key, inner, active, seen)
        case Fact():
            return _may_fact(key, rule.field, active)
        case Did():
            return _may_did(key, rule)
        case Sequence(steps):
            return all(_reads_events(key, step.where) for step in steps)
        case Member(segment):
            return _may_segment(key, segment, active, seen)
        case Use(condition):
            return _may_use(key, condition, active, seen)
        case _:
            return True  # consents are part of every profile; a bucket says nothing of a person


def _may_use(key: ApiKey, name: str, active: Active, seen: set[str]) -> bool:
    if name not in active.conditions or f"use {name}" in seen:
        return True
    seen.add(f"use {name}")
    return _may(key, active.conditions[name].rule, active, seen)


def _may_did(key: ApiKey, did: Did) -> bool:
    return _reads_events(key, did.where, did.property)


def _may_fact(key: ApiKey, field: str, active: Active) -> bool:
    root, _, name = field.partition(".")
    return _may_trait(key, name, active) if root == "computed" else _named(key, name)


def _may_segment(key: ApiKey, name: str, active: Active, seen: set[str]) -> bool:
    if public.listed(f"segments.{name}", key.masked):
        return False
    if _is_granted(key, f"segments.{name}"):
        return True
    segment: Segment | None = active.segments.get(name)
    if segment is None or name in seen:
        return True
    seen.add(
        name
    )  # one that may not be read ends the whole walk, so what was seen once is readable or being read
    return _may_meet(key, segment) and _may(key, segment.rule, active, seen)


def _may_meet(key: ApiKey, item: Segment | Computed) -> bool:
    return item.subject != "household" or may_know_homes(key)


def _may_trait(key: ApiKey, name: str, active: Active) -> bool:
    if public.listed(f"computed.{name}", key.masked):
        return False
    if _is_granted(key, f"computed.{name}"):
        return True
    trait: Computed | None = active.traits.get(name)
    if trait is None:
        return True
    measures = [m for m in (trait.measure, trait.per) if m is not None]
    return _may_meet(key, trait) and all(_may_did(key, measure) for measure in measures)


def _is_granted(key: ApiKey, name: str) -> bool:
    """By a pattern that speaks of segments or computed traits: `*` alone does not, it is about fields of people."""
    return public.listed(name, [p for p in key.fields if p.startswith(name.partition(".")[0])])
