"""The rows of the identity graph: what is remembered of an identifier, of a pair and of a group.

A pair's evidence is a function of the SET of events that carry both identifiers: for each strength the least
(time, uid), with that event's position, and the best assurance met. It stands in the rows of both ends, so each row
can be judged, bounded and decoded alone; a transaction or visit that hangs on one identifier only is a leaf, and
the row it hangs on holds just its name.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from patron.model.people import Key

OBSERVED, ASSERTED, VERIFIED = 0, 1, 2
ASSURANCE = {"observed": OBSERVED, "asserted": ASSERTED, "verified": VERIFIED}
ASSURANCES = ("observed", "asserted", "verified")
_LEVEL, ALIAS, HAND = 3, 4, 8
"""`marks` of a proof: two bits of assurance; of an edge also: two names of one account, joined by hand."""
NO_EVIDENCE = 9
"""Strength of a pair that was cut and never seen (again)."""
NO_OWNER = "-"
"""`owner` of an identifier of a crowded component that follows nobody."""
MORE = "*"
"""Among kept names or birth dates: there were more, so they conflict."""


class Proof(Struct, frozen=True, array_like=True, gc=False):
    """The least event of one strength that carries both identifiers of a pair."""

    strength: int
    time: int
    uid: str
    position: int
    marks: int

    @property
    def assurance(self) -> str:
        """`observed`, `asserted` or `verified`: the best met at this strength."""
        return ASSURANCES[self.marks & _LEVEL]


class Edge(Struct, frozen=True, array_like=True, gc=False):
    """The evidence of one pair: its strongest proof, weaker ones beside, and whether it was cut by hand."""

    strength: int
    time: int
    uid: str
    position: int
    marks: int
    more: tuple[Proof, ...] | None = None
    cut: tuple[int, str] | None = None
    """(time, uid) of the cut that keeps the pair apart until it is restored."""

    @property
    def assurance(self) -> str:
        """Assurance of the strongest proof."""
        return ASSURANCES[self.marks & _LEVEL]

    @property
    def is_alias(self) -> bool:
        """Whether the two are names of one account."""
        return bool(self.marks & ALIAS)

    @property
    def by_hand(self) -> bool:
        """Whether somebody joined the two by hand."""
        return bool(self.marks & HAND)

    @property
    def best_assurance(self) -> str:
        """The best assurance of any proof of the pair."""
        return ASSURANCES[max(p.marks & _LEVEL for p in proofs(self))]


class Ident(Struct, array_like=True, gc=False):
    """One identifier: when it was first seen, the group that holds it, and its links.

    `links` maps a neighbour to the pair's evidence; None = a leaf, whose own row has the evidence. `group` is the
    id of the person that holds it, "" for a leaf (it goes where its one neighbour goes).
    """

    first: int
    group: str
    links: dict[str, Edge | None]
    shared: str = ""
    """The rule by which it links nobody, "" while it does link."""
    owner: str = ""
    """In a crowded component: the neighbour it follows, or `NO_OWNER`; "" elsewhere."""
    names: tuple[str, ...] = ()
    births: tuple[str, ...] = ()
    ghosts: tuple[int, int, int, int] | None = None
    """By how much it counts more user ids, e-mails, records and devices than it shows, since somebody was erased. Numbers only."""
    refused: int = 0
    """Links over the limit of neighbours that were counted, not kept."""
    worst: tuple[bool, int, int, str] | None = None
    """Of a full row: the place of the last link that is kept. Only a speed-up."""
    aliased: bool = False
    """Whether an alias of this user id was ever seen. Only a speed-up."""


class Group(Struct, array_like=True, gc=False):
    """One person: its root (the earliest identifier) and its members without leaves, sorted.

    Stored under the person's id. A retired id has no members: whoever holds `root` today is meant. `whole` says
    that nothing else is linked to it, so a further link inside it changes nothing.
    """

    root: str
    members: list[str]
    whole: bool = True
    crowded: bool = False
    leaves: int = 0
    """How many leaves hang on the members."""


def proofs(edge: Edge) -> Iterator[Proof]:
    """Every proof of a pair, strongest first."""
    if edge.strength != NO_EVIDENCE:
        yield Proof(edge.strength, edge.time, edge.uid, edge.position, edge.marks & _LEVEL)
    yield from edge.more or ()


def rank(edge: Edge, a: Key, b: Key) -> tuple[int, int, Key, Key]:
    """The order in which links are taken: strongest, then earliest, then by identifier."""
    return (edge.strength, edge.time, a, b) if a < b else (edge.strength, edge.time, b, a)


def knows(edge: Edge, proof: Proof) -> bool:
    """Whether a pair's evidence already says all that `proof` says.

    >>> edge = add(None, Proof(0, 5, "s/1", 1, ASSERTED))
    >>> knows(edge, Proof(0, 6, "s/2", 2, ASSERTED)), knows(edge, Proof(0, 4, "s/3", 3, ASSERTED))
    (True, False)
    """
    mine: Edge | Proof = edge
    if edge.strength != proof.strength:
        mine = next((p for p in edge.more or () if p.strength == proof.strength), edge)
        if mine is edge:
            return False
    return (
        (mine.time, mine.uid) <= (proof.time, proof.uid)
        and mine.marks & _LEVEL >= proof.marks & _LEVEL
        and not proof.marks & ~edge.marks & (ALIAS | HAND)
    )


def add(edge: Edge | None, proof: Proof) -> Edge:
    """The pair's evidence with one more proof: the same whatever the order in which proofs come."""
    if edge is None:
        return Edge(proof.strength, proof.time, proof.uid, proof.position, proof.marks)
    flags = (edge.marks | proof.marks) & (ALIAS | HAND)
    by_strength = {p.strength: p for p in proofs(edge)}
    old, level = by_strength.get(proof.strength), proof.marks & _LEVEL
    if old is None:
        by_strength[proof.strength] = replace(proof, marks=level)
    else:
        least = old if (old.time, old.uid) <= (proof.time, proof.uid) else proof
        by_strength[proof.strength] = replace(least, marks=max(old.marks, level))
    best, *rest = sorted(by_strength.values(), key=_strength)
    return Edge(
        best.strength, best.time, best.uid, best.position, best.marks | flags, tuple(rest) or None, edge.cut
    )


def _strength(proof: Proof) -> int:
    return proof.strength


def with_value(kept: tuple[str, ...], value: str, most: int) -> tuple[str, ...]:
    """Kept names with one more: the `most` least ones, and `MORE` when there were others. A function of the set.

    >>> with_value(("anna",), "al", 2), with_value(("al", "anna"), "bo", 2)
    (('al', 'anna'), ('al', 'anna', '*'))
    """
    values = {v for v in kept if v != MORE} | {value}
    over = MORE in kept or len(values) > most
    return (*sorted(values)[:most], MORE) if over else tuple(sorted(values))
