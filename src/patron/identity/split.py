"""Planning a split: which links to cut so that some identifiers leave a person, and nothing brings them back."""

from collections.abc import Iterable, Iterator
from copy import copy

from patron.identity.aliases import Evidence
from patron.identity.evidence import Ident
from patron.identity.guards import sharing_rule
from patron.identity.plan import Plan
from patron.identity.resolve import component, groups_of
from patron.model.people import Key, Person

Pair = tuple[Key, Key]


def split_edges(evidence: Evidence, person: Person, nodes: Iterable[Key]) -> list[Pair]:
    """The links between `nodes` (with the transactions that hang on them) and the rest of a person.

    Where an identifier of somebody else, kept out by a limit until now, would join the two sides again once they are
    smaller, its links to the leaving side are among them. Identifiers that are not the person's are passed over.
    """
    out = {key for key in nodes if key in person.members}
    for key in list(out):
        out.update(other for other, edge in _links(evidence, key) if edge is None)
    rest = set(person.members) - out
    pairs = {(key, other) for key in out for other, _ in _live(evidence, key) if other in rest}
    while pairs and (more := _bridges(evidence, out, rest, pairs)):
        pairs |= more
    return sorted(pairs)


def _links(evidence: Evidence, key: Key) -> Iterator[tuple[Key, object]]:
    row = evidence.row(key)
    yield from row.links.items() if row else ()


def _live(evidence: Evidence, key: Key) -> Iterator[tuple[Key, object]]:
    row = evidence.row(key)
    for other, edge in row.links.items() if row else ():
        if edge is None or edge.cut is None:
            yield other, edge


def _bridges(evidence: Evidence, out: set[Key], rest: set[Key], pairs: set[Pair]) -> set[Pair]:
    """Further links to cut, because without `pairs` the two sides would still, or again, be one person."""
    without = _Without(evidence, pairs)
    done: set[Key] = set()
    for key in sorted(out):
        row = without.row(key)
        if key in done or row is None or without.is_dead(key, row):
            continue
        found = component(without, key, evidence.plan.rules.crowded)
        if found.crowded:  # too many to settle here: whatever links the leaving side to others goes
            return {(k, o) for k in out for o, _ in _live(without, k) if o not in out}
        done.update(found.rows)
        for group in groups_of(without, found.rows):
            if not out.isdisjoint(group) and not rest.isdisjoint(group):
                return {
                    (k, o) for k in out.intersection(group) for o, _ in _live(without, k) if o in group
                } - {(k, o) for k in out for o in out}
    return set()


class _Without:
    """The evidence as it would be with some pairs cut."""

    def __init__(self, evidence: Evidence, pairs: set[Pair]) -> None:
        self.plan: Plan = evidence.plan
        self._evidence = evidence
        self._gone: dict[Key, set[Key]] = {}
        for a, b in pairs:
            self._gone.setdefault(a, set()).add(b)
            self._gone.setdefault(b, set()).add(a)
        self._rows: dict[Key, Ident | None] = {}

    def row(self, key: Key) -> Ident | None:
        """The row without the links that go."""
        if key not in self._gone:
            return self._evidence.row(key)
        if key not in self._rows:
            row = copy(self._evidence.row(key))
            if row is not None:
                row.links = {o: e for o, e in row.links.items() if o not in self._gone[key]}
            self._rows[key] = row
        return self._rows[key]

    def is_dead(self, key: Key, row: Ident) -> bool:
        """Whether the identifier would link nobody."""
        return sharing_rule(self, key, row) != ""
