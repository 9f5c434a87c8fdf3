"""All people of a workspace in the order of their ids, which stays while they are read.

Ids are keyed hashes, so their first letters spread people evenly. A walk begins with one note of all ids by those letters and
then sorts one part after the other; between short steps events go on being taken.
"""

import asyncio
from collections.abc import AsyncIterator

from patron.identity.evidence import Group
from patron.model.people import Person
from patron.model.ports import Table
from patron.runtime.workspace import Workspace

STEP = 5_000
"""Ids noted between two breaths."""
BREATH = 20
"""People given between two breaths."""
_LETTERS = 4
"""Of an id: `p_` and two that spread people over 1024 parts."""


class Everybody:
    """Reads all people by id, from the beginning or from a place on.

    A person who appears, merges or is split while they are read may be missing or be told twice; everybody else is told
    exactly once, also over a restart.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ids: dict[str, list[str]] = {}
        """Of the walk that goes on, retired ones too: who is gone is passed over when they are read."""

    async def after(self, name: str = "") -> AsyncIterator[Person]:
        """Everybody whose id comes after this one; without one a new walk begins."""
        if not name or not self._ids:
            self._ids = await _noted(self._workspace.groups)
        ids, first, at = self._ids, name[:_LETTERS], 0
        for letters in sorted(part for part in ids if part >= first):
            for one in sorted(ids[letters]):
                person = self._held(one) if one > name else None
                if person is None:
                    continue
                yield person
                at += 1
                if at % BREATH == 0:
                    await asyncio.sleep(0)
        if ids is self._ids:
            self._ids = {}

    async def some(self, wanted: int) -> AsyncIterator[Person]:
        """About so many, evenly spaced in the order of ids: a random sample, and the same one for the same people.

        An id that is retired leads to nobody here: whoever was merged often would be drawn more often.
        """
        ids = await _noted(self._workspace.groups)
        places = iter(_evenly(sum(map(len, ids.values())), wanted))
        place, begin = next(places, None), 0
        for letters in sorted(ids):
            part, end = ids[letters], begin + len(ids[letters])
            if place is not None and place < end:
                part.sort()
            while place is not None and place < end:
                person = self._held(part[place - begin])
                place = next(places, None)
                if person is not None:
                    yield person
            begin = end

    def _held(self, name: str) -> Person | None:
        """Whose id it is now; None of one that is retired."""
        group = self._workspace.groups.get(name)
        person = self._workspace.graph.person_by_id(name) if group and group.members else None
        return person if person is not None and person.id == name else None


async def _noted(groups: Table[Group]) -> dict[str, list[str]]:
    """All ids by their first letters."""
    ids: dict[str, list[str]] = {}
    for at, name in enumerate(list(groups.keys())):
        ids.setdefault(name[:_LETTERS], []).append(name)
        if at % STEP == 0:
            await asyncio.sleep(0)
    return ids


def _evenly(count: int, wanted: int) -> list[int]:
    """So many places of `count`, evenly spaced; all when they are no more.

    >>> _evenly(7, 3), _evenly(2, 3)
    ([0, 2, 4], [0, 1])
    """
    return list(range(count)) if count <= wanted else [at * count // wanted for at in range(wanted)]
