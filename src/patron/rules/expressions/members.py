"""Who is in a segment, and what a computed trait is: one expression for many rules, which reads the events once."""

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Seq
from typing import Any

import ibis
import ibis.expr.types as ir

from patron.rules.basis import purposes
from patron.rules.expressions import measures
from patron.rules.expressions.facts import fact_holds, is_denied, is_granted, said, score, trait
from patron.rules.expressions.gather import Gather
from patron.rules.expressions.operators import never, number_holds, truth
from patron.rules.expressions.sequences import sequence
from patron.rules.expressions.silence import may_hold_without_events
from patron.rules.expressions.tables import SUBJECT, At, Lake, owners
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
)  # fmt: skip

Predicate = Callable[[ir.Table], ir.BooleanValue]
"""Over the table of `Gather`: whether something holds of a subject; never null."""
IN, WITHOUT_BASIS, OUT = 1, 2, 0
"""How a subject stands to a segment: in; the rule holds, but the purpose has no lawful basis; out."""


def members(segment: Segment, lake: Lake, at: At) -> ir.Table:
    """The subjects of a segment: one column, `subject`.

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions.tables import unbound
    >>> buyers = Segment("buyers", "Buyers", Did("Order Completed"))
    >>> members(buyers, unbound(), At(1_774_778_400_000, Calendar("Europe/Rome"))).columns
    ('subject',)
    """
    if segment.subject != "person":
        found = standings([segment], lake, at)
        return found.filter(found[segment.id] == IN).select(SUBJECT)
    gather = Gather(lake, at)
    holds = _every([_rule(segment.rule, gather, (segment.id,)), _basis(segment.purpose, gather)])
    table = gather.table(everyone=may_hold_without_events(segment.rule))
    return table.filter(holds(table)).select(SUBJECT)


def standings(segments: Seq[Segment], lake: Lake, at: At) -> ir.Table:
    """How every subject stands to each of many segments: `subject`, and a column of `IN`, `WITHOUT_BASIS` or `OUT` by id.

    Of an account only those people count who may be looked at for the segment's purpose; of whom nobody may is `WITHOUT_BASIS`.

    Raises
    ------
    ValueError : the segments are not all of one kind of subject, or a rule holds what only `resolve` can fill in.
    """
    kinds = {segment.subject for segment in segments}
    if len(kinds) != 1:
        raise ValueError("ask for segments of one kind of subject at a time: people, or accounts")
    subject = kinds.pop()
    if subject == "person":
        return _stands(segments, Gather(lake, at))
    found = owners(lake, at, subject).select(SUBJECT).distinct()
    for needed, some in _by_purposes(segments, at):
        part = _stands(some, Gather(lake, at, subject, _with_basis(needed, lake, at)))
        found = found.left_join(part, SUBJECT).drop(f"{SUBJECT}_right")
    return found.mutate(**{s.id: ibis.coalesce(found[s.id], WITHOUT_BASIS).cast("int8") for s in segments})


def _by_purposes(segments: Seq[Segment], at: At) -> list[tuple[frozenset[str], list[Segment]]]:
    groups: dict[frozenset[str], list[Segment]] = {}
    for segment in segments:
        groups.setdefault(purposes(segment, at.segments), []).append(segment)
    return sorted(groups.items(), key=lambda group: sorted(group[0]))


def _with_basis(needed: Iterable[str], lake: Lake, at: At) -> ir.Table:
    """`person`: those who may be looked at for all these purposes."""
    gather = Gather(lake, at)
    lawful = _every([_basis(purpose, gather) for purpose in sorted(needed)])
    table = gather.table()
    return table.filter(lawful(table)).select(person=table[SUBJECT])


def _stands(segments: Seq[Segment], gather: Gather) -> ir.Table:
    rules = [(s.id, _rule(s.rule, gather, (s.id,)), _basis(s.purpose, gather)) for s in segments]
    table = gather.table()
    stands = {
        name: ibis.ifelse(holds(table), ibis.ifelse(lawful(table), IN, WITHOUT_BASIS), OUT).cast("int8")
        for name, holds, lawful in rules
    }
    return table.select(SUBJECT, **stands)


def measure(trait: Computed, lake: Lake, at: At) -> ir.Table:
    """A computed trait of every subject that has one: `subject` and `value` (a decimal, days, or a text).

    >>> from patron.rules.calendar import Calendar
    >>> from patron.rules.expressions.tables import unbound
    >>> orders = Computed("orders_90d", "Orders", Did("Order Completed"))
    >>> str(measure(orders, unbound(), At(1_774_778_400_000, Calendar("Europe/Rome"))).value.type())
    'decimal(37, 6)'
    """
    found = measures_of([trait], lake, at)
    return found.filter(found[trait.id].notnull()).select(SUBJECT, value=found[trait.id])


