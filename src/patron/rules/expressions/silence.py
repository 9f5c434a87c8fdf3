"""Rules that nobody without events can pass: then the events alone say who is asked about."""

from patron.rules.tree import AllOf, AnyOf, Consented, Did, Fact, Rule, Sequence
from patron.rules.values import number_of

_ZERO_WITHOUT = ("count", "distinct", "sum")
"""Measures that are 0 where there is no event; the others then have no value."""


def may_hold_without_events(rule: Rule) -> bool:
    """Whether a rule may hold of a subject without any event that it reads. True also where that is not looked into.

    >>> may_hold_without_events(Did("Order Completed")), may_hold_without_events(Did("Order Completed", "=", 0))
    (False, True)
    """
    match rule:
        case AllOf(of):
            return all(may_hold_without_events(one) for one in of)
        case AnyOf(of):
            return any(may_hold_without_events(one) for one in of)
        case Did():
            return _did(rule)
        case Sequence() | Consented():
            return False
        case Fact(field=field, op=op):
            return op == "missing" or not field.startswith("traits.")
        case _:
            return True


def _did(did: Did) -> bool:
    if did.measure not in _ZERO_WITHOUT:
        return did.op == "missing"
    least = None if isinstance(did.value, str | bool) or did.op not in (">=", ">") else number_of(did.value)
    return least is None or least < 0 or (least == 0 and did.op == ">=")
