"""Exports over HTTP: define, run, look at the runs. Only `admin` may: an export carries people's facts out of here."""

from typing import Any

from msgspec import Struct

from patron.serve.port import Backend
from patron.serve.router import Reply, Request, Route
from patron.serve.rules import body_of

ADMIN = "admin"


class RejectedRow(Struct, frozen=True):
    """A row that the other side did not take, and why; it is told again in the next run."""

    key: str
    reason: str


class RunShown(Struct, frozen=True):
    """What one run did; `rejected` are the first hundred of `refused`."""

    number: int
    started: str
    ended: str
    added: int
    changed: int
    removed: int
    refused: int
    without_basis: int
    rejected: list[RejectedRow]
    error: str


class ExportShown(Struct, frozen=True):
    """An export with its last run and when the next is due."""

    id: str
    definition: dict[str, Any]
    running: bool
    last: RunShown | None
    due: str | None
    """None while it is paused."""
    files: str | None
    """Folder on the server's disk, of an export to files."""


class ExportList(Struct, frozen=True):
    """All exports, by id."""

    data: list[ExportShown]


class RunList(Struct, frozen=True):
    """Runs, newest first."""

    data: list[RunShown]


class ExportRemoved(Struct, frozen=True):
    """It is gone, with what it remembered; the other side keeps what it has."""

    id: str
    removed: bool


class ExportBody(Struct, frozen=True):
    """An export: name, target (`kind` file, webhook or postgres), segment, fields, purpose, minutes between runs."""

    name: str
    target: dict[str, Any]
    segment: str = ""
    fields: list[str] = []
    purpose: str = "personalization"
    every: int = 1440
    paused: bool = False


def routes(backend: Backend) -> list[Route]:
    """All operations on exports."""
    doors, one = _Exports(backend), "/v1/exports/{export}"
    return [
        Route("GET", "/v1/exports", ADMIN, "Every export with its last run.", doors.listed, returns=ExportList),
        Route("GET", one, ADMIN, "One export.", doors.show, returns=ExportShown),
        Route("PUT", one, ADMIN, "Define an export, or define it anew.", doors.save, (), ExportBody, ExportShown),
        Route("DELETE", one, ADMIN, "Take an export away.", doors.remove, returns=ExportRemoved),
        Route("GET", f"{one}/runs", ADMIN, "Its runs, newest first.", doors.runs, returns=RunList),
        Route("POST", f"{one}/run", ADMIN, "Run it now; answers when it has ended.", doors.run, returns=RunShown),
    ]  # fmt: skip


class _Exports:
    def __init__(self, backend: Backend) -> None:
        self._exports = backend.exports

    async def listed(self, request: Request) -> Reply:
        self._exports.allow(request.who)
        return Reply({"data": [self._exports.shown(export) for export in self._exports.all()]})

    async def show(self, request: Request) -> Reply:
        self._exports.allow(request.who)
        return Reply(self._exports.shown(self._exports.get(request.path["export"])))

    async def save(self, request: Request) -> Reply:
        self._exports.allow(request.who)
        return Reply(await self._exports.save(request.path["export"], body_of(request), request.who.name))

    async def remove(self, request: Request) -> Reply:
        self._exports.allow(request.who)
        return Reply(await self._exports.remove(request.path["export"], request.who.name))

    async def runs(self, request: Request) -> Reply:
        self._exports.allow(request.who)
        return Reply({"data": self._exports.runs(request.path["export"])})

    async def run(self, request: Request) -> Reply:
        self._exports.allow(request.who)
        return Reply(await self._exports.run(request.path["export"]))
