"""Rules as tests of bits: each condition is one bit, a rule a few masks."""

from collections.abc import Callable

from patron.rules.tree import AllOf, AnyOf, Not, Rule

Test = Callable[[int], bool]
Term = tuple[int, int]
"""Bits looked at, and how they must stand."""
MOST = 12
"""Terms of a rule written as alternatives; a larger one is walked."""


def test_of(rule: Rule, bit_of: Callable[[Rule], int]) -> Test:
    """A function of the bits that says whether a rule holds.

    >>> from patron.rules.tree import Did
    >>> a, b = Did("A"), Did("B")
    >>> test = test_of(AllOf((a, Not(b))), lambda leaf: 1 if leaf == a else 2)
    >>> test(1), test(3), test(0)
    (True, False, False)
    """
    terms = _terms(rule, bit_of, wanted=True)
    if terms is None:
        return _walk(rule, bit_of)
    if not terms:
        return lambda _bits: False
    if len(terms) == 1:
        care, want = terms[0]
        return lambda bits: bits & care == want
    ones = _any_of(terms)
    if ones:
        return lambda bits: bits & ones != 0
    fixed = tuple(terms)

    def test(bits: int) -> bool:
        for care, want in fixed:  # noqa: SIM110 - a generator would cost more than the test
            if bits & care == want:
                return True
        return False

    return test


def care_of(rule: Rule, bit_of: Callable[[Rule], int]) -> int:
    """All bits that a rule looks at."""
    if isinstance(rule, AllOf | AnyOf):
        found = 0
        for one in rule.of:
            found |= care_of(one, bit_of)
        return found
    return care_of(rule.rule, bit_of) if isinstance(rule, Not) else bit_of(rule)


def _any_of(terms: list[Term]) -> int:
    """The bits of which one is enough; 0 when the terms are not that simple."""
    if all(care == want and care & (care - 1) == 0 for care, want in terms):
        return sum({care for care, _ in terms})
    return 0


def _terms(rule: Rule, bit_of: Callable[[Rule], int], *, wanted: bool) -> list[Term] | None:
    """The rule (or its contrary) as alternatives of fixed bits; None when there would be too many."""
    if isinstance(rule, Not):
        return _terms(rule.rule, bit_of, wanted=not wanted)
    if not isinstance(rule, AllOf | AnyOf):
        bit = bit_of(rule)
        return [(bit, bit if wanted else 0)]
    together = isinstance(rule, AllOf) == wanted
    found: list[Term] = [(0, 0)] if together else []
    for one in rule.of:
        terms = _terms(one, bit_of, wanted=wanted)
        if terms is None:
            return None
        found = _both(found, terms) if together else list(dict.fromkeys([*found, *terms]))
        if len(found) > MOST:
            return None
    return found


def _both(some: list[Term], others: list[Term]) -> list[Term]:
    found: dict[Term, None] = {}
    for care, want in some:
        for other_care, other_want in others:
            if (want ^ other_want) & care & other_care == 0:
                found[care | other_care, want | other_want] = None
    return list(found)


def _walk(rule: Rule, bit_of: Callable[[Rule], int]) -> Test:
    if isinstance(rule, Not):
        inner = _walk(rule.rule, bit_of)
        return lambda bits: not inner(bits)
    if isinstance(rule, AllOf | AnyOf):
        parts = [_walk(one, bit_of) for one in rule.of]
        if isinstance(rule, AllOf):
            return lambda bits: all(part(bits) for part in parts)
        return lambda bits: any(part(bits) for part in parts)
    bit = bit_of(rule)
    return lambda bits: bits & bit != 0
