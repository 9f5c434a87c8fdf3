"""What loading a catalogue would change, and whether it can be loaded: for a dry run, a page, a difference of versions."""

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec import Struct

from patron.decide.catalogue import read, version
from patron.decide.reading.lines import line_of
from patron.model.offers import Cap, Catalogue, Offer, Placement

_NO_ONE = Catalogue()


class Edit(Struct, frozen=True):
    """One part that is there before and after, and the keys in which it differs."""

    id: str
    keys: tuple[str, ...]


class PartChanges(Struct, frozen=True):
    """What became of the offers, placements or caps, by id."""

    added: tuple[str, ...] = ()
    changed: tuple[Edit, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class Changes(Struct, frozen=True):
    """All that differs between two catalogues."""

    offers: PartChanges = PartChanges()
    placements: PartChanges = PartChanges()
    caps: PartChanges = PartChanges()
    other: tuple[str, ...] = ()
    """`quiet`, `scoring`, and `order` when the offers alone stand in another order."""

    def __bool__(self) -> bool:
        return bool(self.offers or self.placements or self.caps or self.other)


class PlacedFault(Struct, frozen=True):
    """A fault with the line where it stands, from 1; 0 = nobody knows."""

    path: str
    problem: str
    line: int


class Trial(Struct, frozen=True):
    """What a text would be as the catalogue in force."""

    ok: bool
    version: str
    """Empty when it has faults."""
    faults: tuple[PlacedFault, ...]
    changes: Changes
    """None told when it has faults."""
    catalogue: Catalogue
    """As far as it is good."""


def tried(
    text: str, now: Catalogue = _NO_ONE, opt_in: Iterable[str] = (), segments: Collection[str] | None = None
) -> Trial:
    r"""Try a text against the catalogue in force.

    >>> trial = tried('[[offer]]\nid = "tea"\nname = "Tea"')
    >>> trial.ok, trial.changes.offers.added
    (True, ('tea',))
    >>> tried('[[offer]]\nid = "tea"\nnmae = "Tea"').faults[1].line
    3
    """
    catalogue, faults = read(text, segments)
    placed = tuple(PlacedFault(one.path, one.problem, line_of(text, one.path, one.problem)) for one in faults)
    if placed:
        return Trial(False, "", tuple(sorted(placed, key=lambda one: one.line)), Changes(), catalogue)
    return Trial(True, version(catalogue, opt_in), (), changes(now, catalogue), catalogue)


def changes(before: Catalogue, after: Catalogue) -> Changes:
    """What differs between two catalogues.

    >>> one, two = Offer(id="a", name="A"), Offer(id="a", name="B")
    >>> changes(Catalogue((one,)), Catalogue((two,))).offers.changed
    (Edit(id='a', keys=('name',)),)
    """
    other = [key for key in ("quiet", "scoring") if not _same(getattr(before, key), getattr(after, key))]
    stay = {one.id for one in before.offers} & {one.id for one in after.offers}
    if [o.id for o in before.offers if o.id in stay] != [o.id for o in after.offers if o.id in stay]:
        other.append("order")
    return Changes(
        _parts(before.offers, after.offers),
        _parts(before.placements, after.placements),
        _parts(before.caps, after.caps),
        tuple(other),
    )


Part = Offer | Placement | Cap


def _parts(before: Sequence[Part], after: Sequence[Part]) -> PartChanges:
    old, new = ({one.id: one for one in parts} for parts in (before, after))
    edits = [
        Edit(name, _keys(old[name], new[name]))
        for name in new
        if name in old and not _same(old[name], new[name])
    ]
    return PartChanges(
        tuple(name for name in new if name not in old),
        tuple(edits),
        tuple(name for name in old if name not in new),
    )


def _keys(before: Part, after: Part) -> tuple[str, ...]:
    """The keys of a catalogue's text in which two parts differ."""
    fields = before.__struct_fields__
    return tuple(
        "variant" if key == "variants" else key
        for key in fields
        if not _same(getattr(before, key), getattr(after, key))
    )


def _same(one: object, other: object) -> bool:
    """Whether two values are written the same; `1` and `true` are equal in Python, and not to a touchpoint."""
    return msgspec.json.encode(one, order="sorted") == msgspec.json.encode(other, order="sorted")
