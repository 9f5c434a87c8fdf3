"""The profile API: everything about one person by any of their identifiers, within what the key may see."""

from typing import Any

from msgspec import Struct

from patron.model.errors import BadRequest
from patron.model.views import EraseReceipt, SplitView
from patron.serve import answers
from patron.serve.openapi import ZIP
from patron.serve.port import Backend
from patron.serve.router import Query, Reply, Request, Route

AFTER = Query(
    "after", "integer", "Log position to wait for, at most 2 s: the `Patron-Position` of your write.", low=0
)
PARTS = {
    "links": answers.Links,
    "traits": answers.Traits,
    "external_ids": answers.ExternalIds,
    "segments": answers.Segments,
    "consents": answers.Consents,
    "metadata": answers.Metadata,
    "decisions": answers.Decisions,
}


class Cut(Struct, frozen=True):
    """Cut one identifier at a moment: its events before and from `at` on belong to two people."""

    node: str
    at: str | int


class SplitRequest(Struct, frozen=True):
    """Identifiers to move out of the person, or one identifier to cut at a time."""

    nodes: list[str] = []
    cut: Cut | None = None


class MergeRequest(Struct, frozen=True):
    """The other person, by any identifier."""

    other: str


def routes(backend: Backend) -> list[Route]:
    """All operations under `/v1/profiles`."""
    handlers = _Profiles(backend)
    base = "/v1/profiles/{person}"
    read = "profiles:read"
    return [
        Route(
            "GET",
            "/v1/profiles",
            "admin",
            "All people, page after page, by id: identifiers, number of events, and what they bought.",
            handlers.everyone,
            _EVERYONE,
            returns=answers.Everyone,
        ),
        Route(
            "GET",
            base,
            read,
            "One profile by any identifier.",
            handlers.part("profile"),
            (AFTER,),
            returns=answers.ProfileAnswer,
        ),
        *(
            Route(
                "GET",
                f"{base}/{part}",
                read,
                f"The {part.replace('_', ' ')} of one person.",
                handlers.part(part),
                (AFTER,),
                returns=shape,
            )
            for part, shape in PARTS.items()
        ),
        Route(
            "GET",
            f"{base}/events",
            read,
            "The timeline, by event time over all channels.",
            handlers.events,
            _EVENTS,
            returns=answers.Events,
        ),
        Route(
            "GET",
            f"{base}/why",
            read,
            "Why two identifiers are one person, or why not.",
            handlers.why,
            _WHY,
            returns=answers.Why,
        ),
        Route(
            "GET",
            f"{base}/export",
            "privacy",
            "Everything held about one person, as one ZIP.",
            handlers.export,
            returns=ZIP,
        ),
        Route(
            "POST",
            f"{base}/split",
            "profiles:write",
            "Undo a wrong merge.",
            handlers.split,
            (),
            SplitRequest,
            SplitView,
        ),
        Route(
            "POST",
            f"{base}/merge",
            "profiles:write",
            "Join two people by hand.",
            handlers.merge,
            (),
            MergeRequest,
            answers.Merged,
        ),
        Route(
            "DELETE",
            base,
            "privacy",
            "Erase one person everywhere; gives a receipt per store.",
            handlers.erase,
            returns=EraseReceipt,
        ),
        Route(
            "DELETE",
            "/v1/splits/{split}",
            "profiles:write",
            "Take a split back.",
            handlers.undo,
            returns=SplitView,
        ),
    ]


_EVERYONE = (
    Query("limit", "integer", "People a page.", low=1, high=1000),
    Query("cursor", "string", "The `cursor` of the page before."),
    AFTER,
)
_EVENTS = (
    Query("limit", "integer", "Events a page.", low=1, high=1000),
    Query("cursor", "string", "The `cursor` of the page before."),
    Query("order", "string", "By event time.", choices=("asc", "desc")),
    Query("channel", "string", "Only this channel."),
    Query("event", "string", "Only events of this name."),
    AFTER,
)
_WHY = (Query("a", "string", "One identifier, `type:value`."), Query("b", "string", "The other."))


class _Profiles:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def part(self, part: str) -> Any:
        async def handle(request: Request) -> Reply:
            await self._wait(request)
            person = request.path["person"]
            if part in ("profile", "segments"):
                await self._backend.prepare(person)
            return self._reply(self._backend.resource(person, part, request.who))

        return handle

    async def everyone(self, request: Request) -> Reply:
        await self._wait(request)
        limit = request.number("limit", 100, 1, 1000)
        return self._reply(await self._backend.everyone(request.query.get("cursor"), limit, request.who))

    async def events(self, request: Request) -> Reply:
        await self._wait(request)
        query = request.query
        order = query.get("order", "desc")
        if order not in {"asc", "desc"}:
            raise BadRequest("bad_query", "`order` must be asc or desc.")
        limit = request.number("limit", 50, 1, 1000)
        name, channel = query.get("event", ""), query.get("channel", "")
        return self._reply(
            self._backend.events(
                request.path["person"], limit, query.get("cursor"), order, channel, name, request.who
            )
        )

    async def why(self, request: Request) -> Reply:
        a, b = request.query.get("a"), request.query.get("b")
        if not a or not b:
            raise BadRequest("bad_query", "Give two identifiers: ?a=type:value&b=type:value.")
        return self._reply(self._backend.why(request.path["person"], a, b, request.who))

    async def export(self, request: Request) -> Reply:
        archive = self._backend.export(request.path["person"], request.who.name, request.who)
        headers = (("content-disposition", 'attachment; filename="person.zip"'),)
        return Reply(raw=archive, content_type="application/zip", headers=headers)

    async def split(self, request: Request) -> Reply:
        asked = request.json(SplitRequest)
        node, at = (asked.cut.node, asked.cut.at) if asked.cut else ("", 0)
        view = await self._backend.split(request.path["person"], asked.nodes, node, at, request.who.name)
        return self._reply(view)

    async def undo(self, request: Request) -> Reply:
        return self._reply(await self._backend.undo_split(request.path["split"], request.who.name))

    async def merge(self, request: Request) -> Reply:
        other = request.json(MergeRequest).other
        return self._reply(
            await self._backend.merge(request.path["person"], other, request.who.name, request.who)
        )

    async def erase(self, request: Request) -> Reply:
        return self._reply(await self._backend.erase(request.path["person"], request.who.name))

    async def _wait(self, request: Request) -> None:
        await self._backend.reached(after(request))

    def _reply(self, value: Any) -> Reply:
        return Reply(value, headers=(("patron-position", str(self._backend.applied)),))


def after(request: Request) -> int | None:
    """The position a read should wait for."""
    return request.number("after", 0, 0, 2**53) if "after" in request.query else None
