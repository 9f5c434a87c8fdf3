"""The running product behind the console's port: `port.ConsoleApp` over `runtime.backend.LocalBackend`."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from patron.console.app import create_console
from patron.console.audience_port import Insights
from patron.console.figures import figures
from patron.console.needs import needs
from patron.console.port import Figures, LiveUpdate, ShopSetup, User
from patron.identity.diff import PartitionDiff
from patron.model.access import ApiKey, Source
from patron.model.audiences import LakeView
from patron.model.clock import DAY
from patron.model.errors import Forbidden, NotFound
from patron.model.feeds import FeedStatus
from patron.model.guide import Answer, Practice, Stories
from patron.model.views import (
    ChannelRate,
    DeadLetter,
    DecisionView,
    EraseReceipt,
    Health,
    Need,
    PersonRow,
    PersonView,
    Preview,
    PreviewAsk,
    ProgrammeEffect,
    SplitPreview,
    SplitView,
    Status,
    TimelinePage,
)
from patron.runtime import access, guide, letters
from patron.runtime.backend import LocalBackend
from patron.runtime.decisions.launching import Launching
from patron.runtime.decisions.offers import Offers
from patron.runtime.decisions.policies import Policies
from patron.runtime.exports.views import LocalExports
from patron.runtime.lake.health import lake_view
from patron.runtime.people import people, splits, views
from patron.runtime.people.history import history
from patron.runtime.privacy import erasures
from patron.runtime.segments.audiences import LocalAudiences
from patron.runtime.sends.sends import Sends
from patron.serve.router import Asgi

SHOP_FILE = "shop.json"


def console_for(backend: LocalBackend, address: str, tracking: str = "") -> tuple[Asgi, str | None]:
    """The console of a running workspace, and the one-time code of the first account when there is none yet."""
    house = LiveApp(backend, tracking)
    host = urlsplit(address).netloc
    port = host.rpartition(":")[2]
    console = create_console(
        house, allowed_hosts={host, f"localhost:{port}", f"127.0.0.1:{port}"}, secure=False
    )
    return console, None if house.has_users() else house.first_code


class LiveApp:
    """Answers the console from memory; writes go through the log like everybody else's."""

    def __init__(self, backend: LocalBackend, tracking: str) -> None:
        self._backend = backend
        self._workspace = backend.workspace
        self._tracking = tracking
        self._loop = asyncio.get_running_loop()
        self._audiences = LocalAudiences(backend)
        self._insights = backend.insights
        self._exports = LocalExports(backend)
        self.first_code = secrets.token_hex(4)

    # the house
    def now(self) -> int:
        """Milliseconds by the product's clock."""
        return self._workspace.clock.now()

    def workspace(self) -> tuple[str, str]:
        """Name and zone."""
        return self._workspace.settings.workspace.name, self._workspace.settings.workspace.zone

    def tracking_url(self) -> str:
        """Where the tracking API is reached; empty = as the console itself."""
        return self._tracking

    def health(self) -> Health:
        """How it is."""
        return self._backend.health()

    def status(self) -> Status:
        """Log positions."""
        return self._backend.status()

    def rates(self) -> list[ChannelRate]:
        """Live traffic by channel."""
        return self._backend.app.rates.channels(self._workspace)

    def figures(self) -> Figures:
        """Counts of today in the workspace's zone."""
        return figures(self._workspace, self.rates())

    def needs(self) -> list[Need]:
        """What waits for a person, most pressing first."""
        return needs(self._backend)

    async def effect(self) -> ProgrammeEffect:
        """What deciding changed; a page waits a second for it, else shows what was known before."""
        return await self._backend.effect(within=1.0)

    async def subscribe(self, watch: str) -> AsyncIterator[LiveUpdate]:
        """One update a second."""
        while True:
            yield self._update(watch)
            await asyncio.sleep(1.0)

    def _update(self, watch: str) -> LiveUpdate:
        watched, position = "", 0
        if watch:
            try:
                person = people.find(self._workspace, watch)
            except (NotFound, Forbidden):
                person = None
            if person is not None:
                watched = person.id
                position = max((row.position for row in people.rows(self._workspace, person)), default=0)
        newest = self._workspace.newest[0][1] if self._workspace.newest else ""
        figures = self.figures()
        return LiveUpdate(self.now(), self.rates(), figures.decisions_today, newest, watched, position)

    # people
    async def find(self, query: str, limit: int) -> list[PersonRow]:
        """People by any identifier or name."""
        return await self._backend.find(query, limit)

    def person(self, id_or_key: str) -> PersonView | None:
        """One person; None when unknown."""
        try:
            person = people.find(self._workspace, id_or_key)
        except NotFound:
            return None
        view = views.person_view(self._workspace, self._backend.answers, person, self.now())
        drawn = [a for k in person.members if (a := self._workspace.assigned.get(k))]
        group = min(drawn, key=lambda a: (a.time, a.arm)).arm if drawn else ""
        return msgspec.structs.replace(
            view,
            group=group,
            holdout=self._workspace.settings.decide.holdout,
            splits=splits.standing(self._workspace, person.members),
            seen_by=self._seen_by(person.id),
        )

    def _seen_by(self, pid: str) -> int:
        since = self.now() - 30 * DAY
        rows = (self._workspace.audit.get(k) for k in self._workspace.audit.keys())
        return len({r.user for r in rows if r and r.object == pid and r.verb == "view" and r.time > since})

    def timeline(
        self, person_id: str, cursor: str | None, channel: str, order: str, limit: int
    ) -> TimelinePage:
        """Events by their own time."""
        person = people.find(self._workspace, person_id)
        return history(self._workspace, person, cursor, order, limit, channel, "", ())

    def why(self, person_id: str, a: str, b: str) -> tuple[bool, list[str]]:
        """Why two identifiers are one person, or not."""
        said = self._backend.why(person_id, a, b)
        return said["joined"], said["steps"]

    def dry_run(self, rules: dict[str, Any]) -> PartitionDiff:
        """What other identity rules would change."""
        found: PartitionDiff = self._backend.dry_run(rules)
        return found

    async def preview_split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None
    ) -> SplitPreview:
        """What a split would do."""
        return splits.preview(
            self._workspace,
            people.find(self._workspace, person_id),
            tuple(nodes),
            cut_node or "",
            cut_at or 0,
        )

    async def split(
        self, person_id: str, nodes: list[str], cut_node: str | None, cut_at: int | None, by: str
    ) -> SplitView:
        """Undo a wrong merge."""
        return await self._backend.split(person_id, nodes, cut_node or "", cut_at or 0, by)

    async def undo_split(self, split_id: str, by: str) -> SplitView:
        """Take a split back."""
        return await self._backend.undo_split(split_id, by)

    async def export(self, person_id: str, by: str) -> tuple[str, bytes]:
        """One archive with all that is kept."""
        person = people.find(self._workspace, person_id)
        return f"person-{person.id}.zip", self._backend.export(person_id, by)

    async def erase(self, person_id: str, by: str) -> EraseReceipt:
        """Erase everywhere."""
        return await self._backend.erase(person_id, by)

    def receipts(self) -> list[EraseReceipt]:
        """Erasures, newest first."""
        return erasures.receipts(self._backend.app)

    def audit(self, user: str, verb: str, subject: str) -> None:
        """Record that an account saw or did something."""
        self._backend.audit(user, verb, subject)

    # segments, analyses, the lake
    def audiences(self) -> LocalAudiences:
        """Segments and computed traits."""
        return self._audiences

    def exports(self) -> LocalExports:
        """What is carried elsewhere."""
        return self._exports

    def catalogue(self) -> Offers:
        """What may be decided for."""
        return self._backend.offers

    def policies(self) -> Policies:
        """How placements are decided."""
        return self._backend.policies

    def launching(self) -> Launching:
        """Policies on their way."""
        return self._backend.launching

    def sends(self) -> Sends:
        """Decisions for many people at once."""
        return self._backend.sends

    def insights(self) -> Insights | None:
        """Analyses over the lake."""
        return self._insights if self.has_lake() else None

    def has_lake(self) -> bool:
        """Whether a lake is kept here."""
        return self._workspace.settings.lake.enabled

    async def lake(self) -> LakeView | None:
        """How the lake is."""
        return await lake_view(self._backend) if self.has_lake() else None

    # decisions
    def recent_decisions(self, limit: int) -> list[DecisionView]:
        """The latest decisions."""
        newest = [name for _, name in list(self._workspace.newest)[:limit]]
        return views.decided_all(self._workspace, self._backend.answers, newest)

    def decisions(
        self, cursor: str | None, channel: str, limit: int
    ) -> tuple[list[DecisionView], str | None]:
        """A page of decisions, newest first."""
        rows = self._workspace.decisions.items()
        found = sorted((-row.time, name) for name, row in rows if not channel or row.channel == channel)
        start = int(cursor) if cursor and cursor.isdigit() else 0
        page = found[start : start + limit]
        more = str(start + limit) if len(found) > start + limit else None
        return views.decided_all(self._workspace, self._backend.answers, [name for _, name in page]), more

    def decision(self, decision_id: str) -> DecisionView | None:
        """One decision."""
        try:
            return self._backend.decision(decision_id)
        except NotFound:
            return None

    def preview(self, about: PreviewAsk, by: str) -> Preview:
        """What somebody would see now."""
        return self._backend.preview(about, by)

    # data
    def sources(self) -> list[Source]:
        """All sources."""
        return self._backend.sources()

    def feeds(self) -> list[FeedStatus]:
        """Every kind of reference feed."""
        return self._backend.feeds()

    def arrived(self) -> dict[str, int]:
        """Messages accepted today by source."""
        return self._workspace.sent_today()

    async def add_source(self, name: str, channel: str, kind: str, assurance: str) -> str:
        """Make a source; gives its write key."""
        return await self._backend.add_source(name, channel, kind, assurance)

    async def rotate(self, name: str) -> str:
        """A further write key."""
        return await self._backend.rotate_source(name)

    async def revoke(self, name: str, hint: str) -> None:
        """Revoke a write key."""
        await self._backend.revoke_write_key(name, hint)

    def keys(self) -> list[ApiKey]:
        """All secret keys."""
        return self._backend.keys()

    async def add_key(
        self, name: str, scopes: list[str], fields: list[str], masked: list[str], sources: list[str]
    ) -> str:
        """Make a secret key; gives it."""
        return await self._backend.add_key(name, scopes, fields, masked, sources)

    async def revoke_key(self, name: str) -> None:
        """Revoke a secret key."""
        await self._backend.revoke_key(name)

    def dead_letters(
        self, code: str, source: str, cursor: str | None, limit: int
    ) -> tuple[list[DeadLetter], str | None, dict[str, int]]:
        """A page of open dead letters; what a person refused is listed only when asked for."""
        return letters.page(self._backend.app, code, source, cursor, limit, apart=letters.REFUSED)

    def dead_letter(self, letter_id: str) -> tuple[DeadLetter, str] | None:
        """One with its message."""
        try:
            return self._backend.dead_letter(letter_id)
        except NotFound:
            return None

    async def replay_dead_letter(self, letter_id: str, edited: str | None) -> tuple[bool, str]:
        """Send it again."""
        return await self._backend.replay_dead_letter(letter_id, edited)

    async def map_channel(self, unknown: str, channel: str) -> tuple[int, int]:
        """Declare an unknown channel, and replay."""
        return await self._backend.map_channel(unknown, channel)

    # accounts: `authenticate` and `create_first_user` are called in worker threads

    def has_users(self) -> bool:
        """Whether anybody can sign in."""
        return len(self._workspace.users) > 0

    def authenticate(self, name: str, password: str) -> User | None:
        """The account when the password is right."""
        user = access.authenticate(self._backend.app, name, password)
        return User(user.name, user.full_name, user.role) if user else None

    def create_first_user(self, code: str, name: str, full_name: str, password: str) -> User:
        """The first account, against the printed code."""
        if self.has_users() or not secrets.compare_digest(code.strip().encode(), self.first_code.encode()):
            raise Forbidden("bad_code", "That is not the code the server printed when it started.")
        made = self._backend.add_user(name, full_name, "admin", password)
        asyncio.run_coroutine_threadsafe(made, self._loop).result(30)
        return User(name, full_name or name, "admin")

    async def set_password(self, name: str, password: str) -> None:
        """Change a password."""
        user = self._workspace.users.get(name)
        if user is None:
            raise NotFound("unknown_user", "There is no such account.")
        await self._backend.add_user(name, user.full_name, user.role, password)

    # the demo shop
    def shop(self) -> ShopSetup | None:
        """What "Be the customer" needs, written by `patron demo`."""
        file: Path = self._workspace.path / SHOP_FILE
        return msgspec.json.decode(file.read_bytes(), type=ShopSetup) if file.exists() else None

    # stories and questions
    def stories(self) -> Stories | None:
        """What `patron demo` planted."""
        return guide.stories(self._workspace.path)

    def practice(self) -> Practice | None:
        """What `patron sim practice` asks."""
        return guide.practice(self._workspace.path)

    def answers(self) -> dict[str, Answer]:
        """The last answer to each question."""
        return guide.answered(self._workspace.path)

    async def answer(self, question: str, values: tuple[str, ...], by: str) -> None:
        """Note an answer."""
        one = Answer(question=question, values=values, by=by, at=self.now())
        await asyncio.to_thread(guide.answer, self._workspace.path, one)
