"""What a way of joining records is worth: its agreement with the truth, beside the best that evidence allows."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from patron.sim.identity.joins import CEILING, METHODS, Clusters, evidence
from patron.sim.identity.metrics import Labels, bcubed, merge_exact, pairs, pairs_apart, pure
from patron.sim.identity.records import Record


class Scores(Struct, frozen=True, kw_only=True):
    """The figures of one method over one world. Shares are 0 to 1."""

    method: str
    records: int
    people: int
    clusters: int
    largest: int
    """Records of the largest cluster."""
    person_precision: float
    """Share of the pairs of records put together that belong to one person, over records of different keys: what the
    system joined."""
    precision: float
    """The same over every use: where people share a browser, the uses of each count as put together with those of the
    others, though no system ever had them apart."""
    recall: float
    """Share of the pairs of records of one person that were put together."""
    f1: float
    ceiling_f1: float
    """F1 of the evidence joined within true people: what no rule that joins equal identifiers can pass."""
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    household_precision: float
    """Share of the pairs of records put together that belong to one household."""
    merge_exact: float
    """Share of the groups that the evidence makes which were found exactly."""
    pure: float
    """Share of clusters of two or more records that hold one person only."""

    @property
    def of_ceiling(self) -> float:
        """F1 as a share of the ceiling's: the figure to judge by."""
        return self.f1 / self.ceiling_f1 if self.ceiling_f1 else 1.0


def clusters_from(records: Sequence[Record], people: Mapping[str, str]) -> Clusters:
    """The clusters that a system made, from its person of each record's key.

    Parameters
    ----------
    people : `Record.key` -> the system's id of the person. A record whose key it does not know stands alone.

    >>> records = [Record("card:1", 1, 0), Record("email:a@x.example", 1, 0), Record("email:no@no.example", 2, 0)]
    >>> clusters_from(records, {"card:1": "p1", "email:a@x.example": "p1"})
    [0, 0, 2]
    """
    first: dict[str, int] = {}
    return [
        at if person is None else first.setdefault(person, at)
        for at, person in enumerate(people.get(record.key) for record in records)
    ]


def report(records: Sequence[Record], clusters: Labels, method: str = "Patron") -> Scores:
    """Score clusters, one label a record in the order of the records (`clusters_from`), against the truth.

    >>> records = [Record(f"card:{n}", n // 2, 0, identifiers=frozenset({f"email:{n // 2}"})) for n in range(4)]
    >>> scores = report(records, [0, 0, 0, 1])
    >>> scores.precision, scores.recall, scores.ceiling_f1, scores.household_precision
    (0.3333333333333333, 0.5, 1.0, 1.0)
    """
    return _score(records, clusters, method, evidence(records))


def _score(records: Sequence[Record], clusters: Labels, method: str, best: Clusters) -> Scores:
    people, households = [r.person for r in records], [r.household for r in records]
    counted, weighed, sizes = pairs(clusters, people), bcubed(clusters, people), Counter(clusters)
    return Scores(
        method=method,
        records=len(records),
        people=len(set(people)),
        clusters=len(sizes),
        largest=max(sizes.values(), default=0),
        person_precision=pairs_apart(clusters, people, [r.key for r in records]).precision,
        precision=counted.precision,
        recall=counted.recall,
        f1=counted.f1,
        ceiling_f1=pairs(best, people).f1,
        bcubed_precision=weighed.precision,
        bcubed_recall=weighed.recall,
        bcubed_f1=weighed.f1,
        household_precision=pairs(clusters, households).precision,
        merge_exact=merge_exact(clusters, best),
        pure=pure(clusters, people),
    )


def table(records: Sequence[Record], clusters: Labels | None = None) -> list[Scores]:
    """Table 7.5 over these records; with `clusters`, the row of the system that made them stands before the ceiling."""
    best = evidence(records)
    lines = [
        _score(records, best if name == CEILING else method(records), name, best)
        for name, method in METHODS.items()
    ]
    if clusters is not None:
        lines.insert(-1, _score(records, clusters, "Patron", best))
    return lines
