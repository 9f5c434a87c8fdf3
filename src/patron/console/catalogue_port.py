"""What the console asks about the catalogue; part of `port.ConsoleApp`. Plain methods answer from memory; `save` writes."""

from typing import Any, Protocol

from patron.decide.changes import Trial
from patron.runtime.decisions.catalogues import Held, Kept


class Catalogues(Protocol):
    """The catalogue in force and every version it ever had."""

    def held(self, name: str = "") -> Held | None:
        """The version in force (there always is one), or an earlier one."""
        ...

    def kept(self) -> list[Kept]:
        """Every version, newest first."""
        ...

    def tried(self, text: str) -> Trial:
        """What loading a text would say and change."""
        ...

    async def save(self, text: str, by: str, based_on: str) -> Any:
        """Load a text. Raises BadRequest when it has faults, Conflict when `based_on` is not in force any more."""
        ...


__all__ = ["Catalogues"]
