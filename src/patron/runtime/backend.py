"""The running workspace as the answering doors see it (`serve.port.Backend`): one method per operation."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

from patron.collect.rate import Rates
from patron.model.access import ApiKey, Source
from patron.model.errors import BadRequest
from patron.model.offers import Ask
from patron.model.outcomes import Reported
from patron.model.views import (
    DeadLetter,
    DecisionView,
    EraseReceipt,
    Health,
    PersonRow,
    Preview,
    PreviewAsk,
    ProgrammeEffect,
    SplitView,
    Status,
)
from patron.runtime import access, letters, tidying, upkeep
from patron.runtime.app import App
from patron.runtime.breath import Breath
from patron.runtime.decisions import outcomes, preview
from patron.runtime.decisions.answer import Answers
from patron.runtime.decisions.entering import Entering
from patron.runtime.decisions.fallback import Fallbacks
from patron.runtime.decisions.launching import Launching
from patron.runtime.decisions.offers import Offers
from patron.runtime.decisions.policies import Policies
from patron.runtime.decisions.programme import Programme
from patron.runtime.exports.exporting import Exporting
from patron.runtime.feeds.doors import FeedDoors
from patron.runtime.insights import LocalInsights
from patron.runtime.lake.local import LocalLake
from patron.runtime.lake.profiles import ProfileSnapshots
from patron.runtime.lake.pruning import prune
from patron.runtime.people import parts, people, scoped, views
from patron.runtime.people.history import history
from patron.runtime.people.roster import Roster
from patron.runtime.people.searching import search
from patron.runtime.people.surgery import Surgery
from patron.runtime.privacy import erasures, export
from patron.runtime.segments.rules import LocalRules
from patron.runtime.sends.sends import Sends
from patron.runtime.workspace import Crash
from patron.storage.lake.asking import Head

_LATEST = 221_845_392_000_000
"""Latest time of a stepped clock, ms: the year 9000, so that calendars still hold every time reckoned from it."""


class LocalBackend(FeedDoors):
    """Every operation on one workspace. The doors check keys and scopes; this does the work."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.workspace = app.workspace
        self.answers = Answers(app)
        self.lake = LocalLake(app)
        self.surgery = Surgery(app)
        self.offers = Offers(app, self.answers)
        self.fallbacks = Fallbacks(app, self.answers)
        self.insights = LocalInsights(app)
        self.policies = Policies(app.workspace)
        self.launching = Launching(app, self.policies)
        self._roster = Roster(self.workspace)
        self.rules = LocalRules(app)
        self.exports = Exporting(app)
        self.sends = Sends(app, self.answers)
        self.entering = Entering(app, self.answers)
        self.profiles = ProfileSnapshots(app)
        self.rates = Rates(app.workspace.clock)
        """What each write key sent lately, through whatever door."""
        self.token = f"lt_{secrets.token_hex(24)}"
        """A key of this process for the command line on this machine; it is gone when the process ends."""
        self._local = ApiKey("local", "", "", ("admin",))
        self.programme = Programme(app)

    @classmethod
    async def start(
        cls,
        path: Path,
        clock: str = "system",
        crash: Crash | None = None,
        *,
        jobs: bool = False,
        lasting: bool = False,
    ) -> "LocalBackend":
        """Open a directory and take up its catalogue file; with `jobs` a process beside keeps the lake.

        With `lasting` what is then in memory is looked at once as garbage and never again; one command spares that look.
        """
        backend = cls(await App.start(path, clock, crash, lasting=lasting))
        try:
            await backend.app.unless_faulted(backend._begin())
        except BaseException:
            await backend.app.stop(checkpoint=False)  # or this process would hold the directory for nothing
            raise
        backend.app.keep(tidying.keep(backend.app))
        backend.app.keep(backend.launching.watch())
        if jobs and backend.workspace.settings.lake.enabled:
            backend.app.start_jobs()
        backend.app.keep(backend.exports.serve())
        backend.app.keep(backend.sends.serve())
        backend.app.keep(backend.entering.serve())
        backend.app.keep(backend.profiles.serve())
        return backend

    async def _begin(self) -> None:
        await erasures.resume(self.app)
        await self.offers.take_up()

    # --- keys and positions -----------------------------------------------------------------------------------

    def api_key(self, secret: str) -> ApiKey | None:
        """The rights of a secret key."""
        if secrets.compare_digest(secret.encode("utf-8", "replace"), self.token.encode()):
            return self._local
        return self.workspace.ring.api_key(secret)

    def source_of(self, write_key: str) -> Source | None:
        """The source of a live write key."""
        return self.workspace.ring.source_of(write_key)

    def charge(self, write_key: str, source: Source, messages: int = 1) -> None:
        """Count messages against the rate of a source. Raises RateLimited."""
        if source.rate > 0:
            self.rates.charge(write_key, rate=source.rate, messages=messages)

    @property
    def applied(self) -> int:
        """Log position up to which everything is applied."""
        return self.workspace.applied

    async def reached(self, after: int | None) -> bool:
        """Wait at most two seconds for a position."""
        return await self.app.reached(after)

    def now(self) -> int:
        """The time by the product's clock, ms."""
        return self.workspace.clock.now()

    def status(self) -> Status:
        """Log positions and lag."""
        return self.app.status()

    def health(self) -> Health:
        """How the process and its directory are."""
        return upkeep.health(self.app)

    def metrics(self) -> str:
        """Prometheus text."""
        return upkeep.metrics(self.app)

    # --- people -------------------------------------------------------------------------------------------------

    async def prepare(self, person: str) -> None:
        """Have ready what takes long to work out of somebody with very many events, serving others meanwhile."""
        await self.workspace.above.ready(people.find(self.workspace, person))

    def resource(self, person: str, part: str, key: ApiKey) -> Any:
        """One part of a profile as JSON, within what the key may read."""
        found = people.find(self.workspace, person)
        return parts.PARTS[part](self.workspace, self.answers, found, key)

    async def everyone(self, cursor: str | None, limit: int, key: ApiKey) -> Any:
        """A page of all people, within what the key may read."""
        return await self._roster.page(cursor, limit, key)

    def events(
        self, person: str, limit: int, cursor: str | None, order: str, channel: str, name: str, key: ApiKey
    ) -> Any:
        """A page of the timeline."""
        found = people.find(self.workspace, person)
        page = history(self.workspace, found, cursor, order, limit, channel, name, key.sources)
        return {
            "data": [scoped.event(e, key) for e in page.data],
            "cursor": page.cursor,
            "total": page.total,
        }

    def why(self, person: str, a: str, b: str, key: ApiKey | None = None) -> Any:
        """Why two identifiers are one person, or why not."""
        return self.surgery.why(person, a, b, key)

    async def split(self, person: str, nodes: list[str], node: str, at: str | int, by: str) -> SplitView:
        """Undo a wrong merge."""
        return await self.surgery.split(person, nodes, node, at, by)

    async def undo_split(self, split: str, by: str) -> SplitView:
        """Take a split back."""
        return await self.surgery.undo_split(split, by)

    async def merge(self, person: str, other: str, by: str, key: ApiKey | None = None) -> Any:
        """Join two people by hand; says so when a limit refuses, in words that the key may read."""
        return await self.surgery.merge(person, other, by, key)

    async def erase(self, person: str, by: str) -> EraseReceipt:
        """Erase a person from every store."""
        return await erasures.erase(self.app, people.find(self.workspace, person), by)

    def export(self, person: str, by: str, key: ApiKey | None = None) -> bytes:
        """Everything held about a person as one ZIP; Forbidden to a key that sees only some of it."""
        scoped.need_whole(key, "An export holds everything about a person")
        found = people.find(self.workspace, person)
        self.audit(by, "export", found.id)
        return export.archive(self.workspace, self.answers, found)

    def audit(self, user: str, verb: str, subject: str) -> None:
        """Record that somebody saw or did something; does not wait for the disk."""
        task = asyncio.ensure_future(self.app.record("Audited", (user, verb, subject)))
        task.add_done_callback(lambda t: t.cancelled() or t.exception())

    async def search(self, query: str, limit: int, key: ApiKey | None = None) -> Any:
        """People by any part of an identifier or name that the key may read."""
        rows = (scoped.row(row, query[:200], key) for row in await self.find(query, limit))
        return [row for row in rows if row is not None]

    async def find(self, query: str, limit: int) -> list[PersonRow]:
        """The same with all their fields."""
        pipeline = self.app.pipeline
        found = await search(self.workspace, query[:200], limit, Breath(lambda: pipeline.waiting > 0))
        return [views.person_row(self.workspace, person, key) for person, key in found]

    # --- deciding -------------------------------------------------------------------------------------------------

    async def decide(self, ask: Ask, *, trusted: bool, source: Source | None, user_hash: str) -> Any:
        """Answer an ask; durable before it is given. What was decided as somebody came in is given first."""
        held = await self.entering.ready(ask, trusted=trusted, source=source, user_hash=user_hash)
        if held is not None:
            return views.made(*held, trusted=trusted)
        made = await self.answers.answer(ask, trusted=trusted, source=source, user_hash=user_hash)
        return views.made(made, made.behind, trusted=trusted)

    def preview(self, about: PreviewAsk, by: str, key: ApiKey | None = None) -> Preview:
        """What somebody would see now; who looked is noted. Forbidden to a key that sees only some fields of people."""
        scoped.need_whole(key, "A preview shows what the facts about a person lead to")
        found = preview.preview(self.workspace, self.answers, about)
        if found.person:
            self.audit(by, "preview", found.person)
        return found

    async def outcome(self, told: Reported, *, trusted: bool, source: Source | None) -> Any:
        """Take what followed a decision."""
        return await outcomes.report(self.app, self.answers, told, trusted=trusted, source=source)

    def decision(self, decision_id: str, key: ApiKey | None = None) -> DecisionView:
        """One decision with what followed it, as far as the key may read."""
        found = views.decided(self.workspace, self.answers, self.answers.find(decision_id))
        return scoped.decision(found, key)

    async def effect(self, within: float | None = None) -> ProgrammeEffect:
        """What deciding changed; after `within` seconds an older answer."""
        return await self.programme.effect(within)

    async def set_catalogue(self, text: str, by: str = "", based_on: str = "") -> Any:
        """Check and load a catalogue; the file in the directory follows."""
        return await self.offers.save(text, by, based_on)

    # --- who may talk to it -----------------------------------------------------------------------------------------

    def sources(self) -> list[Source]:
        """All sources by name."""
        return [s for n in sorted(self.workspace.sources.keys()) if (s := self.workspace.sources.get(n))]

    async def add_source(self, name: str, channel: str, kind: str, assurance: str, rate: int = 0) -> str:
        """Make a source; gives its write key."""
        return await access.add_source(self.app, name, channel, kind, assurance, rate)

    def source_secret(self, name: str, by: str) -> str:
        """What signs `userHash` for touchpoints of a source; who looked is noted."""
        found = access.secret_of(self.app, name)
        self.audit(by, "secret", f"source/{name}")
        return found

    async def rotate_source(self, name: str) -> str:
        """A further write key."""
        return await access.rotate(self.app, name)

    async def revoke_write_key(self, name: str, hint: str) -> None:
        """Revoke a write key by its hint."""
        await access.revoke_write_key(self.app, name, hint)

    def keys(self) -> list[ApiKey]:
        """All secret keys by name."""
        return [k for n in sorted(self.workspace.keys.keys()) if (k := self.workspace.keys.get(n))]

    async def add_key(
        self, name: str, scopes: list[str], fields: list[str], masked: list[str], sources: list[str]
    ) -> str:
        """Make a secret key; gives it."""
        return await access.add_key(self.app, name, scopes, fields, masked, sources)

    async def revoke_key(self, name: str) -> None:
        """Revoke a secret key."""
        await access.revoke_key(self.app, name)

    async def add_user(self, name: str, full_name: str, role: str, password: str) -> None:
        """Make or change a console account."""
        await access.add_user(self.app, name, full_name, role, password)

    # --- dead letters -------------------------------------------------------------------------------------------------

    def dead_letters(
        self, code: str, source: str, cursor: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None, dict[str, int]]:
        """A page of open dead letters."""
        return letters.page(self.app, code, source, cursor, limit)

    def dead_letter(self, letter: str, key: ApiKey | None = None) -> tuple[DeadLetter, str]:
        """One with its message; Forbidden to a key that sees only some fields of people."""
        scoped.need_whole(key, "A dead letter is shown whole, as it came")
        return letters.one(self.app, letter)

    async def replay_dead_letter(self, letter: str, edited: str | None) -> tuple[bool, str]:
        """Send it again."""
        return await letters.replay(self.app, letter, edited)

    async def map_channel(self, unknown: str, channel: str) -> tuple[int, int]:
        """Say what an unknown channel is, and replay."""
        return await letters.map_channel(self.app, unknown, channel)

    # --- the lake -----------------------------------------------------------------------------------------------------

    async def lake_status(self) -> Any:
        """How the lake is, table by table."""
        return await self.lake.status()

    async def lake_query(self, sql: str, form: str = "json", rows: int = 10_000) -> tuple[Head, bytes]:
        """One SELECT over the lake, in a process of its own."""
        return await self.lake.query(sql, form, rows)

    async def lake_flush(self) -> Any:
        """Write everything applied so far."""
        return await self.lake.flush()

    async def lake_compact(self) -> Any:
        """Merge small files and drop what retention does not keep."""
        return await self.lake.compact()

    async def log_prune(self, before: int) -> Any:
        """Take messages that are in the lake out of the old part of the log."""
        return await prune(self.app, before)

    # --- upkeep -------------------------------------------------------------------------------------------------------

    async def step_clock(self, now: int) -> int:
        """Step a stepped clock."""
        if not 0 <= now <= _LATEST:
            raise BadRequest("bad_time", "`now` is milliseconds since 1970, at most in the year 9000.")
        return await self.app.step_clock(now)

    async def checkpoint(self) -> None:
        """Write the state now."""
        await self.app.checkpoint()

    async def backup(self, dest: str, key: ApiKey | None = None) -> Any:
        """Copy the directory: anywhere for the command line on this machine, below `storage.backups` for a key."""
        place = upkeep.backup_place(self.app, dest, local=key is None or key is self._local)
        return await upkeep.backup_to(self.app, place)

    def config(self) -> list[tuple[str, Any, str]]:
        """Every setting with its origin."""
        from patron.runtime.settings import show

        return show(self.workspace.settings, self.workspace.origins)

    def dry_run(self, rules: dict[str, Any], key: ApiKey | None = None) -> Any:
        """What other identity rules would change; Forbidden to a key that sees only some fields of people."""
        scoped.need_whole(key, "Examples of a dry run name people by their identifiers")
        return upkeep.dry_run(self.app, rules)

    async def verify_replay(self) -> Any:
        """Rebuild from the log beside the live state and compare."""
        return await upkeep.verify_replay(self.app)

    async def retain(self) -> Any:
        """Drop what is older than its class allows."""
        return await upkeep.retain(self.app)