def measures_of(traits: Seq[Computed], lake: Lake, at: At) -> ir.Table:
    """Many computed traits of every subject: `subject` and a column by id, null where there is no value.

    Raises
    ------
    ValueError : the traits are not all of one kind of subject.
    """
    kinds = {one.subject for one in traits}
    if len(kinds) != 1:
        raise ValueError("ask for computed traits of one kind of subject at a time: people, or accounts")
    gather = Gather(lake, at, kinds.pop())
    values = [(one.id, _shown(one, gather)) for one in traits]
    table = gather.table()
    return table.select(SUBJECT, **{name: value(table) for name, value in values})


def _shown(trait: Computed, gather: Gather) -> Callable[[ir.Table], Any]:
    value = measures.computed(trait, gather)
    return (
        (lambda _: ibis.null("string"))
        if value is None
        else value.shown(repr((trait.measure, trait.per)), gather)
    )


def _rule(rule: Rule, gather: Gather, path: tuple[str, ...]) -> Predicate:
    """Have what a rule needs, and get its predicate. `path`: the segments on the way here."""
    match rule:
        case AllOf(of):
            return _every([_rule(one, gather, path) for one in of])
        case AnyOf(of):
            return _some([_rule(one, gather, path) for one in of])
        case Not(inner):
            holds = _rule(inner, gather, path)
            return lambda table: ~holds(table)
        case Fact():
            return _fact(rule, gather)
        case Did(op=op, value=value):
            measured = measures.measured(rule, gather)
            return lambda table: truth(measured.compares(op, value, table, gather.at))
        case Sequence():
            column = sequence(rule, gather)
            return lambda table: truth(table[column])
        case Member(segment):
            return _member(segment, gather, path)
        case Consented(purpose, channel, granted):
            word = said(purpose, channel, gather)
            return lambda table: is_granted(table[word]) if granted else is_denied(table[word])
        case Bucket():
            return _bucket(rule)
        case _:
            raise ValueError(f"the condition `{rule.condition}` is not filled in; call `resolve` first")


def _every(parts: Iterable[Predicate]) -> Predicate:
    def holds(table: ir.Table) -> ir.BooleanValue:
        found: ir.BooleanValue = ibis.literal(True)
        for part in parts:
            found = found & part(table)
        return found

    return holds


def _some(parts: Iterable[Predicate]) -> Predicate:
    def holds(table: ir.Table) -> ir.BooleanValue:
        found: ir.BooleanValue = never()
        for part in parts:
            found = found | part(table)
        return found

    return holds


def _fact(fact: Fact, gather: Gather) -> Predicate:
    root, _, name = fact.field.partition(".")
    if root == "traits":
        value = trait(name, gather)
        return lambda table: fact_holds(fact, value(table), gather.at)
    if root == "computed":
        return _computed(fact, name, gather)
    if gather.lake.scores is None:
        return lambda _: ibis.literal(fact.op == "missing")
    column = score(name, gather)
    return lambda table: number_holds(fact.op, fact.value, table[column])


def _computed(fact: Fact, name: str, gather: Gather) -> Predicate:
    defined = gather.at.computed.get(name)
    value = None if defined is None else measures.computed(defined, gather)
    if value is None:
        return lambda _: ibis.literal(fact.op == "missing")
    return lambda table: truth(value.shown_compares(fact.op, fact.value, table, gather.at))


def _member(name: str, gather: Gather, path: tuple[str, ...]) -> Predicate:
    other = gather.at.segments.get(name)
    if name in path:
        raise ValueError(f"segments go in a circle: {' -> '.join((*path, name))}; take one of them out")
    if other is None:
        return lambda _: never()
    return _every([_rule(other.rule, gather, (*path, name)), _basis(other.purpose, gather)])


def _basis(purpose: str, gather: Gather) -> Predicate:
    if gather.subject != "person":
        return lambda _: ibis.literal(True)  # of accounts only people who have one count
    word = said(purpose, "*", gather)
    if purpose in gather.at.opt_in:
        return lambda table: is_granted(table[word])
    return lambda table: ~is_denied(table[word])


def _bucket(rule: Bucket) -> Predicate:
    """Hexadecimal digits of one length are in the order of their numbers, so no number is made of them."""
    first, end = (-int(-share * 2**32 // 1) for share in (rule.start, rule.end))

    def holds(table: ir.Table) -> ir.BooleanValue:
        digits = (ibis.literal(f"{rule.salt}:") + table[SUBJECT]).hexdigest("md5").lower().substr(0, 8)
        above: Any = (
            ibis.literal(True) if first <= 0 else digits >= f"{first:08x}" if first < 2**32 else never()
        )
        below: Any = ibis.literal(True) if end >= 2**32 else digits < f"{max(end, 0):08x}"
        return above & below

    return holds
