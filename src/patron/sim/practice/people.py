"""Questions about people: who was merged wrongly, who stands there twice, who stopped coming.

The platform is read through its public API once, right after the load; the truth says whose each identifier is.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from patron.model.clock import DAY
from patron.sim.generation.folder import rows
from patron.sim.luck import Dice
from patron.sim.server.api import Api, part
from patron.sim.telling import cast
from patron.sim.world.people import ROOM

PERSONAL = ("card", "email", "phone", "user_id", "crm_id")
"""Types of identifiers that are one person's."""
PEOPLE_A_PAGE = 500
PLANTED = frozenset(cast.DOSSIERS)
REGULAR, SILENT, FRESH, OTHERS = 4, 30, 14, 4
"""Orders of a regular; days without one after which somebody counts as silent, and up to which as coming; how many are beside."""


class Profile(Struct):
    """One person as the platform has them."""

    id: str
    identifiers: tuple[str, ...]
    """Personal ones, `type:value`."""
    orders: int
    events: int
    owners: Counter[int]
    """True person -> identifiers that are theirs alone."""

    @property
    def owner(self) -> int | None:
        """Whose most identifiers are; None when nobody's, or two have equally many."""
        ranked = self.owners.most_common(2)
        if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]


class Stray(Struct, frozen=True):
    """An identifier that stands with the wrong person."""

    profile: str
    identifier: str
    owner: int
    """Whose profile it is."""
    stranger: int
    """Whose identifier it is."""


class Twin(Struct, frozen=True):
    """Two profiles of one person, and others who could be taken for them."""

    profile: str
    again: str
    owner: int
    others: tuple[str, ...]


class Gone(Struct, frozen=True):
    """A regular who left, among regulars who did not."""

    profile: str
    owner: int
    others: tuple[str, ...]


def profiles(api: Api, truth: Path) -> list[Profile]:
    """Everybody on the platform of whom something personal is known, in the order of their ids.

    Raises LoadFailed or Refused.
    """
    alone = {
        row["identifier"]: row["people"][0] for row in rows(truth, "identifiers") if len(row["people"]) == 1
    }
    return sorted((_profile(row, alone) for row in _listed(api)), key=lambda one: one.id)


def _listed(api: Api) -> Iterator[Mapping[str, Any]]:
    for page in api.pages("/v1/profiles", PEOPLE_A_PAGE):
        yield from (row for row in page["data"] if any(one["type"] in PERSONAL for one in row["identifiers"]))


def _profile(row: Mapping[str, Any], alone: Mapping[str, int]) -> Profile:
    keys = tuple(f"{one['type']}:{one['value']}" for one in row["identifiers"] if one["type"] in PERSONAL)
    owners = Counter(alone[key] for key in keys if key in alone)
    return Profile(row["id"], keys, row["totals"]["orders"], row["events"], owners)


def strays(people: Sequence[Profile], truth: Path, names: Mapping[int, str]) -> list[Stray]:
    """Profiles that hold exactly one identifier of somebody else of another name, the planted ones last."""
    alone = {
        row["identifier"]: row["people"][0] for row in rows(truth, "identifiers") if len(row["people"]) == 1
    }
    found = []
    for one in people:
        owner = one.owner
        if owner is None or one.owners[owner] < 2 or len(one.owners) != 2:
            continue
        odd = [key for key in one.identifiers if alone.get(key, owner) != owner]
        if len(odd) == 1 and names[alone[odd[0]]] != names[owner]:
            found.append(Stray(one.id, odd[0], owner, alone[odd[0]]))
    return sorted(found, key=lambda s: (s.owner in PLANTED, s.owner // ROOM == s.stranger // ROOM, s.profile))


def twins(api: Api, people: Sequence[Profile], names: Mapping[int, str], limit: int = 40) -> list[Twin]:
    """People whom the platform has twice, under the same full name both times; at most `limit` are looked at.

    The others have the family name, or failing that nothing, in common with them.
    """
    by_owner: dict[int, list[Profile]] = {}
    for one in people:
        if len(one.owners) == 1 and one.events >= 3:
            by_owner.setdefault(next(iter(one.owners)), []).append(one)
    found = list[Twin]()
    for owner, both in sorted(by_owner.items()):
        if len(both) != 2 or owner in PLANTED or len(found) >= limit:
            continue
        if all(named(api, one.id) == names[owner].casefold() for one in both):
            others = _alike(by_owner, owner, names)
            if len(others) == 3:
                found.append(Twin(both[0].id, both[1].id, owner, tuple(others)))
    return found


def _alike(by_owner: Mapping[int, list[Profile]], owner: int, names: Mapping[int, str]) -> list[str]:
    given, _, family = names[owner].partition(" ")
    ranked = sorted(
        (other for other in by_owner if other != owner and names[other] != names[owner]),
        key=lambda other: (family not in names[other], given not in names[other], (other * 7919) % 10_007),
    )
    return [by_owner[other][0].id for other in ranked[:3]]


def named(api: Api, person: str) -> str:
    """First and last name as the platform has them, lower case; "" when it has not both."""
    traits = api.get(f"/v1/profiles/{part(person)}/traits")["traits"]
    told = {one["name"].casefold().replace("_", ""): str(one["value"]) for one in traits}
    both = (told.get("firstname", "").strip(), told.get("lastname", "").strip())
    return " ".join(both).casefold() if all(both) else ""


def gone(api: Api, people: Sequence[Profile], left: Collection[int], end: int, dice: Dice) -> Gone | None:
    """Somebody who bought regularly and left, among four who still come; None when there is no such.

    Parameters
    ----------
    left : true people who will not come back.
    end : the first millisecond after the history.
    dice : which of several.
    """
    once = Counter(one.owner for one in people)
    regular = [
        one for one in people if one.orders >= REGULAR and len(one.owners) == 1 and once[one.owner] == 1
    ]
    # the planted one is the same in every world
    candidates = [one for one in regular if one.owner in left and one.owner not in PLANTED]
    ranked = sorted(candidates, key=lambda one: dice.uniform("left", int(one.owner or 0)))
    away = next((one for one in ranked if silent(api, one.id, end) >= SILENT), None)
    if away is None or away.owner is None:
        return None
    others: list[str] = []
    for one in sorted(regular, key=lambda one: dice.uniform("stayed", int(one.owner or 0))):
        if one.owner not in left and one.owner not in PLANTED and silent(api, one.id, end) <= FRESH:
            others.append(one.id)
        if len(others) == OTHERS:
            return Gone(away.id, away.owner, tuple(others))
    return None


def silent(api: Api, person: str, end: int) -> float:
    """Days since somebody last bought; very many when they never did."""
    page = api.get(f"/v1/profiles/{part(person)}/events", limit=1000, order="desc")
    times = (event["time"] for event in page["data"] if event.get("event") == "Order Completed")
    last = max(times, default=None)
    return (end - last) / DAY if last is not None else 10_000.0


__all__ = ["Gone", "Profile", "Stray", "Twin", "gone", "named", "profiles", "silent", "strays", "twins"]
