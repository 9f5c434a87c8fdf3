"""Pages of all people, as the API gives them."""

import re
from typing import Any

from patron.model.access import ApiKey
from patron.model.errors import BadRequest
from patron.model.people import Person
from patron.profiles import public
from patron.runtime.people import parts, people
from patron.runtime.people.everybody import Everybody
from patron.runtime.workspace import Workspace

_ID = re.compile(r"p_[a-z2-7]{16}")


class Roster:
    """Reads all people by id, a page after the other, as `Everybody` walks."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._everybody = Everybody(workspace)

    async def page(self, cursor: str | None, limit: int, key: ApiKey) -> dict[str, Any]:
        """A page of people after the one that `cursor` names; a page without cursor begins a walk.

        Raises BadRequest when the cursor is none.
        """
        if cursor is not None and not _ID.fullmatch(cursor):
            raise BadRequest("bad_cursor", "Pass `cursor` as the page before gave it, or leave it out.")
        found: list[dict[str, Any]] = []
        last: str | None = None
        async for person in self._everybody.after(cursor or ""):
            if len(found) == limit:
                return {"data": found, "cursor": last, "total": self._workspace.world.people}
            found.append(_row(self._workspace, person, key))
            last = person.id
        return {"data": found, "cursor": None, "total": self._workspace.world.people}


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
