"""Segments, computed traits and reusable conditions over HTTP: define, try, list, explain; and the ready library."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import Struct

from patron.model.errors import BadRequest, Fault
from patron.rules.tree import Computed, Condition, Segment
from patron.serve import ruled
from patron.serve.port import Backend
from patron.serve.profiles import AFTER, after
from patron.serve.router import Query, Reply, Request, Route

READ, WRITE = "profiles:read", "segments"
_TYPES: dict[str, Any] = {"segment": Segment, "trait": Computed, "condition": Condition}
_MANY = {"segment": "segments", "trait": "traits", "condition": "conditions"}
_WORDS = {"segment": "segment", "trait": "computed trait", "condition": "reusable condition"}
_PAGE = (
    Query("limit", "integer", "Rows a page.", low=1, high=1000),
    Query("cursor", "string", "The `cursor` of the page before."),
    AFTER,
)
_PERSON = (
    Query(
        "person",
        "string",
        "Any identifier, `namespace:value`; `account:ID` and `household:ID` for rules about these.",
    ),
    AFTER,
)
_KIND = Query("kind", "string", "Of what; a segment when left out.", choices=(*_TYPES, "rule"))
_VERSION = (Query("version", "integer", "An earlier version instead of the one in force.", low=1),)
_DIFF = (
    Query("from", "string", "A time (ISO 8601) or a version (`v3`: the last moment it was in force)."),
    Query("to", "string", "The same; now when left out."),
    Query("limit", "integer", "People listed on each side.", low=1, high=1000),
)  # fmt: skip


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """Take a ready definition, under another id when `id` is given."""

    id: str = ""


class Bundle(Struct, frozen=True, forbid_unknown_fields=True):
    """Definitions to save together; `dry` only says what would change."""

    segments: list[Any] = []
    traits: list[Any] = []
    conditions: list[Any] = []
    dry: bool = False


def routes(backend: Backend) -> list[Route]:
    """All operations on definitions."""
    doors = _Rules(backend)
    return [
        *(route for kind in _TYPES for route in _common(doors, kind)),
        *_segments(doors),
        *_traits(doors),
        Route(
            "GET",
            "/v1/rules/schema",
            READ,
            "The JSON Schema of a segment, computed trait, condition or bare rule.",
            doors.schema,
            (_KIND,),
            returns=dict[str, Any],
        ),
        Route(
            "POST",
            "/v1/rules/apply",
            WRITE,
            "Save many definitions: all of them, or none when one has a fault. Nothing is removed.",
            doors.apply,
            (),
            Bundle,
            ruled.Applied,
        ),
        Route(
            "POST",
            "/v1/rules/compare",
            "admin",
            "Compare what is live with what the lake alone says, for all segments and computed traits of people.",
            doors.compare,
            returns=ruled.Agreement,
        ),
        Route(
            "GET",
            "/v1/library",
            READ,
            "Ready segments and computed traits, each with whether its data is there.",
            doors.library,
            returns=ruled.Library,
        ),
        Route(
            "POST",
            "/v1/library/{ready}/use",
            WRITE,
            "Put a ready definition in force.",
            doors.use,
            (),
            Choice,
            ruled.Saved,
        ),
    ]


def _common(doors: "_Rules", kind: str) -> list[Route]:
    base, one = f"/v1/{_MANY[kind]}", f"/v1/{_MANY[kind]}/{{{kind}}}"
    word, body = _WORDS[kind], _TYPES[kind]
    is_segment = kind == "segment"
    rows = ruled.DefinedSegments if is_segment else ruled.DefinedList
    row = ruled.DefinedSegment if is_segment else ruled.Defined
    return [
        Route("GET", base, READ, f"Every {word} in force.", doors.listed(kind), returns=rows),
        Route("GET", one, READ, f"One {word}.", doors.show(kind), _VERSION, returns=row),
        Route(
            "PUT",
            one,
            WRITE,
            f"Save a {word}. The same content again makes no new version.",
            doors.save(kind),
            (),
            body,
            ruled.Saved,
        ),
        Route(
            "DELETE",
            one,
            WRITE,
            f"Take a {word} out of force; its versions stay.",
            doors.remove(kind),
            returns=ruled.Removed,
        ),
        Route(
            "GET", f"{one}/versions", READ, f"Every version of a {word}.", doors.versions(kind),
            returns=ruled.OldVersions,
        ),
        Route(
            "POST",
            f"{base}/check",
            READ,
            f"What saving a {word} would say, without saving: problems, sentence, cost, reach.",
            doors.check(kind),
            (),
            body,
            ruled.Checked,
        ),
    ]  # fmt: skip


def _segments(doors: "_Rules") -> list[Route]:
    one = "/v1/segments/{segment}"
    return [
        Route("GET", f"{one}/members", READ, "The members, by id.", doors.members, _PAGE, returns=ruled.Members),
        Route(
            "GET",
            f"{one}/explain",
            READ,
            "Why somebody is in it, or is not.",
            doors.explain,
            _PERSON,
            returns=ruled.Explained,
        ),
        Route(
            "GET",
            f"{one}/diff",
            READ,
            "Who came in and who left between two times or versions.",
            doors.diff,
            _DIFF,
            returns=ruled.Difference,
        ),
    ]  # fmt: skip


def _traits(doors: "_Rules") -> list[Route]:
    one = "/v1/traits/{trait}"
    return [
        Route("GET", f"{one}/values", READ, "People who have a value.", doors.values, _PAGE, returns=ruled.TraitValues),
        Route(
            "GET",
            f"{one}/explain",
            READ,
            "Somebody's value, with the events it rests on.",
            doors.explain_trait,
            _PERSON,
            returns=ruled.TraitExplained,
        ),
    ]  # fmt: skip


Handle = Callable[[Request], Awaitable[Reply]]


class _Rules:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._rules = backend.rules

    def listed(self, kind: str) -> Handle:
        async def handle(request: Request) -> Reply:
            return Reply(self._rules.listed(kind, request.who))

        return handle

    def show(self, kind: str) -> Handle:
        async def handle(request: Request) -> Reply:
            version = request.number("version", 1, 1, 2**31) if "version" in request.query else None
            return Reply(self._rules.show(kind, request.path[kind], version, request.who))

        return handle

    def save(self, kind: str) -> Handle:
        async def handle(request: Request) -> Reply:
            who = request.who
            return self._reply(
                await self._rules.save(kind, request.path[kind], body_of(request), who.name, who)
            )

        return handle

    def remove(self, kind: str) -> Handle:
        async def handle(request: Request) -> Reply:
            return self._reply(await self._rules.remove(kind, request.path[kind], request.who.name))

        return handle

    def versions(self, kind: str) -> Handle:
        async def handle(request: Request) -> Reply:
            return Reply({"data": self._rules.versions(kind, request.path[kind])})

        return handle

    def check(self, kind: str) -> Handle:
        async def handle(request: Request) -> Reply:
            return Reply(await self._rules.check(kind, body_of(request), request.who))

        return handle

    async def members(self, request: Request) -> Reply:
        await self._wait(request)
        limit, cursor = request.number("limit", 100, 1, 1000), request.query.get("cursor", "")
        return self._reply(await self._rules.members(request.path["segment"], cursor, limit, request.who))

    async def values(self, request: Request) -> Reply:
        await self._wait(request)
        limit, cursor = request.number("limit", 100, 1, 1000), request.query.get("cursor", "")
        return self._reply(await self._rules.values(request.path["trait"], cursor, limit, request.who))

    async def explain(self, request: Request) -> Reply:
        await self._wait(request)
        return self._reply(await self._rules.explain(request.path["segment"], _person(request), request.who))

    async def explain_trait(self, request: Request) -> Reply:
        await self._wait(request)
        return self._reply(
            await self._rules.explain_trait(request.path["trait"], _person(request), request.who)
        )

    async def diff(self, request: Request) -> Reply:
        query = request.query
        if not query.get("from"):
            raise BadRequest(
                "bad_query", "Give ?from= (a time, or a version such as v1), and ?to= or now is meant."
            )
        limit = request.number("limit", 100, 1, 1000)
        value = await self._rules.diff(
            request.path["segment"], query["from"], query.get("to", ""), limit, request.who
        )
        return self._reply(value)

    async def schema(self, request: Request) -> Reply:
        return Reply(self._rules.schema(request.query.get("kind", "segment")))

    async def apply(self, request: Request) -> Reply:
        asked, who = request.json(Bundle), request.who
        bundle = {"segment": asked.segments, "trait": asked.traits, "condition": asked.conditions}
        return self._reply(await self._rules.apply(bundle, who.name, who, dry=asked.dry))

    async def library(self, request: Request) -> Reply:
        return Reply({"data": await self._rules.library(request.who)})

    async def use(self, request: Request) -> Reply:
        chosen, who = request.json(Choice), request.who
        return self._reply(await self._rules.use(request.path["ready"], chosen.id, who.name, who))

    async def compare(self, _: Request) -> Reply:
        return Reply(await self._rules.compare())

    async def _wait(self, request: Request) -> None:
        await self._backend.reached(after(request))

    def _reply(self, value: Any) -> Reply:
        return Reply(value, headers=(("patron-position", str(self._backend.applied)),))


def _person(request: Request) -> str:
    person = request.query.get("person", "")
    if not person:
        raise BadRequest(
            "bad_query", "Say who: ?person=namespace:value, for example email:anna@mail.example."
        )
    return person


def body_of(request: Request) -> Any:
    """The definition of a body as plain data. Raises BadRequest when it is no JSON, or is nested beyond reading."""
    try:
        return msgspec.json.decode(request.body or b"null")
    except RecursionError as error:
        problem = "is nested too deep to be read; take what is repeated into a reusable condition"
        raise BadRequest("bad_rule", f"$.rule: {problem}", (Fault("$.rule", problem),)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"is not JSON: {error}"
        raise BadRequest("bad_rule", f"The body {problem}", (Fault("$", problem),)) from error
