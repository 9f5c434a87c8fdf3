"""The catalogue: read from TOML, checked with every fault named by its path, versioned by content.

```toml
[[offer]]
id = "descaling-kit"
name = "Descaling kit with beans"
placements = ["till", "associate_card"]     # leave out = everywhere
valid_until = 2026-12-31                    # a date is meant inclusively
because = "Bought {totals.orders} times, never a descaler"
conditions = [{field = "totals.orders", op = ">=", value = 2}]
content = {title = "Descaling kit with beans", price = "24.90"}

[[placement]]
id = "till"
name = "Till receipt"
needs = ["title"]
```

Every key is in `docs/catalogue.md`; each part has its reader in `decide/reading`.
"""

import hashlib
import tomllib
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import msgspec

from patron.decide.reading.offers import offer_of
from patron.decide.reading.places import cap_of, placement_of, quiet_of
from patron.decide.reading.references import broken
from patron.decide.reading.scoring import scoring_of
from patron.decide.reading.tables import Table
from patron.model.errors import BadRequest, Fault
from patron.model.offers import Cap, Catalogue, Offer, Placement, Scoring

MAX_OFFERS = 1_000
MAX_PLACEMENTS = 200
MAX_CAPS = 100
_FIRST = (
    *("id", "name", "content", "placements", "channels"),
    *("valid_from", "valid_until", "purpose", "conditions", "because"),
)
"""Keys that offers have had from the first: they always count for the version, others where they say something."""

Part = TypeVar("Part", Offer, Placement, Cap)


def parse(text: str, segments: Collection[str] | None = None) -> Catalogue:
    r"""Read a catalogue. `segments` are the ids of those that exist; None = names of segments are taken as they are.

    Raises
    ------
    BadRequest : code `bad_catalogue`, with one fault for everything that is wrong.

    >>> parse('[[offer]]\nid = "tea"\nname = "Tea tasting"').offers[0].name
    'Tea tasting'
    """
    catalogue, faults = read(text, segments)
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        message = f"the catalogue has a fault at {faults[0].path}: {faults[0].problem}{more}"
        raise BadRequest("bad_catalogue", message, faults)
    return catalogue


def read(text: str, segments: Collection[str] | None = None) -> tuple[Catalogue, tuple[Fault, ...]]:
    r"""Read a catalogue: what is good of it, and every fault. An empty text is an empty catalogue.

    >>> read('[[offer]]\nid = "tea"\nnmae = "Tea"')[1][0]
    Fault(path='offer[0].nmae', problem='there is no such key; did you mean `name`?')
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        return Catalogue(), (Fault("", f"this is not TOML: {error or 'nested too deep'}"),)
    faults: list[Fault] = []
    top = Table(document, "", faults)
    top.read({}, nested=("offer", "placement", "cap", "quiet", "scoring"))
    quiet, scoring = top.table("quiet"), top.table("scoring")
    catalogue = Catalogue(
        _parts(top, "offer", MAX_OFFERS, offer_of),
        _parts(top, "placement", MAX_PLACEMENTS, placement_of),
        _parts(top, "cap", MAX_CAPS, cap_of),
        quiet_of(quiet) if quiet else None,
        scoring_of(scoring) if scoring else Scoring(),
    )
    # what was not understood by itself is not held against other parts: one mistake is told once
    return catalogue, tuple(faults) if faults else tuple(broken(catalogue, segments))


def version(catalogue: Catalogue, opt_in: Iterable[str] = ()) -> str:
    """Name of exactly this catalogue under exactly this consent policy: 12 hexadecimal characters of a hash.

    What is at its default does not count, so a catalogue keeps its name when Patron learns new keys.

    >>> one = Catalogue((Offer(id="a", name="A"),))
    >>> version(one) != version(one, ["personalization"])
    True
    """
    parts: list[Any] = [[_offer_told(offer) for offer in catalogue.offers], sorted(opt_in)]
    beside = _told(Catalogue((), catalogue.placements, catalogue.caps, catalogue.quiet, catalogue.scoring))
    encoded = msgspec.json.encode([*parts, beside] if beside else parts, order="sorted")
    return hashlib.blake2b(encoded, digest_size=6).hexdigest()


def _parts(top: Table, key: str, limit: int, read_one: Callable[[Table], Part]) -> tuple[Part, ...]:
    """The tables of a list of tables with ids; an id that stands twice is a fault."""
    first: dict[str, int] = {}
    found = []
    for at, table in enumerate(top.rows(key, limit, f"[[{key}]]")):
        one = read_one(table)
        earlier = first.setdefault(one.id, at)
        if earlier != at and one.id:
            table.fault("id", f"`{one.id}` is also the id of {key}[{earlier}]; ids are unique")
        found.append(one)
    return tuple(found)


def _offer_told(offer: Offer) -> dict[str, Any]:
    return {**_told(offer), **{key: getattr(offer, key) for key in _FIRST}}


def _told(part: msgspec.Struct) -> dict[str, Any]:
    """The fields of a struct that differ from their defaults, and so for the structs within it."""
    found = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if value != default:
            found[field.name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _told(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
