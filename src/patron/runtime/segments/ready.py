"""The ready library over one workspace: what of it is in force, and whether the events it lives from are being received."""

import asyncio
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from patron.model.errors import NotFound
from patron.rules.references import Definitions, Item
from patron.rules.tree import Computed, Segment
from patron.rules.walk import needs, rules_of
from patron.runtime.breath import Breath
from patron.runtime.segments.definitions import Active, Kind, in_force
from patron.runtime.segments.told import executions, plain, runs
from patron.runtime.workspace import Workspace
from patron.segments import library


class Shelf:
    """The ready definitions, next to the events of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._looking = asyncio.Lock()

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
        """Names of events that ever came; of those before names were noted, that some profile counts."""
        heard = self._workspace.world.heard
        async with self._looking:
            if not heard.whole:
                heard.looked(await self._counted(heard.missing))
        return heard.names

    async def _counted(self, missing: Collection[str]) -> set[str]:
        """Those that some profile counts: through everybody, until all are found."""
        found: set[str] = set()
        breath = Breath()

        def holds(raw: bytes) -> bool:
            return any(name not in found and name.encode() in raw for name in missing)

        for key in list(self._workspace.nodes.keys()):
            await breath.take()
            part = self._workspace.nodes.peek(key, holds)
            if part is not None:
                found.update(part.counters)
            if found.issuperset(missing):
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
