"""What the console asks about sends; part of `port.ConsoleApp`. `runtime.sends.sends.Sends` implements it."""

from typing import Protocol

from patron.model.sends import Mix, SendEffect, SendReport, SendView


class Sends(Protocol):
    """Decisions for many people at once."""

    def all(self) -> list[SendView]:
        """Every send, the newest first."""
        ...

    def get(self, name: str) -> SendView:
        """One send. Raises NotFound."""
        ...

    async def dry(self, value: object, most: int = ...) -> SendReport:
        """Who would get what, where and when; of more than `most` people a sample. Raises BadRequest with its faults."""
        ...

    async def start(self, value: object, by: str) -> SendView:
        """Begin one. Raises BadRequest with its faults, Conflict when the id is taken."""
        ...

    async def stop(self, name: str, by: str) -> SendView: ...
    async def effect(self, name: str) -> SendEffect:
        """What it changed so far, against those held out from it. Raises NotFound."""
        ...

    async def report(self, name: str) -> SendReport:
        """Who got what, where and when; who did not, and why. Raises NotFound."""
        ...

    async def distinct(self, placement: str, days: int = 28) -> Mix:
        """How different what a placement gave lately is. Raises NotFound where nothing ever asked."""
        ...


__all__ = ["Sends"]
