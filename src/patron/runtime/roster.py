"""All people of a workspace, page after page, in an order that stays while they are read: by id.

Ids are keyed hashes, so their first letters spread people evenly. A walk begins with one note of all ids by those letters;
a page then sorts only the few parts it needs. The note is made and the pages are filled in short steps, between which
events go on being taken.
"""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

from patron.identity.evidence import Group
from patron.model.access import ApiKey
from patron.model.errors import BadRequest
from patron.model.people import Person
from patron.model.ports import Table
from patron.profiles import public
from patron.runtime import parts, people
from patron.runtime.workspace import Workspace

STEP = 5_000
"""Ids noted between two breaths."""
PEOPLE = 20
"""People merged between two breaths."""
_LETTERS = 4
"""Of an id: `p_` and two that spread people over 1024 parts."""
_ID = re.compile(r"p_[a-z2-7]{16}")


class Roster:
    """Reads all people by id.

    A person who appears, merges or is split while they are read may be missing or be told twice; everybody else is told
    exactly once, also over a restart.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ids: dict[str, list[str]] = {}

    async def page(self, cursor: str | None, limit: int, key: ApiKey) -> dict[str, Any]:
        """A page of people after the one that `cursor` names; a page without cursor begins a walk.

        Raises BadRequest when the cursor is none.
        """
        if cursor is not None and not _ID.fullmatch(cursor):
            raise BadRequest("bad_cursor", "Pass `cursor` as the page before gave it, or leave it out.")
        if cursor is None or not self._ids:
            self._ids = await _noted(self._workspace.groups)
        found: list[dict[str, Any]] = []
        last: str | None = None
        for person in self._after(cursor or ""):
            if len(found) == limit:
                return {"data": found, "cursor": last, "total": self._workspace.world.people}
            found.append(_row(self._workspace, person, key))
            last = person.id
            if len(found) % PEOPLE == 0:
                await asyncio.sleep(0)
        self._ids = {}
        return {"data": found, "cursor": None, "total": self._workspace.world.people}

    def _after(self, cursor: str) -> Iterator[Person]:
        ids, first = self._ids, cursor[:_LETTERS]
        for letters in sorted(part for part in ids if part >= first):
            for name in sorted(ids[letters]):
                group = self._workspace.groups.get(name) if name > cursor else None
                person = self._workspace.graph.person_by_id(name) if group and group.members else None
                if person is not None:
                    yield person


async def _noted(groups: Table[Group]) -> dict[str, list[str]]:
    """All ids by their first letters, retired ones too: who is gone is passed over when they are read."""
    ids: dict[str, list[str]] = {}
    for at, name in enumerate(list(groups.keys())):
        ids.setdefault(name[:_LETTERS], []).append(name)
        if at % STEP == 0:
            await asyncio.sleep(0)
    return ids


def _row(workspace: Workspace, person: Person, key: ApiKey) -> dict[str, Any]:
    profile = people.profile(workspace, person)
    value = {
        "id": person.id,
        "identifiers": parts.identifiers(workspace, person),
        "events": profile.events,
        "first_seen": public.iso(profile.first),
        "last_seen": public.iso(profile.last),
        "totals": public.totals(profile),
    }
    return public.mask(value, key.fields, key.masked)
