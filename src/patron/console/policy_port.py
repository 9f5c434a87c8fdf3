"""What the console asks about policies; part of `port.ConsoleApp`. `runtime.policies.Policies` implements it."""

from typing import Any, Protocol

from patron.model.policies import Judged, PolicyView


class Policies(Protocol):
    """How placements are decided, and how another policy would have done."""

    def placements(self) -> list[str]:
        """Where anything was decided or may be."""
        ...

    def change(self, **fields: Any) -> Any:
        """What a challenger does otherwise, from `stop`, `at_most`, `hours` and `formula`."""
        ...

    async def view(self, placement: str, days: int = 28) -> PolicyView:
        """How a placement was decided in the last days. Raises NotFound where nothing ever asked."""
        ...

    async def evaluate(self, challenger: str, placement: str, change: Any = None, days: int = 28) -> Judged:
        """Judge a challenger from what was recorded. Raises BadRequest with what to do."""
        ...


__all__ = ["Policies"]
