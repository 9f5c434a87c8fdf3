"""What the console asks about policies; part of `port.ConsoleApp`.

`runtime.decisions.policies.Policies` and `runtime.decisions.launching.Launching` implement it.
"""

from typing import Any, Protocol

from patron.model.policies import Judged, LaunchRow, LaunchView, PolicyView


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


class Launching(Protocol):
    """Policies on their way from a draft to everybody."""

    def rows(self) -> list[LaunchRow]:
        """Every policy, by id."""
        ...

    def view(self, name: str) -> LaunchView:
        """One policy, with what may be done with it now. Raises NotFound."""
        ...

    async def put(self, name: str, value: Any, by: str) -> LaunchView:
        """Save a policy. Raises BadRequest with every fault, Conflict when it is on its way."""
        ...

    async def move(self, name: str, to: str, by: str, why: str = "") -> LaunchView:
        """Take a step; `why` overrides what evidence is missing. Raises Conflict with the reason."""
        ...

    async def judge(self, name: str) -> list[Judged]:
        """What it would have earned at each of its placements."""
        ...


__all__ = ["Launching", "Policies"]
