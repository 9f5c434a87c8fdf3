"""What the console asks about exports; part of `port.ConsoleApp`. Plain methods answer at once; `async` ones write or run.

They raise `patron.model.errors` with a sentence for people.
"""

from typing import Any, Protocol

from patron.model.exports import ExportView, Run


class Exports(Protocol):
    """Segments and facts that are carried elsewhere."""

    def rows(self) -> list[ExportView]:
        """All exports, by id."""
        ...

    def row(self, name: str) -> ExportView | None: ...
    def runs(self, name: str) -> list[Run]:
        """The runs that ended, newest first."""
        ...

    def identifiers(self) -> tuple[str, ...]:
        """Types of identifiers that can be told."""
        ...

    async def save(self, name: str, definition: dict[str, Any], by: str) -> None:
        """Define one, or define it anew. Raises BadRequest with a fault for each field that is wrong."""
        ...

    async def pause(self, name: str, by: str, *, paused: bool) -> None: ...
    async def remove(self, name: str, by: str) -> None: ...
    async def start(self, name: str) -> Run | None:
        """Run now: what it did, or None when it takes longer than a page may. Raises Conflict while it runs."""
        ...


__all__ = ["Exports"]
