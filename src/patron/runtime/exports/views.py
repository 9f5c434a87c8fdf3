"""The exports of a workspace as the console shows them (`console.export_port.Exports`)."""

from typing import Any

from patron.model.exports import ExportView, Run
from patron.runtime.backend import LocalBackend

EVENTS = ("order_id", "visit_id")
"""Types that name an event and not a person."""
PATIENCE = 2.0
"""Seconds that a page waits for a run that somebody began."""


class LocalExports:
    """Over one running workspace."""

    def __init__(self, backend: LocalBackend) -> None:
        self._exports = backend.exports
        self._types = backend.workspace.settings.identity.types

    def rows(self) -> list[ExportView]:
        """All exports, by id."""
        return [self._exports.view(export) for export in self._exports.all()]

    def row(self, name: str) -> ExportView | None:
        """One export."""
        return next((self._exports.view(one) for one in self._exports.all() if one.id == name), None)

    def runs(self, name: str) -> list[Run]:
        """The runs that ended, newest first."""
        return self._exports.ended(name)

    def identifiers(self) -> tuple[str, ...]:
        """Types of identifiers that can be told, as this workspace declares them."""
        return tuple(one.name for one in self._types if one.name not in EVENTS)

    async def save(self, name: str, definition: dict[str, Any], by: str) -> None:
        """Define one, or define it anew."""
        await self._exports.save(name, definition, by)

    async def pause(self, name: str, by: str, *, paused: bool) -> None:
        """Stop running it by the clock, or go on."""
        await self._exports.pause(name, by, paused=paused)

    async def remove(self, name: str, by: str) -> None:
        """Take it away; the other side keeps what it has."""
        await self._exports.remove(name, by)

    async def start(self, name: str) -> Run | None:
        """Run it now."""
        return await self._exports.start(name, PATIENCE)
