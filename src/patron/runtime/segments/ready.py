"""The ready library over one workspace: what of it is in force, and whether the events it lives from are being received."""

import asyncio
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

from patron.model.errors import NotFound
from patron.rules.references import Definitions, Item
from patron.rules.tree import ANY_EVENT, Computed, Segment
from patron.rules.walk import needs, rules_of
from patron.runtime.breath import Breath
from patron.runtime.segments.definitions import Active, Kind, in_force
from patron.runtime.segments.told import executions, plain, runs
from patron.runtime.workspace import Workspace
from patron.segments import library

FRESH = 60_000
"""Milliseconds for which the names that were received serve."""
SHARE = 20
"""They are looked for at most a twentieth of the time: through everybody, where one is not there."""


class Shelf:
    """The ready definitions, next to the events of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._present: tuple[int, frozenset[str]] = (-FRESH, frozenset())
        self._looking = asyncio.Lock()
        self._took = 0.0

    async def rows(self) -> list[dict[str, Any]]:
        """Every ready definition, segments first, as the API tells it."""
        active = self._workspace.definitions.active()
        entries = library.ready(await self._received())
        segments, traits = executions(_all_ready())
        return [
            {
                "id": one.item.id,
                "kind": kind_of(one.item),
                "name": one.item.name,
                "sentence": one.sentence,
                "needs": list(one.needs),
                "missing": list(one.missing),
                "ready": one.ready,
                "saved": one.item.id in (active.segments if isinstance(one.item, Segment) else active.traits),
                "runs": runs((segments if isinstance(one.item, Segment) else traits)[one.item.id]),
                "definition": plain(one.item),
            }
            for one in entries
        ]

    def taken(self, name: str, other: str) -> list[tuple[Kind, dict[str, Any]]]:
        """A ready definition, under another id where one is given, behind those that it is made of and that are not in force.

        Raises NotFound.
        """
        item = _item(name)
        active = self._workspace.definitions.active()
        below = [one for one in _below(item) if not _is_in(active, one)]
        return [
            *((kind_of(one), plain(one)) for one in reversed(below)),
            (kind_of(item), {**plain(item), "id": other or name}),
        ]

    async def _received(self) -> frozenset[str]:
        """Names of events that some profile counts; as soon as all that the library needs are found, no more are looked for."""
        async with self._looking:
            now = self._workspace.clock.now()
            if not 0 <= now - self._present[0] < max(FRESH, SHARE * 1_000 * self._took):
                began = time.monotonic()
                self._present = (now, frozenset(await self._look()))
                self._took = time.monotonic() - began
            return self._present[1]

    async def _look(self) -> set[str]:
        wanted = {name for one in library.ready(()) for name in one.needs} - {ANY_EVENT}
        found: set[str] = set()
        breath = Breath()

        def holds(raw: bytes) -> bool:
            return any(name not in found and name.encode() in raw for name in wanted)

        for key in list(self._workspace.nodes.keys()):
            await breath.take()
            part = self._workspace.nodes.peek(key, holds)
            if part is not None:
                found.update(part.counters)
            if wanted <= found:
                break
        return found


def kind_of(item: Item) -> Kind:
    """The kind of a definition."""
    if isinstance(item, Segment):
        return "segment"
    return "trait" if isinstance(item, Computed) else "condition"


def _item(name: str) -> Segment | Computed:
    items: list[Segment | Computed] = [*library.segments(), *library.traits()]
    for item in items:
        if item.id == name:
            return item
    raise NotFound(
        "unknown_ready", f"There is no ready definition {name[:64]}; see all: patron library list."
    )


def _is_in(active: Active, item: Segment | Computed) -> bool:
    return item.id in (active.segments if isinstance(item, Segment) else active.traits)


def _below(item: Segment | Computed) -> Iterator[Segment | Computed]:
    """The ready definitions that one is made of, each before those that it is made of itself."""
    named = needs(*(rule for _, rule in rules_of(item)))
    for name in sorted((*named.segments, *named.computed)):
        other = _item(name)
        yield other
        yield from _below(other)


@cache
def _all_ready() -> Active:
    segments, traits = library.segments(), library.traits()
    return in_force(Definitions({one.id: one for one in segments}, {one.id: one for one in traits}))
