"""The catalogue over HTTP: what may be shown, where, under which limits; tried, loaded, and every version it ever had."""

from typing import Any

from msgspec import Struct

from patron.decide.changes import Trial
from patron.model.errors import BadRequest
from patron.model.offers import Cap, Offer, Placement, Quiet, Scoring
from patron.serve.port import Backend
from patron.serve.router import Query, Reply, Request, Route

ADMIN, DECIDE = "admin", "decide"
_DRY = Query(
    "dry", about="`true`: only say which faults it has and what it would change.", choices=("true", "false")
)
_DIFF = (Query("from", about="A version."), Query("to", about="Another; the one in force when left out."))


class NewCatalogue(Struct, frozen=True):
    """The whole catalogue, as TOML text."""

    text: str
    based_on: str = ""
    """The version that was edited: refused with 409 when another is in force by now. Empty = whatever is in force."""


class CatalogueAnswer(Struct, frozen=True):
    """The catalogue in force: as written, and what that says."""

    version: str
    since: str | None
    by: str
    offers: list[Offer]
    placements: list[Placement]
    caps: list[Cap]
    quiet: Quiet | None
    scoring: Scoring
    text: str


class CatalogueFault(Struct, frozen=True):
    """One fault, at a path and a line of the text (0 = of no line)."""

    path: str
    problem: str
    line: int


class PartEdit(Struct, frozen=True):
    """A part that stays, and the keys in which it changes."""

    id: str
    keys: list[str]


class PartDifference(Struct, frozen=True):
    """Ids of what comes, changes and goes."""

    added: list[str]
    changed: list[PartEdit]
    removed: list[str]


class CatalogueDifference(Struct, frozen=True):
    """What differs between two catalogues; `other` names `quiet`, `scoring` or `order`."""

    offers: PartDifference
    placements: PartDifference
    caps: PartDifference
    other: list[str]


class CatalogueLoaded(Struct, frozen=True):
    """What a load did, or what it would do: `loaded` says which."""

    ok: bool
    loaded: bool
    version: str
    """Empty when it has faults."""
    faults: list[CatalogueFault]
    changes: CatalogueDifference
    offers: list[Offer]
    placements: list[Placement]


class CatalogueVersion(Struct, frozen=True):
    """One time that a version came into force; times are null where nobody noted them."""

    version: str
    since: str | None
    until: str | None
    by: str
    offers: int
    placements: int


class CatalogueVersions(Struct, frozen=True):
    """Every version, newest first."""

    data: list[CatalogueVersion]


class CatalogueText(Struct, frozen=True):
    """A version as it was written."""

    version: str
    text: str


class CatalogueCompared(Struct, frozen=True):
    """Two versions and what differs."""

    before: CatalogueText
    after: CatalogueText
    changes: CatalogueDifference


class PlacementAnswer(Placement, frozen=True):
    """A placement, and the ids of the offers that it may ever show."""

    offers: list[str] = []


class Placements(Struct, frozen=True):
    """Every declared placement; none means that any name may ask."""

    data: list[PlacementAnswer]


def routes(backend: Backend) -> list[Route]:
    """`/v1/catalogue`, `/v1/placements`, and `/v1/admin/catalogue`, which says the same as the first."""
    doors = _Catalogue(backend)
    return [
        *_whole(doors, "/v1/catalogue"),
        *_whole(doors, "/v1/admin/catalogue"),
        Route(
            "GET", "/v1/catalogue/versions", ADMIN, "Every version, since when and by whom.", doors.versions,
            returns=CatalogueVersions,
        ),
        Route(
            "GET", "/v1/catalogue/versions/{version}", ADMIN, "A version as it was written.", doors.version,
            returns=CatalogueText,
        ),
        Route(
            "GET", "/v1/catalogue/diff", ADMIN, "What changed between two versions.", doors.diff, _DIFF,
            returns=CatalogueCompared, may_miss=True,
        ),
        Route(
            "GET", "/v1/placements", DECIDE, "Where something may be shown, and which offers ever may be there.",
            doors.placements, returns=Placements,
        ),
    ]  # fmt: skip


def _whole(doors: "_Catalogue", path: str) -> list[Route]:
    put = "Check and load a catalogue; every fault is named. With `dry=true` the answer is what it would change."
    return [
        Route(
            "GET", path, ADMIN, "The catalogue in force: its text, what that says, its version.", doors.show,
            returns=CatalogueAnswer,
        ),
        Route("PUT", path, ADMIN, put, doors.load, (_DRY,), NewCatalogue, CatalogueLoaded),
    ]  # fmt: skip


class _Catalogue:
    def __init__(self, backend: Backend) -> None:
        self._offers = backend.offers

    async def show(self, _: Request) -> Reply:
        return Reply(self._offers.shown())

    async def load(self, request: Request) -> Reply:
        asked: NewCatalogue = request.json(NewCatalogue)
        dry = _is_dry(request)
        trial = self._offers.tried(asked.text)
        if not dry:
            await self._offers.save(asked.text, request.who.name, asked.based_on)
        return Reply(_told(trial, loaded=not dry))

    async def versions(self, _: Request) -> Reply:
        return Reply({"data": self._offers.versions()})

    async def version(self, request: Request) -> Reply:
        return Reply(self._offers.version(request.path["version"]))

    async def diff(self, request: Request) -> Reply:
        before, after = request.query.get("from", ""), request.query.get("to", "")
        if not before:
            raise BadRequest("bad_query", "Give ?from= (a version), and ?to= or the one in force is meant.")
        return Reply(self._offers.difference(before, after or self._offers.shown()["version"]))

    async def placements(self, _: Request) -> Reply:
        return Reply({"data": self._offers.placements()})


def _is_dry(request: Request) -> bool:
    said = request.query.get("dry", "false")
    if said not in ("true", "false"):
        raise BadRequest("bad_query", "`dry` is true or false.")
    return said == "true"


def _told(trial: Trial, *, loaded: bool) -> dict[str, Any]:
    return {
        "ok": trial.ok,
        "loaded": loaded,
        "version": trial.version,
        "faults": trial.faults,
        "changes": trial.changes,
        "offers": trial.catalogue.offers,
        "placements": trial.catalogue.placements,
    }
