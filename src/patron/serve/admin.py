"""Administration over HTTP: what the CLI and other tools call. Every operation needs the scope `admin` or a narrower one."""

from typing import Any

from msgspec import Struct

from patron.model.views import ProgrammeEffect
from patron.serve import access, answers
from patron.serve.port import Backend
from patron.serve.router import Query, Reply, Request, Route


class ReplayRequest(Struct, frozen=True):
    """An edited message (JSON text), or nothing to replay it as it is."""

    message: str | None = None


class ChannelMap(Struct, frozen=True):
    """What an unknown channel name means."""

    unknown: str
    channel: str


class ClockStep(Struct, frozen=True):
    """The new time, ms since 1970 UTC."""

    now: int


class BackupRequest(Struct, frozen=True):
    """What the backup is called: it is made below the server's folder of backups, and must not exist yet.

    Only the command line on the server's machine gives an absolute path instead.
    """

    path: str


class DryRun(Struct, frozen=True):
    """The `[identity]` section as it would be."""

    identity: dict[str, Any] = {}


def routes(backend: Backend) -> list[Route]:
    """All operations under `/v1/admin`."""
    return [*access.routes(backend), *_letters(backend), *_effect(backend), *_upkeep(backend)]


def _effect(backend: Backend) -> list[Route]:
    async def effect(_: Request) -> Reply:
        return Reply(await backend.effect())

    return [
        Route(
            "GET",
            "/v1/effect",
            "admin",
            "What deciding changed, against the people held out.",
            effect,
            returns=ProgrammeEffect,
        ),
    ]


def _letters(backend: Backend) -> list[Route]:
    async def letters(request: Request) -> Reply:
        query = request.query
        limit = request.number("limit", 50, 1, 1000)
        data, cursor, counts = backend.dead_letters(
            query.get("code", ""), query.get("source", ""), query.get("cursor"), limit
        )
        return Reply({"data": data, "cursor": cursor, "counts": counts})

    async def letter(request: Request) -> Reply:
        row, text = backend.dead_letter(request.path["letter"], request.who)
        return Reply({"letter": row, "message": text})

    async def replay(request: Request) -> Reply:
        done, sentence = await backend.replay_dead_letter(
            request.path["letter"], request.json(ReplayRequest).message
        )
        return Reply({"accepted": done, "message": sentence})

    async def remap(request: Request) -> Reply:
        asked = request.json(ChannelMap)
        replayed, failing = await backend.map_channel(asked.unknown, asked.channel)
        return Reply({"replayed": replayed, "failing": failing})

    a = "/v1/admin"
    query = (
        Query("code", about="Only this reason."),
        Query("source", about="Only this source."),
        Query("limit", "integer", "Letters a page.", low=1, high=1000),
        Query("cursor", about="The `cursor` of the page before."),
    )
    return [
        Route(
            "GET",
            f"{a}/deadletters",
            "deadletters",
            "Messages that were not accepted.",
            letters,
            query,
            returns=answers.Letters,
        ),
        Route(
            "GET",
            f"{a}/deadletters/{{letter}}",
            "deadletters",
            "One of them with its message.",
            letter,
            returns=answers.Letter,
        ),
        Route(
            "POST",
            f"{a}/deadletters/{{letter}}/replay",
            "deadletters",
            "Send it again, edited or as it is.",
            replay,
            (),
            ReplayRequest,
            answers.Replayed,
        ),
        Route(
            "POST",
            f"{a}/channels",
            "deadletters",
            "Say what an unknown channel is, and replay its messages.",
            remap,
            (),
            ChannelMap,
            answers.Mapped,
        ),
    ]


def _upkeep(backend: Backend) -> list[Route]:
    async def clock(request: Request) -> Reply:
        return Reply({"position": await backend.step_clock(request.json(ClockStep).now)})

    async def checkpoint(_: Request) -> Reply:
        await backend.checkpoint()
        return Reply({"applied": backend.applied})

    async def backup(request: Request) -> Reply:
        return Reply(await backend.backup(request.json(BackupRequest).path, request.who))

    async def config(_: Request) -> Reply:
        return Reply([{"key": k, "value": v, "origin": o} for k, v, o in backend.config()])

    async def people(request: Request) -> Reply:
        limit = request.number("limit", 20, 1, 200)
        return Reply(await backend.search(request.query.get("q", ""), limit, request.who))

    async def dry_run(request: Request) -> Reply:
        return Reply(backend.dry_run(request.json(DryRun).identity, request.who))

    async def verify(_: Request) -> Reply:
        return Reply(await backend.verify_replay())

    async def retain(_: Request) -> Reply:
        return Reply(await backend.retain())

    a = "/v1/admin"
    search = (
        Query("q", about="Any part of an identifier or name."),
        Query("limit", "integer", "", low=1, high=200),
    )
    return [
        Route(
            "POST",
            f"{a}/clock",
            "admin",
            "Step the clock (only with --clock stepped).",
            clock,
            (),
            ClockStep,
            answers.Stepped,
        ),
        Route(
            "POST",
            f"{a}/checkpoint",
            "admin",
            "Write the state to disk now.",
            checkpoint,
            returns=answers.Checkpointed,
        ),
        Route(
            "POST",
            f"{a}/backup",
            "admin",
            "Copy the directory, consistent, while serving.",
            backup,
            (),
            BackupRequest,
            answers.BackedUp,
        ),
        Route(
            "GET", f"{a}/config", "admin", "Every setting with its origin.", config, returns=answers.Settings
        ),
        Route(
            "GET",
            f"{a}/people",
            "profiles:read",
            "Find people by any identifier, a phone fragment too.",
            people,
            search,
            returns=answers.People,
        ),
        Route(
            "POST",
            f"{a}/identity/dry-run",
            "admin",
            "What other identity rules would change, on history.",
            dry_run,
            (),
            DryRun,
            answers.PartitionDiff,
        ),
        Route(
            "POST",
            f"{a}/replay",
            "admin",
            "Rebuild everything from the log beside the live state and compare.",
            verify,
            returns=answers.Verified,
        ),
        Route(
            "POST",
            f"{a}/retention",
            "admin",
            "Drop what is older than its class allows.",
            retain,
            returns=answers.Retained,
        ),
    ]
