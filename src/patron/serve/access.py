"""Administration of who may talk to Patron: sources with write keys, secret keys, and accounts of the console."""

from typing import Any

import msgspec
from msgspec import Struct

from patron.serve import answers
from patron.serve.port import Backend
from patron.serve.router import Reply, Request, Route


class NewSource(Struct, frozen=True):
    """A source to make."""

    name: str
    channel: str
    kind: str = "live"
    assurance: str = "asserted"
    rate: int = 0


class NewKey(Struct, frozen=True):
    """A secret key to make."""

    name: str
    scopes: list[str]
    fields: tuple[str, ...] = ("*",)
    masked: list[str] = []
    sources: list[str] = []


class NewUser(Struct, frozen=True):
    """A console account to make or change."""

    name: str
    password: str
    full_name: str = ""
    role: str = "admin"


def routes(backend: Backend) -> list[Route]:
    """Sources, keys and accounts, under `/v1/admin`."""

    async def sources(_: Request) -> Reply:
        return Reply([_public(s) for s in backend.sources()])

    async def add_source(request: Request) -> Reply:
        new = request.json(NewSource)
        key = await backend.add_source(new.name, new.channel, new.kind, new.assurance, new.rate)
        return Reply({"name": new.name, "writeKey": key}, 201)

    async def rotate(request: Request) -> Reply:
        return Reply({"writeKey": await backend.rotate_source(request.path["source"])})

    async def secret(request: Request) -> Reply:
        name = request.path["source"]
        return Reply({"name": name, "secret": backend.source_secret(name, request.who.name)})

    async def revoke(request: Request) -> Reply:
        await backend.revoke_write_key(request.path["source"], request.path["hint"])
        return Reply({"revoked": True})

    async def keys(_: Request) -> Reply:
        return Reply([_public(k) for k in backend.keys()])

    async def add_key(request: Request) -> Reply:
        new = request.json(NewKey)
        secret = await backend.add_key(new.name, new.scopes, list(new.fields), new.masked, new.sources)
        return Reply({"name": new.name, "key": secret}, 201)

    async def revoke_key(request: Request) -> Reply:
        await backend.revoke_key(request.path["key"])
        return Reply({"revoked": True})

    async def add_user(request: Request) -> Reply:
        new = request.json(NewUser)
        await backend.add_user(new.name, new.full_name, new.role, new.password)
        return Reply({"name": new.name}, 201)

    a = "/v1/admin"
    return [
        Route("GET", f"{a}/sources", "admin", "All sources.", sources, returns=answers.Sources),
        Route(
            "POST",
            f"{a}/sources",
            "admin",
            "Make a source; its write key is shown once.",
            add_source,
            (),
            NewSource,
            answers.MadeSource,
            status=201,
        ),
        Route(
            "POST",
            f"{a}/sources/{{source}}/rotate",
            "admin",
            "A further write key; the old ones live on until revoked.",
            rotate,
            returns=answers.NewWriteKey,
        ),
        Route(
            "GET",
            f"{a}/sources/{{source}}/secret",
            "admin",
            "What your server signs user ids with (`userHash`), for touchpoints that hold a write key of this source.",
            secret,
            returns=answers.SourceSecret,
        ),
        Route(
            "DELETE",
            f"{a}/sources/{{source}}/keys/{{hint}}",
            "admin",
            "Revoke one write key by its hint.",
            revoke,
            returns=answers.Revoked,
        ),
        Route("GET", f"{a}/keys", "admin", "All secret keys.", keys, returns=answers.Keys),
        Route(
            "POST",
            f"{a}/keys",
            "admin",
            "Make a secret key, shown once.",
            add_key,
            (),
            NewKey,
            answers.MadeKey,
            status=201,
        ),
        Route(
            "DELETE",
            f"{a}/keys/{{key}}",
            "admin",
            "Revoke a secret key.",
            revoke_key,
            returns=answers.Revoked,
        ),
        Route(
            "POST",
            f"{a}/users",
            "admin",
            "Make a console account.",
            add_user,
            (),
            NewUser,
            answers.Made,
            status=201,
        ),
    ]


def _public(value: Any) -> Any:
    """Sources and keys without hashes and secrets."""
    plain = msgspec.to_builtins(value)
    plain.pop("hash", None)
    plain.pop("secret", None)
    for key in plain.get("keys", ()):
        key.pop("hash", None)
    return plain
